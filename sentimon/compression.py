"""Compressed files, read and written as streams: Zstandard and gzip, and for reading bzip2 and xz, too.

Zstandard is part of Python from 3.14 on; before, its backport is used.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Mapping
from typing import BinaryIO, cast

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdError, ZstdFile
else:
    from backports.zstd import CompressionParameter, ZstdError, ZstdFile

__all__ = ["OPTIONS", "ZstdError", "ZstdFile", "compressor", "decompressor"]

OPTIONS: Mapping[int, int] = {int(CompressionParameter.checksum_flag): 1}
"""A checksum in each frame, so that a flipped bit raises an error instead of changing a row."""


def compressor(raw: BinaryIO, suffix: str) -> BinaryIO:
    """Return a stream that compresses into `raw`, in the form that `suffix` (`.zst` or `.gz`) names."""
    if suffix == ".zst":
        return cast(BinaryIO, ZstdFile(raw, "w", options=OPTIONS))
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0))


def decompressor(raw: BinaryIO, suffix: str) -> tuple[BinaryIO, tuple[type[Exception], ...]]:
    """Return (a stream of the content of the compressed file `raw`, the errors it raises on damage).

    `suffix` is `.zst`, `.gz`, `.bz2` or `.xz`. bzip2 says damage as an OSError without an error number.
    """
    if suffix == ".zst":
        return cast(BinaryIO, ZstdFile(raw)), (ZstdError, EOFError)
    if suffix == ".bz2":
        import bz2

        return cast(BinaryIO, bz2.BZ2File(raw)), (OSError, EOFError)
    if suffix == ".xz":
        import lzma

        return cast(BinaryIO, lzma.LZMAFile(raw)), (lzma.LZMAError, EOFError)
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)), (gzip.BadGzipFile, EOFError, zlib.error)
