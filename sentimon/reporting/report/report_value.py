"""What a report tells, as values: nothing in them is words or markup yet."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import msgspec

from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Reason
from sentimon.monitoring.explained_change import ExplainedChange
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.onset import ConfidenceSums, Onset
from sentimon.monitoring.prediction_metrics import Metrics
from sentimon.monitoring.retraining_rules import LastTrigger, RetrainingTrigger
from sentimon.monitoring.slice_windows import SlicesOverTime
from sentimon.monitoring.traffic import TrafficReport, TrafficVerdict
from sentimon.monitoring.vocabulary import Growth
from sentimon.prediction_log.summary import Counts, Summary
from sentimon.prediction_log.windows import Window
from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.report.conclusion import Conclusion, Evidence, conclude
from sentimon.reporting.report.saved_checks import Past
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.intervals import Estimate

if TYPE_CHECKING:
    # numpy comes with them, which takes as long to load as a report without labels takes to make.
    from sentimon.evaluation.quality import Quality
    from sentimon.statistics.calibration_error import ReliabilityBin


class ScoredWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One window: from `start` (included) to `end` (excluded)."""

    start: datetime
    end: datetime
    complete: bool
    counts: Counts
    """Rows of each class, in Sentiment order."""
    confidence: Estimate
    """The mean over the rows that have one."""
    score: Estimate
    """Wasserstein-1 distance from the baseline, 0 .. 1; None without a baseline or rows."""

    @property
    def total(self) -> int:
        """Return the number of rows."""
        negative, neutral, positive = self.counts
        return negative + neutral + positive

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the share of each class; empty if there are no rows."""
        total = self.total
        if not total:
            return ()
        negative, neutral, positive = self.counts
        return negative / total, neutral / total, positive / total


class CountedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one window, from `start` (included) to `end` (excluded), before they are compared."""

    start: datetime
    end: datetime
    complete: bool
    counts: Counts
    """Rows of each class, in Sentiment order."""
    confidence: ConfidenceSums

    @classmethod
    def of(cls, window: Window) -> CountedWindow:
        """Return the rows of a window of the log."""
        summary = window.summary
        return cls(
            start=window.start,
            end=window.end,
            complete=window.complete,
            counts=summary.counts,
            confidence=ConfidenceSums.of(summary.classes),
        )


def score_windows(
    windows: Iterable[CountedWindow], baseline: Summary | None, *, confidence_level: float
) -> list[ScoredWindow]:
    """Return each window with its confidence and its score against `baseline`."""
    before = (0, 0, 0) if baseline is None else baseline.counts
    return [
        ScoredWindow(
            start=one.start,
            end=one.end,
            complete=one.complete,
            counts=one.counts,
            confidence=one.confidence.estimate(confidence_level),
            score=_score(before, one.counts, confidence_level),
        )
        for one in windows
    ]


def _score(before: Counts, after: Counts, level: float) -> Estimate:
    rows = sum(after)
    if not rows or not any(before):
        return Estimate(value=None, low=None, high=None, n=rows)
    low, high = wasserstein_interval(before, after, confidence_level=level)
    return Estimate(value=wasserstein_distance(before, after), low=low, high=high, n=rows)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the baseline that a report shows."""

    name: str
    created: datetime
    first: datetime | None
    """The time of its first row."""
    last: datetime | None
    """The time of its last row."""
    metrics: Metrics
    """Its class shares and mean confidence."""


class Onsets(msgspec.Struct, frozen=True, kw_only=True):
    """When the changes that were found began; None where none was found, or nobody can tell."""

    mix: Onset | None = None
    confidence: Onset | None = None
    texts: Onset | None = None

    @property
    def first(self) -> Onset | None:
        """Return the onset that the headline tells: that of the class mix, else another."""
        return self.mix or self.confidence or self.texts


class NoWords(enum.StrEnum):
    """Why words cannot be compared."""

    NO_BASELINE = "there is no baseline to compare them with"
    COLLECTING = "the baseline is still being collected"
    NOT_IN_BASELINE = (
        "the baseline has no words, as it was made of rows without texts or of fewer than 200 of them"
    )
    HASHED = "texts are not kept (logs.text), only hashes of their words"
    NO_NEW_ROWS = "there are no rows after the baseline"
    NO_TEXTS = "the rows after the baseline hold no texts"


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the monitor."""

    checks: int
    incident: Incident | None
    """The open incident."""


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of the predictions by gold labels."""

    source: str
    quality: Quality
    curve: Sequence[ReliabilityBin]
    drawn: bool
    """Whether some rows were sampled with known probabilities; the report counts each row once."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting and where its value comes from."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a report shows."""

    made: datetime
    version: str
    source: str
    """The folder of the log."""
    zone: tzinfo | None
    zone_name: str
    names: tuple[str, str, str]
    """The names of the classes, in Sentiment order."""
    confidence_level: float
    min_samples: int
    delta: float
    """The smallest change of a share for which the monitor raises an alarm."""
    confidence_threshold: float
    every: str
    """The length of a window, as `--every` takes it."""
    summary: Summary
    """The sum over all rows of the period, and all bad lines."""
    metrics: Metrics
    """The metrics of the same rows."""
    windows: Sequence[ScoredWindow]
    baseline: Known | None
    drift: DriftReport
    """The comparison of the rows after the baseline with it."""
    watch: Watch
    traffic: TrafficReport | None
    """Whether rows still come, and as many as usual; None where the report is about a time that is over."""
    past: Past
    words: Sequence[Growth]
    """Words that are in more of the latest texts than of the baseline's."""
    latest_texts: int
    """The number of latest texts; 0 if texts are not kept or the baseline has no words."""
    no_words: NoWords | None
    """Why words cannot be compared; None where they can."""
    trigger: RetrainingTrigger
    last_trigger: LastTrigger | None
    """The latest saved trigger that fired, where it is newer than the baseline."""
    labelled: Labelled | None
    slices: Sequence[SlicesOverTime]
    """The rows by the values of the fields that divide them."""
    explained: ExplainedChange | None
    """The slices that account for the change; None where that was not asked for."""
    settings: Sequence[Setting]
    options: CommandOptions

    @property
    def conclusion(self) -> Conclusion:
        """Return what the report concludes; all its answers agree with it."""
        return conclude(
            Evidence(
                rows=self.summary.count,
                reason=self.drift.reason,
                incident=self.watch.incident is not None,
                drift_rule_met=bool(self.trigger.drift.met),
                retraining=self.trigger.due or self.trigger_stands,
                traffic=TrafficVerdict.NO_VERDICT if self.traffic is None else self.traffic.verdict,
            )
        )

    @property
    def onsets(self) -> Onsets:
        """Return when the changes began: as the look tells it, else as the monitor or the rule does."""
        incident, by_group = self.watch.incident, dict[str, Onset | None]()
        if incident is not None:
            largest = max(incident.findings, key=lambda one: abs(one.difference))
            if largest.where is None:
                by_group[largest.group] = incident.onset
        rule = None if by_group else self.trigger.onset
        return Onsets(
            mix=self.drift.onset or by_group.get("class") or rule,
            confidence=self.drift.confidence_onset or by_group.get("confidence"),
            texts=by_group.get("words"),
        )

    @property
    def trigger_stands(self) -> bool:
        """Return whether a trigger fired, and too few rows came since to say anything new."""
        return self.last_trigger is not None and not self.trigger.samples.met

    @property
    def look_found(self) -> bool:
        """Return whether the look at the newest rows found drift by itself."""
        return self.drift.reason is Reason.CHANGED
