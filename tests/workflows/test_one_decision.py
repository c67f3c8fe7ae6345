"""One decision: whoever asks, the comparison and the decision on retraining are the same value."""

from __future__ import annotations

import html
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_workspace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.compat.drift_detector import DriftDetector
from sentimon.compat.prediction_logger import PredictionLog
from sentimon.compat.retraining_manager import RetrainingManager
from sentimon.config import load_settings
from sentimon.gold_labels.gold_label import ID, GoldLabel
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.windows import Period
from sentimon.reporting.json_shapes import drift_object
from sentimon.reporting.prometheus_text import read_values
from sentimon.reporting.report.answers import tell_look
from sentimon.reporting.report.rendering import to_html, to_markdown
from sentimon.reporting.report.story import tell
from sentimon.reporting.traffic_sentences import traffic_object
from sentimon.reporting.verdict_sentences import explain_drift, explain_trigger
from sentimon.workflows.drift import compare_with_baseline
from sentimon.workflows.given_rows import GivenRows
from sentimon.workflows.monitor import run_monitor
from sentimon.workflows.report import ReportRequest, build_report
from sentimon.workflows.retraining import decide_retraining
from sentimon.workflows.traffic import check_traffic
from sentimon.workflows.watch import Watcher
from sentimon.workflows.workspace import Workspace
from tests.support.baselines import put_baseline
from tests.support.in_process import said
from tests.support.rows import START, lines, records

NOW = START + timedelta(days=2)
LATER = 24 * 60
"""Minutes after START at which the rows begin that are compared with the baseline."""
Counts = tuple[int, int, int]


class Clock(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return NOW if tz is not None else NOW.replace(tzinfo=None)


@dataclass(frozen=True)
class Case:
    """A log with what lies beside it, and the settings."""

    before: Counts | None
    """Rows of the baseline; None where there is none."""
    after: Counts
    confidence: float = 0.8
    wrong: float | None = None
    """The share of the new rows that people labelled otherwise; None without labels."""
    fired: int | None = None
    """Minutes after the first new row at which a trigger fired."""
    rules: tuple[tuple[str, str], ...] = ()
    lacks: tuple[str, str] = ("nothing", "nothing")
    """What rows before and after lack: "nothing", "scores", "confidence" (and scores), or "some" of each."""


def made(folder: Path, case: Case) -> Path:
    """Make the log with all beside it; the configuration that is to be used."""
    logs = folder / "logs"
    logs.mkdir()
    old = without(records(*(case.before or (0, 0, 0)), id=None), case.lacks[0])
    new = new_rows(case)
    named = [{**one.to_dict(), "id": f"row-{number}"} for number, one in enumerate([*old, *new])]
    (logs / "predictions.jsonl").write_text(lines(named), encoding="utf-8")
    if case.before is not None:
        put_baseline(logs, old)
    if case.wrong is not None:
        wrong = round(case.wrong * len(new))
        marks = [False] * len(old) + [
            number * wrong // len(new) < (number + 1) * wrong // len(new) for number in range(len(new))
        ]
        labels = [
            GoldLabel(
                key=(ID, f"row-{number}"),
                label=Sentiment((one.sentiment + 1) % 3) if marks[number] else one.sentiment,
                timestamp=NOW - timedelta(hours=1),
            ).to_line()
            for number, one in enumerate([*old, *new])
        ]
        (logs / "labels.jsonl").write_bytes(b"".join(line + b"\n" for line in labels))
    if case.fired is not None:
        moment = START + timedelta(minutes=LATER + case.fired)
        trigger = {"timestamp": moment.isoformat(), "triggered": True, "error_rate_met": False}
        (logs / "retraining_triggers.jsonl").write_text(lines([trigger]), encoding="utf-8")
    sections: dict[str, list[str]] = {"drift": ["create_baseline = false"], "quality": ["min_labels = 20"]}
    for key, value in case.rules:
        section, name = key.split(".")
        sections.setdefault(section, []).append(f"{name} = {value}")
    text = "".join(f"[{name}]\n" + "\n".join(rows) + "\n" for name, rows in sections.items())
    config = folder / "sentimon.toml"
    config.write_text(text, encoding="utf-8")
    return config


def without(rows: list[PredictionRecord], lacks: str) -> list[PredictionRecord]:
    turns = ("nothing", "scores", "confidence") if lacks == "some" else (lacks,)
    return [reduced(row, turns[number % len(turns)]) for number, row in enumerate(rows)]


def reduced(row: PredictionRecord, lacks: str) -> PredictionRecord:
    if lacks == "nothing":
        return row
    return replace(row, scores=None, confidence=row.confidence if lacks == "scores" else None)


def new_rows(case: Case) -> list[PredictionRecord]:
    return without(records(*case.after, minute=LATER, confidence=case.confidence), case.lacks[1])


def as_read(value: Any) -> Any:
    return json.loads(json.dumps(value))


def given_logs(case: Case) -> list[PredictionLog]:
    return [
        cast(PredictionLog, PredictionLog(**{**_fields(one), "timestamp": one.timestamp.isoformat()}))
        for one in new_rows(case)
    ]


def _fields(one: Any) -> dict[str, Any]:
    found = one.to_dict()
    return {name: found[name] for name in ("text", "sentiment", "confidence", "scores")}


def same_everywhere(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = made(folder, case)
        logs, path = str(folder / "logs"), folder / "logs/baseline.json"
        environment = {"SENTIMON_CONFIG": str(config), "XDG_CONFIG_HOME": name, "TZ": "UTC"}
        with (
            mock.patch.dict("os.environ", environment),
            mock.patch("sentimon.cli.opening.clock", return_value=NOW),
            mock.patch("sentimon.compat.drift_detector.datetime", Clock),
            mock.patch("sentimon.compat.retraining_manager.datetime", Clock),
        ):
            return _same(case, logs, path)


def _same(case: Case, logs: str, path: Path) -> dict[str, Any]:
    workspace = Workspace(loaded=load_settings(flags={"logs.dir": logs}), now=NOW)
    comparison = compare_with_baseline(workspace, path)
    decision = decide_retraining(workspace, path)
    trigger, report = decision.trigger, comparison.report
    monitored = workspace.settings.drift.rule == "monitor" and case.before is not None

    told = build_report(workspace, ReportRequest(period=Period(), baseline=path, every=None), None)
    assert (told.drift, told.trigger) == (report, trigger)
    story = tell(told)
    pages = (html.unescape(to_html(story)), to_markdown(story).replace("\\", ""))
    for page in pages:
        if trigger.due:
            assert all(sentence in page for sentence in explain_trigger(trigger))
        else:
            assert "Retraining is recommended" not in page
        assert tell_look(told) in page
        if told.look_found:
            assert explain_drift(report, workspace.names)[0] in page

    watcher = Watcher(every="1d", calendar=workspace.calendar("1d"), windows=3, path=path)
    seen = watcher.look(workspace)
    assert (seen.compared.report if seen.compared else None) == (report if case.before else None)

    look = run_monitor(workspace, path, keep=False).report if monitored else None
    judged = look or report
    traffic = traffic_object(check_traffic(workspace, path))
    code, text = said("drift", "--logs", logs, "--json", *(["--dry-run"] if monitored else []))
    drift = json.loads(text)
    assert drift["verdict"] == judged.verdict.value
    assert drift["drift_score"] == judged.score.value
    assert code == {"stable": 0, "drift": 3, "no verdict": 4}[judged.verdict.value]
    if look is None:
        found = drift_object(report, timestamp=NOW, zone=workspace.settings.metrics.time_zone)
        assert drift == as_read({**found, "traffic": traffic})

    _, text = said("export", "prometheus", "--logs", logs, "-q")
    values = {key.partition("{")[0]: value for key, value in read_values(text).items()}
    assert values["sentimon_retraining_triggered"] == trigger.triggered
    assert values.get("sentimon_drift_score_ratio", values.get("sentimon_drift_score")) == judged.score.value
    verdicts = {1.0: "drift", 0.0: "stable", None: "no verdict"}
    assert verdicts[values.get("sentimon_drift_detected")] == judged.verdict.value
    assert values.get("sentimon_log_silent") == traffic["silent"]

    detector = DriftDetector(path, metrics_dir=logs)
    rows = given_logs(case)
    # The classes of the replaced program judge the rows that they are given, as they are.
    handed = replace_workspace(workspace, given=GivenRows(new_rows(case)))
    alone = compare_with_baseline(handed, path, whole=True).report
    if case.before is not None:
        compared = detector.detect_drift(rows).to_dict()
        assert compared["verdict"] == alone.verdict.value
        assert compared["drift_score"] == (alone.score.value or 0.0)
    needed = RetrainingManager(drift_detector=detector, metrics_dir=logs).evaluate_retraining_need(rows)
    assert needed.to_dict() == dict(decide_retraining(handed, path, whole=True).entry)
    if report.window.searched == 1:
        assert (alone, needed.to_dict()) == (report, dict(decision.entry))

    code, text = said("retrain-check", "--logs", logs, "--json")
    assert json.loads(text) == as_read({**decision.entry, "traffic": traffic})
    assert code == (3 if trigger.triggered else 0 if trigger.decided else 4)
    return dict(decision.entry)


LACKS = ("nothing", "scores", "confidence", "some")
counts = st.tuples(*[st.integers(0, 40)] * 3).filter(any)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    choices: dict[str, Sequence[str]] = {
        "drift.rule": ("'threshold'", "'monitor'"),
        "drift.threshold": ("0.05", "0.3"),
        "drift.min_samples": ("10", "50"),
        "retraining.drift_rule": ("'auto'", "'threshold'", "'monitor'"),
        "retraining.min_samples_for_retraining": ("10", "60"),
        "retraining.confidence_threshold": ("0.5", "0.7"),
        "retraining.cooldown": ("'1h'", "'72h'"),
    }
    return Case(
        before=draw(st.none() | counts),
        after=draw(counts),
        confidence=draw(st.sampled_from([0.4, 0.6, 0.9])),
        wrong=draw(st.none() | st.sampled_from([0.0, 0.3, 0.9])),
        fired=draw(st.none() | st.integers(0, 60)),
        rules=tuple((key, draw(st.sampled_from(values))) for key, values in choices.items()),
        lacks=(draw(st.sampled_from(LACKS)), draw(st.sampled_from(LACKS))),
    )


@settings(max_examples=20)
@given(cases())
@example(
    Case(
        before=(40, 0, 0),
        after=(0, 0, 40),
        rules=(("drift.rule", "'monitor'"), ("retraining.drift_rule", "'monitor'")),
    )
)
def test_every_face_shows_the_same_comparison_and_the_same_decision(case: Case) -> None:
    same_everywhere(case)


def test_an_error_rate_that_rose_is_a_cause_whoever_asks() -> None:
    found = same_everywhere(Case(before=(40, 20, 40), after=(120, 60, 120), wrong=0.5))
    assert found["triggered"] is True
    assert found["error_rate_met"] is True
