"""Summary: a mergeable sum over rows, exact in any order and grouping, because all sums are integers.

`Tally` is the part for one class. The `Growing` classes are sums to which rows are still being added.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import mul
from typing import TypeVar

import msgspec

from sentimon.jsonl import BadLine
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.text_features import has_emoji, has_link, is_non_latin
from sentimon.scoring.scores import SCALE
from sentimon.timestamps import HOUR_MICROSECONDS, to_microseconds

CONFIDENCE_BINS = 100
POLARITY_BINS = 40


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The sum over rows of one class."""

    count: int = 0
    confidence: int = 0
    """Sum of confidences, in millionths, over the rows that have one."""
    confidence_squares: int = 0
    """Sum of squared confidences, in millionths squared."""
    polarity: int = 0
    """Sum of positive minus negative score, in millionths, over the rows that have scores."""
    confidence_histogram: tuple[int, ...] = (0,) * CONFIDENCE_BINS
    """Rows per hundredth of confidence, 0 .. 1; a row without a confidence is in no bin."""
    polarity_histogram: tuple[int, ...] = (0,) * POLARITY_BINS
    """Rows per twentieth of polarity, -1 .. 1; a row without scores is in no bin."""

    @property
    def with_confidence(self) -> int:
        """Return the number of rows that have a confidence."""
        return sum(self.confidence_histogram)

    @property
    def with_scores(self) -> int:
        """Return the number of rows that have the scores of all classes."""
        return sum(self.polarity_histogram)

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both sets of rows."""
        return Tally(
            count=self.count + other.count,
            confidence=self.confidence + other.confidence,
            confidence_squares=self.confidence_squares + other.confidence_squares,
            polarity=self.polarity + other.polarity,
            confidence_histogram=_added(self.confidence_histogram, other.confidence_histogram),
            polarity_histogram=_added(self.polarity_histogram, other.polarity_histogram),
        )


def _no_rows(bins: int) -> Callable[[], array[int]]:
    return lambda: array("q", bytes(8 * bins))


class GrowingTally(msgspec.Struct):
    """A tally to which rows are still being added; `tally()` returns its value so far."""

    count: int = 0
    confidence: int = 0
    confidence_squares: int = 0
    polarity: int = 0
    confidence_histogram: array[int] = msgspec.field(default_factory=_no_rows(CONFIDENCE_BINS))
    polarity_histogram: array[int] = msgspec.field(default_factory=_no_rows(POLARITY_BINS))

    def add(self, confidence: int | None, polarity: int | None) -> None:
        """Add one row; both numbers in millionths, None where the row has none."""
        self.count += 1
        if confidence is not None:
            self.confidence += confidence
            self.confidence_squares += confidence * confidence
            self.confidence_histogram[min(confidence * CONFIDENCE_BINS // SCALE, CONFIDENCE_BINS - 1)] += 1
        if polarity is not None:
            self.polarity += polarity
            self.polarity_histogram[
                min((polarity + SCALE) * POLARITY_BINS // (2 * SCALE), POLARITY_BINS - 1)
            ] += 1

    def include(self, other: GrowingTally) -> None:
        """Add the rows of another tally."""
        self.count += other.count
        self.confidence += other.confidence
        self.confidence_squares += other.confidence_squares
        self.polarity += other.polarity
        self.confidence_histogram = _included(self.confidence_histogram, other.confidence_histogram)
        self.polarity_histogram = _included(self.polarity_histogram, other.polarity_histogram)

    def tally(self) -> Tally:
        """Return the sum so far."""
        return Tally(
            count=self.count,
            confidence=self.confidence,
            confidence_squares=self.confidence_squares,
            polarity=self.polarity,
            confidence_histogram=tuple(self.confidence_histogram),
            polarity_histogram=tuple(self.polarity_histogram),
        )


def _included(one: array[int], other: array[int]) -> array[int]:
    # Bins of 64 bits never overflow, so one sum of two long integers adds all bins at once.
    both = int.from_bytes(one, sys.byteorder) + int.from_bytes(other, sys.byteorder)
    return array("q", both.to_bytes(one.itemsize * len(one), sys.byteorder))


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


SHOWN_BAD_LINES = 5

K = TypeVar("K")
Counts = tuple[int, int, int]
ModelKey = tuple[str | None, str | None]
_ONE: tuple[Counts, Counts, Counts] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
"""The counts of one row of each class."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A mergeable sum over rows of the log; `Summary()` is the sum over none."""

    classes: tuple[Tally, Tally, Tally] = (Tally(), Tally(), Tally())
    hours: Mapping[int, Counts] = msgspec.field(default_factory=dict)
    """Rows per class in each hour that has rows; the key is the number of hours since 1970, UTC."""
    models: Mapping[ModelKey, int] = msgspec.field(default_factory=dict)
    """Rows per (model, revision); None if the row does not say."""
    properties: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Numbers of rows: `truncated`, `unreadable`, `empty`, `without_text`, `naive_timestamp`; and of those
    with a text that is not empty: with `links`, with `emoji`, `non_latin`, and the sums of `characters` and
    their squares."""
    first: int | None = None
    """The time of the earliest row, in microseconds since 1970."""
    last: int | None = None
    """The time of the latest row, in microseconds since 1970."""
    bad: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Bad lines per kind."""
    bad_lines: tuple[BadLine, ...] = ()
    """The first few bad lines, by path and line number."""

    def __add__(self, other: Summary) -> Summary:
        """Return the summary of both sets of rows."""
        return Summary(
            classes=(
                self.classes[0] + other.classes[0],
                self.classes[1] + other.classes[1],
                self.classes[2] + other.classes[2],
            ),
            hours=_merged_hours(self.hours, other.hours),
            models=_merged(self.models, other.models),
            properties=_merged(self.properties, other.properties),
            first=min((one for one in (self.first, other.first) if one is not None), default=None),
            last=max((one for one in (self.last, other.last) if one is not None), default=None),
            bad=_merged(self.bad, other.bad),
            bad_lines=tuple(sorted([*self.bad_lines, *other.bad_lines])[:SHOWN_BAD_LINES]),
        )

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return sum(self.counts)

    @property
    def counts(self) -> Counts:
        """Return the number of rows per class, in Sentiment order."""
        negative, neutral, positive = self.classes
        return (negative.count, neutral.count, positive.count)

    @property
    def total(self) -> Tally:
        """Return the tally over all classes."""
        return self.classes[0] + self.classes[1] + self.classes[2]

    @property
    def with_confidence(self) -> int:
        """Return the number of rows that have a confidence."""
        return sum(tally.with_confidence for tally in self.classes)

    @property
    def with_scores(self) -> int:
        """Return the number of rows that have the scores of all classes."""
        return sum(tally.with_scores for tally in self.classes)

    @property
    def bad_count(self) -> int:
        """Return the number of bad lines."""
        return sum(self.bad.values())


def summarise(rows: Iterable[PredictionRecord | BadLine]) -> Summary:
    """Return the sum over `rows`, in one pass; no row is kept in memory."""
    growing = GrowingSummary()
    for row in rows:
        growing.add(row)
    return growing.summary()


class GrowingSummary:
    """A summary to which rows are still being added; `summary()` returns its value so far.

    It has the fields of a Summary.
    """

    __slots__ = ("bad", "bad_lines", "classes", "first", "hours", "last", "models", "properties")

    def __init__(self) -> None:
        self.classes = (GrowingTally(), GrowingTally(), GrowingTally())
        self.hours: dict[int, Counts] = {}
        self.models: dict[ModelKey, int] = {}
        self.properties: dict[str, int] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.bad: dict[str, int] = {}
        self.bad_lines: list[BadLine] = []

    def add(self, row: PredictionRecord | BadLine) -> None:
        """Add one row, or one bad line."""
        if isinstance(row, BadLine):
            self.add_bad({row.kind: 1}, [row])
            return
        moment = to_microseconds(row.timestamp)
        self.span(moment, moment)
        self.classes[row.sentiment].add(
            None if row.confidence is None else round(row.confidence * SCALE),
            None if row.scores is None else round(row.scores.polarity * SCALE),
        )
        _include_hours(self.hours, {moment // HOUR_MICROSECONDS: _ONE[row.sentiment]})
        self.add_model((row.model, row.revision), 1)
        self.add_texts([row.text])
        self.add_property("truncated", 1 if row.truncated else 0)
        self.add_property("unreadable", 1 if row.unreadable else 0)
        self.add_property("naive_timestamp", 1 if row.naive else 0)

    def include(self, other: GrowingSummary) -> None:
        """Add the rows of another sum."""
        for tally, more in zip(self.classes, other.classes, strict=True):
            tally.include(more)
        _include_hours(self.hours, other.hours)
        _include(self.models, other.models)
        _include(self.properties, other.properties)
        self.span(other.first, other.last)
        self.add_bad(other.bad, other.bad_lines)

    def add_model(self, model: ModelKey, count: int) -> None:
        """Add so many rows of a model."""
        self.models[model] = self.models.get(model, 0) + count

    def add_property(self, name: str, amount: int) -> None:
        """Add to the sum of a property; properties that no row has are left out."""
        if amount:
            self.properties[name] = self.properties.get(name, 0) + amount

    def add_properties(self, amounts: Mapping[str, int]) -> None:
        """Add to the sums of some properties."""
        for name, amount in amounts.items():
            self.add_property(name, amount)

    def add_texts(self, texts: Sequence[str | None]) -> None:
        """Add the texts of some rows (None: the text was not kept); an empty text has no other properties."""
        known = [text for text in texts if text is not None]
        blank = "" in known or any(map(str.isspace, known))
        filled = [text for text in known if text.strip()] if blank else known
        wide = [text for text in filled if not text.isascii()]
        lengths = list(map(len, filled))
        self.add_property("characters", sum(lengths))
        self.add_property("squared_characters", sum(map(mul, lengths, lengths)))
        self.add_property("links", sum(map(has_link, filled)))
        self.add_property("emoji", sum(map(has_emoji, wide)))
        self.add_property("non_latin", sum(map(is_non_latin, wide)))
        self.add_property("empty", len(known) - len(filled))
        self.add_property("without_text", len(texts) - len(known))

    def span(self, first: int | None, last: int | None) -> None:
        """Extend the time span to rows from `first` to `last`, in microseconds since 1970; None: no rows."""
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last

    def add_bad(self, counts: Mapping[str, int], lines: Iterable[BadLine]) -> None:
        """Add bad lines: the number of each kind, and the first few."""
        _include(self.bad, counts)
        if lines:
            self.bad_lines = sorted([*self.bad_lines, *lines])[:SHOWN_BAD_LINES]

    @property
    def ends(self) -> tuple[int, int] | None:
        """Return (time of the first row, of the last row), in microseconds since 1970; None without rows."""
        return None if self.first is None or self.last is None else (self.first, self.last)

    def summary(self) -> Summary:
        """Return the sum so far."""
        negative, neutral, positive = self.classes
        return Summary(
            classes=(negative.tally(), neutral.tally(), positive.tally()),
            hours=dict(self.hours),
            models=dict(self.models),
            properties=dict(self.properties),
            first=self.first,
            last=self.last,
            bad=dict(self.bad),
            bad_lines=tuple(self.bad_lines),
        )


def _include(into: dict[K, int], counts: Mapping[K, int]) -> None:
    for key, count in counts.items():
        into[key] = into.get(key, 0) + count


def _merged(one: Mapping[K, int], other: Mapping[K, int]) -> Mapping[K, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _include_hours(into: dict[int, Counts], hours: Mapping[int, Counts]) -> None:
    # Mostly both have different hours, maybe years of them, which `update` copies at once.
    both = {}
    for hour in into.keys() & hours.keys():
        a, b = into[hour], hours[hour]
        both[hour] = (a[0] + b[0], a[1] + b[1], a[2] + b[2])
    into.update(hours)
    into.update(both)


def _merged_hours(one: Mapping[int, Counts], other: Mapping[int, Counts]) -> Mapping[int, Counts]:
    merged = dict(one)
    _include_hours(merged, other)
    return merged
