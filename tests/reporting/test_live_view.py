"""The live view, frame by frame."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from sentimon.config.settings import DriftSettings
from sentimon.jsonl import BadLine
from sentimon.labels import LABELS
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.monitor_state import MonitorState
from sentimon.monitoring.onset import Onset
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, summarise_windows
from sentimon.reporting.live_view import Compared, Pace, Watched, frame
from sentimon.timestamps import start_of_hour
from tests.support.golden import WIDTHS, check_golden, printed
from tests.support.monitor_looks import Looks
from tests.support.rows import START, record, records, summary

HOSTILE = ["[red]no[/red]", "\x1b[31mred\x1b[0m", "<script>alert(1)</script>", "\u202eright to left", "a\nb"]
BAD = [BadLine(path="logs/predictions.jsonl", line=line, kind="json", reason="bad\x1b") for line in (3, 9)]


def monitors(*looks: tuple[int, int, int]) -> MonitorState:
    made = Looks()
    for look in looks:
        made.look(*look)
    return made.state


def compared(current: Summary, monitor: MonitorState) -> Compared:
    baseline = Baseline(name="[bold]june", created=START, source="logs", summary=summary(70, 20, 10))
    return Compared(report=detect_drift(baseline, current, DriftSettings()), monitor=monitor)


@functools.cache
def busy() -> Watched:
    """Two hours, an empty one, and one that goes on, with everything that can be seen."""
    rows = [
        *records(30, 10, 10),
        *records(10, 10, 35, minute=60, confidence=0.65),
        *(
            record(number % 3, 185 + number, text=text)
            for number, text in enumerate([*HOSTILE, "🎉 昨日" * 40])
        ),
        record(1, 195, text=None),
    ]
    now = START + timedelta(hours=3, minutes=16, seconds=5)
    windows, _ = summarise_windows(rows, Calendar.of("1h", UTC), now=now)
    return Watched(
        source="/srv/shop/logs",
        now=now,
        zone=UTC,
        confidence_level=0.95,
        whole=summarise([*rows, *BAD]),
        every="1h",
        windows=windows,
        pace=Pace(rows=7, during=timedelta(minutes=4)),
        compared=compared(summary(10, 10, 35), monitors((40, 60, 100), (100, 60, 40))),
        latest=rows,
    )


@functools.cache
def quiet() -> Watched:
    """A log that was looked at once, without a baseline."""
    return replace(busy(), whole=summary(30, 10, 10), pace=None, compared=None, latest=())


@functools.cache
def first_day() -> Watched:
    """Nothing was logged yet."""
    return replace(quiet(), whole=Summary(), windows=())


@functools.cache
def broken() -> Watched:
    """The folder went away, and the baseline is of another model."""
    said = "baseline 'june' is of m, but rows are of \x1bother"
    return replace(busy(), compared=None, problem=said, trouble="logs: no such \x1bfolder")


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "colour"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_busy_log_looks_as_it_should(width: int, colour: bool) -> None:
    shown = printed(frame(busy(), LABELS, width=width), width, colour=colour)
    check_golden(f"frame_{width}{'_colour' if colour else ''}", shown)


@pytest.mark.parametrize("make", [quiet, first_day, broken], ids=lambda make: make.__name__)
def test_what_is_not_there_is_said(make) -> None:  # type: ignore[no-untyped-def]
    check_golden(f"frame_{make.__name__}", printed(frame(make(), LABELS, width=80), 80))


@pytest.mark.parametrize("make", [busy, quiet, first_day, broken], ids=lambda make: make.__name__)
@pytest.mark.parametrize("width", [20, 47, 60, 80, 120, 300])
@pytest.mark.parametrize("height", [1, 5, 12, 24, 25, 30, 60])
def test_it_fits_the_terminal_whatever_its_size(make, width: int, height: int) -> None:  # type: ignore[no-untyped-def]
    text = printed(frame(make(), LABELS, width=width, height=height), width)
    lines = text.split("\n")[:-1]
    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)
    assert "\x1b" not in text


def test_when_a_change_began_and_which_rows_are_judged_is_shown() -> None:
    hour = 489_000
    onset = Onset(
        hour=hour,
        first_hour=hour - 2,
        last_hour=hour + 3,
        rows=55,
        confidence_level=0.95,
        from_the_start=False,
    )
    state = busy()
    assert state.compared is not None
    report = state.compared.report
    window = replace(report.window, since=hour)
    recent = replace(report, onset=onset, window=window, after_baseline=400)
    shown = replace(state, compared=replace(state.compared, report=recent))
    text = printed(frame(shown, LABELS, width=80), 80)
    assert "the newest 55 of 400 newer rows" in text
    assert f"since about {start_of_hour(hour):%Y-%m-%d %H:%M} UTC" in text
    early = replace(recent, onset=replace(onset, from_the_start=True))
    text = printed(
        frame(replace(state, compared=replace(state.compared, report=early)), LABELS, width=80), 80
    )
    assert "since the first rows" in text


def test_a_terminal_of_24_lines_has_the_verdict_and_the_newest_row() -> None:
    text = printed(frame(busy(), LABELS, width=80, height=24), 80)
    assert "INCIDENT" in text
    assert "limit 0.15" in text
    assert text.rstrip().endswith("(text not kept)")


def test_a_higher_terminal_shows_more_rows() -> None:
    counts = [
        printed(frame(busy(), LABELS, width=80, height=height), 80).count(" text ") for height in (30, 40)
    ]
    assert counts[1] == counts[0] + 10


def test_the_hours_are_those_of_the_zone_and_the_names_those_of_the_settings() -> None:
    state = replace(busy(), zone=ZoneInfo("Europe/Rome"))
    text = printed(frame(state, ("Negativo", "Neutro", "Positivo molto lungo"), width=100), 100)
    assert "2026-09-07 13:16:05 Europe/Rome" in text
    assert "from 09-07 10:00" in text
    assert "Positivo molt…  " in text


def test_the_pace_is_of_the_window_until_it_was_watched() -> None:
    assert "1.8 a minute over 4 min" in printed(frame(busy(), LABELS, width=80), 80)
    # 7 rows in the 16 minutes and 5 seconds of the window that goes on.
    once = printed(frame(replace(busy(), pace=None), LABELS, width=80), 80)
    assert "26.1 an hour in this window" in once


def test_a_monitor_that_is_quiet_or_new_says_so() -> None:
    state = busy()
    for monitor, said in (
        (MonitorState(), "Monitor: has not looked yet"),
        (monitors((40, 60, 100)), "Monitor: no incident at check 1"),
    ):
        shown = frame(replace(state, compared=compared(Summary(), monitor)), LABELS, width=80)
        assert said in printed(shown, 80)


def test_rows_of_other_days_show_their_date() -> None:
    later = replace(busy(), now=START + timedelta(days=2))
    assert "09-07 11:15  (text not kept)" in printed(frame(later, LABELS, width=80), 80)
    assert "11:15:00  (text not kept)" in printed(frame(busy(), LABELS, width=80), 80)


def test_a_log_of_another_year_shows_its_year() -> None:
    state = busy()
    text = printed(frame(replace(state, now=state.now.replace(year=2028)), LABELS, width=80), 80)
    assert "Windows of 1h from 2026-09-07 " in text
    assert "  2026-09-07 11:15  (text not kept)" in text
