"""How long the windows of a report are where nobody says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.prediction_log.summary import Summary
from sentimon.workflows.report import window_length

FIRST = 480_000


def spread(*counts: int, every: int = 1) -> Summary:
    """Rows of so many in the hours that are `every` apart."""
    return Summary(hours={FIRST + every * place: (count, 0, 0) for place, count in enumerate(counts)})


@pytest.mark.parametrize(
    ("rows", "length"),
    [
        (spread(*[60] * 24), "1h"),
        (spread(*[20] * 48), "3h"),
        (spread(*[10] * 48), "6h"),
        (spread(*[3] * 240), "1d"),
        # One window in four may be short of rows, such as those of the nights.
        (spread(*[60, 60, 60, 10] * 6), "1h"),
        (spread(*[60, 60, 10] * 8), "3h"),
        # A long log has longer windows than its rows need.
        (spread(*[1000] * 24 * 30), "12h"),
        # A few rows fill no window at all.
        (spread(3, 4), "1h"),
        (Summary(), "1h"),
    ],
)
def test_windows_are_the_shortest_that_mostly_hold_fifty_rows(rows: Summary, length: str) -> None:
    assert window_length(rows, 50) == length


@given(st.lists(st.integers(0, 200), min_size=1, max_size=2000), st.integers(1, 30))
def test_there_are_never_too_many_windows(counts: list[int], every: int) -> None:
    rows = spread(*counts, every=every)
    hours = {"1h": 1, "3h": 3, "6h": 6, "12h": 12, "1d": 24, "2d": 48, "1w": 168, "4w": 672}[
        window_length(rows, 50)
    ]
    assert (len(counts) - 1) * every < 90 * hours or hours == 672
