"""What people see of labels and of quality over time, compared with golden text at 60, 80 and 120 columns.

Run with SENTIMON_GOLDEN=write in the environment to write the golden files anew, then read the diff.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, timedelta

import numpy as np
import pytest
from rich.console import Console, RenderableType

from sentimon.evaluation.calibration_file import Calibration
from sentimon.evaluation.error_rate_monitor import ErrorRateCheck, monitor_losses
from sentimon.evaluation.estimate import (
    EXPECTED,
    AssumptionChecks,
    CorrectedEstimates,
    Estimates,
    VocabularyNovelty,
)
from sentimon.evaluation.model_comparison import compare_models, compare_pair, parts_of
from sentimon.evaluation.quality import evaluate
from sentimon.evaluation.realised_quality import (
    EstimateGap,
    judge,
    realised_quality_of,
    realised_quality_windows,
)
from sentimon.finetuning.results import BeforeAndAfter, RetrainingResults
from sentimon.finetuning.training_loop import EpochMetrics
from sentimon.gold_labels.gold_label import GoldLabel
from sentimon.gold_labels.label_coverage import cover
from sentimon.labels import LABELS, Sentiment
from sentimon.prediction_log.windows import Calendar
from sentimon.reporting.estimate_tables import estimates_table
from sentimon.reporting.label_tables import coverage_table
from sentimon.reporting.model_tables import comparison_table, models_table
from sentimon.reporting.quality_tables import calibration_table, realised_table
from sentimon.reporting.retrain_tables import results_table
from sentimon.scoring.scores import Scores
from sentimon.statistics.intervals import Difference, Estimate
from sentimon.statistics.label_shift import MixtureFit
from sentimon.statistics.score_scaling import Calibrator
from tests.support.golden import WIDTHS, check_golden, check_narrow, printed
from tests.support.rows import START, record, vector

DAY = timedelta(days=1)


def label(place: int, hours: float = 0, **rest: object) -> GoldLabel:
    return GoldLabel(
        key=("id", "1"), label=Sentiment(place), timestamp=START + timedelta(hours=hours), **rest
    )


def coverage() -> RenderableType:
    rows = [(record(number % 3, number * 30), None) for number in range(90)]
    rows += [
        (record(0, 5, 0.5), label(0, hours, probability=0.5, draw=START) if hours % 2 else label(0, hours))
        for hours in range(60)
    ]
    found = cover(rows, calendar=Calendar.of("1d", UTC), now=START + 1.5 * DAY, confidence_level=0.95)
    return coverage_table(found, ("Negativo", "Neutro", "Positivo"), zone=UTC)


def coverage_of_nothing() -> RenderableType:
    found = cover([(record(0), None)], calendar=None, now=START, confidence_level=0.95)
    return coverage_table(found, LABELS, zone=UTC)


def realised() -> RenderableType:
    calendar = Calendar.of("1d", UTC)
    rows = [(record(number % 3, number * 20), label(number % 3)) for number in range(100)]
    rows += [(record(0, 3 * 24 * 60 + number), label(number % 2)) for number in range(60)]
    judged, counts = judge(rows, calendar)
    now = START + 3.2 * DAY
    windows = realised_quality_windows(judged, counts, calendar, now=now, confidence_level=0.95)
    return realised_table(
        realised_quality_of(judged, confidence_level=0.95),
        windows,
        risk([0.0] * 100, [0.0, 1.0] * 30),
        rows=160,
        zone=UTC,
    )


def realised_without_labels() -> RenderableType:
    found = realised_quality_of([], confidence_level=0.95)
    return realised_table(found, None, risk([], []), rows=7, zone=UTC)


def estimated() -> RenderableType:
    found = estimates(trusted=True)
    gap = EstimateGap(realised=known(0.78, 120), difference=Difference(value=-0.02, low=-0.1, high=0.06))
    return estimates_table(found, gap, LABELS, calibration=None)


def not_estimated() -> RenderableType:
    return estimates_table(estimates(trusted=False), None, LABELS, calibration="[red]c.json")


def known(value: float, n: int = 400) -> Estimate:
    return Estimate(value=value, low=value - 0.03, high=value + 0.02, n=n)


def estimates(*, trusted: bool) -> Estimates:
    mix = (known(0.2), known(0.5), known(0.3))
    return Estimates(
        rows=400,
        labelled=(60, 200, 140),
        calibrator=Calibrator(
            kind="bias-corrected temperature", weights=(0.8, 0.8, 0.8), biases=(0.1, 0.0, 0.2)
        ),
        condition=2.5,
        trust=AssumptionChecks(
            fit=MixtureFit(distance=0.03 if trusted else 0.3, usual=0.04, p=0.6 if trusted else 0.002),
            fit_level=0.01,
            novelty=None if trusted else VocabularyNovelty(usual=0.1, now=0.7, labelled=400, n=400),
            new_words=0.1,
        ),
        counted=mix,
        learnt=CorrectedEstimates(
            by_confusion=mix,
            by_expectation=mix,
            preferred=EXPECTED,
            accuracy=known(0.8),
            macro_recall=known(0.75),
        )
        if trusted
        else None,
    )


def comparison() -> RenderableType:
    gold = np.array([0, 1, 2] * 40)
    worse = np.where(np.arange(120) < 12, 0, gold)
    texts = ["[red]" + "a" * number for number in range(120)]
    found = compare_models(
        gold,
        gold,
        worse,
        parts=parts_of(gold, texts, "language", ["en"] * 80 + ["[red]"] * 40),
        seconds=(0.001, 0.0025),
        tolerance=0.01,
        confidence_level=0.95,
        fewest=30,
    )
    return comparison_table(found, a="sentimon-default", b="[red]new", data="labelled.jsonl")


def calibration() -> RenderableType:
    found = Calibration(
        calibrator=Calibrator(kind="temperature", weights=(0.5, 0.5, 0.5), biases=(0.0, 0.0, 0.0)),
        model="[red]m",
        revision="1",
        rows=300,
        held_out={"none": 0.7, "temperature": 0.6, "vector": 0.61},
    )
    return calibration_table(found, known(0.1), known(0.05))


def risk(reference: list[float], current: list[float]) -> ErrorRateCheck:
    return monitor_losses(reference, current, tolerance=0.05, confidence_level=0.95, min_labels=50)


def models() -> RenderableType:
    switches = [
        ("promote", "v0001", "ops@shop.example.com", "500 labels of October, after the new courier", True),
        ("promote", "v0002", "anna", "[red]", False),
        ("rollback", "v0001", "anna", "", False),
    ]
    entries = [
        {"timestamp": f"2026-12-0{day}T08:30:00Z", "event": event, "version": version, "who": who, "why": why,
         "forced": forced, "revision": "791155de74c2"}
        for day, (event, version, who, why, forced) in enumerate(switches, start=1)
    ]  # fmt: skip
    return models_table(entries, current="v0001")


def retrained() -> RenderableType:
    gold = [Sentiment(number % 3) for number in range(60)]
    before, after = (
        evaluate([Scores.from_probabilities(vector(int(place), 0.7)) for place in places], gold)
        for places in ([0, *gold[1:50], *gold[:10]], gold)
    )
    rows = np.array(gold, dtype=np.int64)
    side = BeforeAndAfter(
        guessing=1 / 3,
        before=before,
        after=after,
        pairing=compare_pair("all", rows, rows, rows, confidence_level=0.95, seed=0),
    )
    found = RetrainingResults(
        fingerprint="f", revision="1", new=side, old=side, temperature=1.0,
        epochs=(EpochMetrics(number=1, loss=0.5, held_out_loss=0.2, macro_recall=0.9),),
    )  # fmt: skip
    return results_table(found, path="[red]models/new")


SHOWN = [
    coverage,
    coverage_of_nothing,
    realised,
    realised_without_labels,
    estimated,
    not_estimated,
    comparison,
    calibration,
    models,
    retrained,
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", SHOWN, ids=lambda make: make.__name__)
def test_it_looks_as_it_should(make: Callable[[], RenderableType], width: int) -> None:
    check_golden(f"{make.__name__}_{width}", printed(make(), width))


@pytest.mark.parametrize("make", SHOWN, ids=lambda make: make.__name__)
def test_no_figure_is_lost_or_broken_where_it_is_narrow(make: Callable[[], RenderableType]) -> None:
    check_narrow(make)


@pytest.mark.parametrize("make", [realised, estimated, comparison], ids=lambda make: make.__name__)
def test_no_row_wraps_at_width_80(make: Callable[[], RenderableType]) -> None:
    wide, narrow = io.StringIO(), io.StringIO()
    Console(file=wide, width=80, color_system=None).print(make())
    Console(file=narrow, width=200, color_system=None).print(make())
    rows = [line.rstrip() for line in narrow.getvalue().split("\n") if "  0." in line]
    assert rows
    for line in rows:
        assert line in [one.rstrip() for one in wide.getvalue().split("\n")]
