import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.evaluation.calibration_error import reliability


def test_rows_are_grouped_by_confidence() -> None:
    # 40 rows make two groups of 20: the lower is right half of the time, the upper always.
    confidence = [0.5] * 20 + [0.9] * 20
    low, high = reliability(confidence, [True, False] * 10 + [True] * 20, confidence_level=0.95)
    assert (low.confidence, low.accuracy.value, low.accuracy.n) == (pytest.approx(0.5), 0.5, 20)
    assert (high.confidence, high.accuracy.value) == (pytest.approx(0.9), 1.0)


@given(st.lists(st.tuples(st.sampled_from([0.4, 0.5, 0.6, 0.9, 1.0]), st.booleans()), max_size=400))
def test_every_row_is_in_one_group_and_equals_stay_together(rows: list[tuple[float, bool]]) -> None:
    curve = reliability([one for one, _ in rows], [right for _, right in rows], confidence_level=0.95)
    assert sum(one.accuracy.n for one in curve) == len(rows)
    assert len(curve) <= 15
    assert [one.confidence for one in curve] == sorted(one.confidence for one in curve)
    right = sum((one.accuracy.value or 0.0) * one.accuracy.n for one in curve)
    assert round(right) == sum(one for _, one in rows)
