"""Damaged lines: each is counted once, with its place and its reason, and costs no line around it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from sentimon.prediction_log.index import line_blocks
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.summary import SHOWN_BAD_LINES, Summary, summarise
from tests.conftest import Ran
from tests.support.rows import row, written
from tests.support.scanning import file_blocks, scanned, whole

LARGE = 20_000_000
GOOD = row(2, 0) | {"sentiment": "positive", "confidence": 0.8}
SCORES = {"negative": 0.1, "neutral": 0.1, "positive": 0.8}


def line(**change: Any) -> bytes:
    """The good row with other values; without those that are `...`."""
    made = {name: value for name, value in (GOOD | change).items() if value is not ...}
    return json.dumps(made, ensure_ascii=False).encode()


def with_raw(name: str, value: bytes) -> bytes:
    """The good row with a value in JSON, or in what is none."""
    return line(**{name: "@@"}).replace(b'"@@"', value)


def scored(**change: float) -> bytes:
    return line(scores=SCORES | change)


HALF = line()[: len(line()) // 2]
OBJECT = line()

# What it is: (its bytes, the kind that is counted, a part of the reason).
DAMAGE: dict[str, tuple[bytes, str, str]] = {
    # Not one object.
    "torn in the middle": (HALF, "json", "truncated"),
    "torn at its last character": (OBJECT[:-1], "json", "truncated"),
    "begins in the middle": (OBJECT[50:], "json", "not valid JSON"),
    "two objects": (OBJECT + OBJECT, "json", "trailing characters"),
    "two objects and a comma between them": (OBJECT + b"," + OBJECT, "json", "trailing characters"),
    "half an object and a whole one": (HALF + OBJECT, "json", "not valid JSON"),
    "an object and garbage": (OBJECT + b" garbage", "json", "trailing characters"),
    "an object and a brace": (OBJECT + b"}", "json", "trailing characters"),
    "an object over two lines": (OBJECT.replace(b"0.8}", b"0.8\n}"), "json", "not valid JSON"),
    "an array": (b"[" + OBJECT + b"]", "field", "Expected `object`"),
    "a number": (b"42", "field", "Expected `object`"),
    "a string": (json.dumps(OBJECT.decode()).encode(), "field", "Expected `object`"),
    "null": (b"null", "field", "Expected `object`"),
    "an empty object": (b"{}", "field", "missing required field"),
    # Almost JSON.
    "a comma missing": (OBJECT.replace(b", ", b" ", 1), "json", "not valid JSON"),
    "a comma too many": (OBJECT[:-1] + b",}", "json", "not valid JSON"),
    "single quotes": (OBJECT.replace(b'"', b"'"), "json", "not valid JSON"),
    "a comment": (OBJECT + b" // seen", "json", "trailing characters"),
    "not-a-number": (with_raw("confidence", b"NaN"), "json", "not valid JSON"),
    "infinity": (with_raw("confidence", b"Infinity"), "json", "not valid JSON"),
    "not-a-number where nobody looks": (with_raw("note", b"NaN"), "json", "not valid JSON"),
    "a number with a leading zero": (with_raw("confidence", b"00.8"), "json", "not valid JSON"),
    "a control character in a text": (with_raw("text", b'"a\x01b"'), "json", "not valid JSON"),
    "a carriage return in a text": (with_raw("text", b'"a\rb"'), "json", "not valid JSON"),
    "a control character where nobody looks": (with_raw("note", b'"a\tb"'), "json", "not valid JSON"),
    "an unknown escape": (with_raw("text", rb'"C:\temp\x"'), "json", "not valid JSON"),
    "half a surrogate pair": (with_raw("text", rb'"\ud83d"'), "json", "not valid JSON"),
    "the other half": (with_raw("text", rb'"\ude00 :)"'), "json", "not valid JSON"),
    "half a surrogate pair where nobody looks": (with_raw("note", rb'"\ud83d"'), "json", "not valid JSON"),
    "nested 100,000 deep": (with_raw("note", b"[" * 100_000 + b"]" * 100_000), "json", "nested too deeply"),
    "open brackets": (b"[" * 100_000, "field", "Expected `object`"),
    # Not the text it should be.
    "a byte that begins no character": (with_raw("text", b'"caf\x80"'), "encoding", "not valid UTF-8"),
    "a character in too many bytes": (with_raw("text", b'"\xc0\xaf"'), "encoding", "not valid UTF-8"),
    "a surrogate in UTF-8": (with_raw("text", b'"\xed\xa0\x80"'), "encoding", "not valid UTF-8"),
    "beyond the last character": (with_raw("text", b'"\xf4\x90\x80\x80"'), "encoding", "not valid UTF-8"),
    "Latin-1": (line(text="perché").decode().encode("latin-1"), "encoding", "not valid UTF-8"),
    "no UTF-8 where nobody looks": (with_raw("note", b'"\xff"'), "encoding", "not valid UTF-8"),
    "torn within a character": (b'{"text": "perch\xc3', "encoding", "unexpected end of data"),
    "an emoji torn at the end": (b'{"text": "\xf0\x9f\x98', "encoding", "unexpected end of data"),
    "UTF-16": (OBJECT.decode().encode("utf-16"), "encoding", "not valid UTF-8"),
    "UTF-16 without a mark": (OBJECT.decode().encode("utf-16-le"), "json", "not valid JSON"),
    "a byte order mark within": (OBJECT.replace(b" ", b"\xef\xbb\xbf", 1), "json", "not valid JSON"),
    "zeros, as after a power cut": (bytes(300), "json", "not valid JSON"),
    "an object and zeros": (OBJECT + bytes(50), "json", "trailing characters"),
    "binary": (bytes(one for one in range(256) if one != 10), "encoding", "not valid UTF-8"),
    "20 MB of garbage": (b"\x7fELF" * (LARGE // 4), "json", "not valid JSON"),
    "20 MB, torn": (line(text="x" * LARGE)[: LARGE - 5], "json", "truncated"),
    # Fields of another type, or none.
    "a number beyond all": (with_raw("confidence", b"1e999"), "field", "out of range"),
    "a score beyond all": (
        scored(negative=0).replace(b'"negative": 0', b'"negative": 1e999'), "field", "range",
    ),
    "a number as a string": (line(confidence="0.8"), "field", "$.confidence"),
    "true for 1.0": (line(confidence=True), "field", "$.confidence"),
    "a score that is true": (line(scores=SCORES | {"positive": True}), "field", "$.scores"),
    "a score that is null": (line(scores=SCORES | {"positive": None}), "field", "$.scores"),
    "a score as a string": (line(scores=SCORES | {"positive": "0.8"}), "field", "$.scores"),
    "a text of another type": (line(text=["a"]), "field", "$.text"),
    "an id of another type": (line(id=1.5), "field", "$.id"),
    "a model of another type": (line(model=7), "field", "$.model"),
    "yes for true": (line(truncated="yes"), "field", "$.truncated"),
    "no timestamp": (line(timestamp=...), "field", "`timestamp`"),
    "no class": (line(sentiment=..., scores=...), "field", "`sentiment`"),
    "no confidence beside scores": (line(confidence=...), "field", "no confidence"),
    "too sure for a lone score": (line(confidence=1.5, scores=...), "disagreement", "0 to 1"),
    "too unsure for the best of three": (line(confidence=0.3, scores=...), "disagreement", "1/3 or more"),
    "a timestamp that is a number": (line(timestamp=1788768000), "field", "$.timestamp"),
    "a date alone": (line(timestamp="2026-09-07"), "field", "$.timestamp"),
    "February 30": (line(timestamp="2026-02-30T10:00:00Z"), "field", "$.timestamp"),
    "hour 25": (line(timestamp="2026-09-07T25:00:00Z"), "field", "$.timestamp"),
    "a leap second": (line(timestamp="2016-12-31T23:59:60Z"), "field", "$.timestamp"),
    "a year beyond the calendar": (line(timestamp="10000-01-01T00:00:00Z"), "field", "$.timestamp"),
    "before year 1 in UTC": (
        line(timestamp="0001-01-01T00:00:00+01:00"), "timestamp", "no counterpart in UTC",
    ),
    # A row that cannot be.
    "an unknown label": (line(sentiment="joy"), "label", "unknown label 'joy'"),
    "a score of an unknown label": (line(scores=SCORES | {"joy": 0.0}), "label", "unknown label 'joy'"),
    "no score of a class": (line(scores={"negative": 0.2, "positive": 0.8}), "scores", "scores lack neutral"),
    "a class under two names": (line(scores=SCORES | {"Positivo": 0.8}), "scores", "name positive twice"),
    "scores that sum to 0.9": (scored(neutral=0.0), "scores", "scores sum to 0.9000"),
    "scores beyond the tolerance": (scored(neutral=0.10201), "scores", "scores sum to 1.0020"),
    "a negative score": (scored(negative=-0.1, neutral=0.3), "scores", "score of negative is -0.1"),
    "a score above 1": (
        scored(negative=0.0, neutral=0.0, positive=1.001), "scores", "score of positive is 1.001",
    ),
    "huge scores": (scored(negative=1e308, neutral=1e308), "scores", "score of negative is 1e+308"),
    "another confidence": (
        line(confidence=0.79), "disagreement", "confidence is 0.79, but positive scores 0.8",
    ),
    "a confidence above 1": (
        line(confidence=1.8), "disagreement", "confidence is 1.8, not a number from 0 to 1",
    ),
    "another sentiment": (
        line(sentiment="neutral", confidence=0.1), "disagreement", "sentiment is neutral, but positive",
    ),
}  # fmt: skip

# What it is: (its bytes, the rows on it).
HARMLESS: dict[str, tuple[bytes, int]] = {
    "the good row": (OBJECT, 1),
    "empty": (b"", 0),
    "blank": (b" \t \x0b\x0c ", 0),
    "a carriage return": (b"\r", 0),
    "a carriage return at the end": (OBJECT + b"\r", 1),
    "spaces around": (b"\t " + OBJECT + b" \r", 1),
    "spaces between": (OBJECT.replace(b": ", b"\t:\r ").replace(b", ", b"  , \t"), 1),
    "no spaces": (OBJECT.replace(b'": ', b'":').replace(b", ", b","), 1),
    "a key twice, the last one wins": (
        b'{"text": "first", "confidence": 0.5, "scores": {}, "sentiment": "negative", ' + OBJECT[1:], 1,
    ),
    "a score twice, the last one wins": (
        with_raw("scores", b'{"positive": 7, "negative": 0.1, "neutral": 0.1, "positive": 0.8}'), 1,
    ),
    "keys in another order": (json.dumps(dict(reversed(GOOD.items()))).encode(), 1),
    "a key in escapes": (OBJECT.replace(b'"text"', rb'"\u0074ext"'), 1),
    "other names": (line(sentiment=" POSITIVO", scores={"neu": 0.1, "LABEL_2": 0.8, "negativa": 0.1}), 1),
    "separators of lines in a text": (line(text="a\x85b\u2028c\u2029d"), 1),
    "newlines in a text, escaped": (line(text="a\nb\r\n{}\n{}"), 1),
    "braces in a text": (line(text="}{}{ \\"), 1),
    "a surrogate pair": (with_raw("text", rb'"\ud83d\ude00"'), 1),
    "a zero in a text": (with_raw("text", rb'"\u0000"'), 1),
    "a text of nothing": (line(text=""), 1),
    "a text of spaces": (line(text="\u2003\u00a0 \n"), 1),
    "no text": (line(text=None), 1),
    "fields that are not ours": (line(note={"a": [{}, {"b": "\u2028"}], "": None}), 1),
    "nested 500 deep": (with_raw("note", b"[" * 500 + b"]" * 500), 1),
    "a long number that is not ours": (with_raw("note", b"9" * 5000), 1),
    "no zone": (line(timestamp="2026-09-07T09:30:00"), 1),
    "another zone": (line(timestamp="2026-09-07 09:30:00.123456789-03:30"), 1),
    "integers": (line(confidence=1, scores={"negative": 0, "neutral": 0, "positive": 1}), 1),
    "a hair too much": (
        line(confidence=1, scores={"negative": -1e-9, "neutral": 0, "positive": 1.0000000001}), 1,
    ),
    "rounded to three digits": (line(confidence=0.801, scores=SCORES | {"neutral": 0.101}), 1),
    "20 MB": (line(text="x" * LARGE), 1),
}  # fmt: skip

AROUND = 30
"""Good rows before and behind, so that they fill blocks of their own."""
BEFORE = b"".join(line(text=f"before {number}", id=number) + b"\n" for number in range(AROUND))
BEHIND = b"".join(line(text="behind", timestamp="2026-09-07T09:59:59.5Z") + b"\n" for _ in range(AROUND))
PLACES = {
    "at the beginning": (b"", BEHIND),
    "in the middle": (BEFORE, BEHIND),
    "at the end": (BEFORE, b""),
    "at the end, without a newline": (BEFORE, None),
}


@pytest.fixture(autouse=True)
def nothing_large_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    shutil.rmtree(tmp_path)


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    with mock.patch.object(line_blocks, "BLOCK", size):
        yield


def summaries(folder: Path) -> Iterator[Summary]:
    """The sum of the one file of a log, read in each way."""
    path = folder / "predictions.jsonl"
    yield summarise(read_log(folder, zone=UTC))
    large = path.stat().st_size > LARGE
    for bulk in (True, False):
        for size in (line_blocks.BLOCK,) if large else (line_blocks.BLOCK, 1000, 7):
            with blocks_of(size):
                yield whole(scanned(file_blocks(path), bulk=bulk), str(path))


def content_of(place: str, content: bytes) -> bytes:
    before, behind = PLACES[place]
    return before + content + (b"" if behind is None else b"\n" + behind)


def places_of(content: bytes) -> Sequence[str]:
    return list(PLACES) if len(content) < LARGE // 2 else ["in the middle"]


@pytest.mark.parametrize(("content", "kind", "says"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_bad_line_is_counted_once_and_costs_no_other(
    content: bytes, kind: str, says: str, tmp_path: Path
) -> None:
    lines = content.count(b"\n") + 1
    for place in places_of(content):
        before, behind = PLACES[place]
        good = summarise(read_log(written(tmp_path / "good", before + (behind or b"")), zone=UTC))
        assert good.count == AROUND * (bool(before) + bool(behind))
        folder = written(tmp_path / "logs", content_of(place, content))
        first = before.count(b"\n") + 1
        for found in summaries(folder):
            assert found.bad == {kind: lines}
            assert found == Summary(**{**fields(good), "bad": found.bad, "bad_lines": found.bad_lines})
            assert [(one.path, one.line) for one in found.bad_lines] == [
                (str(folder / "predictions.jsonl"), first + number) for number in range(lines)
            ]
            assert all(says in one.reason for one in found.bad_lines)
            assert all(len(one.reason) < 200 for one in found.bad_lines)


def fields(summary: Summary) -> Mapping[str, Any]:
    return {name: getattr(summary, name) for name in Summary.__slots__}


@pytest.mark.parametrize(("content", "rows"), HARMLESS.values(), ids=HARMLESS.keys())
def test_a_line_that_only_looks_odd_is_no_bad_line(content: bytes, rows: int, tmp_path: Path) -> None:
    for place in places_of(content):
        before, behind = PLACES[place]
        folder = written(tmp_path / "logs", content_of(place, content))
        read = [*summaries(folder)]
        assert all(one == read[0] for one in read)
        assert (read[0].bad, read[0].bad_lines) == ({}, ())
        assert read[0].count == AROUND * (bool(before) + bool(behind)) + rows


@pytest.mark.parametrize("bad", [False, True])
def test_a_byte_order_mark_may_begin_a_file_and_no_other_line(bad: bool, tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    folder = written(tmp_path / "logs", mark + BEFORE + (mark if bad else b"") + OBJECT + b"\n")
    for found in summaries(folder):
        assert found.count == AROUND + (not bad)
        assert [one.line for one in found.bad_lines] == [AROUND + 1] * bad


def test_many_bad_lines_are_counted_and_the_first_ones_shown(tmp_path: Path) -> None:
    """All damage in one file, twice, between good rows; in blocks of any size."""
    damage = [one for one in DAMAGE.values() if len(one[0]) < LARGE // 2]
    folder = written(
        tmp_path / "logs", b"".join(OBJECT + b"\n" + content + b"\n" for content, _, _ in damage * 2)
    )
    kinds = Counter[str]()
    for content, kind, _ in damage * 2:
        kinds[kind] += content.count(b"\n") + 1
    read = [*summaries(folder)]
    for found in read:
        assert found == read[0]
        assert found.count == 2 * len(damage)
        assert found.bad == kinds
        assert [one.line for one in found.bad_lines] == [2, 4, 6, 8, 10]


def test_the_program_names_what_it_left_out(run: Callable[..., Ran], tmp_path: Path) -> None:
    parts = [content for content, _, _ in DAMAGE.values()] + [content for content, _ in HARMLESS.values()]
    written(tmp_path / "logs", b"".join(OBJECT + b"\n" + content + b"\n" for content in parts))
    kinds = Counter[str]()
    for content, kind, _ in DAMAGE.values():
        kinds[kind] += content.count(b"\n") + 1
    for index in ("true", "false"):
        ran = run("metrics", "--json", SENTIMON_LOGS__INDEX=index)
        assert ran.code == 0
        found = ran.json
        assert found["total_predictions"] == len(parts) + sum(rows for _, rows in HARMLESS.values())
        bad = found["bad_lines"]
        assert (bad["count"], bad["kinds"]) == (sum(kinds.values()), dict(sorted(kinds.items())))
        path = "logs/predictions.jsonl"
        expected = [*DAMAGE.values()][:SHOWN_BAD_LINES]
        for number, (shown, (_, kind, says)) in enumerate(zip(bad["first"], expected, strict=True)):
            assert (shown["path"], shown["line"], shown["kind"]) == (path, 2 * number + 2, kind)
            assert says in shown["reason"]
            assert f"{path}:{shown['line']}: {shown['reason']}" in ran.err
