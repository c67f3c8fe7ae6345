"""Has the error rate of labelled predictions risen: an alarm that is valid after every label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sentimon.evaluation.realised_quality import Judged
from sentimon.gold_labels.gold_label import Key
from sentimon.monitoring.retraining_rules import RuleResult
from sentimon.statistics.betting_test import largest_capital, mean_of_reference, mean_since_reference
from sentimon.statistics.intervals import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRateCheck:
    """The error rate since the reference, compared with that of the reference plus a tolerance."""

    measure: str
    """What the reference is, in words: the baseline, or the first labels."""
    reference: Estimate
    """Error rate of the reference; `high` is an upper bound at half of the level, `low` is 0."""
    current: Estimate
    """Error rate since; `low` is a bound at the other half, valid after every label at once."""
    tolerance: float
    evidence: float
    """The largest capital, >= 1, that a bet on a higher error rate has reached."""
    needed: float
    """The evidence that raises the alarm."""
    min_labels: int

    @property
    def limit(self) -> float | None:
        """Return the largest error rate that is tolerated, 0 .. 1, None without a reference."""
        return None if self.reference.high is None else min(1.0, self.reference.high + self.tolerance)

    @property
    def alarm(self) -> bool:
        """Return whether the error rate has risen by more than the tolerance."""
        return self.evidence >= self.needed

    @property
    def decided(self) -> bool:
        """Return whether there are enough labels for an answer, or an alarm."""
        enough = min(self.reference.n, self.current.n) >= self.min_labels
        return self.limit is not None and (self.alarm or enough)

    def to_rule(self) -> RuleResult:
        """Return the error rate as a rule of the retraining decision; it cannot be judged on few labels."""
        return RuleResult(
            name="error rate",
            side="above",
            value=self.current.value,
            low=self.current.low,
            high=self.current.high,
            limit=self.limit,
            met=self.alarm if self.decided else None,
            n=self.current.n,
        )


def monitor_losses(
    reference: Sequence[float],
    current: Sequence[float],
    *,
    tolerance: float,
    confidence_level: float,
    min_labels: int,
    measure: str = "the reference",
) -> ErrorRateCheck:
    """Return whether the losses in `current` exceed those in `reference` by more than `tolerance`.

    Both hold losses of one label each, 0 (right) or more, in the order in which the labels came; the mean
    loss is the error rate. Weighted losses may exceed 1. As long as the error rate never exceeds that of the
    reference by more than the tolerance, an alarm is false with a probability of at most
    1 - `confidence_level`, however often and whenever one checks. Half of that goes to the upper bound of
    the reference (Clopper & Pearson), half to the bet against it (`largest_capital`).

    Source: Podkopaev & Ramdas (2022), ICLR (the test of a risk against a reference).
    """
    half = (1 - confidence_level) / 2
    known = mean_of_reference(np.asarray(reference, dtype=np.float64), half)
    losses = np.asarray(current, dtype=np.float64)
    if known.value is None or known.high is None:
        nothing = Estimate(value=None, low=None, high=None, n=len(losses))
        return ErrorRateCheck(
            measure=measure, reference=known, current=nothing, tolerance=tolerance, evidence=1.0,
            needed=1 / half, min_labels=min_labels,
        )  # fmt: skip
    limit = known.high + tolerance
    return ErrorRateCheck(
        measure=measure,
        reference=known,
        current=mean_since_reference(losses, known.value, half),
        tolerance=tolerance,
        evidence=largest_capital(losses, limit, known.value),
        needed=1 / half,
        min_labels=min_labels,
    )


def check_error_rate(
    judged: Sequence[Judged],
    order: Mapping[Key, int],
    in_reference: Sequence[bool],
    *,
    tolerance: float,
    confidence_level: float,
    min_labels: int,
    reference_labels: int,
) -> ErrorRateCheck:
    """Return whether the error rate of labelled rows has risen since the reference.

    The labels are taken in their `order`, each key once. `in_reference` says for each row whether it
    belongs to the time of the reference; where fewer than `min_labels` rows do, the first
    `reference_labels` labels are the reference. Rows drawn with known probabilities are weighted; then the
    level holds up to the sampling error of the mean weight of a draw. Other rows count once.
    """
    first: dict[Key, int] = {}
    for place, one in enumerate(judged):
        first.setdefault(one.label.key, place)
    places = sorted(first.values(), key=lambda place: order[judged[place].label.key])
    before = [place for place in places if in_reference[place]]
    since = [place for place in places if not in_reference[place]]
    measure = "the baseline"
    if len(before) < min_labels:
        before, since = places[:reference_labels], places[reference_labels:]
        measure = "the first labels"
    return monitor_losses(
        _losses([judged[place] for place in before]),
        _losses([judged[place] for place in since]),
        tolerance=tolerance,
        confidence_level=confidence_level,
        min_labels=min_labels,
        measure=measure,
    )


def _losses(judged: Sequence[Judged]) -> list[float]:
    """Return the loss of each label; its expectation is the error rate, however the row was drawn.

    A weight is therefore divided by the mean weight of its own draw, not by that of all labels.
    """
    sums: dict[datetime | None, tuple[float, int]] = {}
    for one in judged:
        total, count = sums.get(_draw(one), (0.0, 0))
        sums[_draw(one)] = total + _weight(one), count + 1
    means = {draw: total / count for draw, (total, count) in sums.items()}
    return [one.wrong * _weight(one) / means[_draw(one)] for one in judged]


def _weight(one: Judged) -> float:
    return 1 / one.label.probability if one.label.drawn and one.label.probability else 1.0


def _draw(one: Judged) -> datetime | None:
    return one.label.draw if one.label.drawn else None
