"""Workbooks, Parquet and Arrow files give their cells as JSON would have them; none gives a traceback."""

from __future__ import annotations

import io
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest

from sentimon.errors import DataError, MissingPackageError
from sentimon.ingest.input_row import InputRow
from sentimon.ingest.tables import Table, open_table
from sentimon.jsonl import BadLine
from tests.support.inputs import read_stream
from tests.support.workbooks import ERROR, workbook


def opened(content: bytes, file_format: str | None = None, name: str = "a") -> Table:
    return open_table(io.BytesIO(content), name, file_format)


def fields_of(table: Table) -> list[Any]:
    return [str(one) if isinstance(one, BadLine) else one[1] for one in table.numbered]


def parquet(table: pyarrow.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue()


def test_the_cells_of_a_workbook_are_numbers_truths_and_times_as_text() -> None:
    rows = [
        ["id", "text", "when", "day", "ok", "score", "broken"],
        [12, "perché", datetime(2026, 11, 2, 10, 30), date(2026, 11, 2), True, 0.5, ERROR],
        [],
        [13, "bene"],
    ]
    table = opened(workbook({"Empty": [], "Reviews": rows}))
    assert (table.file_format, table.sheet) == ("xlsx", "Reviews")
    assert list(table.numbered) == [
        (
            2,
            {
                "id": 12,
                "text": "perché",
                "when": "2026-11-02T10:30:00",
                "day": "2026-11-02",
                "ok": True,
                "score": 0.5,
            },
        ),
        (4, {"id": 13, "text": "bene"}),
    ]


def test_a_workbook_with_two_sheets_of_rows_is_refused_with_their_names() -> None:
    with pytest.raises(DataError, match="2 sheets have rows: One, Two") as caught:
        opened(workbook({"One": [["text"], ["a"]], "Two": [["text"], ["b"]]}))
    assert "save the one that is meant as CSV" in str(caught.value.hint)


def test_a_cell_outside_the_heading_is_a_bad_row_and_a_blank_title_line_is_passed_over() -> None:
    table = opened(workbook({"S": [[], ["id", "text"], [1, "a", "more"], [2, "b"]]}))
    found = fields_of(table)
    assert "behind the last column" in found[0]
    assert found[1:] == [{"id": 2, "text": "b"}]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "what its name says"),
        (b"PK\x03\x04 torn", "what its name says"),
        (b"id\ttext\n1\ta\n", "--format tsv"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, hint: str) -> None:
    with pytest.raises(DataError, match="not a valid workbook") as caught:
        opened(content, "xlsx", "a.xls")
    assert hint in str(caught.value.hint)


def test_without_its_library_a_workbook_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingPackageError, match="a: a workbook needs python_calamine") as caught:
        opened(workbook({"S": [["text"], ["a"]]}))
    assert caught.value.hint == "pip install 'sentimon[xlsx]', or save the sheet as CSV (UTF-8)"


WIDE = {
    "far": pyarrow.array([10**12], pyarrow.timestamp("s")),
    "exact": pyarrow.array([1_700_000_000_000_000_001], pyarrow.timestamp("ns")),
    "zoned": pyarrow.array([0], pyarrow.timestamp("ms", "Europe/Rome")),
    "day": pyarrow.array([date(2026, 11, 2)]),
    "far day": pyarrow.array([5_000_000], pyarrow.date32()),
    "hour": pyarrow.array([time(10, 30)]),
    "span": pyarrow.array([timedelta(hours=30)]),
    "price": pyarrow.array([Decimal("12.50")]),
    "number": pyarrow.array([Decimal("12")], pyarrow.decimal128(38, 0)),
    "deep": pyarrow.array([{"at": [date(2026, 11, 2)]}]),
    "code": pyarrow.array(["x"]).dictionary_encode(),
    "bytes": pyarrow.array([b"\xff"], pyarrow.binary()),
    "spoilt": pyarrow.array([b"\xff"], pyarrow.binary()).view(pyarrow.string()),
    "pairs": pyarrow.array([[("a", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int8())),
    "nothing": pyarrow.nulls(1),
}


def test_every_kind_of_column_has_a_value_that_json_has() -> None:
    table = pyarrow.table({"text": ["a"], **WIDE})
    (row,) = fields_of(opened(parquet(table)))
    assert row["far"] == "1000000000000000 as timestamp[ms]"
    assert row["exact"].startswith("2023-11-14")
    assert row["zoned"] == "1970-01-01T01:00:00+01:00"
    assert (row["day"], row["hour"], row["span"]) == ("2026-11-02", "10:30:00", "P1DT21600S")
    assert row["far day"].startswith("15659-")
    assert (row["price"], row["number"], type(row["number"])) == (12.5, 12, int)
    assert (row["deep"], row["code"], row["pairs"]) == ({"at": ["2026-11-02"]}, "x", [["a", 1]])
    assert (row["bytes"], row["spoilt"], row["nothing"]) == (b"\xff", b"\xff", None)


def test_text_that_is_not_utf8_costs_the_row_only_where_it_is_the_text() -> None:
    spoilt = pyarrow.array([b"ok", b"\xff"], pyarrow.binary()).view(pyarrow.string())
    content = parquet(pyarrow.table({"text": ["a", "b"], "note": spoilt}))
    assert all(isinstance(row, InputRow) for row in read_stream(io.BytesIO(content)))
    first, second = read_stream(io.BytesIO(content), column="note")
    assert isinstance(first, InputRow)
    assert isinstance(second, BadLine)
    assert "not valid UTF-8" in second.reason


def as_feather(table: pyarrow.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(table, sink)
    return sink.getvalue()


def as_stream(table: pyarrow.Table) -> bytes:
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize("write", [as_feather, as_stream])
def test_arrow_files_and_streams_are_read_and_torn_ones_refused(write: Any) -> None:
    content = write(pyarrow.table({"text": ["a", None], "id": [1, 2]}))
    table = opened(content)
    assert table.file_format == "arrow"
    assert fields_of(table) == [{"text": "a", "id": 1}, {"text": None, "id": 2}]
    with pytest.raises(DataError, match="not a valid Arrow file"):
        fields_of(opened(content[: len(content) // 2], "arrow"))


@pytest.fixture
def binary_files() -> dict[str, bytes]:
    table = pyarrow.table({"text": ["a"]})
    return {"xlsx": workbook({"S": [["text"], ["a"]]}), "parquet": parquet(table), "arrow": as_feather(table)}


def test_a_binary_file_under_the_name_of_a_text_is_told_and_one_on_stdin_is_read(
    binary_files: dict[str, bytes],
) -> None:
    for file_format, content in binary_files.items():
        with pytest.raises(DataError, match=r"a\.csv: looks like") as caught:
            opened(content, "csv", "a.csv")
        assert f"--format {file_format}" in str(caught.value.hint)
        assert opened(content).file_format == file_format
