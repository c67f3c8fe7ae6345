"""The bytes of a file or pipe, decompressed; a file can be read from its start again."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from sentimon.errors import DataError
from sentimon.ingest.peeked_stream import PIECE, PeekedStream

COMPRESSIONS = MappingProxyType({".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"})
"""Endings of compressed files, and what they are called."""
_MARKS = ((b"\x1f\x8b\x08", ".gz"), (b"\x28\xb5\x2f\xfd", ".zst"), (b"\xfd7zXZ\x00", ".xz"))
_BZIP2 = b"BZh"
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
"""A first block, or the end of a file that has none."""
_SKIPPABLE = b"*M\x18"
"""Follows one byte of 0x50 to 0x5F in a frame of Zstandard without content, with which some writers begin."""


def uncompressed_name(name: str) -> str:
    """Return the name of a file without the ending of its compression.

    >>> uncompressed_name("reviews.csv.gz"), uncompressed_name("reviews.csv")
    ('reviews.csv', 'reviews.csv')
    """
    path = PurePath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in COMPRESSIONS else name


class ByteSource:
    """What one file or pipe holds, told compressed by its first bytes."""

    def __init__(self, stream: BinaryIO, path: str) -> None:
        """Look at the first bytes; a compressed file is read to its end, so that damage is known at once.

        Raises:
            DataError: it is compressed and damaged, or its name says so and it is not.
        """
        self.path = path
        known = isinstance(stream, io.BufferedIOBase)
        self._base: Any = stream if known else io.BufferedReader(cast(Any, stream))
        self._origin = _position(self._base)
        self._raw = PeekedStream(self._base)
        start = self._raw.begin()
        self._suffix = _compressed_suffix(start)
        named = PurePath(path).suffix.lower()
        if self._suffix is None and named in COMPRESSIONS and start:
            raise DataError(
                f"{path}: is not compressed with {COMPRESSIONS[named]}, as its name says",
                hint=f"rename it without {named} where it is not compressed, or fetch it again",
            )
        self._content = self._decompressed()
        if self.seekable and self._suffix is not None:
            content = self._content.buffered()
            while content.read(PIECE):
                pass
            self._content = self.again()

    @property
    def compression(self) -> str:
        """The name of its compression; empty where there is none."""
        return COMPRESSIONS.get(self._suffix or "", "")

    @property
    def seekable(self) -> bool:
        """Whether it is a file, which can be read again."""
        return self._origin is not None

    @property
    def content(self) -> PeekedStream:
        """The decompressed bytes; to be read once."""
        return self._content

    def again(self) -> PeekedStream:
        """Return the decompressed bytes of a file from its start; what was given before ends."""
        self._base.seek(self._origin)
        self._raw = PeekedStream(self._base)
        self._content = self._decompressed()
        return self._content

    def file(self) -> BinaryIO:
        """Return the content as a file that can be sought in: itself, or a temporary copy."""
        if self.seekable and self._suffix is None:
            self._base.seek(self._origin)
            if self._origin == 0:
                return cast(BinaryIO, self._base)
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed when nobody reads it any more
        shutil.copyfileobj(self._content.buffered(), copy, PIECE)
        copy.seek(0)
        return cast(BinaryIO, copy)

    def _decompressed(self) -> PeekedStream:
        if self._suffix is None:
            return self._raw
        return PeekedStream(io.BufferedReader(_Decompressed(self._raw.buffered(), self._suffix, self.path)))


def _position(stream: Any) -> int | None:
    try:
        return int(stream.tell()) if stream.seekable() else None
    except (OSError, ValueError):
        return None


def _compressed_suffix(start: bytes) -> str | None:
    if start.startswith(_BZIP2) and start[4:].startswith(_BZIP2_BLOCKS):
        return ".bz2"
    if start[1:4] == _SKIPPABLE and 0x50 <= start[0] <= 0x5F:
        return ".zst"
    return next((suffix for mark, suffix in _MARKS if start.startswith(mark)), None)


class _Decompressed(io.RawIOBase):
    """The content of a compressed stream, whose damage is a DataError."""

    def __init__(self, raw: BinaryIO, suffix: str, path: str) -> None:
        from sentimon.compression import decompressor

        self._file, self._errors = decompressor(raw, suffix)
        self._what = COMPRESSIONS[suffix]
        self._path = path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        place = memoryview(buffer).cast("B")
        try:
            piece: bytes = cast(Any, self._file).read1(len(place))
        except self._errors as error:
            if isinstance(error, OSError) and error.errno is not None:
                # The disk, and not what is on it.
                raise
            raise self._damaged(error) from error
        place[: len(piece)] = piece
        return len(piece)

    def _damaged(self, error: Exception) -> DataError:
        reason = (
            "it ends too early" if isinstance(error, EOFError) else str(error).strip().split(os.linesep)[0]
        )
        return DataError(
            f"{self._path}: damaged {self._what} file: {reason}", hint="copy or download the file again"
        )
