"""Rewrite the files of a log, each under the lock that it needs.

The live file is rewritten under the exclusive lock from start to end, so that no append is lost; a new
sealed file is written without it, and only replaces the old one under it. The lock of the compression is
held all the time, so that no sealed file changes meanwhile. Files that retention removes stay removed.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sentimon.compression import compressor
from sentimon.errors import StoreError
from sentimon.jsonl import LONGEST, LineError, line_content
from sentimon.prediction_log.append_chain import break_append_chain
from sentimon.prediction_log.durable_files import errors_named, sync_name
from sentimon.prediction_log.folder import ENDINGS, LIVE_FILE, SEALED, check_folder, sealed_files, stem_of
from sentimon.prediction_log.locks import exclusive, only_compressor
from sentimon.prediction_log.log_file import COMPRESSED, LineFragment, OpenLogFile, open_log_file

_TRIES = 100
_PAUSE_SECONDS = 0.1


def rewrite_files(
    folder: Path, untouched: Collection[str], rewrite_one: Callable[[Path, FolderLock], None]
) -> None:
    """Call `rewrite_one` with each file of the log in `folder`, and with the lock for replacing it.

    Files whose stems are in `untouched` are left out. If the live file is not among them and is sealed
    meanwhile, the new sealed file is rewritten, too. The caller is the `only_rewriter`.

    Raises:
        StoreError: the folder cannot be written.
    """
    done = set(untouched)

    def left() -> list[Path]:
        return [path for path in sealed_files(folder) if stem_of(path) not in done]

    while True:
        for path in left():
            rewrite_one(path, functools.partial(exclusive, folder))
            with errors_named(path):
                sync_name(path)
            done.add(stem_of(path))
        if stem_of(Path(LIVE_FILE)) in done:
            return
        with errors_named(folder), exclusive(folder) as lock:
            if not left():
                rewrite_one(folder / LIVE_FILE, _held(lock))
                sync_name(folder / LIVE_FILE)
                return


@contextlib.contextmanager
def only_rewriter(folder: Path) -> Iterator[None]:
    """Keep other programs from compressing and rewriting files of `folder`; remove leftovers of killed ones.

    Raises:
        StoreError: another program does it and takes long, or the folder cannot be written.
    """
    with ExitStack() as stack:
        with errors_named(folder):
            stack.enter_context(_alone(folder))
            for orphan in orphans(folder):
                orphan.unlink(missing_ok=True)
        yield


def orphans(folder: Path) -> list[Path]:
    """Return the half-written files in `folder`, of programs that were killed or are still writing."""
    return sorted(folder.glob(f".{SEALED}*"))


def _held(lock: int) -> FolderLock:
    """Return a FolderLock for a lock that is held already."""
    return lambda: contextlib.nullcontext(lock)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    for _ in range(_TRIES):
        with only_compressor(folder) as alone:
            if alone:
                yield
                return
        time.sleep(_PAUSE_SECONDS)
    raise StoreError(
        f"{folder}: another program is compressing or rewriting the log",
        hint="nothing was changed; run it again when that one is done",
    )


DAMAGED = ".damaged"
"""The ending of a damaged original that is kept beside the repaired file; it is no part of the log."""
_TEMPORARY = f".{SEALED}rewrite."
"""The prefix of temporary files; the compression removes them, too, if this program is killed."""


class NumberedLine(NamedTuple):
    """A line of a file that is not blank."""

    number: int
    """From 1."""
    raw: bytes
    """As it stands in the file, with its newline if it has one."""
    content: bytes
    """The line as a reader sees it: without the newline and a byte order mark."""


LineEdit = Callable[[NumberedLine], bytes | None]
"""Gives the new content of a line: the same object (the line stays), another one, or None (it is removed)."""
FragmentFilter = Callable[[LineFragment, int], bool]
"""Takes a fragment of a line that is too long, and the line number; gives whether the line stays."""
FolderLock = Callable[[], AbstractContextManager[int]]
"""Gives a context that holds the exclusive lock of the folder, and gives its descriptor."""
LineCallback = Callable[[], object]
"""Called for each line, to show the progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrittenFile:
    """A file that was rewritten."""

    kept_as: Path | None
    """The damaged original, if the file was damaged."""


def no_callback() -> None:
    """Do nothing."""


def keep_fragments(_piece: LineFragment, _number: int) -> bool:
    """Return True: lines that are too long stay, byte for byte."""
    return True


def check_no_link(path: Path) -> None:
    """Raise StoreError if a file that is to be rewritten is a link: its target lies elsewhere."""
    if path.is_symlink():
        hint = "it was left as it is; put the file itself into the folder, and run it again"
        raise StoreError(f"{path}: is a link, and what it leads to is not rewritten", hint=hint)


def edited_lines(
    opened: OpenLogFile, edit: LineEdit, keep_fragment: FragmentFilter = keep_fragments
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (line as it stands, its new form, empty if it is removed); blank lines stay.

    A line that is too long comes in fragments.

    Raises:
        LineError: the compressed file is damaged from here on.
        StoreError: the file cannot be read.
    """
    number = 0
    for raw in opened.raw_lines():
        if isinstance(raw, LineFragment):
            piece = bytes(raw.content)
            yield piece, piece if keep_fragment(raw, number + 1) else b""
            number += raw.last
            continue
        number += 1
        content = line_content(raw, first=number == 1)
        after = edit(NumberedLine(number, raw, content)) if content else content
        if after is content:
            yield raw, raw
        elif after is None:
            yield raw, b""
        else:
            yield raw, after + raw[len(raw.rstrip(b"\r\n")) :]


def rewrite(
    path: Path,
    edit: LineEdit,
    lock: FolderLock,
    *,
    keep_fragment: FragmentFilter = keep_fragments,
    longest: int = LONGEST,
    salvage: bool = False,
    ready: Callable[[], object] = no_callback,
) -> RewrittenFile | None:
    """Rewrite the lines of the file at `path` through `edit`; return None if nothing changes.

    `keep_fragment` says what becomes of lines of more than `longest` bytes.

    It also returns None if the file was removed meanwhile. Times, mode and compression stay the same. A
    sealed file that would be empty is removed. If the file is damaged and `salvage` is set, the lines
    before the damage are kept, and the original is kept beside it. `ready` is called when the new file is
    complete, right before it replaces the old one. The caller forces the new name onto the disk.

    Raises:
        LineError: the file is damaged.
        StoreError: the file cannot be read or written, is a link, or another program changed it meanwhile.
    """
    with errors_named(path), ExitStack() as stack:
        with lock():
            if not path.exists():
                return None
            before = path.lstat()
            opened = stack.enter_context(open_log_file(path, longest=longest))
        new, name = stack.enter_context(_temporary_beside(path))
        outcome = _write(new, edited_lines(opened, edit, keep_fragment), suffix=path.suffix, salvage=salvage)
        if not outcome.changed and not outcome.damaged:
            return None
        check_no_link(path)
        _finish(new, name, after=path)
        ready()
        with lock() as descriptor:
            if not path.exists():
                return None
            if _state(path.lstat()) != _state(before):
                hint = "it was left as it is; run it again"
                raise StoreError(f"{path}: another program changed it meanwhile", hint=hint)
            kept_as = _keep_beside(path) if outcome.damaged else None
            if path.name == LIVE_FILE:
                break_append_chain(descriptor)
            if outcome.empty and path.name != LIVE_FILE:
                _remove(path)
            else:
                name.replace(path)
        return RewrittenFile(kept_as=kept_as)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    changed: bool
    damaged: bool
    empty: bool


def _write(new: BinaryIO, lines: Iterable[tuple[bytes, bytes]], *, suffix: str, salvage: bool) -> _Outcome:
    changed, damaged, empty = False, False, True
    with compressor(new, suffix) if suffix in COMPRESSED else contextlib.nullcontext(new) as sink:
        try:
            for number, (before, after) in enumerate(lines, start=1):
                changed = changed or before != after
                if empty and number > 1 and after.startswith(codecs.BOM_UTF8):
                    # Readers ignore a byte order mark only on the first line: keep this line from being it.
                    sink.write(b"\n")
                sink.write(after)
                empty = empty and not after
        except LineError:
            if not salvage:
                raise
            damaged = True
    return _Outcome(changed=changed, damaged=damaged, empty=empty)


@contextlib.contextmanager
def _temporary_beside(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _finish(new: BinaryIO, name: Path, *, after: Path) -> None:
    """Force the new file onto the disk, with the owner, the mode and the times of the old one."""
    new.flush()
    status = after.stat()
    for owner, group in ((-1, status.st_gid), (status.st_uid, -1)):
        # Only root may give a file away, and only root needs to.
        with contextlib.suppress(PermissionError):
            os.chown(name, owner, group)
    shutil.copystat(after, name)
    os.fsync(new.fileno())


def _keep_beside(target: Path) -> Path:
    """Give the damaged file a second name, and return it; the new file then takes the first one."""
    for number in itertools.count():
        beside = target.with_name(f"{target.name}{DAMAGED}{f'.{number}' if number else ''}")
        try:
            os.link(target, beside)
        except FileExistsError:
            # A repair that was killed at this point may have left the same file there.
            if not beside.samefile(target):
                continue
        break
    return beside


def _remove(path: Path) -> None:
    for ending in ENDINGS if path.name.startswith(SEALED) else ():
        # A second form, left by a killed compression, would count once the first one is gone.
        if (other := path.with_name(stem_of(path) + ending)) != path:
            other.unlink(missing_ok=True)
    path.unlink()


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def find_stray_files(folder: Path) -> list[Path]:
    """Return copies, second forms, damaged originals and half-written files of the log in `folder`, sorted.

    Raises:
        StoreError: there is no such folder.
    """
    check_folder(folder)
    known = {*sealed_files(folder), folder / LIVE_FILE}
    named = [*folder.glob(f"{LIVE_FILE}*"), *folder.glob(f"{SEALED}*"), *orphans(folder)]
    return sorted(set(named) - known)
