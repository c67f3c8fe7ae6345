"""What people see, compared with golden text at width 100 without colour.

Run with SENTIMON_GOLDEN=write in the environment to write the golden files anew, then read the diff.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, timedelta

import pytest
from rich.console import Console, RenderableType

from sentimon.config.settings import DriftSettings
from sentimon.evaluation.quality import evaluate
from sentimon.jsonl import BadLine
from sentimon.labels import LABELS, Sentiment
from sentimon.monitoring.baseline import check_baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.prediction_metrics import measure
from sentimon.monitoring.simulation import Result, Scenario, SimulationRun
from sentimon.monitoring.vocabulary import Growth
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, summarise_windows
from sentimon.reporting.decision_tables import check_table, drift_table
from sentimon.reporting.metrics_tables import baseline_table, metrics_table, windows_table
from sentimon.reporting.monitor_tables import monitor_table, simulation_table
from sentimon.reporting.prediction_table import ShownText, predictions_table
from sentimon.reporting.quality_tables import quality_table
from sentimon.reporting.setup_tables import examination_table, failed, good, settings_table, warning
from sentimon.scoring.scores import Scores
from tests.support.golden import check_golden, check_narrow, printed
from tests.support.monitor_looks import Looks
from tests.support.rows import START, record, records, summary, vector
from tests.support.table_values import baseline, trigger

DAY = 24 * 60
HOSTILE = [
    "[red]no[/red]",
    "\x1b[31mred\x1b[0m",
    "<script>alert(1)</script>",
    "\u202eright to left",
    "a\nb",
    "🎉👩‍💻",
    "",
]


def predictions() -> RenderableType:
    rows = [
        ShownText(
            text=text,
            scores=Scores.from_probabilities(vector(number % 3)),
            truncated=number == 1,
            unreadable=number == 2,
        )
        for number, text in enumerate(HOSTILE)
    ]
    return predictions_table(rows, LABELS, heading=True)


def metrics() -> RenderableType:
    bad = BadLine(path="x", line=1, kind="json", reason="bad")
    total = summarise([*records(20, 50, 30), bad])
    return metrics_table(measure(total, confidence_level=0.95), total, ("Negativo", "Neutro", "Positivo"))


def windows() -> RenderableType:
    rows = records(30, 10, 10) + records(10, 10, 40, minute=2 * DAY, confidence=0.65)
    found, _ = summarise_windows(rows, Calendar.of("1d", UTC), now=START + timedelta(days=2, hours=4))
    return windows_table(found, LABELS, zone=UTC, confidence_level=0.95)


def drift() -> RenderableType:
    return drift_table(
        detect_drift(baseline(summary(70, 20, 10)), summary(10, 20, 70), DriftSettings()), LABELS
    )


def drift_without_rows() -> RenderableType:
    return drift_table(detect_drift(baseline(summary(70, 20, 10)), Summary(), DriftSettings()), LABELS)


def shown_baseline() -> RenderableType:
    return baseline_table(
        baseline(summary(70, 20, 10, model="m", revision="1")), LABELS, confidence_level=0.95
    )


def check() -> RenderableType:
    total = summarise(
        records(35, 10, 15) + records(35, 10, 15, minute=DAY) + records(0, 0, 60, minute=2 * DAY)
    )
    found = check_baseline(
        baseline(total), Calendar.of("1d", UTC), threshold=0.15, min_samples=50, confidence_level=0.95
    )
    return check_table(found, zone=UTC)


def settings() -> RenderableType:
    rows = [
        ("drift.threshold", 0.15, "default"),
        ("model.name", "[red]x", "$SENTIMON_MODEL__NAME"),
        ("a.b", True, "flag"),
    ]
    return settings_table(rows)


def quality() -> RenderableType:
    scores = [Scores.from_probabilities(vector(place, 0.7)) for place in (0, 0, 1, 2, 2, 2, 1, 0) * 10]
    gold = [Sentiment(place) for place in (0, 1, 1, 2, 2, 0, 1, 0) * 10]
    return quality_table(evaluate(scores, gold), LABELS, title="model on data")


def monitor() -> RenderableType:
    looks = Looks()
    looks.look(40, 60, 100)
    return monitor_table(
        looks.look(100, 60, 40),
        LABELS,
        words=[Growth(word="[red]tomato", before=0.0, after=0.25)],
        examples=[record(0, number, text=text) for number, text in enumerate(HOSTILE[:4])],
    )


def monitor_waiting() -> RenderableType:
    return monitor_table(Looks().look(), LABELS)


def simulation() -> RenderableType:
    outcomes = [
        tuple(SimulationRun(alarm=alarm, change=change) for alarm in alarms)
        for change, alarms in ((720, [None] * 9 + [5]), (360, [362, 363, 400, 720, None] * 2))
    ]
    results = [
        Result(scenario=Scenario(rows=200, hours=1.0, checks=720, shift=shift), outcomes=one)
        for shift, one in zip((0.0, 0.05), outcomes, strict=True)
    ]
    return simulation_table(results, every=timedelta(hours=1), confidence_level=0.95)


def examination() -> RenderableType:
    return examination_table(
        [
            good("log", "220 rows in logs"),
            warning("index", "[red]x\x1b is damaged: malformed", "the next command makes it anew"),
            failed("model", "/nowhere: no such folder", "name the folder of a model, or a HuggingFace id"),
            failed("disk", "0.0 GB free of 1.0", None),
        ]
    )


SHOWN = [
    examination,
    predictions,
    metrics,
    windows,
    drift,
    drift_without_rows,
    trigger,
    shown_baseline,
    check,
    settings,
    quality,
    monitor,
    monitor_waiting,
    simulation,
]


@pytest.mark.parametrize("make", SHOWN, ids=lambda make: make.__name__)
def test_it_looks_as_it_should(make: Callable[[], RenderableType]) -> None:
    check_golden(make.__name__, printed(make(), 100))


@pytest.mark.parametrize("make", [quality, simulation, check], ids=lambda make: make.__name__)
def test_no_figure_is_lost_or_broken_where_it_is_narrow(make: Callable[[], RenderableType]) -> None:
    check_narrow(make)


@pytest.mark.parametrize(
    "make", [metrics, windows, drift, trigger, quality, monitor, simulation], ids=lambda make: make.__name__
)
def test_nothing_wraps_or_is_cut_at_width_80(make: Callable[[], RenderableType]) -> None:
    wide, narrow = io.StringIO(), io.StringIO()
    Console(file=wide, width=80, color_system=None).print(make())
    Console(file=narrow, width=200, color_system=None).print(make())
    rows = [
        line.rstrip()
        for line in narrow.getvalue().split("\n")
        if "[0." in line and not line.startswith(("Drift", "The"))
    ]
    assert rows
    for line in rows:
        assert line in [one.rstrip() for one in wide.getvalue().split("\n")]
