"""The same rows in every text format, encoding and compression, and read back from a file or a pipe."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable, Mapping, Sequence

from sentimon.compression import ZstdFile
from sentimon.ingest.tables import Table, open_table

Rows = Sequence[Mapping[str, str]]


def separated(rows: Rows, mark: str, end: str = "\n", *, quoting: int = csv.QUOTE_MINIMAL) -> str:
    # The csv module leaves a lone carriage return without quotes where another mark ends the lines.
    ends = any(one in cell for row in rows for cell in row.values() for one in "\r\n")
    quoting = csv.QUOTE_ALL if ends else quoting
    file = io.StringIO(newline="")
    writer = csv.DictWriter(
        file, list(rows[0]) if rows else ["id", "text"], delimiter=mark, lineterminator=end, quoting=quoting
    )  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def lines(rows: Rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FORMATS: Mapping[str, tuple[str, Callable[[Rows], str]]] = {
    "commas": ("csv", lambda rows: separated(rows, ",")),
    "semicolons": ("csv", lambda rows: separated(rows, ";", "\r\n")),
    "tabs in a .csv": ("csv", lambda rows: separated(rows, "\t")),
    "pipes": ("csv", lambda rows: separated(rows, "|")),
    "an old Mac": ("csv", lambda rows: separated(rows, ";", "\r")),
    "sep=": ("csv", lambda rows: "sep=;\r\n" + separated(rows, ";", "\r\n")),
    "all quoted": ("csv", lambda rows: separated(rows, ",", quoting=csv.QUOTE_ALL)),
    "tsv": ("tsv", lambda rows: separated(rows, "\t")),
    "JSON lines": ("jsonl", lines),
    "a JSON array": ("jsonl", lambda rows: json.dumps(rows, ensure_ascii=False)),
    "a pretty array": ("jsonl", lambda rows: json.dumps(rows, ensure_ascii=False, indent=2)),
    "pretty objects": (
        "jsonl",
        lambda rows: "\n".join(json.dumps(row, ensure_ascii=False, indent=1) for row in rows),
    ),
    "side by side": ("jsonl", lambda rows: "".join(json.dumps(row, ensure_ascii=False) for row in rows)),
    "records": (
        "jsonl",
        lambda rows: json.dumps({"n": len(rows), "data": rows, "next": None}, ensure_ascii=False),
    ),
    "pretty records": (
        "jsonl",
        lambda rows: json.dumps({"results": rows, "page": 1}, ensure_ascii=False, indent=1),
    ),
}


def zstd(content: bytes) -> bytes:
    sink = io.BytesIO()
    with ZstdFile(sink, "w") as file:
        file.write(content)
    return sink.getvalue()


COMPRESSIONS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "": ("", bytes),
    "gzip": (".gz", gzip.compress),
    "zstd": (".zst", zstd),
    "bzip2": (".bz2", bz2.compress),
    "xz": (".xz", lzma.compress),
}


def opened(
    content: bytes, name: str, file_format: str | None, *, encoding: str = "", pipe: bool = False
) -> Table:
    """Return the table of a file with this content, or of a pipe, which holds some thousand bytes."""
    if not pipe:
        return open_table(io.BytesIO(content), name, file_format, encoding=encoding)
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        table = open_table(stream, "stdin", file_format, encoding=encoding)
        table.numbered = iter(list(table.numbered))
    return table
