"""Class mix and mean confidence of some predictions, each with an interval."""

from __future__ import annotations

from dataclasses import dataclass

from sentimon.labels import Sentiment
from sentimon.prediction_log.summary import Counts, Summary, Tally
from sentimon.scoring.scores import SCALE
from sentimon.statistics.intervals import Estimate, mean_of, wilson

ByClass = tuple[Estimate, Estimate, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Class mix and confidence of some rows; triples are in Sentiment order."""

    counts: Counts
    shares: ByClass
    """Share of each class among all rows, with Wilson's interval."""
    confidence: Estimate
    """Mean confidence over the rows that have one, `n`, with Student's t interval."""
    confidence_by_class: ByClass
    """Mean confidence of the rows of each class that have one."""
    with_scores: int
    """Number of rows that have the scores of all classes."""
    unreadable: Estimate
    """Share of the rows whose text is in letters that the model does not know, with Wilson's interval."""

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(self.counts)


def measure(summary: Summary, *, confidence_level: float) -> Metrics:
    """Return the metrics of the rows that `summary` sums up."""
    negative, neutral, positive = (
        wilson(tally.count, summary.count, confidence_level=confidence_level) for tally in summary.classes
    )
    return Metrics(
        counts=summary.counts,
        shares=(negative, neutral, positive),
        confidence=mean_confidence(*summary.classes, confidence_level=confidence_level),
        confidence_by_class=(
            mean_confidence(summary.classes[Sentiment.NEGATIVE], confidence_level=confidence_level),
            mean_confidence(summary.classes[Sentiment.NEUTRAL], confidence_level=confidence_level),
            mean_confidence(summary.classes[Sentiment.POSITIVE], confidence_level=confidence_level),
        ),
        with_scores=summary.with_scores,
        unreadable=wilson(
            summary.properties.get("unreadable", 0), summary.count, confidence_level=confidence_level
        ),
    )


def mean_confidence(*tallies: Tally, confidence_level: float) -> Estimate:
    """Return the mean confidence, 1/3 .. 1, of the rows in all `tallies` that have one."""
    return mean_of(
        sum(one.confidence for one in tallies),
        sum(one.confidence_squares for one in tallies),
        sum(one.with_confidence for one in tallies),
        scale=SCALE,
        confidence_level=confidence_level,
    )
