"""Has the error rate of a slice risen: one alarm each, at its share of one level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sentimon.evaluation.error_rate_monitor import ErrorRateCheck, check_error_rate
from sentimon.evaluation.realised_quality import Judged
from sentimon.gold_labels.gold_label import Key
from sentimon.monitoring.retraining_rules import RuleResult

WHOLE = 0.5
"""Share of the level that all rows get, where slices are judged too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceErrorRate:
    """The error rate of one slice since its reference."""

    field: str
    value: str
    check: ErrorRateCheck

    @property
    def name(self) -> str:
        """Return the slice as a condition on a row: `channel=app`."""
        return f"{self.field}={self.value}"

    @property
    def nearness(self) -> float:
        """Return how near it is to an alarm: its evidence as a share of what is needed."""
        return self.check.evidence / self.check.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceErrorRates:
    """The error rates of the slices of declared fields that have enough labels to be judged."""

    slices: tuple[SliceErrorRate, ...]
    few: int
    """Number of slices with labels, but with too few to be judged."""

    @property
    def alarms(self) -> tuple[SliceErrorRate, ...]:
        """Return the slices whose error rate has risen, the surest first."""
        found = (one for one in self.slices if one.check.alarm)
        return tuple(sorted(found, key=lambda one: -one.nearness))

    @property
    def decided(self) -> tuple[SliceErrorRate, ...]:
        """Return the slices with enough labels for an answer, or an alarm."""
        return tuple(one for one in self.slices if one.check.decided)

    def to_rule(self) -> RuleResult:
        """Return the slice that is nearest to an alarm as a rule of the retraining decision."""
        nearest = max(self.decided, key=lambda one: one.nearness, default=None)
        if nearest is None:
            return RuleResult(
                name="error rate of a slice", side="above", value=None, low=None, high=None, limit=None,
                met=None, n=0,
            )  # fmt: skip
        return replace(nearest.check.to_rule(), name=f"error rate of {nearest.name}")


def check_slice_error_rates(
    judged: Sequence[Judged],
    order: Mapping[Key, int],
    in_reference: Sequence[bool],
    *,
    fields: Sequence[str],
    tolerance: float,
    confidence_level: float,
    min_labels: int,
    reference_labels: int,
) -> SliceErrorRates:
    """Return whether the error rate of any slice of the `fields` has risen since its reference.

    Each slice is judged as all rows are by `check_error_rate`. The probability that any alarm is ever false
    is at most 1 - `confidence_level`: the fields have equal shares of it, and the k-th value of a field that
    gets `min_labels` labels has 1 / (k (k + 1)) of the share of its field. These add up to 1 however many
    values come, and that of a value never changes, so that an alarm is not taken back when others come.
    """
    found: list[SliceErrorRate] = []
    few = 0
    for field in fields:
        places: dict[str, list[int]] = defaultdict(list)
        for place, one in enumerate(judged):
            places[one.slices[field]].append(place)
        ranked = _in_order_of_labels(judged, order, field, min_labels)
        few += len(places) - len(ranked)
        for rank, value in enumerate(ranked, start=1):
            level = (1 - confidence_level) / len(fields) / (rank * (rank + 1))
            check = check_error_rate(
                [judged[place] for place in places[value]],
                order,
                [in_reference[place] for place in places[value]],
                tolerance=tolerance,
                confidence_level=1 - level,
                min_labels=min_labels,
                reference_labels=reference_labels,
            )
            found.append(SliceErrorRate(field=field, value=value, check=check))
    return SliceErrorRates(slices=tuple(found), few=few)


def _in_order_of_labels(
    judged: Sequence[Judged], order: Mapping[Key, int], field: str, min_labels: int
) -> list[str]:
    """Return the values with at least `min_labels` labels, in the order in which they got so many."""
    keys: dict[str, set[Key]] = defaultdict(set)
    for one in judged:
        keys[one.slices[field]].add(one.label.key)
    reached = [
        (sorted(order[key] for key in own)[min_labels - 1], value)
        for value, own in keys.items()
        if len(own) >= min_labels
    ]
    return [value for _, value in sorted(reached)]
