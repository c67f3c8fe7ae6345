from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.settings import MonitorSettings
from sentimon.labels import THREE, TWO
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import event_limits
from sentimon.monitoring.watched_events import (
    MOST_ROWS,
    Counted,
    EventGroup,
    EventWindow,
    class_counts,
    class_group,
    confidence_counts,
    confidence_cuts,
    confidence_group,
    is_possible,
    sum_windows,
)
from sentimon.prediction_log.summary import Summary, summarise
from tests.support.rows import START, record, records
from tests.support.strategies import log_rows


def test_the_events_of_a_class_are_counted_by_label() -> None:
    group = class_group(summarise(records(3, 2, 1)))
    assert group.events == ("negative", "neutral", "positive")
    assert (group.reference.n, group.reference.counts) == (6, (3, 2, 1))


def test_where_all_confidences_share_the_first_or_the_last_bin_its_inner_border_is_left() -> None:
    assert confidence_cuts(summarise(record(2, number, 0.004) for number in range(9))) == (1,)
    last = summarise(record(2, number, 0.995) for number in range(9))
    assert confidence_cuts(last) == (99,)
    assert confidence_counts(last, (98, 99)) == Counted(9, (0, 0))


def test_deciles_snap_to_the_borders_of_hundredths_and_come_once() -> None:
    # Ten rows at each of 0.41, 0.43 ... 0.59: a decile lies between two of these.
    confidences = [0.41 + 0.02 * step for step in range(10) for _ in range(10)]
    summary = summarise(record(2, number, round(one, 2)) for number, one in enumerate(confidences))
    cuts = confidence_cuts(summary)
    assert len(cuts) == 9
    assert confidence_counts(summary, cuts).counts == tuple(range(10, 100, 10))
    # Where nine of ten rows are alike, the deciles are alike too.
    same = summarise([record(2, n, 0.7) for n in range(90)] + [record(2, n, 0.5) for n in range(10)])
    assert confidence_cuts(same) == (51,)
    assert confidence_group(same).events == ("below 0.51",)


def test_one_confidence_for_all_is_watched_to_both_sides() -> None:
    alike = summarise(records(5, 5, 5))
    assert confidence_cuts(alike) == (80, 81)
    assert confidence_counts(alike, (80, 81)).counts == (0, 15)
    assert confidence_cuts(summarise(records(0, 0, 5, confidence=1.0))) == (99,)
    assert confidence_cuts(Summary()) == ()


def test_rows_without_a_confidence_are_no_part_of_its_events() -> None:
    some = summarise([*records(5, 5, 5), *(record(0, number, None) for number in range(100))])
    assert confidence_cuts(some) == (80, 81)
    assert (confidence_counts(some, (80, 81)).n, confidence_counts(some, (80, 81)).counts) == (15, (0, 15))
    assert class_group(some).reference.counts == (105, 5, 5)
    none = summarise(record(0, number, None) for number in range(100))
    assert (confidence_cuts(none), confidence_group(none).events) == ((), ())


@given(log_rows, log_rows, st.lists(st.integers(1, 99), max_size=9))
def test_counts_of_two_sums_add_up(one: list, other: list, cuts: list[int]) -> None:  # type: ignore[type-arg]
    a, b = summarise(one), summarise(other)
    assert class_counts(a) + class_counts(b) == class_counts(a + b)
    assert confidence_counts(a, cuts) + confidence_counts(b, cuts) == confidence_counts(a + b, cuts)


def test_a_class_that_is_not_there_spends_nothing_of_alpha() -> None:
    made = Baseline(name="b", created=START, source="logs", summary=summarise(records(300, 0, 300)))
    three, two = (Reference.of(replace(made, classes=one)) for one in (THREE, TWO))
    assert [event for _, event in two.groups[0].watched] == ["negative", "positive"]
    of_three, of_two = (event_limits(one, 1, MonitorSettings()) for one in (three, two))
    assert of_two[0] == pytest.approx(of_three[0] * 3 / 2)
    assert of_two[1:] == of_three[1:]


def test_windows_are_summed_by_event_and_by_hour_and_their_rows_by_hour_of_the_day() -> None:
    one = EventWindow(groups=(Counted(5, (2, 3)), Counted(4, (1,))), hours={23: 2, 24: 3})
    other = EventWindow(groups=(Counted(3, (1, 2)), Counted(2, (2,))), hours={24: 1, 47: 2})
    both = sum_windows([one, other])
    assert both == EventWindow(groups=(Counted(8, (3, 5)), Counted(6, (3,))), hours={23: 2, 24: 4, 47: 2})
    assert (one.hours, both.rows) == ({23: 2, 24: 3}, 8)
    assert both.clock == [4] + [0] * 22 + [4]
    # Four of eight rows are in an hour of four, the others in hours of two.
    assert both.mean_cluster_size == 3.0
    assert sum_windows([one]) == one


def test_counts_are_possible_from_none_to_all_of_the_rows() -> None:
    assert is_possible(Counted(3, (0, 3, 2)))
    assert is_possible(Counted(0, ()))
    assert not is_possible(Counted(3, (0, 4)))
    assert not is_possible(Counted(3, (-1, 2)))
    assert MOST_ROWS == 2**53


def test_events_without_a_name_are_not_watched() -> None:
    group = EventGroup(name="class", events=("negative", "", "positive"), reference=Counted(2, (1, 0, 1)))
    assert group.watched == [(0, "negative"), (2, "positive")]


def test_a_decile_is_rounded_to_the_nearest_border_the_lower_of_two() -> None:
    # Of ten rows one is below 0.41 and eight below 0.61: four deciles are nearest to one, five to eight.
    confidences = [0.405, *[0.605] * 7, 0.9, 0.9]
    total = summarise(record(2, number, one) for number, one in enumerate(confidences))
    assert confidence_cuts(total) == (41, 61)
    assert confidence_counts(total, (40, 41, 60, 61, 90, 91)).counts == (0, 1, 1, 8, 8, 10)
    # Of all borders between two rows the lowest is taken.
    halves = summarise([record(2, 0, 0.5), record(2, 0, 0.6)])
    assert confidence_cuts(halves) == (51,)
    assert confidence_cuts(summarise(records(0, 0, 3, confidence=0.5))) == (50, 51)
