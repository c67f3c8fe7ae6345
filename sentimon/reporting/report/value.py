"""What a report is about: everything it tells, as values; nothing in it is words or markup yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from sentimon.logbook.summary import Summary
from sentimon.monitoring.drift import DriftReport, Verdict
from sentimon.monitoring.growth import Growth
from sentimon.monitoring.incidents import Incident
from sentimon.monitoring.metrics import Metrics
from sentimon.monitoring.retraining import RetrainingTrigger
from sentimon.reporting.report.past import Past
from sentimon.reporting.report.scored import ScoredWindow

if TYPE_CHECKING:
    # numpy comes with them, which takes as long to load as a report without labels takes to make.
    from sentimon.evaluation.quality import Quality
    from sentimon.evaluation.reliability import Reliability


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The baseline, as far as a report tells of it."""

    name: str
    created: datetime
    first: datetime | None
    """Its earliest row."""
    last: datetime | None
    """Its latest row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the monitor remembers of its looks at the log."""

    checks: int
    incident: Incident | None
    """The one that is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """How good the predictions were, by gold labels."""

    source: str
    quality: Quality
    curve: Sequence[Reliability]
    drawn: bool
    """Whether some rows were drawn for labelling with known probabilities, which nothing here weighs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting with its origin."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a report tells."""

    made: datetime
    version: str
    source: str
    """The folder of the log."""
    zone: tzinfo | None
    zone_name: str
    names: tuple[str, str, str]
    """What the classes are called, in Sentiment order."""
    confidence_level: float
    min_samples: int
    delta: float
    """The smallest change of a share that is worth an alarm of the monitor."""
    confidence_threshold: float
    every: str
    """The length of a window, as `--every` takes it."""
    summary: Summary
    """The sum over all rows of the period, and all bad lines."""
    metrics: Metrics
    """Of the same rows."""
    windows: Sequence[ScoredWindow]
    baseline: Known | None
    drift: DriftReport
    """The rows since the baseline against it."""
    watch: Watch
    past: Past
    words: Sequence[Growth]
    """Words that more of the latest texts hold than the baseline's did."""
    latest_texts: int
    """How many texts that is about; 0 where texts are not kept, or the baseline has no words."""
    trigger: RetrainingTrigger
    labelled: Labelled | None
    settings: Sequence[Setting]

    @property
    def verdict(self) -> Verdict:
        """Return drift where the monitor has an open incident or the score is above its limit."""
        return Verdict.DRIFT if self.watch.incident is not None else self.drift.verdict
