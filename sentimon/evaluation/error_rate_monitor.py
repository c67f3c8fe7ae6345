"""Did the error rate rise: an alarm that may be looked at after every label and is seldom false even so."""

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
class Risk:
    """The error rate of the labels since the reference, against what it was there plus a tolerance."""

    measure: str
    """What the reference is, in words."""
    reference: Estimate
    """Error rate of the reference; `high` is its upper bound, alone at half of the level, `low` is 0."""
    current: Estimate
    """Error rate since; `low` is a bound that holds after every label at once, at the other half."""
    tolerance: float
    evidence: float
    """The largest capital that betting on a higher error rate has reached, from 1; in odds."""
    needed: float
    """The evidence that raises the alarm."""
    min_labels: int

    @property
    def limit(self) -> float | None:
        """Return the error rate that is not to be exceeded, None without a reference."""
        return None if self.reference.high is None else min(1.0, self.reference.high + self.tolerance)

    @property
    def alarm(self) -> bool:
        """Return whether the error rate has risen by more than the tolerance."""
        return self.evidence >= self.needed

    @property
    def decided(self) -> bool:
        """Return whether there are labels enough to say so either way."""
        enough = min(self.reference.n, self.current.n) >= self.min_labels
        return self.limit is not None and (self.alarm or enough)

    def to_rule(self) -> RuleResult:
        """Return the alarm as a rule of the decision on retraining."""
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
) -> Risk:
    """Return whether the losses in `current` exceed those in `reference` by more than `tolerance`.

    Both hold losses of one label each, 0 (right) or more, in the order in which the labels came; the mean
    loss is the error rate. Weighted losses may exceed 1. An alarm is false with a probability of at most
    1 - `confidence_level`, however often and whenever one looks: where the error rate never exceeds that
    of the reference by more than the tolerance, given the labels before, the capital of a gambler who
    bets on more is a nonnegative supermartingale. Half of the level goes to the reference's upper bound
    (Clopper & Pearson), half to the bet (Ville). The capital is split between a bet that follows the mean
    of all labels so far and one that follows the latest RECENT ones, which a long quiet time does not slow.

    Source: Podkopaev & Ramdas (2022), ICLR (the test); Waudby-Smith & Ramdas (2024), J. R. Stat. Soc. B
    86, 1-27 (betting on bounded means).
    """
    half = (1 - confidence_level) / 2
    known = mean_of_reference(np.asarray(reference, dtype=np.float64), half)
    losses = np.asarray(current, dtype=np.float64)
    if known.value is None or known.high is None:
        nothing = Estimate(value=None, low=None, high=None, n=len(losses))
        return Risk(
            measure=measure, reference=known, current=nothing, tolerance=tolerance, evidence=1.0,
            needed=1 / half, min_labels=min_labels,
        )  # fmt: skip
    limit = known.high + tolerance
    return Risk(
        measure=measure,
        reference=known,
        current=mean_since_reference(losses, known.value, half),
        tolerance=tolerance,
        evidence=largest_capital(losses, limit, known.value),
        needed=1 / half,
        min_labels=min_labels,
    )


def risk_of(
    judged: Sequence[Judged],
    order: Mapping[Key, int],
    in_reference: Sequence[bool],
    *,
    tolerance: float,
    confidence_level: float,
    min_labels: int,
    reference_labels: int,
) -> Risk:
    """Return the risk of labelled rows, one a key, in the order in which their labels came.

    `in_reference` says of each row whether it belongs to the time that is the measure. Where fewer than
    `min_labels` do, the first `reference_labels` labels are. Rows drawn with known probabilities count for
    as many as they stand for; then the level holds up to the error of the mean weight of a draw. Others
    count as if they had been drawn evenly.
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
    """Return the loss of each label, whose expectation is the error rate whatever the row was drawn for.

    So a weight is taken by that of its own draw in the mean, not by that of all labels.
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
