"""What one finding says, how findings are ranked, and which rows illustrate them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sentimon.monitoring.finding import Finding, most_significant, reaches_delta, share_difference, shows
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.vocabulary import Vocabulary
from sentimon.monitoring.watched_events import Counted, EventGroup
from sentimon.prediction_log.word_hashes import token_hashes
from tests.support.rows import record

KNOWN = sorted(token_hashes("uno due tre quattro"))
VOCABULARY = Vocabulary(
    keyed=False,
    hashes=tuple(KNOWN),
    frequencies=(1,) * 4,
    texts=4,
    cuts=(0, 500_000),
    reference=Counted(4, (2, 3)),
)
REFERENCE = Reference.from_hours(
    (
        EventGroup(name="class", events=("negative", "neutral", "positive"), reference=Counted(8, (2, 4, 2))),
        EventGroup(name="confidence", events=("below 0.60", "below 0.80"), reference=Counted(8, (2, 4))),
        VOCABULARY.group,
    ),
    {0: (2, 4, 2)},
    cuts=(60, 80),
)


def finding(group: str, place: int, after: float, *, p: float = 0.001, limit: float = 0.01) -> Finding:
    """An event whose share went from a half to `after`."""
    return Finding(
        group=group, event=str(place), place=place, windows=1, before=(50.0, 100), after=(100 * after, 100),
        p_value=p, limit=limit,
    )  # fmt: skip


def test_a_difference_is_now_minus_before_whatever_the_numbers_of_rows() -> None:
    assert share_difference((1, 4), (3, 6)) == 0.25
    assert share_difference((3, 6), (1, 4)) == -0.25
    assert finding("class", 1, 0.75).difference == 0.25
    assert finding("class", 1, 0.75).key == ("class", 1, ("", ""))


@pytest.mark.parametrize(
    ("after", "delta", "may_be"),
    [
        # Newcombe's interval of 9/10 - 3/10 is 0.1705 .. 0.8090, that of the fall is turned round.
        ((9, 10), 0.80, True),
        ((9, 10), 0.82, False),
        ((9, 10), 0.10, True),
    ],
)
def test_a_change_may_be_as_large_as_what_its_interval_reaches(
    after: tuple[int, int], delta: float, may_be: bool
) -> None:
    assert reaches_delta((3, 10), after, delta, confidence_level=0.95) is may_be
    assert reaches_delta(after, (3, 10), delta, confidence_level=0.95) is may_be
    one = Finding(
        group="class", event="", place=0, windows=1, before=(3, 10), after=after, p_value=0.0, limit=0.1
    )
    assert one.reaches_delta(delta, confidence_level=0.95) is may_be
    # A narrower interval reaches less far.
    assert not reaches_delta((3, 10), after, 0.80, confidence_level=0.5)


def test_the_surest_finding_of_each_event_comes_first_and_of_equals_the_larger_change() -> None:
    sure = finding("class", 0, 0.6, p=0.001, limit=0.01)
    surer = finding("class", 0, 0.7, p=0.002, limit=0.04)
    small, large = (
        finding("class", 1, 0.55, p=0.003, limit=0.01),
        finding("class", 2, 0.25, p=0.003, limit=0.01),
    )
    alike = finding("class", 1, 0.75, p=0.003, limit=0.01)
    assert most_significant([small, sure, large, surer]) == [surer, large, small]
    assert most_significant([large, alike]) == [alike, large]
    assert most_significant([]) == []


def test_rows_of_a_class_that_rose_illustrate_it_and_where_none_rose_those_of_the_others() -> None:
    fell, rose = finding("class", 0, 0.25), finding("class", 2, 0.75)
    first = shows([fell, finding("confidence", 1, 0.9), rose, finding("class", 1, 0.6)], REFERENCE, None)
    assert [first(record(place)) for place in range(3)] == [False, False, True]
    alone = shows([fell], REFERENCE, None)
    assert [alone(record(place)) for place in range(3)] == [False, True, True]
    # One that did not move at all has not risen.
    same = shows([finding("class", 0, 0.5)], REFERENCE, None)
    assert [same(record(place)) for place in range(3)] == [False, True, True]


def test_rows_below_a_decile_illustrate_that_they_are_more_and_the_others_that_they_are_fewer() -> None:
    more = shows([finding("confidence", 1, 0.75)], REFERENCE, None)
    fewer = shows([finding("confidence", 1, 0.25)], REFERENCE, None)
    rows = [record(2, 0, 0.79), record(2, 0, 0.8), record(2, 0, None)]
    assert [more(row) for row in rows] == [True, False, False]
    assert [fewer(row) for row in rows] == [False, True, False]


def test_texts_with_as_many_new_words_as_the_finding_says_illustrate_it() -> None:
    rows = [record(2, text=text) for text in ("uno due", "uno nuovo", "nuovo ancora due", None)]
    more = shows([finding("words", 1, 0.75)], REFERENCE, VOCABULARY)
    assert [more(row) for row in rows] == [True, True, False, False]
    fewer = shows([finding("words", 1, 0.25)], REFERENCE, VOCABULARY)
    assert [fewer(row) for row in rows] == [False, False, True, False]
    none = shows([finding("words", 0, 0.25)], REFERENCE, VOCABULARY)
    assert [none(row) for row in rows] == [False, True, True, False]
    assert not any(shows([finding("words", 1, 0.75)], REFERENCE, None)(row) for row in rows)


def test_rows_of_a_slice_illustrate_it_and_those_of_values_that_are_not_watched_the_rest() -> None:
    rose = replace(finding("class", 0, 0.75), where=("channel", "web"))
    rows = [
        replace(record(place), extra={"channel": value})
        for value, place in (("web", 0), ("web", 1), ("mail", 0), ("fax", 0), ("fax", 2))
    ]
    inside = shows([rose], REFERENCE, None, watched={"channel": ("web", "mail")})
    assert [inside(row) for row in rows] == [True, False, False, False, False]
    others = shows(
        [replace(rose, where=("channel", "(other)"))], REFERENCE, None, watched={"channel": ("web", "mail")}
    )
    assert [others(row) for row in rows] == [False, False, False, True, False]
