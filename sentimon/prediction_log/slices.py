"""Sums over the rows of each slice: of each value that a field has.

They add up like a Summary, exactly and in any order and grouping: every sum is an integer, and the values of
a field that has more than MOST_VALUES are no longer told apart, in whatever order its rows come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from sentimon.labels import Sentiment
from sentimon.prediction_log.summary import Counts
from sentimon.scoring.scores import SCALE

MOST_VALUES = 1000
"""Values of one field that are told apart; with more, all its rows are in one slice, OTHER."""
OTHER = "(other)"
"""The slice of the rows whose values are not told apart."""
_NUMBERS = 6


class SliceTally(msgspec.Struct, frozen=True, array_like=True):
    """The sum over the rows of one slice."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0
    with_confidence: int = 0
    """Rows that have a confidence."""
    confidence: int = 0
    """Sum of confidences, in millionths."""
    confidence_squares: int = 0
    """Sum of squared confidences, in millionths squared."""

    @property
    def counts(self) -> Counts:
        """Return the number of rows per class, in Sentiment order."""
        return (self.negative, self.neutral, self.positive)

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return self.negative + self.neutral + self.positive

    @property
    def mean_confidence(self) -> float | None:
        """Return the mean confidence of the rows that have one, 0 .. 1; None where none has."""
        return self.confidence / (self.with_confidence * SCALE) if self.with_confidence else None

    def __add__(self, other: SliceTally) -> SliceTally:
        """Return the sum over both sets of rows."""
        return SliceTally(
            *(
                a + b
                for a, b in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
            )
        )


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """The sums over all rows by the values of one field; `Slices()` is the sum over none."""

    tallies: Mapping[str, SliceTally] = {}
    """The tally of each value that any row has."""
    too_many: bool = False
    """Whether there are more than MOST_VALUES values; then OTHER is the only one."""

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return sum(tally.count for tally in self.tallies.values())

    @property
    def distinct(self) -> int | None:
        """Return the number of values; None where there are so many that they are not counted."""
        return None if self.too_many else len(self.tallies)

    @property
    def total(self) -> SliceTally:
        """Return the sum over all rows."""
        return sum(self.tallies.values(), SliceTally())

    def __add__(self, other: Slices) -> Slices:
        """Return the sums over both sets of rows."""
        growing = GrowingSlices()
        for one in (self, other):
            growing.include(GrowingSlices.of(one))
        return growing.slices()

    def largest(self, most: int) -> list[str]:
        """Return the values with the most rows, the largest first, at most `most`; OTHER is none of them.

        Of values with as many rows the first in the alphabet comes first.
        """
        named = [value for value in self.tallies if value != OTHER]
        return sorted(named, key=lambda value: (-self.tallies[value].count, value))[:most]

    def told_apart(self, values: list[str]) -> Slices:
        """Return the same rows with these `values` in their order, and all other rows as OTHER."""
        kept = {value: self.tallies.get(value, SliceTally()) for value in values}
        others = sum((tally for value, tally in self.tallies.items() if value not in kept), SliceTally())
        return Slices(tallies=kept | ({OTHER: others} if others.count else {}), too_many=self.too_many)


class GrowingSlices:
    """Sums by the values of one field to which rows are still being added."""

    __slots__ = ("too_many", "values")

    def __init__(self) -> None:
        self.values: dict[str, list[int]] = {}
        """For each value the numbers of a SliceTally."""
        self.too_many = False

    @classmethod
    def of(cls, slices: Slices) -> GrowingSlices:
        """Return the sums that begin with `slices`."""
        growing = cls()
        growing.values = {value: list(msgspec.structs.astuple(one)) for value, one in slices.tallies.items()}
        growing.too_many = slices.too_many
        return growing

    def add(self, value: str, sentiment: Sentiment, confidence: int | None) -> None:
        """Add one row; its confidence in millionths, None where it has none."""
        numbers = [0] * _NUMBERS
        numbers[sentiment] = 1
        if confidence is not None:
            numbers[3:] = (1, confidence, confidence * confidence)
        self.add_numbers(value, numbers)

    def add_numbers(self, value: str, numbers: list[int]) -> None:
        """Add the rows of a value: the numbers of their tally, a list that nobody else changes."""
        value = OTHER if self.too_many else value
        held = self.values.setdefault(value, numbers)
        if held is not numbers:
            for place, number in enumerate(numbers):
                held[place] += number
        elif len(self.values) > MOST_VALUES:
            self._merge_all()

    def include(self, other: GrowingSlices) -> None:
        """Add the rows of other sums."""
        if other.too_many and not self.too_many:
            self._merge_all()
        for value, numbers in other.values.items():
            self.add_numbers(value, list(numbers))

    def slices(self) -> Slices:
        """Return the sums so far."""
        return Slices(
            tallies={value: SliceTally(*numbers) for value, numbers in self.values.items()},
            too_many=self.too_many,
        )

    def _merge_all(self) -> None:
        merged = [sum(numbers) for numbers in zip(*self.values.values(), strict=True)]
        self.values = {OTHER: merged} if merged else {}
        self.too_many = True

    def __iter__(self) -> Iterator[tuple[str, list[int]]]:
        """Yield (value, the numbers of its tally)."""
        return iter(self.values.items())


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    too_many: bool
    values: list[tuple[str, int, int, int, int, int, tuple[int, int]]]
    """The last number, which can exceed 64 bits, as (the quotient by SCALE, the rest)."""


_decode = msgspec.msgpack.Decoder(_Packed).decode


def pack_slices(sums: GrowingSlices) -> bytes:
    """Return the sums as bytes; equal sums give equal bytes."""
    values = [
        (value, *numbers[:-1], divmod(numbers[-1], SCALE)) for value, numbers in sorted(sums.values.items())
    ]
    return msgspec.msgpack.encode((sums.too_many, values))


def unpack_slices(content: bytes) -> GrowingSlices:
    """Return the sums that `pack_slices` was given.

    Raises:
        msgspec.MsgspecError: `content` is not what `pack_slices` returns.
    """
    packed = _decode(content)
    sums = GrowingSlices()
    sums.too_many = packed.too_many
    for value, *numbers, (millions, rest) in packed.values:
        sums.values[value] = [*numbers, millions * SCALE + rest]
    return sums
