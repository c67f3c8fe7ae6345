"""The sum over rows that every answer is computed from, mergeable exactly.

`summarise(rows) + summarise(more) == summarise(rows + more)` in any order and grouping, because every
field is an integer sum, a minimum, or a maximum. That one law gives time windows, baselines without raw
rows, and work shared between processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sentimon.jsonl import BadLine
from sentimon.logbook.moments import HOUR_MICROSECONDS, to_microseconds
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.tally import SCALE, GrowingTally, Tally

SHOWN_BAD_LINES = 5

K = TypeVar("K")
Counts = tuple[int, int, int]
ModelKey = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A mergeable sum over rows of the log; `Summary()` is the sum over none."""

    classes: tuple[Tally, Tally, Tally] = (Tally(), Tally(), Tally())
    hours: Mapping[int, Counts] = field(default_factory=dict)
    """Rows per class in each hour that has any; the key is the number of whole hours since 1970, UTC."""
    models: Mapping[ModelKey, int] = field(default_factory=dict)
    """Rows per (model, revision); None where the row does not say."""
    properties: Mapping[str, int] = field(default_factory=dict)
    """Rows that are `truncated`, `empty`, with a `naive_timestamp`, `without_text`; sum of `characters`."""
    first: int | None = None
    """The earliest row, in microseconds since 1970."""
    last: int | None = None
    """The latest row, in microseconds since 1970."""
    bad: Mapping[str, int] = field(default_factory=dict)
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
    def bad_count(self) -> int:
        """Return the number of bad lines."""
        return sum(self.bad.values())


def summarise(rows: Iterable[PredictionRecord | BadLine]) -> Summary:
    """Return the sum over `rows`; one pass, and no row is kept."""
    growing = GrowingSummary()
    for row in rows:
        growing.add(row)
    return growing.summary()


class GrowingSummary:
    """A sum that rows are still being added to; `summary()` is its value so far."""

    def __init__(self) -> None:
        self._classes = (GrowingTally(), GrowingTally(), GrowingTally())
        self._hours: dict[int, list[int]] = {}
        self._models: dict[ModelKey, int] = {}
        self._properties: dict[str, int] = {}
        self._first: int | None = None
        self._last: int | None = None
        self._bad: dict[str, int] = {}
        self._bad_lines: list[BadLine] = []

    def add(self, row: PredictionRecord | BadLine) -> None:
        """Add one row, or one bad line."""
        if isinstance(row, BadLine):
            self._bad[row.kind] = self._bad.get(row.kind, 0) + 1
            self._bad_lines = sorted([*self._bad_lines, row])[:SHOWN_BAD_LINES]
            return
        moment = to_microseconds(row.timestamp)
        self._first = moment if self._first is None else min(self._first, moment)
        self._last = moment if self._last is None else max(self._last, moment)
        self._classes[row.sentiment].add(round(row.confidence * SCALE), round(row.scores.polarity * SCALE))
        self._hours.setdefault(moment // HOUR_MICROSECONDS, [0, 0, 0])[row.sentiment] += 1
        model = (row.model, row.revision)
        self._models[model] = self._models.get(model, 0) + 1
        self._add_properties(row)

    def summary(self) -> Summary:
        """Return the sum so far."""
        negative, neutral, positive = self._classes
        return Summary(
            classes=(negative.tally(), neutral.tally(), positive.tally()),
            hours={hour: (counts[0], counts[1], counts[2]) for hour, counts in self._hours.items()},
            models=dict(self._models),
            properties=dict(self._properties),
            first=self._first,
            last=self._last,
            bad=dict(self._bad),
            bad_lines=tuple(self._bad_lines),
        )

    def _add_properties(self, row: PredictionRecord) -> None:
        found = self._properties
        if row.text is None:
            found["without_text"] = found.get("without_text", 0) + 1
        elif row.text.strip():
            found["characters"] = found.get("characters", 0) + len(row.text)
        else:
            found["empty"] = found.get("empty", 0) + 1
        if row.truncated:
            found["truncated"] = found.get("truncated", 0) + 1
        if row.naive:
            found["naive_timestamp"] = found.get("naive_timestamp", 0) + 1


def _merged(one: Mapping[K, int], other: Mapping[K, int]) -> Mapping[K, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _merged_hours(one: Mapping[int, Counts], other: Mapping[int, Counts]) -> Mapping[int, Counts]:
    nothing = (0, 0, 0)
    merged = {}
    for hour in {**one, **other}:
        a, b = one.get(hour, nothing), other.get(hour, nothing)
        merged[hour] = (a[0] + b[0], a[1] + b[1], a[2] + b[2])
    return merged
