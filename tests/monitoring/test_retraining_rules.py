import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.jsonl import BadLine
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.baseline_collection import BaselineProgress, PendingBaseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.retraining_rules import (
    LastTrigger,
    RetrainingTrigger,
    RuleResult,
    evaluate_retraining,
    find_last_fired,
    monitor_rule,
    score_rule,
)
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.timestamps import format_moment
from tests.support.rows import START, records, summary

NOW = datetime(2026, 9, 30, tzinfo=UTC)


def decide(
    current: Summary,
    *,
    before: Summary | None = None,
    last: LastTrigger | None = None,
    **settings: object,
) -> RetrainingTrigger:
    baseline = None if before is None else Baseline(name="b", created=START, source="logs", summary=before)
    drift = score_rule(detect_drift(baseline, current, DriftSettings()))
    rules = RetrainingSettings(**settings)  # type: ignore[arg-type]
    return evaluate_retraining(current, drift, rules, last=last, now=NOW, confidence_level=0.95)


def last_fired(*entries: Mapping[str, Any] | BadLine) -> LastTrigger | None:
    written = datetime(2026, 3, 1, tzinfo=UTC)
    return find_last_fired(list(enumerate(entries, start=1)), UTC, path="t.jsonl", written=written)


NORMAL = summary(20, 50, 30)


@pytest.mark.parametrize(
    ("current", "fires", "decided"),
    [
        (summary(20, 50, 30), False, True),
        (summary(10, 25, 15, confidence=0.6), True, True),
        (summary(10, 25, 14, confidence=0.6), False, False),
        (summary(70, 20, 10), True, True),
        (summary(20, 50, 30, confidence=0.7), False, True),
        (Summary(), False, False),
    ],
    ids=["normal", "low confidence", "one row too few", "drift", "at the limit", "nothing new"],
)
def test_enough_new_rows_and_a_cause(current: Summary, fires: bool, decided: bool) -> None:
    trigger = decide(current, before=NORMAL)
    assert (trigger.triggered, trigger.decided) == (fires, decided)


def some_sure(sure: int, confidence: float) -> Summary:
    """A hundred rows like the baseline's, so many of which have a confidence."""
    rows = records(20, 50, 30, confidence=confidence)
    return summarise(
        row if number < sure else replace(row, scores=None, confidence=None)
        for number, row in enumerate(rows)
    )


@pytest.mark.parametrize(
    ("sure", "applies", "met"),
    [(100, True, True), (50, True, True), (49, False, None), (1, False, None), (0, False, None)],
)
def test_the_confidence_of_too_few_of_the_rows_decides_nothing_and_holds_up_no_decision(
    sure: int, applies: bool, met: bool | None
) -> None:
    trigger = decide(some_sure(sure, 0.6), before=NORMAL)
    rule = trigger.confidence
    assert (rule.n, rule.applies, rule.met) == (sure, applies, met)
    assert (trigger.decided, trigger.triggered) == (True, applies)
    assert rule.to_dict()["applies"] is applies


def test_where_no_rule_can_be_judged_the_one_that_never_can_is_not_waited_for() -> None:
    trigger = decide(some_sure(0, 0.6))
    assert (trigger.decided, [rule.name for rule in trigger.unjudged]) == (False, ["drift score"])


def test_no_rows_are_no_low_confidence() -> None:
    assert decide(Summary(), before=NORMAL).confidence.met is None


def test_without_a_baseline_low_confidence_still_fires_but_nothing_else_is_decided() -> None:
    assert decide(summary(20, 20, 20, confidence=0.5)).triggered
    trigger = decide(summary(20, 20, 20))
    assert (trigger.triggered, trigger.decided, trigger.drift.met) == (False, False, None)


def test_the_interval_rule_asks_for_more_than_chance() -> None:
    # 30 rows at 0.9 and 30 at 0.48: mean 0.69, its interval reaches above 0.70.
    current = summary(30, 0, 0, confidence=0.9) + summary(30, 0, 0, confidence=0.48)
    assert decide(current).confidence.met is True
    assert decide(current, confidence_rule="interval").confidence.met is False


def test_the_cooldown_holds_a_second_trigger_back_for_one_cause() -> None:
    current = summary(70, 20, 10)
    recent = LastTrigger(timestamp=NOW - timedelta(hours=23), rows_until=None)
    held = decide(current, before=NORMAL, last=recent)
    assert (held.due, held.triggered, held.decided) == (True, False, True)
    assert held.cooldown_until == NOW + timedelta(hours=1)
    old = LastTrigger(timestamp=NOW - timedelta(hours=24), rows_until=None)
    assert decide(current, before=NORMAL, last=old).triggered
    assert decide(current, before=NORMAL, last=recent, cooldown="1h").triggered


def test_a_trigger_from_the_future_holds_nothing_back() -> None:
    ahead = LastTrigger(timestamp=NOW + timedelta(days=9), rows_until=None)
    assert decide(summary(70, 20, 10), before=NORMAL, last=ahead).triggered


def test_what_was_looked_at_ends_now_at_the_latest() -> None:
    assert decide(summary(1, 0, 0)).rows_until == START
    ahead = summary(1, 0, 0, minute=10**6)
    assert decide(ahead).rows_until == NOW


def test_every_rule_shows_its_value_and_its_limit() -> None:
    trigger = decide(summary(70, 20, 10), before=NORMAL)
    assert [rule.value for rule in trigger.rules] == [100, 0.8, pytest.approx(0.35)]
    assert [rule.limit for rule in trigger.rules] == [50, 0.70, 0.15]
    assert [rule.met for rule in trigger.rules] == [True, False, True]


def test_the_last_trigger_that_fired_is_found_also_among_old_ones() -> None:
    entries = [
        {"timestamp": "2026-02-06T10:00:00", "triggered": True},
        {"timestamp": "2026-02-07T10:00:00Z", "triggered": True, "rows_until": "2026-02-07T09:00:00Z"},
        {"timestamp": "2026-02-08T10:00:00Z", "triggered": False},
    ]
    last = last_fired(*entries)
    assert last is not None
    assert (last.seen, last.doubt) == (datetime(2026, 2, 7, 9, tzinfo=UTC), None)
    first = last_fired(entries[0])
    assert first is not None
    assert first.seen == datetime(2026, 2, 6, 10, tzinfo=UTC)
    assert last_fired(entries[2]) is None


TEN, NOON = "2026-02-06T10:00:00Z", "2026-02-06T12:00:00Z"
TORN = BadLine(path="t.jsonl", line=1, kind="json", reason="not valid JSON")


@pytest.mark.parametrize(
    ("entries", "moment"),
    [
        ([{"timestamp": TEN, "triggered": None}], TEN),
        ([{"timestamp": TEN}], TEN),
        ([{"timestamp": TEN, "triggered": "true"}], TEN),
        ([{"timestamp": TEN, "triggered": True, "rows_until": "yesterday"}], TEN),
        ([TORN], "2026-03-01T00:00:00Z"),
        ([{"triggered": True}], "2026-03-01T00:00:00Z"),
        ([TORN, {"timestamp": NOON, "triggered": False}], NOON),
        ([{"timestamp": TEN, "triggered": True}, TORN, {"timestamp": NOON, "triggered": False}], NOON),
    ],
)
def test_a_line_that_may_have_fired_is_taken_for_one_at_the_latest_moment_it_can_be_of(
    entries: list[Mapping[str, Any] | BadLine], moment: str
) -> None:
    last = last_fired(*entries)
    assert last is not None
    assert (format_moment(last.timestamp), last.error_rate_met, last.rows_until) == (moment, True, None)
    assert last.doubt is not None
    # A later one that is whole decides, and the damage before it does not matter any more.
    whole = last_fired(*entries, {"timestamp": "2026-02-09T00:00:00Z", "triggered": True})
    assert whole is not None
    assert (whole.doubt, whole.error_rate_met) == (None, False)


def rule(name: str, met: bool | None) -> RuleResult:
    return RuleResult(name=name, side="above", value=None, low=None, high=None, limit=None, met=met, n=0)


def trigger(
    samples: bool = True,
    confidence: bool | None = False,
    drift: bool | None = False,
    error_rate: bool | None = False,
    *,
    drift_told: bool = False,
    error_rate_told: bool = False,
    collecting: BaselineProgress | None = None,
) -> RetrainingTrigger:
    return RetrainingTrigger(
        samples=rule("samples", samples),
        confidence=rule("confidence", confidence),
        drift=rule("drift", drift),
        drift_told=drift_told,
        error_rate=rule("error_rate", error_rate),
        error_rate_told=error_rate_told,
        cooldown_until=None,
        rows_until=None,
        collecting=collecting,
    )


@pytest.mark.parametrize(
    ("samples", "confidence", "drift", "error_rate", "due", "decided"),
    [
        (True, False, False, False, False, True),
        (False, False, False, False, False, False),
        (False, True, True, True, False, False),
        (True, None, False, False, False, False),
        (True, False, None, False, False, False),
        (True, None, None, None, False, False),
        # A cause that is met decides, whatever else cannot be judged.
        (True, True, None, None, True, True),
        (True, None, True, None, True, True),
        (True, None, None, True, True, True),
        # Without labels enough the other two rules decide alone.
        (True, False, False, None, False, True),
    ],
)
def test_a_rule_that_cannot_be_judged_leaves_it_open_unless_another_is_met(
    samples: bool,
    confidence: bool | None,
    drift: bool | None,
    error_rate: bool | None,
    due: bool,
    decided: bool,
) -> None:
    found = trigger(samples, confidence, drift, error_rate)
    assert (found.due, found.decided) == (due, decided)
    wanted = PendingBaseline(name="v2", revision="2", since=NOW, rows=9, asked=9, replaces=None)
    collecting = BaselineProgress(wanted=wanted, found=1, others=0)
    held = trigger(samples, confidence, drift, error_rate, collecting=collecting)
    assert (held.due, held.decided, held.triggered) == (False, False, False)


@pytest.mark.parametrize(
    ("causes", "told", "fires"),
    [
        ((False, True, False), (False, False), True),
        ((False, True, False), (True, False), False),
        ((False, True, False), (False, True), True),
        ((False, False, True), (False, True), False),
        ((False, False, True), (True, False), True),
        ((False, True, True), (True, True), False),
        ((False, True, True), (True, False), True),
        ((True, True, True), (True, True), True),
        ((True, False, False), (True, True), True),
    ],
)
def test_only_a_cause_that_no_trigger_has_fired_on_fires(
    causes: tuple[bool, bool, bool], told: tuple[bool, bool], fires: bool
) -> None:
    found = trigger(True, *causes, drift_told=told[0], error_rate_told=told[1])
    assert (found.due, found.triggered) == (True, fires)


@pytest.mark.parametrize(
    ("drifting", "warnings", "enough", "met"),
    [
        (True, (), False, True),
        (True, ("one",), True, True),
        (False, (), True, False),
        (False, ("one",), False, False),
        (False, (), False, None),
    ],
)
def test_a_monitor_that_could_not_have_seen_a_change_cannot_be_judged(
    drifting: bool, warnings: tuple[str, ...], enough: bool, met: bool | None
) -> None:
    report = SimpleNamespace(
        drifting=drifting,
        warnings=warnings,
        enough=enough,
        moved_most=0.1,
        delta=0.05,
        counts=(1, 2, 3),
    )
    found = monitor_rule(report)  # type: ignore[arg-type]
    assert (found.met, found.value, found.limit, found.n) == (met, 0.1, 0.05, 6)


def test_each_rule_says_what_it_measured_and_of_how_many_rows() -> None:
    # Two rows of 0.5 and two of 0.7: the mean is 0.6.
    found = decide(summary(2, 0, 0, confidence=0.5) + summary(0, 0, 2, confidence=0.7), before=NORMAL)
    assert found.samples == RuleResult(
        name="new predictions", side="at least", value=4, low=None, high=None, limit=50, met=False, n=4
    )
    sure = found.confidence
    # Student's quantile with three degrees is 3.182, the error 0.1 * sqrt(4 / 3) / 2.
    half = 3.182 * 0.1 * (4 / 3) ** 0.5 / 2
    assert (sure.name, sure.side, sure.limit, sure.n) == ("mean confidence", "below", 0.7, 4)
    assert sure.value == pytest.approx(0.6)
    assert (sure.low, sure.high) == (pytest.approx(0.6 - half, abs=2e-3), pytest.approx(0.6 + half, abs=2e-3))
    assert (sure.met, sure.applies) == (True, True)
    report = detect_drift(
        Baseline(name="b", created=START, source="logs", summary=NORMAL), summary(70, 20, 10), DriftSettings()
    )
    drift = score_rule(report)
    assert drift.to_dict() == {
        "name": "drift score", "side": "above", "value": report.score.value, "low": report.score.low,
        "high": report.score.high, "limit": 0.15, "met": True, "n": 100, "applies": True, "newest": False,
    }  # fmt: skip
    assert (drift.value, report.score.low is not None) == (pytest.approx(0.35), True)
    assert score_rule(dataclasses.replace(report, min_samples=101)).met is None


@pytest.mark.parametrize(("rows", "met"), [(49, False), (50, True), (51, True)])
def test_as_many_rows_as_asked_for_are_enough(rows: int, met: bool) -> None:
    assert decide(summary(rows, 0, 0)).samples.met is met


def test_the_rules_are_named_by_their_fields_and_the_causes_are_those_that_are_met() -> None:
    found = trigger(True, True, False, True)
    assert list(found.named_rules) == ["samples", "confidence", "drift", "error_rate"]
    assert [one.name for one in found.causes] == ["confidence", "error_rate"]
    without = dataclasses.replace(found, error_rate=None)
    assert list(without.named_rules) == ["samples", "confidence", "drift"]
    assert (without.due, without.triggered) == (True, True)
    assert [one.name for one in trigger(True, None, None).unjudged] == ["confidence", "drift"]


def test_only_drift_that_was_told_is_no_news_without_labels() -> None:
    found = dataclasses.replace(trigger(True, False, True, drift_told=True), error_rate=None)
    assert (found.due, found.triggered, found.decided) == (True, False, True)
    told = dataclasses.replace(trigger(True, True, True, drift_told=True), error_rate=None)
    assert told.triggered
    assert not dataclasses.replace(told, cooldown_until=NOW).triggered


@pytest.mark.parametrize(
    ("seconds_ago", "runs"), [(0, True), (1, True), (86_399, True), (86_400, False), (-1, False)]
)
def test_a_cooldown_runs_from_the_trigger_to_its_end(seconds_ago: int, runs: bool) -> None:
    last = LastTrigger(timestamp=NOW - timedelta(seconds=seconds_ago), rows_until=None)
    until = decide(summary(70, 20, 10), before=NORMAL, last=last, cooldown="24h").cooldown_until
    assert until == (last.timestamp + timedelta(hours=24) if runs else None)


def test_rows_are_new_after_the_last_one_that_a_trigger_saw() -> None:
    assert LastTrigger(timestamp=NOW, rows_until=START).seen == START
    assert LastTrigger(timestamp=NOW, rows_until=None).seen == NOW
    assert decide(Summary()).rows_until is None


def test_a_saved_trigger_says_whether_the_error_rate_was_a_cause_and_a_bad_one_where_it_is() -> None:
    saved = {"timestamp": TEN, "triggered": True, "error_rate_met": True, "rows_until": TEN}
    last = last_fired(saved)
    assert last is not None
    assert (last.error_rate_met, last.doubt, format_moment(last.seen)) == (True, None, TEN)
    unsure = last_fired(saved | {"error_rate_met": None})
    assert unsure is not None
    assert unsure.error_rate_met is False
    bad = last_fired({"timestamp": NOON, "triggered": False}, saved | {"rows_until": 7})
    assert bad is not None
    assert bad.doubt is not None
    assert (bad.doubt.path, bad.doubt.line, bad.doubt.kind) == ("t.jsonl", 2, "trigger")
    torn = last_fired(TORN)
    assert torn is not None
    assert torn.doubt == TORN
    # A line that did not fire, but does not say when, tells nothing of the one before it.
    later = last_fired(
        {"triggered": True},
        {"triggered": False},
        {"timestamp": NOON, "triggered": False},
        {"triggered": False},
    )
    assert later is not None
    assert format_moment(later.timestamp) == NOON
