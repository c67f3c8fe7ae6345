"""How the rows of a baseline divide by one field: the sums over each slice, and its rows per hour."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sentimon.errors import DataError
from sentimon.prediction_log.slices import OTHER, GrowingSlices, Slices
from sentimon.prediction_log.summary import Counts

_NUMBERS = 4


@dataclass(frozen=True, kw_only=True)
class HourlyCounts:
    """Rows per class and hour, packed: a long baseline has many hours of many slices."""

    first: int
    """The hour since 1970 that the hours are counted from."""
    packed: bytes
    """For each hour with rows, in order, four numbers of 32 bits, little-endian: hours since `first`, and the
    rows of each class in Sentiment order."""

    @classmethod
    def of(cls, hours: Mapping[int, Counts], first: int) -> HourlyCounts:
        """Return the packed form of some hours, none before `first`."""
        numbers = [number for hour in sorted(hours) for number in (hour - first, *hours[hour])]
        return cls(first=first, packed=struct.pack(f"<{len(numbers)}I", *numbers))

    def check(self, counts: Counts) -> None:
        """Raise DataError unless the hours are in order and add up to `counts`.

        Raises:
            DataError: they contradict themselves.
        """
        numbers = self._numbers()
        if not all(one < other for one, other in pairwise(numbers[::_NUMBERS])):
            raise DataError("the hours of a slice are not in order")
        found = tuple(sum(numbers[place::_NUMBERS]) for place in range(1, _NUMBERS))
        if found != counts:
            raise DataError("the rows per hour of a slice do not add up to its rows")

    @cached_property
    def hours(self) -> Mapping[int, Counts]:
        """Return the rows per class in each hour since 1970 that has rows."""
        numbers = iter(self._numbers())
        return {self.first + hour: (a, b, c) for hour, a, b, c in zip(numbers, *[numbers] * 3, strict=True)}

    def _numbers(self) -> tuple[int, ...]:
        count, rest = divmod(len(self.packed), 4)
        if rest or count % _NUMBERS:
            raise DataError("the hours of a slice are cut")
        return struct.unpack(f"<{count}I", self.packed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldHistory:
    """The rows of a baseline by the values of one field."""

    slices: Slices
    """The sums over the rows of every value."""
    hourly: Mapping[str, HourlyCounts]
    """The rows per hour of the values with the most rows, which are watched."""

    @property
    def values(self) -> tuple[str, ...]:
        """Return the values that are told apart, those with the most rows first."""
        return tuple(self.hourly)

    def told_apart(self) -> Slices:
        """Return the sums over the values that are told apart, and over all other rows as OTHER."""
        return self.slices.told_apart(list(self.hourly))

    def hours(self, whole: Mapping[int, Counts]) -> Iterator[tuple[str, Mapping[int, Counts]]]:
        """Yield (value, its rows per hour), OTHER last; `whole` has the rows per hour of the baseline."""
        left = dict(whole)
        for value, hourly in self.hourly.items():
            yield value, hourly.hours
            for hour, counts in hourly.hours.items():
                left[hour] = _less(left.get(hour, (0, 0, 0)), counts)
        others = {hour: counts for hour, counts in left.items() if any(counts)}
        if others:
            yield OTHER, others


def _less(one: Counts, other: Counts) -> Counts:
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2])


def field_history(by_hour: Mapping[int, Slices], *, most: int) -> FieldHistory:
    """Return the history of a field from its slices by hour since 1970; of `most` values with their hours."""
    total = summed(by_hour.values())
    first = min(by_hour, default=0)
    kept = total.largest(most)
    return FieldHistory(
        slices=total,
        hourly={
            value: HourlyCounts.of(
                {hour: one.tallies[value].counts for hour, one in by_hour.items() if value in one.tallies},
                first,
            )
            for value in kept
        },
    )


def summed(parts: Iterable[Slices]) -> Slices:
    """Return the sums over the rows of all parts."""
    growing = GrowingSlices()
    for part in parts:
        growing.include(GrowingSlices.of(part))
    return growing.slices()
