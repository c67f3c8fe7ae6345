import json
from collections.abc import Iterator
from datetime import UTC
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.jsonl import BadLine, encode
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord, parse_row
from sentimon.prediction_log.row_filter import MatchingRows, RowFilter, newest_rows
from sentimon.prediction_log.summary import summarise
from tests.support import strategies
from tests.support.rows import MINUTE, START, record, row

BAD = BadLine(path="x", line=1, kind="json", reason="bad")
shares = st.none() | st.sampled_from([0.0, 0.4, 0.5, 0.75, 1.0])
LETTERS = "aAeE\u0301\u00e9\u00c9ßs\n"
ids = st.sampled_from([None, "", "a", "ab"])
filters = st.builds(
    RowFilter,
    sentiments=st.none() | st.frozensets(st.sampled_from(list(Sentiment)), min_size=1),
    min_confidence=shares,
    max_confidence=shares,
    contains=st.none() | st.text(LETTERS, max_size=2),
    id=ids,
    model=st.sampled_from([None, "a", "b"]),
)
some_rows = st.lists(
    strategies.bad_lines
    | st.builds(
        record,
        st.integers(0, 2),
        st.integers(0, 5),
        st.sampled_from([0.4, 0.5, 0.75, 1.0, None]),
        text=st.none() | st.text(LETTERS, max_size=4),
        id=ids,
        model=st.sampled_from([None, "a", "b"]),
    ),
    max_size=20,
)


def is_asked_for(one: PredictionRecord, asked: RowFilter) -> bool:
    """What RowFilter says, the long way."""
    if asked.sentiments is not None and one.sentiment not in asked.sentiments:
        return False
    if one.confidence is None and (asked.min_confidence, asked.max_confidence) != (None, None):
        return False
    if asked.min_confidence is not None and one.confidence < asked.min_confidence:
        return False
    if asked.max_confidence is not None and one.confidence > asked.max_confidence:
        return False
    if asked.id is not None and one.id != asked.id:
        return False
    if asked.model is not None and one.model != asked.model:
        return False
    if asked.contains is None:
        return True
    if one.text is None:
        return False
    text, part = one.text.casefold(), asked.contains.casefold()
    return text.find(part) >= 0 or normalize("NFC", text).find(normalize("NFC", part)) >= 0


def good_ones(rows: list[PredictionRecord | BadLine]) -> list[PredictionRecord]:
    return [one for one in rows if isinstance(one, PredictionRecord)]


@given(some_rows, filters)
def test_a_query_is_all_rows_less_those_not_asked_for(
    rows: list[PredictionRecord | BadLine], asked: RowFilter
) -> None:
    wanted = [one for one in rows if isinstance(one, PredictionRecord) and is_asked_for(one, asked)]
    bad = [one for one in rows if isinstance(one, BadLine)]
    matches = MatchingRows(good_ones(rows), asked, trouble=summarise(bad))
    assert list(matches) == wanted
    assert matches.summary == summarise([*wanted, *bad])


@given(some_rows, filters)
def test_rows_without_a_text_that_would_have_to_be_searched_are_counted(
    rows: list[PredictionRecord | BadLine], asked: RowFilter
) -> None:
    matches = MatchingRows(good_ones(rows), asked)
    list(matches)
    anything = RowFilter(
        sentiments=asked.sentiments,
        min_confidence=asked.min_confidence,
        max_confidence=asked.max_confidence,
        id=asked.id,
        model=asked.model,
    )
    textless = [one for one in MatchingRows(good_ones(rows), anything) if one.text is None]
    assert matches.unsearched == (0 if asked.contains is None else len(textless))


@given(st.lists(st.builds(record, st.integers(0, 2), st.integers(0, 3))), st.integers(1, 12))
def test_the_newest_are_the_last_in_order_of_time_and_place_backwards(
    rows: list[PredictionRecord], limit: int
) -> None:
    order = sorted(range(len(rows)), key=lambda place: (rows[place].timestamp, place), reverse=True)
    found = newest_rows(iter(rows), limit)
    assert [id(one) for one in found] == [id(rows[place]) for place in order[:limit]]


@pytest.mark.parametrize(
    ("part", "text", "found"),
    [
        ("PERCHÉ", "perché no", True),
        ("strasse", "die STRAßE", True),
        ("ß", "STRASSE", True),
        ("perche\u0301", "Perch\u00e9 no", True),
        ("PERCH\u00c9", "perche\u0301 no", True),
        ("perche", "perche\u0301 no", True),
        ("perche", "perch\u00e9 no", False),
        ("a.c", "abc", False),
        ("[red]", "[RED]no", True),
        ("a\nb", "A\nB", True),
        ("", "", True),
        ("x", "", False),
    ],
)
def test_a_text_is_searched_in_any_case_and_to_the_letter(part: str, text: str, found: bool) -> None:
    assert RowFilter(contains=part).holds(record(0, text=text)) is found


def test_only_a_search_needs_a_text() -> None:
    textless = record(0, text=None)
    assert RowFilter(contains="").cannot_tell(textless)
    assert not RowFilter(contains="", id="7").cannot_tell(textless)
    assert not RowFilter().cannot_tell(textless)


def test_both_limits_of_the_confidence_are_included() -> None:
    asked = RowFilter(min_confidence=0.6, max_confidence=0.8)
    held = [value for value in (0.599, 0.6, 0.7, 0.8, 0.801) if asked.holds(record(0, confidence=value))]
    assert held == [0.6, 0.7, 0.8]


def test_rows_are_read_as_they_are_asked_for_and_counted_so_far() -> None:
    read: list[int] = []

    def rows() -> Iterator[PredictionRecord | BadLine]:
        for minute in range(5):
            read.append(minute)
            yield record(minute % 3, minute)

    matches = MatchingRows(rows(), RowFilter(sentiments=frozenset({Sentiment.POSITIVE})))
    assert next(matches).timestamp == START + 2 * MINUTE
    assert (matches.summary.count, read) == (1, [0, 1, 2])


def test_fields_that_are_not_ours_come_where_rows_are_to_be_whole() -> None:
    given = row(2) | {"sentiment": "Positivo", "confidence": 0.8, "id": 7, "revision": None}
    theirs = '"n": 12345678901234567890123, "x": 1.50,\r "y": {\r "z": 1e999}, "x": null}'
    line = (json.dumps(given)[:-1] + ", " + theirs).encode()
    bare, whole = (parse_row(line, zone=UTC, whole=one) for one in (False, True))
    assert bare.extra == {}
    assert list(whole.extra) == ["n", "x", "y"]
    ours = encode(bare.to_dict())
    assert encode(whole.to_dict()) == ours[:-1] + b',"n":12345678901234567890123,"x":null,"y":{"z":1e999}}'
    assert json.loads(ours)["id"] == "7"
