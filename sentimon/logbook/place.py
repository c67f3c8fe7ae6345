"""Where the live file ended, remembered well enough to tell later what was appended there."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from sentimon.files import open_own
from sentimon.logbook.custody import this_boot
from sentimon.logbook.segments import LIVE_FILE, sealed_files, stem_of

_TAIL_BYTES = 4096


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the live file at some moment."""

    inode: Annotated[int, msgspec.Meta(ge=0)]
    device: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """None where the place was noted before devices were."""
    boot: str = ""
    """The run of the system that it was noted in: in another one devices may have other numbers."""
    size: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
    """Bytes."""
    tail: str
    """SHA-256 of the last bytes, by which the file is known again."""
    sealed: list[str]
    """The names of the files that were sealed before, without their endings."""

    @classmethod
    def of(cls, live: Path) -> Place:
        """Return where the live file ends, which is made if need be. The caller holds the lock.

        Raises:
            OSError: it cannot be opened.
        """
        with _opened(live, os.O_RDWR | os.O_CREAT) as descriptor:
            status = os.fstat(descriptor)
            return cls(
                inode=status.st_ino,
                device=status.st_dev,
                boot=this_boot(),
                size=status.st_size,
                tail=_tail(descriptor, status.st_size),
                sealed=[stem_of(path) for path in sealed_files(live.parent)],
            )

    def found_in(self, folder: Path) -> Path | None:
        """Return the file that it is in, live or sealed; None where it was rewritten, compressed or removed.

        Raises:
            OSError: a file cannot be read.
        """
        # Where a file was sealed since, that one was the live one; what is live now is another.
        new = [path for path in sealed_files(folder) if stem_of(path) not in self.sealed]
        for path in new or [folder / LIVE_FILE]:
            with contextlib.suppress(FileNotFoundError), _opened(path, os.O_RDONLY) as descriptor:
                status = os.fstat(descriptor)
                same = status.st_ino == self.inode and status.st_size >= self.size
                if same and self._on(status.st_dev) and _tail(descriptor, self.size) == self.tail:
                    return path
        return None

    def _on(self, device: int) -> bool:
        return self.device is None or self.boot != this_boot() or self.device == device

    def lines_there(self, path: Path, lines: Sequence[bytes]) -> tuple[int, int | None]:
        """Return how many of `lines` were appended there, and where a torn one begins that ends the file.

        Raises:
            OSError: the file cannot be read.
        """
        with _opened(path, os.O_RDONLY) as descriptor:
            begin, size = self.size, os.fstat(descriptor).st_size
            # A line that was torn before was ended first.
            if begin and os.pread(descriptor, 1, begin - 1) != b"\n" and size > begin:
                begin += 1
            for count, line in enumerate(lines):
                there = os.pread(descriptor, len(line) + 1, begin)
                if there != line + b"\n":
                    torn = there and begin + len(there) == size and line.startswith(there)
                    return count, begin if torn else None
                begin += len(there)
        return len(lines), None

    def cut(self, path: Path, size: int) -> None:
        """Cut the file at `path`, which `found_in` gave, down to `size` bytes.

        Raises:
            OSError: the file cannot be written.
        """
        with _opened(path, os.O_RDWR) as descriptor:
            os.ftruncate(descriptor, size)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = open_own(path, flags, linked=True)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _tail(descriptor: int, size: int) -> str:
    begin = max(0, size - _TAIL_BYTES)
    return hashlib.sha256(os.pread(descriptor, size - begin, begin)).hexdigest()
