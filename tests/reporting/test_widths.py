"""The tables that people read every day, on terminals of 60, 80 and 120 columns, with and without colour."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from rich.console import Group, RenderableType
from rich.text import Text

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.labels import LABELS
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.prediction_metrics import measure
from sentimon.monitoring.retraining_rules import evaluate_retraining, score_rule
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, summarise_windows
from sentimon.reporting.decision_tables import drift_table, trigger_table
from sentimon.reporting.metrics_tables import metrics_table, windows_table
from sentimon.reporting.monitor_tables import monitor_table
from tests.support import table_values as shown
from tests.support.golden import WIDTHS, check_golden, check_narrow, printed
from tests.support.monitor_looks import Looks
from tests.support.rows import START, records, summary

LONG_NAMES = ("Sfavorevole o molto sfavorevole", "né l'uno né l'altro", "非常に肯定的な意見です")


def metrics_every(names: tuple[str, ...] = LABELS, hours: int = 4) -> RenderableType:
    rows = [row for hour in range(hours) for row in records(3, 4, hour % 5, minute=60 * hour, confidence=0.7)]
    now = START + timedelta(hours=hours - 0.5)
    windows, total = summarise_windows(rows, Calendar.of("1h", UTC), now=now)
    return Group(
        metrics_table(measure(total, confidence_level=0.95), total, names),
        windows_table(windows, names, zone=UTC, confidence_level=0.95),
    )


def drift(names: tuple[str, ...] = LABELS) -> RenderableType:
    return drift_table(detect_drift(large(), summary(10, 20, 70, confidence=0.61), DriftSettings()), names)


def retrain_check(names: tuple[str, ...] = LABELS) -> RenderableType:
    decision = evaluate_retraining(
        summary(10, 20, 70, confidence=0.6),
        score_rule(detect_drift(None, Summary(), DriftSettings())),
        RetrainingSettings(),
        last=None,
        now=START + timedelta(hours=1),
        confidence_level=0.95,
    )
    return Group(shown.trigger(), Text(), trigger_table(decision, LABELS))


def drift_monitor(names: tuple[str, ...] = LABELS) -> RenderableType:
    looks = Looks()
    looks.look(40, 60, 100)
    return Group(monitor_table(looks.look(100, 60, 40), names), Text(), monitor_table(looks.look(), names))


def large() -> Baseline:
    """A baseline of 1,234,567 rows."""
    once = summarise(records(70, 20, 10))
    total = Summary()
    for bit in reversed(range(14)):
        total = total + total
        if 12_345 >> bit & 1:
            total = total + once
    return Baseline(name="june", created=datetime(2026, 6, 1, tzinfo=UTC), source="logs", summary=total)


TABLES = [metrics_every, drift, drift_monitor, retrain_check]


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "colour"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_it_looks_as_it_should(make: Callable[..., RenderableType], width: int, colour: bool) -> None:
    name = f"{make.__name__}_{width}{'_colour' if colour else ''}"
    check_golden(name, printed(make(), width, colour=colour))


@pytest.mark.parametrize("names", [LABELS, LONG_NAMES], ids=["usual", "long"])
@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_no_figure_is_lost_or_broken_where_it_is_narrow(
    make: Callable[..., RenderableType], names: tuple[str, ...]
) -> None:
    check_narrow(partial(make, names))


def test_colour_changes_no_character() -> None:
    for make in TABLES:
        coloured = re.sub(r"\x1b\[[\d;]*m", "", printed(make(), 80, colour=True))
        assert coloured == printed(make(), 80)


@pytest.mark.parametrize(("width", "marks"), [(60, 50), (69, 59), (80, 60), (120, 60)])
def test_the_lines_show_the_latest_windows_that_fit(width: int, marks: int) -> None:
    text = printed(metrics_every(hours=70), width)
    assert f"share per window, 0 to 1, the latest {marks}\n" in text
    line = next(line for line in text.split("\n") if line.startswith("neutral ") and "▅" in line)
    assert len(line) == 10 + marks
