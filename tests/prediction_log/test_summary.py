from hypothesis import given
from hypothesis import strategies as st

from sentimon.jsonl import BadLine
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary, GrowingTally, Summary, Tally, summarise
from tests.support.rows import record
from tests.support.strategies import log_rows

Rows = list[PredictionRecord | BadLine]


@given(log_rows, log_rows)
def test_the_sum_of_parts_is_the_sum_of_the_whole(one: Rows, other: Rows) -> None:
    assert summarise(one) + summarise(other) == summarise(one + other)


@given(log_rows, log_rows, log_rows)
def test_grouping_does_not_matter(a: Rows, b: Rows, c: Rows) -> None:
    one, two, three = map(summarise, (a, b, c))
    assert (one + two) + three == one + (two + three)


@given(log_rows, log_rows)
def test_order_does_not_matter(one: Rows, other: Rows) -> None:
    assert summarise(one) + summarise(other) == summarise(other) + summarise(one)


@given(log_rows)
def test_the_empty_summary_changes_nothing(rows: Rows) -> None:
    assert summarise(rows) + Summary() == summarise(rows) == Summary() + summarise(rows)


@given(log_rows, st.randoms(use_true_random=False))
def test_rows_may_come_in_any_order(rows: Rows, random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summarise(shuffled) == summarise(rows)


@given(log_rows)
def test_every_row_is_counted_once_in_each_place(rows: Rows) -> None:
    total = summarise(rows)
    good = [one for one in rows if isinstance(one, PredictionRecord)]
    assert total.count == len(good)
    assert total.bad_count == len(rows) - len(good)
    assert sum(map(sum, total.hours.values())) == len(good)
    assert sum(total.models.values()) == len(good)
    assert total.with_confidence == sum(one.confidence is not None for one in good)
    assert total.with_scores == sum(one.scores is not None for one in good)
    for tally in total.classes:
        assert tally.with_scores <= tally.with_confidence <= tally.count


def test_sums_worked_by_hand() -> None:
    total = summarise(
        [
            record(0, 0, 0.5),
            record(0, 61, 0.75),
            record(2, 62, 1.0, truncated=True, unreadable=True, text=" "),
        ]
    )
    assert total.counts == (2, 0, 1)
    assert total.classes[0].confidence == 1_250_000
    assert total.classes[0].confidence_squares == 500_000**2 + 750_000**2
    assert total.classes[2].polarity == 1_000_000
    assert total.classes[0].confidence_histogram[50] == total.classes[0].confidence_histogram[75] == 1
    assert total.classes[2].confidence_histogram[99] == 1
    assert sorted(total.hours.values()) == [(1, 0, 0), (1, 0, 1)]
    assert total.properties == {
        "characters": 13,
        "squared_characters": 36 + 49,
        "empty": 1,
        "truncated": 1,
        "unreadable": 1,
    }


def test_a_row_counts_in_the_sums_of_what_it_has() -> None:
    full, best, alone = record(2, 0, 0.9), record(2, 1, 0.6, scores=None), record(0, 2, None)
    total = summarise([full, best, alone])
    assert (total.counts, total.with_confidence, total.with_scores) == ((1, 0, 2), 2, 1)
    assert total.classes[2].confidence == 1_500_000
    assert total.classes[2].polarity == 850_000
    assert (total.classes[0].confidence, total.classes[0].polarity) == (0, 0)
    assert sum(total.classes[0].confidence_histogram) == sum(total.classes[0].polarity_histogram) == 0


def test_only_the_first_bad_lines_are_kept_but_all_are_counted() -> None:
    bad = [BadLine(path="x", line=number, kind="json", reason="bad") for number in range(20, 0, -1)]
    total = summarise(bad)
    assert total.bad == {"json": 20}
    assert [line.line for line in total.bad_lines] == [1, 2, 3, 4, 5]


def growing(rows: Rows) -> GrowingSummary:
    found = GrowingSummary()
    for row in rows:
        found.add(row)
    return found


@given(log_rows, log_rows)
def test_including_is_adding_and_leaves_the_other_as_it_is(one: Rows, other: Rows) -> None:
    into, more = growing(one), growing(other)
    into.include(more)
    assert into.summary() == summarise(one) + summarise(other)
    assert more.summary() == summarise(other)
    # A sum is of the rows so far, whatever comes later.
    before = into.summary()
    into.include(more)
    assert before == summarise(one) + summarise(other)


def test_the_total_is_the_tally_of_all_classes_and_the_span_that_of_all_rows() -> None:
    one, other = summarise([record(0, 5, 0.5), record(1, 6, 0.75)]), summarise([record(2, 3, 1.0)])
    total = (one + other).total
    assert (total.count, total.confidence, total.with_confidence, total.with_scores) == (3, 2_250_000, 3, 3)
    assert total.confidence_squares == 500_000**2 + 750_000**2 + 1_000_000**2
    assert total.polarity == -250_000 + 0 + 1_000_000
    assert total == one.classes[0] + one.classes[1] + other.classes[2]
    assert (one + other).first == other.first == (one.first or 0) - 2 * 60_000_000
    assert (one + other).last == one.last == (other.last or 0) + 3 * 60_000_000


def test_the_span_of_some_rows_is_extended_to_both_sides_and_none_without_rows() -> None:
    found = GrowingSummary()
    assert found.ends is None
    found.span(None, None)
    assert found.ends is None
    for first, last, ends in [
        (50, 60, (50, 60)),
        (40, 55, (40, 60)),
        (45, 70, (40, 70)),
        (None, None, (40, 70)),
    ]:
        found.span(first, last)
        assert found.ends == ends


def test_numbers_are_in_the_bin_that_begins_with_them_and_the_largest_in_the_last() -> None:
    tally = GrowingTally()
    for confidence, polarity in [
        (339_999, -1_000_000),
        (340_000, -950_001),
        (1_000_000, -950_000),
        (999_999, 0),
    ]:
        tally.add(confidence, polarity)
    tally.add(None, 1_000_000)
    tally.add(0, None)
    found = tally.tally()
    sure = {place: count for place, count in enumerate(found.confidence_histogram) if count}
    assert sure == {0: 1, 33: 1, 34: 1, 99: 2}
    # A bin of polarity is a twentieth: from -1 to -0.95 is the first, from 0 on the twenty-first.
    leaning = {place: count for place, count in enumerate(found.polarity_histogram) if count}
    assert leaning == {0: 2, 1: 1, 20: 1, 39: 1}
    assert (len(found.confidence_histogram), len(found.polarity_histogram)) == (100, 40)
    assert (found.count, found.confidence, found.polarity) == (6, 2_679_998, -1_900_001)
    assert found.confidence_squares == 339_999**2 + 340_000**2 + 1_000_000**2 + 999_999**2
    assert (Tally().with_confidence, Tally().with_scores, Tally().count) == (0, 0, 0)


def test_what_texts_have_is_counted_of_those_that_are_there() -> None:
    found = GrowingSummary()
    found.add_texts(["vedi www.example.org", "ciao 😀", "Привет 😀", "", "  ", None, "abc"])
    assert found.properties == {
        "characters": 20 + 6 + 8 + 3,
        "squared_characters": 400 + 36 + 64 + 9,
        "links": 1,
        "emoji": 2,
        "non_latin": 1,
        "empty": 2,
        "without_text": 1,
    }
    found.add_texts(["ab"])
    found.add_properties({"truncated": 2, "empty": 1, "naive_timestamp": 0})
    assert (found.properties["characters"], found.properties["squared_characters"]) == (39, 513)
    assert (found.properties["empty"], found.properties["truncated"]) == (3, 2)
    assert "naive_timestamp" not in found.properties


def test_rows_of_one_hour_and_of_one_model_come_together() -> None:
    rows: Rows = [
        record(0, 0),
        record(2, 1, model="a"),
        record(0, 59, model="a"),
        record(1, 60, model="a", naive=True),
    ]
    one, other = summarise(rows[:2]), summarise(rows[2:])
    first = (one.first or 0) // 3_600_000_000
    assert (one + other).hours == summarise(rows).hours == {first: (2, 0, 1), first + 1: (0, 1, 0)}
    assert (one + other).models == {(None, None): 1, ("a", None): 3}
    assert (one + other).properties["naive_timestamp"] == 1
    assert (one.hours, other.hours) == ({first: (1, 0, 1)}, {first: (1, 0, 0), first + 1: (0, 1, 0)})


def test_bad_lines_of_several_sums_are_counted_by_kind_and_the_first_few_are_kept() -> None:
    found = GrowingSummary()
    lines = [BadLine(path="x", line=number, kind="json", reason="bad") for number in range(9, 0, -1)]
    found.add_bad({"json": 9}, lines)
    found.add_bad({"field": 3, "json": 1}, [])
    assert (found.bad, [line.line for line in found.bad_lines]) == ({"json": 10, "field": 3}, [1, 2, 3, 4, 5])
    assert found.summary().bad_count == 13
    assert [line.line for line in (found.summary() + summarise(list(lines))).bad_lines] == [1, 1, 2, 2, 3]


def test_an_empty_text_is_empty_also_where_none_is_blank() -> None:
    found = GrowingSummary()
    found.add_texts(["", "ab"])
    assert found.properties == {"characters": 2, "squared_characters": 4, "empty": 1}
