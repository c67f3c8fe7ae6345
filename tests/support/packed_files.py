"""Files of a log in all their forms."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

from sentimon.compression import OPTIONS, ZstdFile
from sentimon.prediction_log.log_file import open_log_file

SEALED = "predictions-20260907T080000Z.jsonl"


ENDINGS = ("", ".gz", ".zst")


def packed(content: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(content)
    if ending == ".zst":
        raw = io.BytesIO()
        with ZstdFile(raw, "w", options=OPTIONS) as file:
            file.write(content)
        return raw.getvalue()
    return content


def unpacked(path: Path) -> bytes:
    with open_log_file(path) as segment:
        return segment.stream.read()
