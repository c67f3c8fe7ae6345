"""What a file is, told by its first bytes, whatever its name says."""

from __future__ import annotations

import re

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FORMATS = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"), (_OLD_OFFICE, "xlsx"))
"""Marks of formats that are read."""
_OTHERS = (
    (_ZIP, "a zip archive; unpack it first"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"SQLite format 3\0", "a SQLite database; export the table as CSV"),
    (b"\x7fELF", "a program"),
    (b"\x93NUMPY", "an array of NumPy"),
    (b"FEA1", "a Feather file of version 1; write it again with a current pyarrow"),
    (b"ORC", "an ORC file; write it as Parquet"),
    (b"Obj\x01", "an Avro file; write it as Parquet"),
    (b"\x80\x04\x95", "a pickle of Python; write it as JSON lines or Parquet"),
    (b"\x80\x05\x95", "a pickle of Python; write it as JSON lines or Parquet"),
    (b"{\\rtf", "a document of rich text (RTF)"),
)
_NEEDS_NULS = frozenset({b"GIF8", b"ORC", b"Obj\x01"})
"""Marks that are letters, with which a text may begin."""
_WORKBOOK = re.compile(rb"\[Content_Types\]\.xml|xl/|_rels/\.rels|docProps/|application/vnd\.oasis")
_MOST_NULS = 0.1
"""Share of NUL characters from which a file is no text."""
_UTF16_MARK = (b"\xff\xfe", b"\xfe\xff")


def binary_format(start: bytes) -> str:
    """Return the format of a binary file that can be read, by its first bytes; empty where there is none."""
    if start.startswith(_ZIP):
        return "xlsx" if _WORKBOOK.search(start) else ""
    return next((name for mark, name in _FORMATS if start.startswith(mark)), "")


def looks_binary(start: bytes) -> str:
    """Return what a file looks like that is no text; empty where it may be text.

    >>> looks_binary(b"%PDF-1.7"), looks_binary(b"a;b")
    ('a PDF document', '')
    """
    for mark, what in _OTHERS:
        if start.startswith(mark) and (mark not in _NEEDS_NULS or b"\0" in start):
            return what
    return ""


def is_full_of_nuls(start: bytes) -> bool:
    """Return whether so many NUL characters begin a file that it is no text."""
    return start.count(b"\0") > _MOST_NULS * len(start)
