"""Contents of log files with odd lines."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from itertools import pairwise

from sentimon.compression import ZstdFile


def zstd(content: bytes) -> bytes:
    with tempfile.TemporaryFile() as file:
        with ZstdFile(file, "w") as stream:
            stream.write(content)
        file.seek(0)
        return file.read()


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstd}


def line_begins(content: bytes) -> list[int]:
    return [0, *(place + 1 for place, byte in enumerate(content) if byte == ord("\n"))]


def content_lines(content: bytes) -> list[bytes]:
    begins = [*line_begins(content), len(content)]
    return [content[begin:end] for begin, end in pairwise(begins) if end > begin]
