"""The class mix and the mean confidence of some rows, by hand."""

from __future__ import annotations

import pytest

from sentimon.monitoring.prediction_metrics import measure
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.reporting.verdict_sentences import explain_lacking
from tests.support.rows import record


def test_shares_are_of_all_rows_and_confidences_of_those_that_have_one() -> None:
    rows = [
        record(0, 0, 0.5),
        record(0, 1, 0.7),
        record(2, 2, 0.9),
        record(2, 3, None),
        record(2, 4, 0.6, scores=None),
    ]
    found = measure(summarise(rows), confidence_level=0.95)
    assert (found.counts, found.total, found.with_scores) == ((2, 0, 3), 5, 3)
    assert [one.value for one in found.shares] == [0.4, 0.0, 0.6]
    assert [one.n for one in found.shares] == [5, 5, 5]
    # Wilson's limits of 2 of 5.
    assert found.shares[0].low == pytest.approx(0.1176, abs=1e-4)
    assert found.shares[0].high == pytest.approx(0.7693, abs=1e-4)
    assert (found.confidence.value, found.confidence.n) == (pytest.approx(2.7 / 4), 4)
    assert [one.value for one in found.confidence_by_class] == [pytest.approx(0.6), None, pytest.approx(0.75)]
    assert [one.n for one in found.confidence_by_class] == [2, 0, 2]
    # Two degrees of freedom less one: 12.706 times 0.1, beyond both ends.
    assert (found.confidence_by_class[0].low, found.confidence_by_class[0].high) == (0.0, 1.0)


def test_another_level_gives_other_intervals_and_no_rows_give_none() -> None:
    total = summarise([record(place, place, 0.5 + 0.1 * place) for place in (0, 1, 2, 0)])
    narrow, wide = (measure(total, confidence_level=level) for level in (0.5, 0.95))
    for one, other in zip([*narrow.shares, narrow.confidence], [*wide.shares, wide.confidence], strict=True):
        assert one.low > other.low
        assert one.high < other.high
    assert measure(Summary(), confidence_level=0.95).shares[0].value is None


def test_unreadable_rows_are_a_share_of_all_and_said_only_where_there_are_some() -> None:
    rows = [record(0, 0, 0.5), record(0, 1, 0.7, unreadable=False), record(2, 2, 0.9, unreadable=True)]
    some = measure(summarise(rows), confidence_level=0.95)
    assert (some.unreadable.value, some.unreadable.n) == (pytest.approx(1 / 3), 3)
    (said,) = explain_lacking(some)
    assert said.startswith(
        "Share of unreadable rows, mostly in letters that the model does not know: 0.333 ["
    )
    none = measure(summarise(rows[:2]), confidence_level=0.95)
    assert (none.unreadable.value, none.unreadable.low) == (0, 0)
    assert explain_lacking(none) == []
    assert measure(Summary(), confidence_level=0.95).unreadable.value is None
