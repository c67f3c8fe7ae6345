"""What the monitor finds: an event whose share moved, rows that illustrate it, values new or gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

import msgspec

from sentimon.monitoring.monitor_reference import Proportion, Reference
from sentimon.monitoring.vocabulary import Vocabulary, WordCounter
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.slice_fields import SliceField
from sentimon.prediction_log.slices import OTHER
from sentimon.prediction_log.summary import CONFIDENCE_BINS
from sentimon.prediction_log.word_hashes import logged_token_hashes
from sentimon.statistics.intervals import difference_of_shares, normal_quantile

Test = Callable[[PredictionRecord], bool]
Found = TypeVar("Found", "Finding", "ValueFinding")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose share moved by more than chance, over the rows of the newest checks together."""

    group: str
    event: str
    place: int
    """Index of the event in its group."""
    windows: int
    """Number of checks, the newest ones, whose rows show it together."""
    before: Proportion
    """(count, n) in the baseline, at the hours of the day that the rows come from."""
    after: Proportion
    """(count, n) in the rows."""
    p_value: float
    limit: float
    """The p-value at or below which the shift is more than chance, whatever the number of checks."""
    where: tuple[str, str] | None = None
    """The slice that it is of, as (field, value); None: of all rows."""

    @property
    def key(self) -> tuple[str, int, tuple[str, str]]:
        """Return what identifies the event: its group, its index, and the slice."""
        return (self.group, self.place, self.where or ("", ""))

    @property
    def difference(self) -> float:
        """Return the change of the share, -1 .. 1."""
        return share_difference(self.before, self.after)

    def reaches_delta(self, delta: float, *, confidence_level: float) -> bool:
        """Return whether the shift may be as large as `delta`: whether its interval reaches +-delta."""
        return reaches_delta(self.before, self.after, delta, confidence_level=confidence_level)


class ValueChange(StrEnum):
    """What happened to a value of a declared field."""

    NEW = "new value"
    VANISHED = "vanished value"


class ValueFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a field that is new or vanished, by more than chance."""

    field: str
    value: str
    change: ValueChange
    windows: int
    """Number of checks, the newest ones, whose rows show it together."""
    before: Proportion
    """(count, n) of all rows of the baseline."""
    after: Proportion
    """(count, n) of the rows."""
    p_value: float
    limit: float
    """The p-value at or below which it is more than chance, whatever the number of checks and values."""

    @property
    def key(self) -> tuple[str, str, ValueChange]:
        """Return what identifies the value and what happened to it."""
        return (self.field, self.value, self.change)

    @property
    def baseline_share(self) -> float:
        """Return its share of the baseline, 0 .. 1."""
        return self.before[0] / self.before[1]

    @property
    def share(self) -> float:
        """Return its share of the rows, 0 .. 1."""
        return self.after[0] / self.after[1]


def reaches_delta(before: Proportion, after: Proportion, delta: float, *, confidence_level: float) -> bool:
    """Return whether a change of a share may be as large as `delta`, 0 .. 1: its interval reaches +-delta.

    Both shares are (count, n), n > 0; the interval is Newcombe's at `confidence_level`.
    """
    _, low, high = difference_of_shares(before, after, z=normal_quantile(confidence_level))
    return high >= delta or low <= -delta


def share_difference(before: Proportion, after: Proportion) -> float:
    """Return share `after` minus share `before`, -1 .. 1, each given as (count, n), n > 0."""
    return after[0] / after[1] - before[0] / before[1]


def shows(
    findings: Sequence[Finding],
    reference: Reference,
    vocabulary: Vocabulary | None,
    *,
    watched: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Test:
    """Return a test that picks rows to illustrate a shift; of `findings` the most significant come first.

    The rows are those of the first finding, where its share rose; where the share of a class fell, they are
    those of the class that rose most. Without a `vocabulary` no row illustrates a shift of new words.
    `watched` are the values of each field that are told apart: all others are OTHER.
    """
    first = findings[0]
    if first.where is not None:
        inside = [one for one in findings if one.where == first.where]
        return _slice_test(first.where, inside, watched.get(first.where[0], ()))
    if first.group == "class":
        return _class_test([one for one in findings if one.where is None])
    rose = first.difference > 0
    if first.group == "confidence":
        cut = reference.cuts[first.place] / CONFIDENCE_BINS
        return lambda row: row.confidence is not None and (row.confidence < cut) == rose
    return _words_test(first, rose, vocabulary)


def _slice_test(where: tuple[str, str], findings: Sequence[Finding], watched: Collection[str]) -> Test:
    field, wanted, of_class = SliceField(where[0]), where[1], _class_test(findings)

    def test(row: PredictionRecord) -> bool:
        value = field.value(row, row.extra)
        inside = value not in watched if wanted == OTHER else value == wanted
        return inside and of_class(row)

    return test


def _class_test(findings: Sequence[Finding]) -> Test:
    risen = [one for one in findings if one.group == "class" and one.difference > 0]
    if risen:
        return lambda row: row.sentiment == risen[0].place
    return lambda row: row.sentiment != findings[0].place


def _words_test(finding: Finding, rose: bool, vocabulary: Vocabulary | None) -> Test:
    if vocabulary is None:
        return lambda _: False
    counter, cut, keyed = WordCounter(vocabulary), vocabulary.cuts[finding.place], vocabulary.keyed

    def test(row: PredictionRecord) -> bool:
        tokens = logged_token_hashes(row, keyed=keyed)
        return tokens is not None and (counter.share(tokens) <= cut) == rose

    return test


def most_significant(found: Iterable[Finding]) -> list[Finding]:
    """Return the most significant finding of each event, the most significant event first."""
    ranked = sorted(found, key=lambda one: (one.p_value / one.limit, -abs(one.difference), one.key))
    return _first_of_each(ranked)


def most_significant_values(found: Iterable[ValueFinding]) -> list[ValueFinding]:
    """Return the most significant finding of each value, the most significant value first."""
    return _first_of_each(sorted(found, key=lambda one: (one.p_value / one.limit, one.key)))


def _first_of_each(ranked: Iterable[Found]) -> list[Found]:
    best: dict[object, Found] = {}
    for one in ranked:
        best.setdefault(one.key, one)
    return list(best.values())
