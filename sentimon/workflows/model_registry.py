"""The folder of promoted models: versions that never change, a history, and `current`, switched in one step.

models/
  v0001/ v0002/     what was promoted, copied in
  current           a link to the version that serves
  registry.jsonl    who switched, when, why, and on what figures
  pending.json      only while a switch goes on: what to write down of it should the program be killed
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from sentimon.errors import DataError, StoreError, UsageError
from sentimon.files import MOST_SETTINGS, is_there, read_if_there
from sentimon.jsonl import BadLine, decode_file, decode_line, decode_object, encode, newest_lines
from sentimon.prediction_log.durable_files import errors_named, remove_file, replace_file, sync, write_at_end
from sentimon.prediction_log.history import numbered_entries, read_entries
from sentimon.prediction_log.locks import STATE_FOLDER, exclusive
from sentimon.timestamps import parse_moment
from sentimon.workflows.model_copy import copy_model

REGISTRY_FILE, PENDING_FILE, CURRENT = "registry.jsonl", "pending.json", "current"
PROMOTED, ROLLED_BACK = "promote", "rollback"
READABLE = 0o644
"""The history holds no text of a user."""
_INCOMING = "incoming"
"""In the folder of our state: what stands there is ours, and is removed."""
_NEXT = ".current.next"
_VERSION = re.compile(r"v(\d{4,})", re.ASCII)

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What was promoted, in order, and what serves."""

    entries: tuple[Entry, ...]
    bad_lines: tuple[BadLine, ...]
    versions: tuple[str, ...]
    current: str | None

    def entry_of(self, version: str) -> Entry | None:
        """Return the entry of its promotion."""
        found = (one for one in self.entries if one.get("version") == version)
        return next((one for one in found if one.get("event") == PROMOTED), None)

    @property
    def previous(self) -> str | None:
        """Return the version that served before the current one, as far as its folder is there."""
        for one in reversed(self.entries):
            if one.get("version") == self.current:
                before = one.get("previous")
                return before if before in self.versions else None
        return None


def read_registry(folder: Path) -> Registry:
    """Return the registry in `folder`; an empty one where nothing was promoted yet.

    What a program left behind that was killed within a switch is tidied up first.

    Raises:
        StoreError: a file cannot be read.
    """
    if is_there(folder / PENDING_FILE):
        with errors_named(folder), exclusive(folder):
            _settle(folder)
    path = folder / REGISTRY_FILE
    entries: list[Entry] = []
    bad: list[BadLine] = []
    for number, one in numbered_entries(path):
        try:
            if isinstance(one, BadLine):
                bad.append(one)
            else:
                msgspec.convert(one, _Entry)
                entries.append(one)
        except msgspec.ValidationError as error:
            bad.append(BadLine(path=str(path), line=number, kind="field", reason=str(error)))
    return Registry(
        entries=tuple(entries),
        bad_lines=tuple(bad),
        versions=tuple(versions_in(folder)),
        current=_current(folder),
    )


def last_switch(folder: Path) -> datetime | None:
    """Return when another model began to serve, last; None where that is not known. Nothing is tidied up.

    Raises:
        StoreError: the history cannot be read.
    """
    for line in newest_lines(folder / REGISTRY_FILE):
        with contextlib.suppress(DataError, msgspec.ValidationError):
            entry = msgspec.convert(decode_line(line, decode_object), _Entry)
            return parse_moment(entry.timestamp, UTC)[0]
    return None


def promote_model(folder: Path, source: Path, facts: Entry, *, judged: Registry | None = None) -> str:
    """Copy the model in `source` into the registry, have it serve, and return its version.

    A reader of `current` sees the version before or the new one, each whole, whenever this is killed.
    What it was `judged` against must still serve.

    Raises:
        ModelError: it holds a link that leads out of it.
        StoreError: another switch came first, it cannot be copied, or the disk is full; then what served
            still does, and nothing of it is left behind.
    """
    with errors_named(folder), exclusive(folder):
        _settle(folder)
        _check_same(folder, judged)
        incoming = folder / STATE_FOLDER / _INCOMING
        # Left by a program that was killed.
        _remove(incoming)
        versions = versions_in(folder)
        version = f"v{int(versions[-1][1:]) + 1 if versions else 1:04d}"
        try:
            incoming.mkdir()
            copy_model(source, incoming)
            sync(incoming)
            incoming.rename(folder / version)
            sync(folder)
            _switch(folder, version, {**facts, "event": PROMOTED})
        except BaseException:
            # On a full disk nothing may stay that no one asked for; what serves by now does stay.
            _remove(incoming)
            if _current(folder) != version:
                _remove(folder / version)
            raise
    return version


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def roll_back(folder: Path, version: str | None, facts: Entry) -> str:
    """Have an older version serve again, the one before where none is named, and return it.

    Raises:
        UsageError: there is no such version, or it serves already.
        StoreError: there is none to go back to, another switch came first, or the folder cannot be written.
    """
    found = read_registry(folder)
    target = version or found.previous
    if target is None:
        raise StoreError(
            f"{folder}: no version served before",
            hint="`sentimon promote sentimon-default --force` has the model that ships serve again",
        )
    if target not in found.versions:
        known = ", ".join(found.versions) or "none"
        raise UsageError(f"{folder} has no version {target!r}", hint=f"there are: {known}")
    if target == found.current:
        raise UsageError(f"{target} serves already", hint="`sentimon models list` shows the versions")
    with errors_named(folder), exclusive(folder):
        _settle(folder)
        _check_same(folder, found)
        _switch(folder, target, {**facts, "event": ROLLED_BACK})
    return target


def _check_same(folder: Path, known: Registry | None) -> None:
    """Raise StoreError where another version serves than what was decided on; the caller holds the lock."""
    now = _current(folder)
    if known is not None and now != known.current:
        raise StoreError(
            f"{folder}: {now} serves since another switch came first",
            hint="run it again: it was judged against what served before",
        )


def _switch(folder: Path, version: str, facts: Entry) -> None:
    """Let `current` lead to `version`; the caller holds the lock."""
    entry = {**facts, "version": version, "previous": _current(folder)}
    replace_file(folder / PENDING_FILE, encode(entry), mode=READABLE)
    link = folder / _NEXT
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.replace(folder / CURRENT)
    sync(folder)
    _settle(folder)


def _settle(folder: Path) -> None:
    """Write down a switch that came about, and forget one that did not; the caller holds the lock."""
    pending = folder / PENDING_FILE
    content = read_if_there(pending, most=MOST_SETTINGS)
    if content is None:
        return
    hint = f"`sentimon models list` shows what serves; then remove {pending}"
    entry = decode_file(content, _entry_of, origin=str(pending), what="switch of models", hint=hint)
    entries, _ = read_entries(folder / REGISTRY_FILE)
    if entry["version"] == _current(folder) and (not entries or entries[-1] != entry):
        write_at_end(folder / REGISTRY_FILE, [encode(entry)], sync=True)
    remove_file(pending)


class _Entry(msgspec.Struct):
    """What is relied on of an entry; it may say more."""

    version: Annotated[str, msgspec.Meta(pattern=f"^{_VERSION.pattern}$")]
    event: Literal["promote", "rollback"]
    previous: str | None = None
    revision: str | None = None
    timestamp: str = ""
    who: str = ""
    why: str = ""
    forced: bool = False


def _entry_of(content: bytes) -> dict[str, Any]:
    entry = decode_object(content)
    msgspec.convert(entry, _Entry)
    return entry


def _current(folder: Path) -> str | None:
    with contextlib.suppress(OSError):
        return (folder / CURRENT).readlink().name
    return None


def versions_in(folder: Path) -> list[str]:
    """Return the versions in the folder of the models, the oldest first; none where there is no folder."""
    if not folder.is_dir():
        return []
    found = (one.name for one in folder.iterdir() if one.is_dir() and _VERSION.fullmatch(one.name))
    return sorted((name for name in found if name != CURRENT), key=lambda name: int(name[1:]))
