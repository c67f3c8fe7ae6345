"""Each file that the program keeps, spoilt in many ways: a right answer, or an error that names it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from sentimon.cli.opening import open_workspace
from sentimon.compat.drift_detector import DriftDetector
from sentimon.compat.metrics_tracker import MetricsTracker
from sentimon.compat.retraining_manager import RetrainingManager
from sentimon.config import load_settings
from sentimon.config.settings import DriftSettings, LogSettings, MonitorSettings
from sentimon.engine.part_files import PartFile, open_parts
from sentimon.errors import ExitCode
from sentimon.evaluation.calibration_file import Calibration, read_calibration
from sentimon.gold_labels.label_book import read_book
from sentimon.jsonl import encode
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.baseline_collection import PendingBaseline, encode_pending_baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.monitor_check import advance
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_rows import HourlyRows
from sentimon.monitoring.monitor_state import MonitorState, encode_monitors, fits
from sentimon.monitoring.retraining_rules import RuleResult
from sentimon.monitoring.traffic import TrafficVerdict
from sentimon.prediction_log.append_chain import read_append_chain
from sentimon.prediction_log.history import read_entries
from sentimon.prediction_log.logged_inputs import LoggedInput, logged_input
from sentimon.prediction_log.resumable_job import Step
from sentimon.prediction_log.resumable_log import open_journal
from sentimon.prediction_log.writer import LogWriter
from sentimon.reporting.model_tables import models_table
from sentimon.reporting.report.saved_checks import recall
from sentimon.statistics.score_scaling import UNCHANGED
from sentimon.workflows import error_rate
from sentimon.workflows.messages import Told, ToldFile, WaitingMessage, read_told
from sentimon.workflows.model_registry import promote_model, read_registry
from sentimon.workflows.monitor_file import MonitorFile
from sentimon.workflows.next_baseline import given_up, wanted_at
from sentimon.workflows.state_files import next_path, read_baseline, read_last_fired, save_baseline
from sentimon.workflows.traffic_notes import Said, read_said
from tests.support.rows import START, record, summary
from tests.support.spoilt_files import ROUNDS, refusal, spoil

BASELINE = Baseline(
    name="b", created=START, source="logs", summary=summary(50, 60, 70, model="m", revision="r" * 12)
)
Kind = tuple[Callable[[Path], Path], Callable[[Path], object]]
"""What makes a good file in a folder and returns its path, and what reads it back and works with it."""


def baseline_made(folder: Path) -> Path:
    save_baseline(folder / "baseline.json", BASELINE)
    return folder / "baseline.json"


def baseline_read(path: Path) -> None:
    found = read_baseline(path)
    detect_drift(found, summary(10, 60, 90), DriftSettings())
    Reference.of(found)


def wanted_made(folder: Path) -> Path:
    baseline_made(folder)
    wanted = PendingBaseline(
        name="v2", revision="s", since=START, rows=50, asked=50, replaces=None, again="{}"
    )
    (folder / "baseline.json").unlink()
    next_path(folder / "baseline.json").write_bytes(encode_pending_baseline(wanted))
    return next_path(folder / "baseline.json")


def wanted_read(path: Path) -> None:
    wanted_at(path.with_name("baseline.json"))
    given_up(path.with_name("baseline.json"))


def monitor_made(folder: Path) -> Path:
    reference = Reference.of(BASELINE)
    rows = reference.window(summary(170, 5, 5))
    hours = dict.fromkeys(list(rows.hours)[:1], rows)
    state, _ = advance(MonitorState(), hours, reference, MonitorSettings(), now=START, confidence_level=0.95)
    (folder / "monitor.json").write_bytes(encode_monitors({"x": state}))
    return folder / "monitor.json"


def monitor_read(path: Path) -> None:
    state, reference = MonitorFile(path, "x").read(), Reference.of(BASELINE)
    if fits(state, reference):
        state.horizon(START)
        HourlyRows(reference, state.seen)
        recall([], state.incident, UTC)
        rows = reference.window(summary(5, 5, 170))
        hours = dict.fromkeys(list(rows.hours)[:1], rows)
        advance(state, hours, reference, MonitorSettings(), now=START, confidence_level=0.95)


def lines_made(name: str, *entries: dict[str, Any]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(b"".join(encode(entry) + b"\n" for entry in entries))
        return folder / name

    return make


LABELS = (
    {"timestamp": "2026-09-07T08:00:00Z", "id": "1", "label": "negative", "probability": 0.5},
    {"timestamp": "2026-09-07T08:00:00Z", "text_hash": "a", "label": "neutral", "draw": "2026-09-01T00:00Z"},
)  # fmt: skip
TRIGGERS = (
    {"timestamp": "2026-09-07T08:00:00Z", "triggered": True, "rows_until": "2026-09-07T07:00:00Z",
     "reason": "r", "confidence_threshold_met": True, "drift_threshold_met": False, "min_samples_met": True,
     "recommended_action": "a", "error_rate_met": None},
    {"timestamp": "2026-09-08T08:00:00Z", "triggered": False, "rows_until": None},
)  # fmt: skip
METRICS = {
    "timestamp": "2026-09-07T08:00:00Z",
    "total_predictions": 5,
    "sentiment_distribution": {"negative": 5},
    "sentiment_percentages": {"negative": 100.0},
    "average_confidence": 0.8,
    "confidence_by_sentiment": {"negative": 0.8},
}
FOUND = {"group": "class", "event": "negative", "before": {"value": 0.1}, "after": {"value": 0.5}}
REPORT = {
    "timestamp": "2026-09-07T08:00:00Z",
    "drift_detected": True,
    "drift_score": 0.4,
    "rule": "monitor",
    "incident": {"since": "2026-09-07T08:00:00Z", "findings": [FOUND]},
}


def triggers_read(path: Path) -> None:
    read_last_fired(path, zone=UTC)
    RetrainingManager(metrics_dir=path.parent).get_retraining_statistics()


def reports_read(path: Path) -> None:
    recall(read_entries(path)[0], None, UTC)
    DriftDetector(metrics_dir=path.parent).get_drift_history()


def calibration_made(folder: Path) -> Path:
    found = Calibration(calibrator=UNCHANGED, model="m", revision="r", rows=9, held_out={"none": 0.5})
    (folder / "calibration.json").write_bytes(encode(found.to_dict(created=START)))
    return folder / "calibration.json"


def calibration_read(path: Path) -> None:
    scores = read_calibration(path).calibrator.apply(np.array([[0.0, 0.0, 1.0], [0.2, 0.3, 0.5]]))
    assert np.isfinite(scores).all()


def registry_made(folder: Path) -> Path:
    (folder / "new").mkdir()
    for _ in range(2):
        promote_model(folder, folder / "new", {"timestamp": "2026-09-07T08:00:00Z", "who": "a", "why": "b"})
    return folder / "registry.jsonl"


def pending_made(folder: Path) -> Path:
    registry_made(folder)
    entry = {"event": "promote", "version": "v0002", "previous": "v0001", "revision": "r"}
    (folder / "pending.json").write_bytes(encode(entry))
    return folder / "pending.json"


def registry_read(path: Path) -> None:
    found = read_registry(path.parent)
    models_table(found.entries, current=found.current)
    found.entry_of(found.previous or "")


PART = PartFile(
    file="part-00000.jsonl",
    first_line=1,
    last_line=2,
    rows=2,
    input_sha256="a" * 64,
    predictions=2,
    truncated=0,
    bad_lines=0,
    sha256="b" * 64,
)
ASKED = {"input": "in.txt", "bytes": 5, "modified_ns": 7, "model": "m"}


def manifest_made(folder: Path) -> Path:
    (folder / "manifest.json").write_bytes(encode({"asked": ASKED, "model": "m", "parts": [PART]}))
    return folder / "manifest.json"


def manifest_read(path: Path) -> None:
    with open_parts(path.parent, ASKED) as parts:
        parts.manifest.sum_of("predictions")


STEP = Step(number=0, rows=[], digest=sha256().hexdigest(), digest_so_far=sha256().hexdigest())


def journal_made(folder: Path) -> Path:
    with open_journal(folder, "in.txt", ASKED, LogWriter(folder, LogSettings()), now=START) as journal:
        journal.add(STEP, [record(0)], bad_lines=0, now=START)
        journal._intend([b"{}"], journal.done)
        return journal.path


def journal_read(path: Path) -> None:
    folder = path.parent.parent.parent
    with open_journal(folder, "in.txt", ASKED, LogWriter(folder, LogSettings()), now=START) as journal:
        assert journal.done.rows >= 0


def settings_made(folder: Path) -> Path:
    sections = ("[drift]\nthreshold = 0.2\nmin_samples = 60", "[logs]\nrotate_daily = true\ntext = 'full'")
    text = "\n".join((*sections, "[model.label_map]\na = 'negative'\n"))
    (folder / "sentimon.toml").write_text(text, encoding="utf-8")
    return folder / "sentimon.toml"


def settings_read(path: Path) -> None:
    load_settings(environment={"HOME": str(path.parent)}, directory=path.parent)


def lock_made(folder: Path) -> Path:
    LogWriter(folder, LogSettings()).append([record(0)], now=START)
    return folder / ".sentimon" / "lock"


RULE = RuleResult(name="error rate", side="above", value=0.1, low=0.0, high=0.2, limit=0.3, met=False, n=50)
KNOWN = error_rate.ErrorRateRules(whole=RULE, slices=RULE, risen=("channel=app",))


def cache_made(folder: Path) -> Path:
    lines_made("labels.jsonl", *LABELS)(folder)
    (folder / ".sentimon").mkdir()
    workspace = open_workspace(None, {"logs.dir": str(folder)})
    path = folder / ".sentimon" / "error_rate.json"
    source = error_rate._source(workspace, folder / "baseline.json")
    path.write_bytes(msgspec.json.encode(error_rate._Known.of(source, KNOWN)))
    return path


def cache_read(path: Path) -> None:
    folder = path.parent.parent
    workspace = open_workspace(None, {"logs.dir": str(folder)})
    assert error_rate.error_rate_rules(workspace, folder / "baseline.json") == KNOWN


def mark_made(folder: Path) -> Path:
    (folder / "in.csv").write_bytes(b"text\nOttimo\n")
    mark = logged_input(folder, folder / "in.csv", job="j")
    mark.claim(now=START)
    mark.finish(1, now=START)
    return mark.path


def mark_read(path: Path) -> None:
    LoggedInput(path=path, name=str(path), job="j").check()


def said_made(folder: Path) -> Path:
    said = {"": Said(silent=True), "/logs/other.json": Said(change=TrafficVerdict.FEWER, no_baseline=True)}
    (folder / "said.json").write_bytes(msgspec.json.encode(said))
    return folder / "said.json"


def said_read(path: Path) -> None:
    for said in read_said(path).values():
        assert isinstance(said.silent, bool)


def told_made(folder: Path) -> Path:
    (folder / ".sentimon").mkdir(exist_ok=True)
    waiting = WaitingMessage(made="2026-11-30T12:00:00.000000Z", title="a", body="b", done=("0a1b2c3d",))
    told = {"": Told(traffic=Said(silent=True), incident="2026-11-29T12:00:00.000000Z")}
    path = folder / ".sentimon/told.json"
    path.write_bytes(msgspec.json.encode(ToldFile(told=told, waiting=(waiting,))))
    return path


def told_read(path: Path) -> None:
    for told in read_told(path.parent.parent).told.values():
        assert isinstance(told.incident, str)


KINDS: dict[str, Kind] = {
    "baseline.json": (baseline_made, baseline_read),
    "baseline.next.json": (wanted_made, wanted_read),
    "monitor.json": (monitor_made, monitor_read),
    "labels.jsonl": (lines_made("labels.jsonl", *LABELS), lambda path: read_book(path.parent, zone=UTC)),
    "retraining_triggers.jsonl": (lines_made("retraining_triggers.jsonl", *TRIGGERS), triggers_read),
    "metrics.jsonl": (
        lines_made("metrics.jsonl", METRICS),
        lambda path: MetricsTracker(metrics_dir=path.parent).get_metrics_history(),
    ),
    "drift_reports.jsonl": (lines_made("drift_reports.jsonl", REPORT), reports_read),
    "calibration.json": (calibration_made, calibration_read),
    "registry.jsonl": (registry_made, registry_read),
    "pending.json": (pending_made, registry_read),
    "manifest.json": (manifest_made, manifest_read),
    "journal": (journal_made, journal_read),
    "sentimon.toml": (settings_made, settings_read),
    "lock": (lock_made, lambda path: read_append_chain(path.parent.parent)),
    "error_rate.json": (cache_made, cache_read),
    "said.json": (said_made, said_read),
    "told.json": (told_made, told_read),
    "a mark of a logged file": (mark_made, mark_read),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_spoilt_file_gives_a_right_answer_or_an_error_that_names_it(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_rate, "_judge", lambda *_: KNOWN)
    make, read = KINDS[name]
    chance = random.Random(name)
    path = make(tmp_path)
    good = path.read_bytes()
    read(path)
    for number in range(ROUNDS):
        path = path if path.parent.is_dir() else make(tmp_path)
        spoilt = spoil(chance, good)
        path.unlink(missing_ok=True)
        path.write_bytes(spoilt)
        told = refusal(read, path)
        case = f"round {number}: {spoilt[:2000]!r}: {told!r}"
        assert told is None or (str(tmp_path) in told.message and told.hint), case
        assert told is None or told.exit_code in (ExitCode.FAILURE, ExitCode.USAGE), case


@pytest.mark.parametrize("name", KINDS)
def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_rate, "_judge", lambda *_: KNOWN)
    make, read = KINDS[name]
    path = make(tmp_path)
    path.unlink()
    os.mkfifo(path)
    told = refusal(read, path)
    # What can be made again, or is no more than a hint, is passed over.
    assert (
        told is None
        if name in ("lock", "error_rate.json", "said.json")
        else f"{path}: " in str(told and told.message)
    )
