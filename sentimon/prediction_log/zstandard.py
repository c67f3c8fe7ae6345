"""Zstandard: the standard library's from Python 3.14 on, its backport before."""

from __future__ import annotations

import sys
from collections.abc import Mapping

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdError, ZstdFile
else:
    from backports.zstd import CompressionParameter, ZstdError, ZstdFile

__all__ = ["OPTIONS", "ZstdError", "ZstdFile"]

OPTIONS: Mapping[int, int] = {int(CompressionParameter.checksum_flag): 1}
"""A checksum in each frame, so that a flipped bit is an error and not another row."""
