"""How long the windows of a report are where nobody says so, and what they hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config import load_settings
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Period
from sentimon.reporting.report.report_value import CountedWindow
from sentimon.workflows.report import _windows, window_length
from sentimon.workflows.workspace import Workspace
from tests.support.rows import START, lines, record, written

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


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "period",
    [
        Period(),
        Period(since=START + timedelta(minutes=75), until=START + timedelta(minutes=500)),
        Period(since=START + timedelta(days=90)),
    ],
    ids=["all rows", "from within an hour", "no rows"],
)
@pytest.mark.parametrize("every", ["1h", "6h"])
def test_hours_hold_what_the_windows_of_the_log_hold(
    tmp_path: Path, zone: str, period: Period, every: str
) -> None:
    # Half a day without rows, a row without a confidence, and one that is not over.
    minutes = [7 * number for number in range(100)] + [1_500 + 13 * number for number in range(30)]
    rows = [record(minute % 3, minute, 0.5 + minute % 50 / 100) for minute in minutes]
    written(tmp_path, lines([*(one.to_dict() for one in rows), {**rows[0].to_dict(), "confidence": None}]))
    loaded = load_settings(flags={"logs.dir": str(tmp_path), "metrics.time_zone": zone})
    workspace = Workspace(loaded=loaded, now=START + timedelta(minutes=1_900))
    wanted, total = workspace.windows(period, workspace.calendar(every))
    found, summary = workspace.ask(lambda log: _windows(log, period, every))
    assert found == [CountedWindow.of(one) for one in wanted]
    assert summary == total
    assert bool(found) == (period.since != START + timedelta(days=90))
