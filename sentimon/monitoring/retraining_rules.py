"""When retraining is recommended and when a trigger fires: the rules and the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import msgspec

from sentimon.config.durations import parse_duration
from sentimon.config.settings import RetrainingSettings
from sentimon.errors import DataError
from sentimon.jsonl import BadLine
from sentimon.monitoring.baseline_collection import BaselineProgress
from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Verdict
from sentimon.monitoring.prediction_metrics import mean_confidence
from sentimon.prediction_log.summary import Summary
from sentimon.statistics.intervals import Estimate
from sentimon.timestamps import from_microseconds, parse_moment

if TYPE_CHECKING:
    from sentimon.monitoring.finding import Finding
    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.onset import Onset


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTrigger:
    """The latest saved trigger that fired."""

    timestamp: datetime
    rows_until: datetime | None
    """The latest row it was based on; None in triggers of the replaced program."""
    error_rate_met: bool = False
    """Whether the error rate was among its causes."""
    risen_slices: frozenset[str] | None = frozenset()
    """The slices whose error rate had risen, such as `channel=app`; None where that is not known."""
    doubt: BadLine | None = None
    """The unreadable line that is taken for this trigger, where there is one."""

    @property
    def seen(self) -> datetime:
        """Return the moment after which rows are new since this trigger."""
        return self.rows_until or self.timestamp

    def has_told(self, slices: Sequence[str]) -> bool:
        """Return whether the error rate of each of these slices had risen already."""
        return self.risen_slices is None or self.risen_slices.issuperset(slices)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule: what was measured, the limit, and whether it is met (None: it cannot be judged)."""

    name: str
    side: str
    """On which side of the limit the value must lie for the rule to be met, in words: `above`, `below` ..."""
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    met: bool | None
    n: int
    applies: bool = True
    """Whether the rule can ever be judged on such rows; where it cannot, the decision is made without it."""
    newest: bool = False
    """Whether it is about the newest `n` rows alone: they meet it surely, while all new rows do not."""

    def to_dict(self) -> dict[str, float | int | str | bool | None]:
        """Return the fields, as JSON holds them."""
        return {
            "name": self.name,
            "side": self.side,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "limit": self.limit,
            "met": self.met,
            "n": self.n,
            "applies": self.applies,
            "newest": self.newest,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingTrigger:
    """The decision: retraining is recommended when there are enough new rows and at least one cause.

    The causes are low confidence, drift, and a risen error rate. A recommendation fires a trigger unless a
    cooldown runs since the last one, or its only causes are drift or a risen error rate that a trigger has
    fired on already.
    """

    samples: RuleResult
    confidence: RuleResult
    drift: RuleResult
    drift_told: bool
    """Whether a trigger has already fired on this drift, so that it fires none alone."""
    error_rate: RuleResult | None
    """Whether the error rate of the labelled rows has risen; None where no row is labelled."""
    error_rate_told: bool
    """Whether a trigger has already fired on this rise, so that it fires none alone."""
    cooldown_until: datetime | None
    """The end of the running cooldown; None where none runs."""
    rows_until: datetime | None
    """Time of the latest row, or of the decision where that row is in the future; None without rows."""
    collecting: BaselineProgress | None = None
    """Progress of a baseline that is being collected; until it is complete nothing is decided."""
    moved_most: Finding | None = None
    """The share that moved most, where the monitor has an open incident."""
    onset: Onset | None = None
    """When the drift began that the rule on drift found."""
    slice_error_rate: RuleResult | None = None
    """Whether the error rate of a slice has risen; None where no field is declared or no row is labelled."""
    slice_error_rate_told: bool = False
    """Whether a trigger has already fired on each slice whose error rate has risen."""
    risen_slices: tuple[str, ...] = ()
    """The slices whose error rate has risen, such as `channel=app`, the surest first."""

    @property
    def named_rules(self) -> Mapping[str, RuleResult]:
        """Return all rules by the names of their fields; the error rates only where there are labels."""
        rules = {"samples": self.samples, "confidence": self.confidence, "drift": self.drift}
        of_labels = {"error_rate": self.error_rate, "slice_error_rate": self.slice_error_rate}
        return rules | {name: rule for name, rule in of_labels.items() if rule is not None}

    @property
    def rules(self) -> tuple[RuleResult, ...]:
        """Return all rules: new predictions, confidence, drift, and the error rate where there are labels."""
        return tuple(self.named_rules.values())

    @property
    def causes(self) -> tuple[RuleResult, ...]:
        """Return the rules that recommend retraining."""
        return tuple(rule for rule in self.rules[1:] if rule.met)

    @property
    def due(self) -> bool:
        """Return whether retraining is recommended: enough new rows and a cause, whatever the cooldown."""
        return bool(self.collecting is None and self.samples.met and self.causes)

    @property
    def triggered(self) -> bool:
        """Return whether the trigger fires now."""
        told = (
            (self.drift, self.drift_told),
            (self.error_rate, self.error_rate_told),
            (self.slice_error_rate, self.slice_error_rate_told),
        )
        old = [rule for rule, was_told in told if was_told]
        news = any(rule not in old for rule in self.causes)
        return self.due and news and self.cooldown_until is None

    @property
    def decided(self) -> bool:
        """Return whether a decision was possible: enough new rows, and a cause or every rule judged."""
        judged = self.due or not self.unjudged
        return bool(self.collecting is None and self.samples.met and judged)

    @property
    def unjudged(self) -> tuple[RuleResult, ...]:
        """Return the rules on confidence and drift that apply but cannot be judged yet."""
        return tuple(rule for rule in (self.confidence, self.drift) if rule.applies and rule.met is None)


class _Saved(msgspec.Struct):
    """The fields of a saved trigger that decide whether it holds back another."""

    triggered: bool
    timestamp: str
    rows_until: str | None = None
    error_rate_met: bool | None = None
    risen_slices: tuple[str, ...] = ()


def find_last_fired(
    entries: Sequence[tuple[int, Mapping[str, Any] | BadLine]],
    zone: tzinfo | None,
    *,
    path: str,
    written: datetime,
) -> LastTrigger | None:
    """Return the latest saved trigger that fired, None where none did.

    The `entries` are the numbered lines of the file at `path`, the oldest first, which was last `written`
    then. Naive timestamps are read in `zone` (None: local time). A line that does not say whether it fired,
    or when, counts as one that fired, on all causes, at the latest possible moment: its own timestamp, that
    of the line after it, or when the file was written. So damage to the file never fires a trigger twice;
    it may hold one back, and `doubt` names the line.
    """
    latest = written
    for number, entry in reversed(entries):
        bad, moment = (entry, None) if isinstance(entry, BadLine) else (None, _moment(entry, zone))
        if not isinstance(entry, BadLine):
            if entry.get("triggered") is False:
                latest = moment or latest
                continue
            try:
                return _fired(entry, zone)
            except (msgspec.ValidationError, DataError) as error:
                bad = BadLine(path=path, line=number, kind="trigger", reason=str(error))
        return LastTrigger(
            timestamp=moment or latest, rows_until=None, error_rate_met=True, risen_slices=None, doubt=bad
        )
    return None


def _moment(entry: Mapping[str, Any], zone: tzinfo | None) -> datetime | None:
    try:
        return parse_moment(str(entry.get("timestamp")), zone)[0]
    except DataError:
        return None


def _fired(entry: Mapping[str, Any], zone: tzinfo | None) -> LastTrigger:
    saved = msgspec.convert(entry, _Saved)
    return LastTrigger(
        timestamp=parse_moment(saved.timestamp, zone)[0],
        rows_until=None if saved.rows_until is None else parse_moment(saved.rows_until, zone)[0],
        error_rate_met=saved.error_rate_met is True,
        risen_slices=frozenset(saved.risen_slices),
    )


def evaluate_retraining(
    current: Summary,
    drift: RuleResult,
    settings: RetrainingSettings,
    *,
    drift_told: bool = False,
    moved_most: Finding | None = None,
    onset: Onset | None = None,
    newest_confidence: Estimate | None = None,
    error_rate: RuleResult | None = None,
    error_rate_told: bool = False,
    slice_error_rate: RuleResult | None = None,
    slice_error_rate_told: bool = False,
    risen_slices: Sequence[str] = (),
    collecting: BaselineProgress | None = None,
    last: LastTrigger | None,
    now: datetime,
    confidence_level: float,
) -> RetrainingTrigger:
    """Return the decision on the rows in `current`: those since the last trigger that fired.

    `drift` comes from `score_rule` or `monitor_rule`, `error_rate` and `slice_error_rate` from the labels,
    None without any; `..._told` say that a trigger has already fired on them. While a baseline is
    being collected nothing is decided. `last` starts the cooldown. `newest_confidence` is the mean of the
    newest rows where it is surely below the limit, as `lowest_recent_mean` finds it.
    """
    confidence = mean_confidence(*current.classes, confidence_level=confidence_level)
    return RetrainingTrigger(
        samples=_samples_rule(current.count, settings),
        confidence=_confidence_rule(confidence, newest_confidence, current.count, settings),
        drift=drift,
        drift_told=drift_told,
        moved_most=moved_most,
        onset=onset,
        error_rate=error_rate,
        error_rate_told=error_rate_told,
        slice_error_rate=slice_error_rate,
        slice_error_rate_told=slice_error_rate_told,
        risen_slices=tuple(risen_slices),
        cooldown_until=_cooldown_until(last, parse_duration(settings.cooldown), now),
        rows_until=None if current.last is None else min(now, from_microseconds(current.last)),
        collecting=collecting,
    )


def _samples_rule(count: int, settings: RetrainingSettings) -> RuleResult:
    limit = settings.min_samples_for_retraining
    return RuleResult(
        name="new predictions",
        side="at least",
        value=count,
        low=None,
        high=None,
        limit=limit,
        met=count >= limit,
        n=count,
    )


def _confidence_rule(
    whole: Estimate, newest: Estimate | None, rows: int, settings: RetrainingSettings
) -> RuleResult:
    limit, least = settings.confidence_threshold, settings.min_samples_for_retraining
    # Rows without a confidence never get one. A few with one say little of the rest, so they decide nothing.
    applies = whole.n == rows or whole.n >= least
    low = is_low(whole, settings)
    recent = newest is not None and not low and newest.n >= least
    shown = newest if newest is not None and recent else whole
    return RuleResult(
        name="mean confidence",
        side="below",
        value=shown.value,
        low=shown.low,
        high=shown.high,
        limit=limit,
        met=True if recent else low if applies else None,
        n=shown.n,
        applies=applies,
        newest=recent,
    )


def is_low(confidence: Estimate, settings: RetrainingSettings) -> bool | None:
    """Return whether a mean confidence is below the limit, as `confidence_rule` asks; None without rows."""
    judged = confidence.high if settings.confidence_rule == "interval" else confidence.value
    return None if judged is None else judged < settings.confidence_threshold


def score_rule(drift: DriftReport) -> RuleResult:
    """Return the drift rule by the score: the distance from the baseline against its threshold."""
    return RuleResult(
        name="drift score",
        side="above",
        value=drift.score.value,
        low=drift.score.low,
        high=drift.score.high,
        limit=drift.threshold,
        met=None if drift.verdict is Verdict.NO_VERDICT else drift.drifted,
        n=drift.score.n,
    )


def monitor_rule(report: MonitorReport) -> RuleResult:
    """Return the drift rule by the monitor: met while an incident is open.

    It cannot be judged before rows were checked that could show a change.
    """
    return RuleResult(
        name="change of a share",
        side="more than chance and at least",
        value=report.moved_most,
        low=None,
        high=None,
        limit=report.delta,
        # Without new rows the result of the last check still holds.
        met=True if report.drifting else False if report.warnings or report.enough else None,
        n=sum(report.counts),
    )


def _cooldown_until(last: LastTrigger | None, cooldown: timedelta, now: datetime) -> datetime | None:
    # A trigger from the future is the mistake of a clock and starts no cooldown.
    if last is None or not timedelta() <= now - last.timestamp < cooldown:
        return None
    return last.timestamp + cooldown
