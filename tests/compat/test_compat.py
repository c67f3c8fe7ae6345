"""What a user of the replaced program does, unchanged but for the import."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import sentimon
from sentimon import (
    DriftDetector,
    MetricsTracker,
    PredictionLog,
    PredictionLogger,
    RetrainingManager,
    preprocess,
)
from sentimon.errors import ConfigError, DataError, StoreError

ITALIAN = {"negative": "Negativo", "neutral": "Neutro", "positive": "Positivo"}


@pytest.fixture
def italian(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, shown in ITALIAN.items():
        monkeypatch.setenv(f"SENTIMON_LABELS__{name.upper()}", shown)


def log(
    sentiment: str, confidence: float = 0.8, timestamp: str = "2026-02-06T10:49:40.101704"
) -> PredictionLog:
    rest = (1 - confidence) / 2
    scores = dict.fromkeys(ITALIAN.values(), rest) | {sentiment: confidence}
    return PredictionLog(
        timestamp=timestamp, text="t", sentiment=sentiment, confidence=confidence, scores=scores
    )


def logs(negative: int, neutral: int, positive: int, **rest: object) -> list[PredictionLog]:
    names = ["Negativo"] * negative + ["Neutro"] * neutral + ["Positivo"] * positive
    return [log(name, **rest) for name in names]  # type: ignore[arg-type]


def test_every_public_name_is_there_and_no_other() -> None:
    for name in sentimon.__all__:
        assert getattr(sentimon, name).__name__ == name
        assert name in dir(sentimon)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = sentimon.nonsense


def test_preprocess_reduces_mentions_and_links() -> None:
    assert preprocess("@alice Check https://github.com and http://example.com") == "@user Check http and http"


@pytest.mark.usefixtures("italian")
def test_predictions_are_logged_loaded_counted_and_cleared(tmp_path: Path) -> None:
    logger = PredictionLogger(log_dir=tmp_path / "deep" / "logs")
    assert logger.get_logs_count() == 0
    entry = logger.log_prediction("Test text", {"Positivo": 0.8, "Neutro": 0.15, "Negativo": 0.05})
    assert (entry.sentiment, entry.confidence) == ("Positivo", 0.8)
    logger.log_prediction(text="Due", sentiment_scores={"Negativo": 0.9, "Neutro": 0.05, "Positivo": 0.05})
    loaded = logger.load_logs()
    assert [one.sentiment for one in loaded] == ["Positivo", "Negativo"]
    assert loaded[0] == entry
    assert list(entry.to_dict()) == ["timestamp", "text", "sentiment", "confidence", "scores"]
    stored = json.loads((tmp_path / "deep/logs/predictions.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert stored["sentiment"] == "positive"
    logger.clear_logs()
    assert logger.get_logs_count() == 0


def test_labels_are_canonical_unless_the_configuration_says_otherwise(tmp_path: Path) -> None:
    entry = PredictionLogger(log_dir=tmp_path).log_prediction(
        "x", {"Positivo": 0.8, "Neutro": 0.15, "Negativo": 0.05}
    )
    assert entry.sentiment == "positive"
    assert list(entry.scores) == ["negative", "neutral", "positive"]


def test_numpy_scores_are_logged(tmp_path: Path) -> None:
    import numpy as np

    scores = {"negative": np.float32(0.25), "neutral": np.float32(0.25), "positive": np.float32(0.5)}
    assert PredictionLogger(log_dir=tmp_path).log_prediction("x", scores).confidence == 0.5


def test_another_file_is_a_log_of_its_own(tmp_path: Path) -> None:
    logger = PredictionLogger(log_dir=str(tmp_path), log_file="other.jsonl")
    logger.log_prediction("x", {"negative": 1.0, "neutral": 0.0, "positive": 0.0})
    assert logger.get_logs_count() == 1
    assert PredictionLogger(log_dir=tmp_path).get_logs_count() == 0


@pytest.mark.parametrize(
    "scores", [{}, {"negative": 0.5}, {"a": 1.0}, {"negative": 1.0, "neutral": 1.0, "positive": 0.0}]
)
def test_scores_that_are_none_are_refused_and_nothing_is_logged(
    tmp_path: Path, scores: dict[str, float]
) -> None:
    logger = PredictionLogger(log_dir=tmp_path)
    with pytest.raises(DataError):
        logger.log_prediction("x", scores)
    assert logger.get_logs_count() == 0


@pytest.mark.usefixtures("italian")
def test_metrics_have_the_old_fields_and_their_history(tmp_path: Path) -> None:
    tracker = MetricsTracker(metrics_dir=tmp_path)
    metrics = tracker.calculate_metrics([log("Positivo", 0.85), log("Negativo", 0.75), log("Neutro", 0.60)])
    assert metrics.total_predictions == 3
    assert metrics.sentiment_distribution == {"Negativo": 1, "Neutro": 1, "Positivo": 1}
    assert metrics.average_confidence == pytest.approx(0.7333, abs=1e-4)
    assert metrics.confidence_by_sentiment["Positivo"] == 0.85
    assert metrics.sentiment_percentages["Neutro"] == pytest.approx(100 / 3)
    assert list(metrics.to_dict())[:6] == [
        "timestamp", "total_predictions", "sentiment_distribution", "sentiment_percentages",
        "average_confidence", "confidence_by_sentiment",
    ]  # fmt: skip
    tracker.save_metrics(metrics)
    assert tracker.get_metrics_history() == [metrics]
    tracker.clear_metrics()
    assert tracker.get_metrics_history() == []


@pytest.mark.usefixtures("italian")
def test_histories_of_the_replaced_program_are_read(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(
        '{"timestamp": "2026-02-06T10:46:53.583836", "total_predictions": 100, "sentiment_distribution": '
        '{"Negativo": 39, "Neutro": 44, "Positivo": 17}, "sentiment_percentages": {"Negativo": 39.0, '
        '"Neutro": 44.0, "Positivo": 17.0}, "average_confidence": 0.704, '
        '"confidence_by_sentiment": {"Negativo": 0.67}}\n',
        encoding="utf-8",
    )
    (metrics,) = MetricsTracker(metrics_dir=tmp_path).get_metrics_history()
    assert metrics.sentiment_distribution == {"Negativo": 39, "Neutro": 44, "Positivo": 17}
    assert metrics.details == {}


@pytest.mark.usefixtures("italian")
def test_windows_are_labelled_by_the_calendar(tmp_path: Path) -> None:
    some = [log("Positivo", timestamp=f"2026-02-06T{time}Z") for time in ("00:30:00", "10:00:00", "10:05:00")]
    windows = MetricsTracker(metrics_dir=tmp_path).get_metrics_over_time(some, window_hours=1)
    filled = {start: metrics.total_predictions for start, metrics in windows if metrics.total_predictions}
    assert filled == {"2026-02-06T00:00:00Z": 1, "2026-02-06T10:00:00Z": 2}
    assert len(windows) == 11
    assert len(MetricsTracker(metrics_dir=tmp_path).get_metrics_over_time(some, window_hours=24)) == 1


@pytest.mark.usefixtures("italian")
def test_predictions_without_scores_are_loaded_and_judged_by_what_they_have(tmp_path: Path) -> None:
    fields = {"timestamp": "2026-02-06T10:49:40Z", "text": "t", "sentiment": "Positivo"}
    rows = [fields | {"confidence": 0.9, "scores": None}, fields | {"confidence": None, "scores": None}] * 30
    (tmp_path / "predictions.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8"
    )
    loaded = PredictionLogger(log_dir=tmp_path).load_logs()
    assert [(one.sentiment, one.confidence, one.scores) for one in loaded[:2]] == [
        ("Positivo", 0.9, None), ("Positivo", None, None),
    ]  # fmt: skip
    assert loaded[1].to_dict()["scores"] is None
    metrics = MetricsTracker(metrics_dir=tmp_path).calculate_metrics(loaded)
    assert (metrics.total_predictions, metrics.average_confidence) == (60, pytest.approx(0.9))
    assert MetricsTracker(metrics_dir=tmp_path).calculate_metrics(loaded[1:2]).confidence_by_sentiment == {}
    found = RetrainingManager(metrics_dir=tmp_path).evaluate_retraining_need(loaded[1::2] * 2)
    assert "does not apply" in found.reason


def test_no_predictions_are_numbers_that_can_be_formatted(tmp_path: Path) -> None:
    metrics = MetricsTracker(metrics_dir=tmp_path).calculate_metrics([])
    assert f"{metrics.average_confidence:.2f}" == "0.00"
    assert metrics.details["confidence"]["value"] is None


@pytest.mark.usefixtures("italian")
def test_drift_is_found_against_a_saved_baseline(tmp_path: Path) -> None:
    detector = DriftDetector(
        baseline_file=tmp_path / "baseline.json", drift_threshold=0.15, metrics_dir=tmp_path
    )
    assert detector.get_baseline() is None
    detector.set_baseline(logs(70, 20, 10))
    baseline = detector.get_baseline()
    assert baseline is not None
    assert baseline["distribution"] == {"Negativo": 0.7, "Neutro": 0.2, "Positivo": 0.1}
    assert baseline["total_samples"] == 100
    assert not detector.detect_drift(logs(70, 20, 10)).drift_detected
    report = detector.detect_drift(logs(10, 20, 70))
    assert report.drift_detected
    assert report.drift_score == 0.6
    assert report.current_distribution == {"Negativo": 0.1, "Neutro": 0.2, "Positivo": 0.7}
    assert list(report.to_dict())[:8] == [
        "timestamp", "drift_detected", "drift_score", "drift_threshold", "baseline_distribution",
        "current_distribution", "average_confidence_change", "recommendations",
    ]  # fmt: skip
    assert report.to_dict()["verdict"] == "drift"
    detector.save_drift_report(report)
    assert detector.get_drift_history() == [report]
    detector.clear_drift_reports()
    assert detector.get_drift_history() == []


@pytest.mark.usefixtures("italian")
def test_without_a_baseline_the_predictions_become_it_and_the_report_says_so(tmp_path: Path) -> None:
    detector = DriftDetector(metrics_dir=tmp_path)
    report = detector.detect_drift(logs(70, 20, 10))
    assert (report.drift_detected, report.drift_score) == (False, 0.0)
    assert "from now on" in report.recommendations[0]
    assert (tmp_path / "baseline.json").exists()
    assert detector.detect_drift([]).details["verdict"] == "no verdict"


@pytest.mark.usefixtures("italian")
def test_no_baseline_is_made_where_the_settings_forbid_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIMON_DRIFT__CREATE_BASELINE", "false")
    report = DriftDetector(metrics_dir=tmp_path).detect_drift(logs(70, 20, 10))
    assert report.details["verdict"] == "no verdict"
    assert not (tmp_path / "baseline.json").exists()


@pytest.mark.usefixtures("italian")
def test_retraining_counts_new_predictions_and_fires_once(tmp_path: Path) -> None:
    detector = DriftDetector(metrics_dir=tmp_path)
    detector.set_baseline(logs(70, 20, 10))
    manager = RetrainingManager(
        min_samples_for_retraining=50,
        confidence_threshold=0.70,
        drift_detector=detector,
        metrics_dir=tmp_path,
    )
    assert not manager.evaluate_retraining_need(logs(70, 20, 10)).triggered
    trigger = manager.evaluate_retraining_need(logs(10, 20, 70))
    assert trigger.triggered
    assert trigger.drift_threshold_met
    assert not trigger.confidence_threshold_met
    assert list(trigger.to_dict())[:7] == [
        "timestamp", "triggered", "reason", "confidence_threshold_met", "drift_threshold_met",
        "min_samples_met", "recommended_action",
    ]  # fmt: skip
    assert manager.get_retraining_statistics()["last_triggered"] is None
    quiet = manager.evaluate_retraining_need(logs(1, 1, 1))
    manager.save_trigger(trigger)
    manager.save_trigger(quiet)
    assert manager.get_trigger_history() == [trigger, quiet]
    assert manager.get_last_triggered() == trigger
    statistics = manager.get_retraining_statistics()
    assert (statistics["total_evaluations"], statistics["triggered_count"], statistics["trigger_rate"]) == (
        2,
        1,
        0.5,
    )
    assert statistics["last_triggered"] == trigger.timestamp
    assert not manager.evaluate_retraining_need(logs(10, 20, 70)).min_samples_met
    manager.clear_triggers()
    assert manager.get_trigger_history() == []


@pytest.mark.usefixtures("italian")
def test_a_prediction_that_is_none_is_named_by_its_place(tmp_path: Path) -> None:
    wrong = log("Positivo")
    wrong.sentiment = "Felice"
    with pytest.raises(DataError, match="prediction 2: unknown label 'Felice'"):
        MetricsTracker(metrics_dir=tmp_path).calculate_metrics([log("Positivo"), wrong])


def test_lines_that_hold_no_entry_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{}\nbroken\n{"timestamp": "x"}\n', encoding="utf-8")
    assert MetricsTracker(metrics_dir=tmp_path).get_metrics_history() == []


def test_chosen_names_are_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMON_LABELS__NEGATIVE", "Scontento [red]")
    entry = PredictionLogger(log_dir=tmp_path).log_prediction(
        "x", {"negative": 0.8, "neutral": 0.1, "positive": 0.1}
    )
    assert entry.sentiment == "Scontento [red]"
    metrics = MetricsTracker(metrics_dir=tmp_path).calculate_metrics([entry])
    assert metrics.sentiment_distribution == {"Scontento [red]": 1, "neutral": 0, "positive": 0}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DriftDetector(drift_threshold=float("nan")), "drift.threshold"),
        (lambda: RetrainingManager(confidence_threshold=70), "retraining.confidence_threshold"),
        (lambda: RetrainingManager(min_samples_for_retraining=0), "retraining.min_samples_for_retraining"),
    ],
)
def test_limits_out_of_range_are_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(StoreError, match="logs: cannot be written"):
        PredictionLogger(log_dir=tmp_path / "logs")


@pytest.mark.usefixtures("italian")
@pytest.mark.parametrize(("field", "value"), [("timestamp", None), ("text", 5), ("sentiment", 1)])
def test_a_field_of_the_wrong_type_is_named(tmp_path: Path, field: str, value: object) -> None:
    wrong = log("Positivo")
    setattr(wrong, field, value)
    with pytest.raises(DataError, match=f"prediction 1: its {field} is not text"):
        MetricsTracker(metrics_dir=tmp_path).calculate_metrics([wrong])


@pytest.mark.usefixtures("italian")
def test_the_causes_of_retraining_are_counted(tmp_path: Path) -> None:
    manager = RetrainingManager(metrics_dir=tmp_path)
    for confidence in (0.5, 0.6):
        manager.save_trigger(manager.evaluate_retraining_need(logs(20, 20, 20, confidence=confidence)))
        (tmp_path / "retraining_triggers.jsonl").rename(tmp_path / f"{confidence}.jsonl")
    content = b"".join((tmp_path / f"{confidence}.jsonl").read_bytes() for confidence in (0.5, 0.6))
    (tmp_path / "retraining_triggers.jsonl").write_bytes(content)
    assert manager.get_retraining_statistics()["reasons"] == {"low confidence": 2}
