"""What can be said of predictions without all scores, or without any: each answer on four kinds of logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from msgspec.structs import replace

from sentimon.config import load_settings
from sentimon.errors import NoVerdictError, UsageError
from sentimon.gold_labels.gold_label import ID, GoldLabel
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.reporting.prometheus_text import read_values
from sentimon.reporting.report.rendering import to_html, to_markdown
from sentimon.reporting.report.story import tell
from sentimon.workflows.labelling import draw_to_label, label_status
from sentimon.workflows.quality import estimate_quality, measure_quality
from sentimon.workflows.report import build_report
from sentimon.workflows.workspace import Workspace
from tests.support.baselines import put_baseline
from tests.support.in_process import said
from tests.support.rows import START, lines, record

NOW = START + timedelta(days=2)
LATER = 24 * 60
BEFORE, AFTER = 720, 120
KINDS = ("full", "best", "alone", "mixed")
"""Rows with all scores, with the score of the best class alone, with no score, and a third of each."""
SURE = {"full": 120, "best": 120, "alone": 0, "mixed": 80}
FULL = {"full": 120, "best": 0, "alone": 0, "mixed": 40}
"""How many of the rows after the baseline have a confidence, and all scores."""


def rows_of(kind: str) -> list[PredictionRecord]:
    """Rows of each class in turn; after the baseline they are less sure, and more of them negative."""
    rows = [record(number % 3, number, 0.9, id=f"{number}") for number in range(BEFORE)]
    rows += [
        record((0, 0, 1, 2)[number % 4], LATER + number, 0.65, id=f"new {number}") for number in range(AFTER)
    ]
    turns = {"full": "f", "best": "b", "alone": "a", "mixed": "fba"}[kind]
    # As many rows of each kind in each class: the classes take turns of three and four rows.
    places = [number // 3 for number in range(BEFORE)] + [number // 4 for number in range(AFTER)]
    return [reduced(row, turns[place % len(turns)]) for row, place in zip(rows, places, strict=True)]


def reduced(row: PredictionRecord, to: str) -> PredictionRecord:
    if to == "f":
        return row
    return replace(row, scores=None, confidence=None if to == "a" else row.confidence)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def logs(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A log of one kind with a baseline of its first rows, and labels for half of each, one in five wrong."""
    folder, rows = tmp_path_factory.mktemp(kind), rows_of(kind)
    (folder / "predictions.jsonl").write_text(lines(row.to_dict() for row in rows), encoding="utf-8")
    old = rows[:BEFORE]
    put_baseline(folder, old)
    labelled = [row for number, row in enumerate(rows) if number // 12 % 2]
    labels = [
        GoldLabel(
            key=(ID, str(row.id)),
            label=Sentiment((row.sentiment + (number % 5 == 0)) % 3),
            timestamp=NOW - timedelta(hours=1),
        ).to_line()
        for number, row in enumerate(labelled)
    ]
    (folder / "labels.jsonl").write_bytes(b"".join(line + b"\n" for line in labels))
    with (
        mock.patch.dict("os.environ", {"XDG_CONFIG_HOME": str(folder), "TZ": "UTC"}),
        mock.patch("sentimon.cli.opening.clock", return_value=NOW),
    ):
        yield folder


def workspace_of(logs: Path) -> Workspace:
    return Workspace(loaded=load_settings(flags={"logs.dir": str(logs)}), now=NOW)


def asked(logs: Path, *arguments: str) -> tuple[int, Any]:
    code, text = said(*arguments, "--logs", str(logs), "--json")
    return code, json.loads(text)


def test_metrics_count_every_row_and_take_means_over_the_rows_that_have_a_number(
    kind: str, logs: Path
) -> None:
    since = "2026-09-08T00:00:00Z"
    code, found = asked(logs, "metrics", "--since", since)
    assert (code, found["total_predictions"]) == (0, AFTER)
    assert found["sentiment_distribution"] == {"negative": 60, "neutral": 30, "positive": 30}
    assert (found["predictions_with_confidence"], found["predictions_with_scores"]) == (
        SURE[kind],
        FULL[kind],
    )
    assert found["confidence"]["n"] == SURE[kind]
    assert found["average_confidence"] == (pytest.approx(0.65) if SURE[kind] else None)
    _, text = said("metrics", "--logs", str(logs), "--since", since)
    assert ("has a confidence: nothing is known of it" in text) == (kind == "alone")
    assert ("80 of 120 rows have a confidence" in text) == (kind == "mixed")
    assert ("the scores of all classes" in text) == (kind != "full")
    code, found = asked(logs, "metrics", "--every", "1d")
    assert [one["confidence"]["n"] for one in found["windows"]] == [BEFORE * SURE[kind] // 120, SURE[kind]]


def test_drift_of_the_mix_is_the_same_and_confidences_are_compared_where_there_are_any(
    kind: str, logs: Path
) -> None:
    code, found = asked(logs, "drift")
    assert (code, found["verdict"], found["drift_score"]) == (0, "stable", pytest.approx(1 / 8))
    expected = pytest.approx(-0.25) if SURE[kind] else None
    assert found["average_confidence_change"] == expected
    assert found["current_confidence"]["n"] == SURE[kind]
    said_so = [one for one in found["recommendations"] if one.startswith("The confidence is")]
    assert said_so == {
        "alone": [
            "The confidence is not compared: in the baseline none of 720 rows has one, now none of 120 rows "
            "has one."
        ],
        "mixed": [
            "The confidence is that of the rows that have one: in the baseline 480 of 720 rows have one, now "
            "80 of 120 rows have one."
        ],
    }.get(kind, [])


def test_the_monitor_watches_classes_always_and_confidences_where_the_baseline_has_them(
    kind: str, logs: Path
) -> None:
    code, found = asked(logs, "drift", "--monitor", "--dry-run")
    moved = {one["group"] for one in found["incident"]["findings"]} if found["incident"] else set()
    assert ("confidence" in moved) == (kind != "alone")
    assert code == (3 if moved else 4)
    said_so = [one for one in found["recommendations"] if one.startswith("The confidence is")]
    assert said_so == {
        "alone": [
            "The confidence is not watched: in the baseline none of 720 rows has one, now none of 120 rows "
            "has one."
        ],
        "mixed": [
            "The confidence is watched on the rows that have one: in the baseline 480 of 720 rows have one, "
            "now 80 of 120 rows have one."
        ],
    }.get(kind, [])


def test_the_rule_of_the_confidence_does_not_apply_where_no_row_has_one_and_the_others_decide(
    kind: str, logs: Path
) -> None:
    code, found = asked(logs, "retrain-check")
    rule = next(one for one in found["rules"] if one["name"] == "mean confidence")
    assert (rule["n"], rule["applies"]) == (SURE[kind], kind != "alone")
    assert rule["met"] is (None if kind == "alone" else True)
    assert found["decided"]
    assert code == (0 if kind == "alone" else 3)
    assert ("does not apply: none of 120 rows has one" in found["reason"]) == (kind == "alone")
    assert ("is that of 80 of 120 rows" in found["reason"]) == (kind == "mixed")
    _, text = said("retrain-check", "--logs", str(logs))
    assert ("does not apply" in text) == (kind == "alone")


def test_prometheus_has_no_sample_of_what_is_not_known(kind: str, logs: Path) -> None:
    _, text = said("export", "prometheus", "--logs", str(logs), "-q")
    values = read_values(text)
    assert "nan" not in text.lower()
    told = {key.partition("{")[0] for key in values}
    for name in ("confidence_ratio", "class_confidence_ratio", "retraining_confidence_ratio"):
        assert (f"sentimon_{name}" in told) == (kind != "alone")
    rules = {key for key in values if key.startswith("sentimon_retraining_rule_met") and "confidence" in key}
    assert bool(rules) == (kind != "alone")


def test_the_report_says_of_which_rows_it_speaks(kind: str, logs: Path) -> None:
    report = build_report(workspace_of(logs))
    story = tell(report)
    page = to_markdown(story)
    assert "nan" not in page.lower().replace("finance", "")
    assert ("No row has a confidence: the classifier gives the class alone." in page) == (kind == "alone")
    assert ("560 of 840 rows have a confidence" in page) == (kind == "mixed")
    assert ("there is no calibration to show" in page) == (kind == "alone")
    assert ("the calibration is over the former" in page) == (kind in ("best", "mixed"))
    assert report.labelled is not None
    quality = report.labelled.quality
    assert (quality.n, quality.accuracy.value) == (420, pytest.approx(0.8))
    assert quality.brier.n == 420 * FULL[kind] // 120
    assert quality.calibration_error.n == 420 * SURE[kind] // 120
    assert (quality.brier.value is None) == (FULL[kind] == 0)
    assert to_html(story)


def test_watch_shows_such_rows(kind: str, logs: Path) -> None:
    code, text = said("watch", "--logs", str(logs), "--every", "1d")
    assert code == 0
    last = next(line for line in text.split("\n") if line.startswith("confidence"))
    assert bool(last.removeprefix("confidence").strip(" -")) == (kind != "alone")
    assert "text 1559" in text


def test_quality_by_labels_needs_classes_alone(logs: Path) -> None:
    found = measure_quality(workspace_of(logs))
    assert (found.labelled, found.rows) == (420, 840)
    assert found.quality.accuracy.value == pytest.approx(0.8)
    assert found.quality.accuracy.n == 420


def test_an_estimate_is_of_the_rows_with_all_scores_and_says_where_none_has_them(
    kind: str, logs: Path
) -> None:
    workspace = workspace_of(logs)
    if not FULL[kind]:
        with pytest.raises(NoVerdictError, match="none of 840 rows has the scores of all classes") as caught:
            estimate_quality(workspace)
        assert "--quality" in str(caught.value.hint)
        return
    code, found = asked(logs, "metrics", "--estimate")
    assert (found["rows"], found["rows_without_scores"]) == ((840, 0) if kind == "full" else (280, 560))
    assert sum(found["labelled"].values()) == (420 if kind == "full" else 140)
    assert any("Left out: 560 rows" in one for one in found["assumptions"]) == (kind == "mixed")
    assert code in (0, 4)


@pytest.mark.parametrize("strategy", ["uncertain", "random", "diverse", "drifted"])
def test_rows_to_label_are_drawn_by_what_they_have(
    kind: str, logs: Path, strategy: str, tmp_path: Path
) -> None:
    heard: list[str] = []
    workspace = Workspace(
        loaded=load_settings(flags={"logs.dir": str(logs)}), now=NOW, say=lambda text: heard.append(text)
    )
    sheet = tmp_path / "sheet.csv"
    if (kind, strategy) == ("alone", "uncertain"):
        with pytest.raises(UsageError, match="none of the 420 rows has one") as caught:
            draw_to_label(workspace, sheet, n=30, strategy=strategy)
        assert caught.value.hint == "use one of: random, drifted, diverse"
        assert not sheet.exists()
        return
    found = draw_to_label(workspace, sheet, n=30, strategy=strategy)
    assert len(found.draw.rows) == 30
    assert any("140 of 420 rows have no confidence" in one for one in heard) == (
        (kind, strategy) == ("mixed", "uncertain")
    )


def test_labelled_rows_are_compared_by_their_confidence_only_if_they_have_one(kind: str, logs: Path) -> None:
    found = label_status(workspace_of(logs)).fairness
    assert found is not None
    assert found.random_sample
    assert (found.confidence_p is None) == (kind == "alone")
    _, text = said("label", "status", "--logs", str(logs))
    assert ("same confidence" in " ".join(text.split())) == (kind != "alone")


def test_rows_are_found_by_a_confidence_that_they_have(kind: str, logs: Path) -> None:
    code, text = said(
        "logs", "query", "--logs", str(logs), "--max-confidence", "0.7", "--limit", "1000", "--json"
    )
    found = [json.loads(line) for line in text.splitlines()]
    assert (code, len(found)) == (0, SURE[kind])
    _, text = said("logs", "query", "--logs", str(logs), "--limit", "1000", "--json")
    assert [json.loads(line) for line in text.splitlines()] == [row.to_dict() for row in rows_of(kind)]
