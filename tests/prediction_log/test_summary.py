from hypothesis import given
from hypothesis import strategies as st

from sentimon.jsonl import BadLine
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import Summary, summarise
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
    total = summarise([record(0, 0, 0.5), record(0, 61, 0.75), record(2, 62, 1.0, truncated=True, text=" ")])
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
