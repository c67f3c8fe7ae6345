"""Files with damage drawn from a seed give our errors, bad rows or rows of the file, and no traceback."""

from __future__ import annotations

import gzip
import io
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from sentimon.errors import SentimonError
from sentimon.ingest.input_columns import InputContext
from sentimon.ingest.input_file import InputFile
from sentimon.ingest.tables import Table, open_table
from sentimon.jsonl import BadLine
from tests.support.workbooks import workbook
from tests.support.written_tables import FORMATS, zstd

ROWS = [{"id": f"i{number}", "text": f"t{number}x perché {number}"} for number in range(6)]
HOSTILE = [
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b'"', b"'", b",", b";", b"\t", b"|",
    b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800", b"sep=;\n", b"NaN", b"null", b"1e999", b"\x1f\x8b\x08",
    b"PAR1", b"\xe2\x80\xa8", b"\x1b[31m", b'{"data": [', b"[[{", b'{"0":{', b"a" * 300,
]  # fmt: skip


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return the content with one to three changes."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 3)):
        place = draw.randrange(len(changed) + 1)
        end = min(len(changed), place + draw.randint(0, 12))
        match draw.randrange(6):
            case 0:
                changed[place:place] = draw.choice(HOSTILE)
            case 1:
                changed[place:end] = draw.choice(HOSTILE)
            case 2:
                del changed[place:end]
            case 3:
                del changed[place:]
            case 4:
                changed[place:place] = changed[place:end]
            case _:
                changed[place:end] = draw.randbytes(end - place)
    return bytes(changed)


def parquet() -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), sink, write_page_checksum=True)
    return sink.getvalue()


def feather() -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(pyarrow.Table.from_pylist(ROWS), sink)
    return sink.getvalue()


TEXTS: Mapping[str, tuple[str, bytes]] = {
    how: (file_format, write(ROWS).encode("utf-16" if how == "semicolons" else "utf-8"))
    for how, (file_format, write) in FORMATS.items()
} | {"plain text": ("txt", "".join(f"{row['text']}\n" for row in ROWS).encode())}
PACKED: Mapping[str, tuple[str, bytes]] = {
    "gzip": ("csv", gzip.compress(TEXTS["commas"][1])),
    "zstd": ("jsonl", zstd(TEXTS["JSON lines"][1])),
    "a workbook": ("xlsx", workbook({"S": [["id", "text"], *(list(row.values()) for row in ROWS)]})),
    "parquet": ("parquet", parquet()),
    "arrow": ("arrow", feather()),
}


def rows_of(content: bytes, file_format: str | None, encoding: str) -> Iterator[tuple[Table, object]]:
    """Yield each row as long as no error of ours ends the file."""
    with suppress(SentimonError):
        table = open_table(io.BytesIO(content), "a", file_format, encoding=encoding)
        for one in InputFile(table, InputContext()):
            if isinstance(one, BadLine):
                assert one.reason
                assert one.line > 0
                assert "\x1b" not in one.reason
            else:
                yield table, one.text


@pytest.mark.parametrize("how", TEXTS)
def test_a_damaged_text_gives_no_traceback_and_no_row_that_is_not_in_the_file(how: str) -> None:
    file_format, content = TEXTS[how]
    for seed in range(120):
        draw = random.Random(f"{how} {seed}")
        spoilt = mutated(content, draw)
        asked = draw.choice([file_format, file_format, None])
        for table, text in rows_of(spoilt, asked, draw.choice(["", "", "auto", "cp1252"])):
            there = spoilt.decode(table.encoding or "utf-8", "ignore")
            if isinstance(text, str) and "\\" not in there:
                assert plain(text) in plain(there)


def plain(text: str) -> str:
    """Return text without what quoting adds, and what cuts lines."""
    return re.sub('[\r\n"\ufeff]', "", text)


@pytest.mark.parametrize("how", PACKED)
def test_a_damaged_binary_file_gives_no_traceback(how: str) -> None:
    file_format, content = PACKED[how]
    for seed in range(60):
        draw = random.Random(f"{how} {seed}")
        for _ in rows_of(mutated(content, draw), draw.choice([file_format, None]), ""):
            pass
