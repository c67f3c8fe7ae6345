import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon import jsonl
from sentimon.jsonl import LineError, decode_line, decode_object, encode, newest_lines, numbered_lines


def numbered(content: bytes) -> list[tuple[int, bytes]]:
    return list(numbered_lines(io.BytesIO(content)))


def test_lines_end_at_a_newline_only() -> None:
    text = "a\u2028b\x85c\x0bd".encode()
    assert numbered(text + b"\nnext") == [(1, text), (2, b"next")]


def test_blank_lines_are_passed_over_but_counted() -> None:
    assert numbered(b"a\n\n  \r\nb\r\n") == [(1, b"a"), (4, b"b")]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert numbered(b'\xef\xbb\xbf{"a": 1}\n') == [(1, b'{"a": 1}')]


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        (b'{"a": ', "json", "not valid JSON"),
        (b'{"a": NaN}', "json", "not valid JSON"),
        (b'{"a": 1} {"a": 2}', "json", "not valid JSON"),
        (b'{"a": "\xff"}', "encoding", "not valid UTF-8"),
        (b"[1]", "field", "Expected `object`"),
        (b'{"a":' * 100_000, "json", "nested too deeply"),
    ],
)
def test_a_line_without_a_row_says_what_is_wrong(line: bytes, kind: str, says: str) -> None:
    with pytest.raises(LineError, match=says) as caught:
        decode_line(line, decode_object)
    assert caught.value.kind == kind
    assert str(caught.value.at("x.jsonl", 7)).startswith("x.jsonl:7: ")


def test_nothing_that_is_no_number_gets_into_json() -> None:
    assert encode({"a": float("nan"), "b": float("inf")}) == b'{"a":null,"b":null}'


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists))
def test_what_is_written_is_read_back(value: object) -> None:
    assert json.loads(encode({"value": value})) == {"value": value}
    assert decode_line(encode({"value": value}), decode_object) == {"value": value}


def test_what_was_no_valid_unicode_is_written_as_what_it_is_worth() -> None:
    assert json.loads(encode({"a\udcff": ["\ud83d\ude00", ("\udc80",)]})) == {
        "a\ufffd": ["\U0001f600", ["\ufffd"]]
    }


@given(
    st.lists(st.sampled_from([b"a", b"bcd", b" ", b"\r", b"\xef\xbb\xbf", b"\n"]), max_size=40),
    st.integers(1, 9),
)
def test_the_newest_line_first_is_every_line_backwards(parts: list[bytes], block: int) -> None:
    content = b"".join(parts)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "_BACKWARDS", block)
        path = Path(folder) / "history.jsonl"
        path.write_bytes(content)
        assert list(newest_lines(path)) == [line for _, line in reversed(numbered(content))]


def test_before_a_line_that_is_too_long_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "_BACKWARDS", 4)
    monkeypatch.setattr(jsonl, "LONGEST", 8)
    path = tmp_path / "history.jsonl"
    assert list(newest_lines(path)) == []
    path.write_bytes(b"first\n" + b"x" * 40 + b"\nlast\n")
    last, error = newest_lines(path)
    assert last == b"last"
    assert isinstance(error, LineError)
