from dataclasses import replace
from datetime import UTC, datetime

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.labels import LABELS
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import DriftReport, detect_drift
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.retraining_rules import LastTrigger, evaluate_retraining, score_rule
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.plain_text import limit_text, number_against
from sentimon.reporting.verdict_sentences import (
    explain_drift,
    explain_onset,
    explain_trigger,
    recommended_action,
)
from tests.support.rows import START, summary

NOW = datetime(2026, 9, 30, tzinfo=UTC)


def compare(before: Summary, after: Summary) -> DriftReport:
    return detect_drift(
        Baseline(name="june", created=START, source="logs", summary=before), after, DriftSettings()
    )


def test_drift_says_what_moved_by_how_much_and_how_sure() -> None:
    first, second, *rest = explain_drift(
        compare(summary(70, 20, 10), summary(10, 20, 70)), ("Neg", "Neu", "Pos")
    )
    assert first == (
        "Drift: the share of Neg fell from 0.700 to 0.100 (-0.600 [-0.704, -0.459]), "
        "that of Pos rose from 0.100 to 0.700."
    )
    assert second.startswith("The mix moved by 0.600 [0.459, 0.704] on a scale from 0")
    assert second.endswith("the limit is 0.15.")
    assert rest == []


def test_doubt_is_said() -> None:
    drifted = explain_drift(compare(summary(50, 30, 20), summary(30, 30, 40)), LABELS)
    assert "That the mix changed is sure; how far is not: it may have moved by 0.050" in drifted[-1]
    stable = explain_drift(compare(summary(40, 40, 40), summary(35, 40, 45)), LABELS)
    assert "above the limit: more rows would tell" in stable[-1]


def test_too_few_rows_say_how_many_are_missing_and_where() -> None:
    assert explain_drift(compare(summary(70, 20, 10), summary(9, 0, 0)), LABELS) == [
        "No verdict: 9 rows to compare with baseline 'june', at least 50 are needed."
    ]
    assert (
        "baseline 'june' has 9 rows"
        in explain_drift(compare(summary(9, 0, 0), summary(70, 20, 10)), LABELS)[0]
    )


def test_a_fall_of_confidence_has_a_sentence_of_its_own() -> None:
    sentences = explain_drift(compare(summary(70, 20, 10), summary(70, 20, 10, confidence=0.7)), LABELS)
    assert sentences[-1] == "The mean confidence fell from 0.800 to 0.700."


def test_each_decision_has_its_words_and_its_action() -> None:
    before = summary(70, 20, 10)
    recent = LastTrigger(timestamp=NOW, rows_until=None)

    def decide(
        current: Summary, *, compared: bool = True, last: LastTrigger | None = None
    ) -> tuple[str, str]:
        trigger = evaluate_retraining(
            current,
            score_rule(
                compare(before, current) if compared else detect_drift(None, current, DriftSettings())
            ),
            RetrainingSettings(),
            last=last,
            now=NOW,
            confidence_level=0.95,
        )
        return " ".join(explain_trigger(trigger)), recommended_action(trigger)

    cause = "the drift score is 0.600, above its limit 0.15"
    assert decide(summary(10, 20, 70)) == (f"Retraining is recommended: {cause}.", "retrain")
    words, action = decide(summary(10, 20, 70), last=recent)
    assert action == "wait"
    assert words.startswith(f"Retraining stays recommended ({cause}), but")
    assert decide(summary(9, 0, 0)) == (
        "No verdict: 9 new predictions, at least 50 are needed.",
        "collect more predictions",
    )
    few = decide(summary(9, 0, 0), last=recent)[0]
    assert few == "The trigger that fired stands: 9 new predictions since then, at least 50 decide anew."
    assert decide(summary(70, 20, 10), compared=False)[0] == "No verdict: drift score cannot be judged."
    assert decide(summary(70, 20, 10))[1] == "continue monitoring"


def test_a_value_is_told_from_the_limit_it_lies_beside() -> None:
    assert number_against(0.69999, 0.7) == "0.69999"
    assert number_against(0.5, 0.7) == "0.500"
    assert number_against(1_234_567, 50) == "1234567"
    assert limit_text(1_234_567) == "1234567"
    assert limit_text(0.15) == "0.15"
    # The limit of the error rate is computed from labels.
    assert limit_text(0.226168029) == limit_text(0.226168029, 0.206) == "0.226"
    assert limit_text(0.226168029, 0.22643) == "0.2262"


def test_an_onset_of_the_first_rows_says_which_rows_these_were() -> None:
    onset = Onset(
        hour=490_000,
        first_hour=490_000,
        last_hour=490_005,
        rows=9,
        confidence_level=0.95,
        from_the_start=True,
    )
    assert explain_onset("The change", onset) == [
        "The change began by 2025-11-24 22:00 UTC, perhaps with the first of these rows."
    ]
    assert explain_onset("The change", replace(onset, looked_back=False)) == [
        "The change began by 2025-11-24 22:00 UTC, perhaps before 2025-11-24 16:00: only the texts since "
        "then were looked at."
    ]
