"""A JSON document is read a row at a time, and gives the rows that it would as lines of JSON."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.ingest import json_documents
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import LONGEST, BadLine
from tests.support.inputs import read_stream

keys = st.text(max_size=6)
scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda one: st.lists(one, max_size=3) | st.dictionaries(keys, one, max_size=3), max_leaves=6
)
objects = st.lists(
    st.dictionaries(keys, values, max_size=4).map(lambda one: {"text": "a", **one}), max_size=5
)
formats = st.fixed_dictionaries(
    {
        "indent": st.none() | st.integers(0, 3) | st.just("\t"),
        "separators": st.sampled_from([(",", ":"), (" , ", " : "), (",\r\n", ":\n"), ("\n,\n\n", ": ")]),
        "ensure_ascii": st.booleans(),
    }
)
blanks = st.text(" \t\r\n", max_size=3)
pieces = st.integers(1, 40)


def rows_of(content: bytes, file_format: str | None = "jsonl", *, longest: int = LONGEST) -> list[Any]:
    """Return the fields of each row, and of a bad one what is said of it."""
    return [
        (row.line, row.reason) if isinstance(row, BadLine) else {"text": row.text, **row.fields}
        for row in read_stream(io.BytesIO(content), file_format=file_format, longest=longest)
    ]


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=60)
@given(objects, formats, blanks, blanks, pieces, st.sampled_from(["jsonl", None]))
def test_a_list_of_objects_in_any_formatting_reads_as_lines_of_json_do(
    given_rows: list[dict[str, Any]],
    how: dict[str, Any],
    before: str,
    after: str,
    piece: int,
    file_format: str | None,
) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=how["ensure_ascii"]) + "\n" for row in given_rows)
    document = before + json.dumps(given_rows, **how) + after
    with pytest.MonkeyPatch.context() as patch:
        # Pieces as small as a row are cut within strings, escapes and characters.
        patch.setattr(json_documents, "_PIECE", piece)
        found = rows_of(encoded(document), file_format)
    expected = rows_of(encoded(lines))
    assert [row if isinstance(row, dict) else row[0] for row in found] == [
        row if isinstance(row, dict) else row[0] for row in expected
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]x",
        "[x] is a list",
        "[1, 2, 3]",
        '["a"]',
        "[hello] world",
        '[{"a": 1} and more',
        "[{}",
        "[ {a}]",
        "[[]]",
    ],
)
def test_a_text_that_happens_to_begin_with_a_bracket_stays_a_text(text: str) -> None:
    for content in (text, f"\n {text}\nanother\n"):
        found = rows_of(content.encode(), None)
        assert [row["text"].strip() for row in found] == [text, "another"][: len(found)]
        assert len(found) == 1 + ("another" in content)


@pytest.mark.parametrize("content", [b"[]", b" [ ]\n\n", b"\xef\xbb\xbf[\n]"])
def test_an_empty_list_has_no_rows(content: bytes) -> None:
    assert rows_of(content, None) == rows_of(content) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'[{"text": "a"}, {"text": }, {"text": "b"}]', ["a", 2, "b"]),
        (b'[{"text": "a"}, 7, "x, y", {"text": "b"}]', ["a", 2, 3, "b"]),
        (b'[{"text": "a"}, {"text": "\xff"}, {"text": "b"}]', ["a", 2, "b"]),
        (b'[{"text": "a"},, {"text": "b"},]', ["a", 2, "b", 4]),
        (b'[{"text": "a"}, {"text": "b", "x": NaN}]', ["a", "b"]),
        (b'[{"text": "a"}, {"text": "b"} {"text": "c"}]', ["a", "b", "c"]),
        (b'[{"text": "a"}, {"text": "b"}', ["a", "b", 3]),
        (b'[{"text": "a"}, {"text": "b', ["a", 2]),
        (b'[{"text": "a"}]\n[{"text": "b"}]\n', ["a", "b"]),
        (b'{\n"text": "a"}\n{"text": \n"b"}', ["a", "b"]),
        (b'{\n"text": "a"}\n{"text": "b"', ["a", 2]),
        (b"[2026-09-01] begun\n" + b'{"text": "a"}\n', [1, "a"]),
        (b'[{"text": "a", "x": [[{"y": "]}"}]]}, {"text": "b"}]', ["a", "b"]),
    ],
)
def test_what_is_wrong_in_a_document_costs_its_own_row(content: bytes, expected: list[Any]) -> None:
    found = [row["text"] if isinstance(row, dict) else row[0] for row in rows_of(content)]
    assert found == expected


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_an_element_that_is_too_long_is_one_bad_row(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(json_documents, "_PIECE", piece)
    for place in range(3):
        texts = ["a", "b", "c"]
        texts[place] = 'x, "] }' * 100
        found = rows_of(json.dumps([{"text": text} for text in texts], indent=1).encode(), longest=90)
        expected: list[Any] = [{"text": text} for text in texts]
        expected[place] = (place + 1, "longer than 90 bytes (logs.max_line_bytes)")
        assert found == expected


class _Endless(io.RawIOBase):
    """A document without an end, on one line; knows how much of it was asked for."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        row = b', {"text": "' + b"a" * 1000 + b'"}'
        piece = row * (len(buffer) // len(row)) if self.given else b'[{"text": "a"}'
        self.given += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def test_a_document_on_one_line_is_read_in_constant_memory() -> None:
    stream = _Endless()
    rows: Iterator[InputRow | BadLine] = read_stream(io.BufferedReader(stream))
    next(rows)
    assert stream.given < 1 << 18
    tracemalloc.start()
    for _ in range(10_000):
        next(rows)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert stream.given > 5 << 20


def test_what_a_pipe_has_not_brought_yet_is_not_waited_for() -> None:
    """Somebody types: a text is scored before the next one is there."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(reading, "rb") as stream:
            rows = None
            for text in ("[hello] there", "and more"):
                os.write(writing, f"{text}\n".encode())
                rows = rows or read_stream(stream)
                row = next(rows)
                assert isinstance(row, InputRow)
                assert row.text == text
    finally:
        os.close(writing)
