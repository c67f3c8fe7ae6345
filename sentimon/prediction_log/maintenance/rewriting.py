"""All files of a log rewritten, each under the lock that it needs.

The live file is rewritten under the folder's lock as a whole, so that no append is lost; a sealed one
only takes its place under it. The lock of the compression is held all the time, so that the sealed
files stay what they are meanwhile. What retention removes in between stays removed.
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

from sentimon.errors import StoreError
from sentimon.jsonl import LONGEST, LineError, line_content
from sentimon.prediction_log.append_chain import break_append_chain
from sentimon.prediction_log.durable_files import errors_named, sync_name
from sentimon.prediction_log.folder import ENDINGS, LIVE_FILE, SEALED, check_folder, sealed_files, stem_of
from sentimon.prediction_log.locks import exclusive, only_compressor
from sentimon.prediction_log.rotation import compressor
from sentimon.prediction_log.segment import Fragment, Segment, opened

_TRIES = 100
_PAUSE_SECONDS = 0.1


def rewrite_files(
    folder: Path, untouched: Collection[str], rewrite_one: Callable[[Path, Lock], None]
) -> None:
    """Call `rewrite_one` with each file of the log in `folder` and the lock to exchange it under.

    Left out are the files whose stems are in `untouched`. If the live file is not among these, what
    it was sealed as meanwhile is rewritten, too. The caller is the `only_rewriter`.

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
    """Keep other programs from compressing and rewriting the files of `folder`; leftovers of killed ones go.

    Raises:
        StoreError: another one is at it for long, or the folder cannot be written.
    """
    with ExitStack() as stack:
        with errors_named(folder):
            stack.enter_context(_alone(folder))
            for orphan in orphans(folder):
                orphan.unlink(missing_ok=True)
        yield


def orphans(folder: Path) -> list[Path]:
    """Return the half-written files in `folder`, of programs that were killed or are still at it."""
    return sorted(folder.glob(f".{SEALED}*"))


def _held(lock: int) -> Lock:
    """Return what stands for a lock that is held already."""
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
"""Ends the name of a damaged file that was kept beside its repaired one; it is no part of the log."""
_TEMPORARY = f".{SEALED}rewrite."
"""What the compression sweeps up, too, if this program is killed."""


class Line(NamedTuple):
    """A line of a file that is not blank."""

    number: int
    """From 1."""
    raw: bytes
    """As it stands in the file, with its newline if it has one."""
    content: bytes
    """What a reader sees of it: without the newline and the byte order mark."""


Edit = Callable[[Line], bytes | None]
"""What becomes of a line: its own content (it stays as it stands), another one, or None (it goes)."""
Stays = Callable[[Fragment, int], bool]
"""Whether a piece of a line that is too long stays, as all pieces of that line do, which has a number."""
Lock = Callable[[], AbstractContextManager[int]]
"""What holds the lock of the folder, and gives its descriptor."""
Tick = Callable[[], object]
"""What is called with each line, to show how far things are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A file that now has other lines."""

    kept_as: Path | None
    """The damaged original beside it."""


def silent() -> None:
    """Show nothing."""


def all_stay(_piece: Fragment, _number: int) -> bool:
    """Return that a line which is too long stays, byte for byte."""
    return True


def check_no_link(path: Path) -> None:
    """Raise StoreError where a file that is to be rewritten is a link: what it leads to lies elsewhere."""
    if path.is_symlink():
        hint = "it was left as it is; put the file itself into the folder, and run it again"
        raise StoreError(f"{path}: is a link, and what it leads to is not rewritten", hint=hint)


def edited_lines(segment: Segment, edit: Edit, stays: Stays = all_stay) -> Iterator[tuple[bytes, bytes]]:
    """Yield (line as it stands, line as it is to be, empty where it goes), the blank ones unchanged.

    A line that is too long comes in pieces.

    Raises:
        LineError: the compressed file is damaged from here on.
        StoreError: the file cannot be read.
    """
    number = 0
    for raw in segment.raw_lines():
        if isinstance(raw, Fragment):
            piece = bytes(raw.content)
            yield piece, piece if stays(raw, number + 1) else b""
            number += raw.last
            continue
        number += 1
        content = line_content(raw, first=number == 1)
        after = edit(Line(number, raw, content)) if content else content
        if after is content:
            yield raw, raw
        elif after is None:
            yield raw, b""
        else:
            yield raw, after + raw[len(raw.rstrip(b"\r\n")) :]


def rewrite(
    path: Path,
    edit: Edit,
    lock: Lock,
    *,
    stays: Stays = all_stay,
    longest: int = LONGEST,
    salvage: bool = False,
    ready: Callable[[], object] = silent,
) -> Rewritten | None:
    """Give the file at `path` the lines that `edit` makes of its own; None where they stay the same.

    `stays` says what becomes of lines of more than `longest` bytes.

    None, too, where the file was removed meanwhile. Time of change, mode and compression stay. A
    sealed file that would be empty is removed. If the file is damaged and `salvage` is on, the lines
    before the damage are kept and the original stays beside. `ready` is called when the new file is
    complete, right before it takes its place. That it has taken it, the caller forces onto the disk.

    Raises:
        LineError: the file is damaged.
        StoreError: the file cannot be read or written, is a link, or another program changed it meanwhile.
    """
    with errors_named(path), ExitStack() as stack:
        with lock():
            if not path.exists():
                return None
            before = path.lstat()
            segment = stack.enter_context(opened(path, longest=longest))
        new, name = stack.enter_context(_temporary_beside(path))
        outcome = _write(new, edited_lines(segment, edit, stays), suffix=path.suffix, salvage=salvage)
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
        return Rewritten(kept_as=kept_as)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    changed: bool
    damaged: bool
    empty: bool


def _write(new: BinaryIO, lines: Iterable[tuple[bytes, bytes]], *, suffix: str, salvage: bool) -> _Outcome:
    changed, damaged, empty = False, False, True
    with compressor(new, suffix) if suffix in (".zst", ".gz") else contextlib.nullcontext(new) as sink:
        try:
            for number, (before, after) in enumerate(lines, start=1):
                changed = changed or before != after
                if empty and number > 1 and after.startswith(codecs.BOM_UTF8):
                    # Of the first line a reader passes over the mark, and of another it does not.
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
        # Only the superuser may give a file away, and only he has to.
        with contextlib.suppress(PermissionError):
            os.chown(name, owner, group)
    shutil.copystat(after, name)
    os.fsync(new.fileno())


def _keep_beside(target: Path) -> Path:
    """Return the second name that the damaged file now has; the first one is free for the new file."""
    for number in itertools.count():
        beside = target.with_name(f"{target.name}{DAMAGED}{f'.{number}' if number else ''}")
        try:
            os.link(target, beside)
        except FileExistsError:
            # A repair that was killed right here left the same file there.
            if not beside.samefile(target):
                continue
        break
    return beside


def _remove(path: Path) -> None:
    for ending in ENDINGS if path.name.startswith(SEALED) else ():
        # A second form, left by a killed compression, would count if the first one were gone.
        if (other := path.with_name(stem_of(path) + ending)) != path:
            other.unlink(missing_ok=True)
    path.unlink()


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def find_strays(folder: Path) -> list[Path]:
    """Return, by name, copies, second forms, damaged originals and half-written files of the log in `folder`.

    Raises:
        StoreError: there is no such folder.
    """
    check_folder(folder)
    known = {*sealed_files(folder), folder / LIVE_FILE}
    named = [*folder.glob(f"{LIVE_FILE}*"), *folder.glob(f"{SEALED}*"), *orphans(folder)]
    return sorted(set(named) - known)
