"""All files of a log rewritten, each under the lock that it needs.

The live file is rewritten under the folder's lock as a whole, so that no append is lost; a sealed one
only takes its place under it. The lock of the compression is held all the time, so that the sealed
files stay what they are meanwhile. What retention removes in between stays removed.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

from sentimon.errors import StoreError
from sentimon.logbook.files import errors_named, sync_name
from sentimon.logbook.locks import exclusive, only_compressor
from sentimon.logbook.segments import LIVE_FILE, SEALED, sealed_files, stem_of
from sentimon.logbook.upkeep.rewriting import Lock

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
