"""When a change began: the most probable hour of one lasting step, with an interval, from sums per hour.

The sums of an hour are those of a family of distributions: counts of classes, a weighted mean, or a number of
events and how many were expected. A reference gives the parameters before the step, together with the hours
before it; the hours after it give those after it. Every hour is as likely as any other beforehand, and the
step may fall anywhere within one. What comes back is the posterior distribution of that hour, summed up.

It is asked where the newest rows were found to differ from the reference; it does not test whether they do.
What it says of a change that is not one step:

- two steps in one direction: the one with more evidence, which grows with the square of its size;
- a ramp: an hour near its middle, from which on rows are more like the newest than like the reference;
- an episode, after which hours were surely like the reference again: only what came later counts;
- the newest hours are surely like the reference again: None, nothing lasts.

Source: Smith (1975), Biometrika 62, 407-416, for the posterior distribution of a change point; Diaconis &
Ylvisaker (1979), Ann. Stat. 7, 269-281, for the conjugate priors, which count as hours that came before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add
from typing import Protocol

from sentimon.errors import DataError

Sums = tuple[float, ...]
"""What a family needs to know of some rows; the sums of two sets of rows add up."""
Parameters = tuple[float, ...]

LONGEST_GAP = 7 * 24
"""Hours without rows in a row that count beforehand; a longer silence is no more likely to hold the step."""
_STEPS = 4
"""Parts that an hour is cut into; the step may lie between any two of them."""
_NEGLIGIBLE = 15.0
"""Difference of log-likelihoods from which on an hour is not looked at more closely."""
_SURE = math.log(1_000)
"""Log-odds by which hours are surely like the reference, beyond what a search for them costs."""
_LIKELY = math.log(20)
"""Log-odds of a step in what an episode left, from which on there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """The hour in which a step began, and the interval that holds it at the confidence level."""

    hour: int
    """The hour with rows that holds the most probable moment; the begin of an hour belongs to that hour."""
    first: int
    last: int
    """The last hour of the interval, itself included."""


class Family(Protocol):
    """An exponential family with its conjugate prior; what a prior knows is a sum like that of rows."""

    def log_normaliser(self, sums: Sums) -> float:
        """Return the logarithm of the integral of the likelihood of rows with these sums."""

    def estimate(self, sums: Sums) -> Parameters:
        """Return the parameters that rows with these sums have on average."""

    def log_likelihood(self, sums: Sums, parameters: Parameters) -> float:
        """Return the log-likelihood of the rows of an hour, up to what does not depend on the parameters."""


class ClassMix:
    """Rows per class, multinomial; the prior is Dirichlet's. The counts need not be whole."""

    def log_normaliser(self, sums: Sums) -> float:
        """Return the logarithm of the Dirichlet integral."""
        return sum(map(math.lgamma, sums)) - math.lgamma(sum(sums))

    def estimate(self, sums: Sums) -> Parameters:
        """Return the share of each class."""
        rows = sum(sums)
        return tuple(count / rows for count in sums)

    def log_likelihood(self, sums: Sums, parameters: Parameters) -> float:
        """Return the multinomial log-likelihood without its coefficient."""
        return sum(count * math.log(share) for count, share in zip(sums, parameters, strict=True))


class WeightedMean:
    """(weight, weight times mean) of an hour, normal with the variance 1 / weight; the prior is normal."""

    def log_normaliser(self, sums: Sums) -> float:
        """Return the logarithm of the Gaussian integral."""
        weight, moment = sums
        return moment * moment / (2 * weight) - math.log(weight) / 2

    def estimate(self, sums: Sums) -> Parameters:
        """Return the mean."""
        weight, moment = sums
        return (moment / weight,)

    def log_likelihood(self, sums: Sums, parameters: Parameters) -> float:
        """Return the normal log-likelihood, less what does not depend on the mean."""
        (weight, moment), (mean,) = sums, parameters
        return moment * mean - weight * mean * mean / 2


class EventRate:
    """(events, expected events) of an hour, Poisson with a common factor; the prior is a gamma's."""

    def log_normaliser(self, sums: Sums) -> float:
        """Return the logarithm of the gamma integral."""
        events, expected = sums
        return math.lgamma(events) - events * math.log(expected)

    def estimate(self, sums: Sums) -> Parameters:
        """Return the factor, events per expected event."""
        events, expected = sums
        return (events / expected,)

    def log_likelihood(self, sums: Sums, parameters: Parameters) -> float:
        """Return the Poisson log-likelihood, less what does not depend on the factor."""
        (events, expected), (factor,) = sums, parameters
        return events * math.log(factor) - expected * factor


def mix_change_point(
    hours: Sequence[int],
    cells: Sequence[Sums],
    reference: Sums,
    *,
    confidence_level: float,
    recoveries: bool = True,
) -> ChangePoint | None:
    """Return when the shares of classes changed; None without rows, or where nothing lasts.

    `cells` are the rows per class in each of `hours`, which ascend; `reference` are those of before. Counts
    of rows that come in bursts are divided by their design effect first, so that they need not be whole. A
    class without rows is left out. After the step the prior is Jeffreys's, half a row of each class.

    >>> normal, changed = (6, 2, 2), (1, 2, 7)
    >>> found = mix_change_point(range(8), [normal] * 5 + [changed] * 3, (60, 20, 20), confidence_level=0.95)
    >>> found.hour, found.first <= 5 <= found.last
    (5, True)

    Raises:
        DataError: a cell has another number of classes, or the hours do not ascend.
    """
    totals = _total([reference, *cells])
    seen = [place for place, count in enumerate(totals) if count > 0]
    if len(seen) < 2:
        return None
    vague = (0.5,) * len(seen)
    parts = [tuple(cell[place] for place in seen) for cell in cells]
    before = tuple(reference[place] + 0.5 for place in seen)
    return change_point(
        ClassMix(), hours, parts, before, vague, confidence_level=confidence_level, recoveries=recoveries
    )


def mean_change_point(
    hours: Sequence[int],
    cells: Sequence[tuple[float, float]],
    reference: tuple[float, float],
    *,
    deviation: float,
    confidence_level: float,
    recoveries: bool = True,
) -> ChangePoint | None:
    """Return when a mean changed; None without rows, or where nothing lasts.

    `cells` are (effective rows > 0, mean) of each of `hours`, which ascend, and `reference` those of before;
    `deviation` is the standard deviation of one row. After the step the prior counts as one row with the
    reference's mean (unit information: Kass & Wasserman 1995, J. Am. Stat. Assoc. 90, 928-934).

    Raises:
        DataError: the hours do not ascend.
    """
    rows, usual = reference
    precision = 1 / max(deviation, 1e-9) ** 2
    # Around the reference's mean the sums stay small.
    parts = [(size * precision, size * precision * (mean - usual)) for size, mean in cells]
    before, vague = (max(rows, 1.0) * precision, 0.0), (precision, 0.0)
    return change_point(
        WeightedMean(), hours, parts, before, vague, confidence_level=confidence_level, recoveries=recoveries
    )


def rate_change_point(
    hours: Sequence[int],
    cells: Sequence[tuple[float, float]],
    reference: float,
    *,
    confidence_level: float,
    recoveries: bool = True,
) -> ChangePoint | None:
    """Return when the rate of events changed; None without hours, or where nothing lasts.

    The rate is the number of events per expected event. `cells` are (events, expected events > 0) of each of
    `hours`, which ascend, those without events included; both are divided by a dispersion first where
    events are not Poisson. The expectation was made of `reference` events. After the step the prior is worth
    half an event.

    Raises:
        DataError: the hours do not ascend.
    """
    before = (max(reference, 0.5),) * 2
    return change_point(
        EventRate(),
        hours,
        cells,
        before,
        (0.5, 0.5),
        confidence_level=confidence_level,
        recoveries=recoveries,
    )


def change_point(
    family: Family,
    hours: Sequence[int],
    cells: Sequence[Sums],
    before: Sums,
    vague: Sums,
    *,
    confidence_level: float,
    recoveries: bool = True,
) -> ChangePoint | None:
    """Return when the parameters of `family` changed; None without cells, or where nothing lasts.

    `cells` are the sums of each of `hours`, which ascend; `before` are those of all that is known of the
    parameters before the step, `vague` of the little that is known of those after it. Without `recoveries`
    no hour after the step is taken to be like the reference again: the answer for rows that vary more than
    the family knows.

    Raises:
        DataError: the hours do not ascend, or a cell is of another kind than `before`.
    """
    if any(one >= other for one, other in pairwise(hours)):
        raise DataError("the hours of a change point do not ascend")
    if any(len(cell) != len(before) for cell in cells) or len(cells) != len(hours):
        raise DataError("the cells of a change point do not fit")
    start = 0
    while start < len(cells):
        found = _posterior(family, hours[start:], cells[start:], before, vague)
        best = max(range(len(found.peaks)), key=found.peaks.__getitem__)
        if start and found.odds < _LIKELY:
            return None
        again = _like_reference_again(family, cells[start:], best, before, vague) if recoveries else None
        if again is None:
            return _summed_up(hours[start:], found, best, confidence_level)
        # An episode that is over says nothing of what was usual: hours before its end are left out.
        start += again
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posterior:
    """How probable each hour is, as logarithms, up to a constant."""

    weights: Sequence[float]
    """Of each hour with rows."""
    peaks: Sequence[float]
    """Of the most probable moment of each of them."""
    gaps: Sequence[tuple[int, float]]
    """(how many hours count, weight of each) of the hours without rows before each of them."""
    none: float
    """Of no step at all."""

    @property
    def odds(self) -> float:
        """Return the log-odds of a step in any hour with rows against none."""
        return _log_sum(self.weights) - math.log(len(self.weights)) - self.none


def _posterior(
    family: Family, hours: Sequence[int], cells: Sequence[Sums], before: Sums, vague: Sums
) -> _Posterior:
    """Return how probable it is of each hour that the step began in it."""
    priors = list(accumulate(cells, _added, initial=before))
    # Each from its own end: differences of running sums would leave rounding errors where little is left.
    laters = list(accumulate(reversed(cells), _added, initial=vague))[::-1]
    old = [family.log_normaliser(sums) for sums in priors]
    new = [family.log_normaliser(sums) for sums in laters]
    ends = [one + other for one, other in zip(old, new, strict=True)]

    def within(place: int) -> Iterator[float]:
        """Yield the log-weights of a step after each quarter of an hour but the last."""
        was, now = family.estimate(priors[place]), family.estimate(laters[place + 1])
        both = old[place] + new[place + 1]
        for part in range(1, _STEPS):
            share = part / _STEPS
            mixed = tuple(share * one + (1 - share) * other for one, other in zip(was, now, strict=True))
            yield both + family.log_likelihood(cells[place], mixed)

    # Where the step falls within an hour, one of its ends fits better than all hours elsewhere: the parts of
    # an hour whose ends hardly fit need not be looked at.
    least = max(ends) - _NEGLIGIBLE
    weights, peaks = [], []
    for place, (begin, end) in enumerate(pairwise(ends)):
        if begin < least and end < least:
            weights.append(max(begin, end))
            peaks.append(begin)
            continue
        inner = list(within(place))
        # By the trapezoidal rule: both ends of the hour count half.
        parts = [*inner, begin - math.log(2), end - math.log(2)]
        weights.append(_log_sum(parts) - math.log(_STEPS))
        peaks.append(max([*inner, begin]))
    empty = [0] + [later - earlier - 1 for earlier, later in pairwise(hours)]
    gaps = [(min(gap, LONGEST_GAP), end) for gap, end in zip(empty, ends, strict=False)]
    return _Posterior(weights=weights, peaks=peaks, gaps=gaps, none=ends[-1])


def _like_reference_again(
    family: Family, cells: Sequence[Sums], best: int, before: Sums, vague: Sums
) -> int | None:
    """Return where cells begin after a step that are surely like the reference again; None without any.

    Of all stretches after `best` it is the one whose likelihood speaks most for the parameters before the
    step and against those after it. Where rows are as after the step, that of some stretch exceeds the limit
    with a probability of at most a thousandth.
    """
    was = family.estimate(_total([before, *cells[:best]]))
    now = family.estimate(_total([vague, *cells[best:]]))
    most, found = _SURE + 2 * math.log(len(cells) - best), None
    sum_, begin = 0.0, best + 1
    for place in range(best + 1, len(cells)):
        sum_ += family.log_likelihood(cells[place], was) - family.log_likelihood(cells[place], now)
        if sum_ <= 0:
            sum_, begin = 0.0, place + 1
        elif sum_ > most:
            most, found = sum_, begin
    return found


def _summed_up(hours: Sequence[int], found: _Posterior, best: int, confidence_level: float) -> ChangePoint:
    """Return the hour at `best`, and the interval from the first to the last of the most probable hours.

    The hours of a gap are all alike: they are taken together.
    """
    largest = max(max(found.weights), max(weight for _, weight in found.gaps))
    runs = [
        (weight, hour, hour, math.exp(weight - largest))
        for hour, weight in zip(hours, found.weights, strict=True)
    ]
    for place, (width, weight) in enumerate(found.gaps):
        if width:
            mass = width * math.exp(weight - largest)
            runs.append((weight, hours[place - 1] + 1, hours[place] - 1, mass))
    runs.sort(reverse=True)
    needed = confidence_level * math.fsum(mass for *_, mass in runs)
    first = last = hours[best]
    held = 0.0
    for _, begin, end, mass in runs:
        if held >= needed:
            break
        held += mass
        first, last = min(first, begin), max(last, end)
    return ChangePoint(hour=hours[best], first=first, last=last)


def _total(cells: Iterable[Sums]) -> Sums:
    return tuple(map(math.fsum, zip(*cells, strict=True)))


def _added(one: Sums, other: Sums) -> Sums:
    return tuple(map(add, one, other))


def _log_sum(logs: Sequence[float]) -> float:
    largest = max(logs)
    return largest + math.log(sum(math.exp(one - largest) for one in logs))
