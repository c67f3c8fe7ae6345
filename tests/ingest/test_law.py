"""A table is the same rows in whatever format it is written, and to whichever command it is given."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.evaluation.datasets import load_labelled
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine
from tests.support.inputs import read_file, read_stream

Rows = Sequence[dict[str, str]]
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}

# A NUL is no character of a text file: it is the sign of damage, or of a file of another kind.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=30)
# An empty cell says nothing, so only the text may be empty.
tables = st.lists(
    st.fixed_dictionaries({"id": st.text(characters, min_size=1, max_size=8), "text": texts}), max_size=6
)


def separated(rows: Rows, separator: str) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["id", "text"], delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def document(rows: Rows) -> bytes:
    return json.dumps(rows, indent=2).encode()


def with_text(rows: Rows) -> list[dict[str, str]]:
    """The rows that have a text; the others are left out by every command that scores."""
    return [dict(row) for row in rows if row["text"].strip()]


def contents(content: bytes, file_format: str) -> list[dict[str, object]]:
    found = []
    for row in read_stream(io.BytesIO(content), file_format=file_format):
        assert isinstance(row, InputRow), row
        found.append({**row.fields, "text": row.text})
    return found


@given(tables, st.sampled_from(list(SEPARATORS.values())))
def test_a_csv_file_reads_back_to_its_rows_whatever_separates_the_cells(rows: Rows, separator: str) -> None:
    assert contents(separated(rows, separator), "csv") == with_text(rows)


@given(tables)
def test_tsv_json_lines_and_a_json_document_read_back_to_the_same_rows(rows: Rows) -> None:
    assert contents(separated(rows, "\t"), "tsv") == with_text(rows)
    assert contents(lines(rows), "jsonl") == with_text(rows)
    assert contents(document(rows), "jsonl") == with_text(rows)


LABELLED = [
    {"id": "1", "text": "bad, really; bad", "label": "negative"},
    {"id": "2", "text": 'a "table"\nof two lines', "label": "neutral"},
    {"id": "3", "text": "bello\u2028assai", "label": "positive"},
]


def parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()


WRITTEN: dict[str, tuple[str, bytes]] = {
    **{f"a .csv with {name}s": ("a.csv", separated(LABELLED, mark)) for name, mark in SEPARATORS.items()},
    "a .csv of a spreadsheet": ("a.csv", b"\xef\xbb\xbf" + separated(LABELLED, ";")),
    "a .csv with blank lines before": ("a.csv", b"\n \n" + separated(LABELLED, ",")),
    "a .csv with lines of blanks": ("a.csv", separated(LABELLED, ",") + b"  \n\n"),
    "a .CSV": ("A.CSV", separated(LABELLED, ",")),
    "a .tsv": ("a.tsv", separated(LABELLED, "\t")),
    "a .jsonl": ("a.jsonl", lines(LABELLED)),
    "a .ndjson": ("a.ndjson", lines(LABELLED)),
    "a .json of lines": ("a.json", lines(LABELLED)),
    "a .json document": ("a.json", document(LABELLED)),
    "a .json document on one line": ("a.json", json.dumps(LABELLED).encode()),
    "a .jsonl that is a document": ("a.jsonl", document(LABELLED)),
    "objects over several lines": (
        "a.json",
        b"\n".join(json.dumps(row, indent=1).encode() for row in LABELLED),
    ),
    "objects side by side": ("a.jsonl", b"".join(json.dumps(row).encode() for row in LABELLED)),
    "JSON of Python, with NaN": ("a.jsonl", lines(LABELLED).replace(b"}", b', "score": NaN}')),
    "JSON without an ending": ("a", lines(LABELLED)),
    "a .parquet": ("a.parquet", parquet(LABELLED)),
}


def by_predict(path: Path) -> list[tuple[str | None, str]]:
    rows = read_file(path)
    return [(row.text, row.fields["label"]) for row in rows if isinstance(row, InputRow)]


def by_evaluate(path: Path) -> list[tuple[str | None, str]]:
    return [(row.text, row.label.label) for row in load_labelled(str(path))]


COMMANDS = {"predict, log, label import": by_predict, "evaluate, calibrate, compare, retrain": by_evaluate}


@pytest.mark.parametrize("read", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("name", "content"), WRITTEN.values(), ids=WRITTEN)
def test_every_command_reads_every_format(
    tmp_path: Path, name: str, content: bytes, read: Callable[[Path], list[tuple[str | None, str]]]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path / name) == [(row["text"], row["label"]) for row in LABELLED]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'text,label\n"Wow" he said,positive\n', "Wow he said"),
        (b'text,label\nhe said "wow",positive\n', 'he said "wow"'),
        (b"text,label\ra,positive\r", "a"),
    ],
)
def test_cells_that_are_certain_are_read_by_every_command(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    for read in COMMANDS.values():
        assert read(tmp_path / "a.csv") == [(text, "positive")]


def test_a_quote_that_runs_into_the_next_lines_is_refused_by_every_command(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'text,label\n"never closed,positive\n"b" c,negative\n')
    for read in COMMANDS.values():
        with pytest.raises(DataError, match="from line 2 on"):
            read(tmp_path / "a.csv")


def test_a_torn_first_line_costs_that_line_alone() -> None:
    content = b'{"text": "torn",\n' + lines(LABELLED)
    rows = list(read_stream(io.BytesIO(content), file_format="jsonl"))
    assert [isinstance(row, BadLine) for row in rows] == [True, False, False, False]
    assert [row.line for row in rows] == [1, 2, 3, 4]


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    (row,) = read_stream(io.BytesIO(b'{"text": "a\\ud800", "x": NaN}\n'), file_format="jsonl")
    assert isinstance(row, BadLine)


def test_a_long_table_is_read_a_line_at_a_time() -> None:
    class Counted(io.BytesIO):
        taken = 0

        def __next__(self) -> bytes:
            self.taken += 1
            return super().__next__()

    for heading, file_format in ((b"", "jsonl"), (b'{"text"\n', "csv")):
        stream = Counted(heading + b'{"text": "a"}\n' * 1000)
        next(read_stream(stream, file_format=file_format, column='{"text"' if heading else None))
        assert stream.taken < 5
