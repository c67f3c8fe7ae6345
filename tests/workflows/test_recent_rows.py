"""A change that came late is not lost among the rows before it, whichever command is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from sentimon.config import load_settings
from sentimon.prediction_log.record import PredictionRecord
from sentimon.workflows.retraining import RetrainingDecision, decide_retraining
from sentimon.workflows.workspace import Workspace
from tests.support.baselines import put_baseline
from tests.support.in_process import said
from tests.support.rows import START, lines, record, written

USUAL, MOVED = (0, 0, 1, 2, 2), (0, 0, 0, 1, 2)
"""Classes of five rows: 0.4, 0.2, 0.4, and with a fifth of them moved from positive to negative."""
LATER = 24 * 60


def stream(
    classes: tuple[int, ...], hours: int, first: int, confidence: float = 0.8
) -> list[PredictionRecord]:
    """Ten rows in each of some hours, the first so many minutes after START."""
    return [
        record(classes[number % 5], first + 60 * hour + number, confidence)
        for hour in range(hours)
        for number in range(10)
    ]


def log(folder: Path, rows: Iterable[PredictionRecord]) -> Path:
    old = stream(USUAL, 100, -100 * 60)
    written(folder, lines(one.to_dict() for one in (*old, *rows)))
    put_baseline(folder, old)
    return folder


def decide(folder: Path, *, whole: bool = False) -> RetrainingDecision:
    loaded = load_settings(flags={"logs.dir": str(folder)})
    return decide_retraining(Workspace(loaded=loaded, now=START + timedelta(days=30)), whole=whole)


def test_a_late_step_is_drift_for_every_command_and_below_the_threshold_for_chosen_rows(
    tmp_path: Path,
) -> None:
    late = [*stream(USUAL, 240, LATER), *stream(MOVED, 24, LATER + 240 * 60)]
    logs = str(log(tmp_path / "logs", late))
    code, text = said("drift", "--logs", logs, "--json")
    found = json.loads(text)
    assert (code, found["verdict"], found["reason"]) == (3, "drift", "changed")
    assert found["drift_score"] == pytest.approx(0.2, abs=0.01)
    assert found["window"]["since"] >= "2026-09-18T"
    assert found["window"]["samples"] < found["window"]["samples_after_baseline"] == 2640
    code, text = said("drift", "--logs", logs, "--since", "2026-09-08", "--json")
    chosen = json.loads(text)
    assert (code, chosen["reason"]) == (0, "no change")
    assert chosen["window"] == {
        "since": None,
        "samples": 2640,
        "samples_after_baseline": 2640,
        "windows_searched": 1,
        "same_hours_of_day": False,
    }
    # The rows moved on 18 September at 08:00.
    assert found["onset"]["earliest"] <= "2026-09-18T08:00:00Z" <= found["onset"]["latest"]
    assert "The change began about 2026-09-18" in " ".join(found["recommendations"])
    decision = decide(Path(logs))
    assert decision.entry["onset"] == found["onset"]
    assert "The drift began about 2026-09-18" in decision.entry["reason"]
    assert decision.trigger.triggered
    assert decision.trigger.drift.value == found["drift_score"]
    assert decision.trigger.samples.n == 2640


def test_which_rows_were_judged_is_said(tmp_path: Path) -> None:
    late = [*stream(USUAL, 240, LATER), *stream(MOVED, 24, LATER + 240 * 60)]
    _, shown = said("drift", "--logs", str(log(tmp_path / "logs", late)))
    text = " ".join(shown.split())
    assert "newest 200 of 2640" in text
    assert "Compared are the newest 200 of 2640 rows, since 2026-09-18 12:00 UTC" in text


def test_rows_that_became_unsure_lately_are_a_cause(tmp_path: Path) -> None:
    late = [*stream(USUAL, 240, LATER), *stream(USUAL, 24, LATER + 240 * 60, confidence=0.6)]
    trigger = decide(log(tmp_path / "logs", late)).trigger
    rule = trigger.confidence
    assert (rule.met, rule.newest, trigger.triggered) == (True, True, True)
    assert rule.value is not None
    assert rule.high is not None
    assert rule.value <= rule.high < 0.7
    assert rule.n < trigger.samples.n == 2640


def test_a_fall_of_the_mean_confidence_is_told_with_its_beginning(tmp_path: Path) -> None:
    late = [*stream(USUAL, 40, LATER), *stream(USUAL, 60, LATER + 40 * 60, confidence=0.65)]
    _, text = said("drift", "--logs", str(log(tmp_path / "logs", late)), "--json")
    found = json.loads(text)
    assert found["onset"] is None
    # 40 hours after 8 September, 08:00.
    assert found["confidence_onset"]["began"] == "2026-09-10T00:00:00Z"
    assert any(one.startswith("That change began about 2026-09-10 00:00") for one in found["recommendations"])


def test_rows_that_were_always_unsure_are_told_as_a_whole(tmp_path: Path) -> None:
    rule = decide(log(tmp_path / "logs", stream(USUAL, 50, LATER, confidence=0.6))).trigger.confidence
    assert (rule.met, rule.newest, rule.n) == (True, False, 500)


def test_a_few_unsure_rows_that_chance_may_bring_are_no_cause(tmp_path: Path) -> None:
    sure, rows = stream(USUAL, 96, LATER, confidence=0.75), stream(USUAL, 5, LATER + 96 * 60)
    wavering = [
        record(one.sentiment, LATER + 96 * 60 + 60 * (number // 10), 0.45 + 0.4 * (number % 2))
        for number, one in enumerate(rows)
    ]
    trigger = decide(log(tmp_path / "logs", [*sure, *wavering])).trigger
    assert (trigger.confidence.met, trigger.confidence.newest) == (False, False)


def test_chosen_rows_are_judged_as_they_are(tmp_path: Path) -> None:
    late = [*stream(USUAL, 240, LATER), *stream(USUAL, 24, LATER + 240 * 60, confidence=0.6)]
    trigger = decide(log(tmp_path / "logs", late), whole=True).trigger
    assert (trigger.confidence.met, trigger.confidence.newest) == (False, False)
