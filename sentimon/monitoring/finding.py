"""One finding of the monitor: an event whose share moved, how far, and which rows illustrate it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from sentimon.monitoring.monitor_reference import Reference, Share
from sentimon.monitoring.vocabulary import Vocabulary, WordCounter
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import CONFIDENCE_BINS
from sentimon.prediction_log.word_hashes import tokens_of
from sentimon.statistics.intervals import difference_of_shares, normal_quantile

Test = Callable[[PredictionRecord], bool]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose share moved by more than chance, over the newest windows together."""

    group: str
    event: str
    place: int
    """Of the event in its group."""
    windows: int
    """How many looks, the newest ones, show it together."""
    before: Share
    """Of the baseline, at the hours of the day that the rows come from."""
    after: Share
    p_value: float
    limit: float
    """The p-value at or below which it is more than chance, however often it is looked at."""

    @property
    def key(self) -> tuple[str, int]:
        """Return what names the event."""
        return (self.group, self.place)

    @property
    def difference(self) -> float:
        """Return the change of the share, -1 .. 1."""
        return difference(self.before, self.after)

    def matters(self, delta: float, *, confidence_level: float) -> bool:
        """Return whether the change may be as large as `delta`: whether its interval reaches so far."""
        return matters(self.before, self.after, delta, confidence_level=confidence_level)


def matters(before: Share, after: Share, delta: float, *, confidence_level: float) -> bool:
    """Return whether a change may be as large as `delta`: whether its interval reaches so far."""
    _, low, high = difference_of_shares(before, after, z=normal_quantile(confidence_level))
    return high >= delta or low <= -delta


def difference(before: Share, after: Share) -> float:
    """Return how much a share changed, -1 .. 1."""
    return after[0] / after[1] - before[0] / before[1]


def shows(findings: Sequence[Finding], reference: Reference, vocabulary: Vocabulary | None) -> Test:
    """Return the test whether a row is one of those that grew; `findings` are the clearest first.

    A share of a class that fell is shown by the class that rose most.
    """
    first = findings[0]
    if first.group == "class":
        return _class_test(findings)
    rose = first.difference > 0
    if first.group == "confidence":
        cut = reference.cuts[first.place] / CONFIDENCE_BINS
        return lambda row: (row.confidence < cut) == rose
    return _words_test(first, rose, vocabulary)


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
        tokens = tokens_of(row, keyed=keyed)
        return tokens is not None and (counter.share(tokens) <= cut) == rose

    return test


def strongest(found: Iterable[Finding]) -> list[Finding]:
    """Return the clearest finding of each event, the clearest first."""
    ranked = sorted(found, key=lambda one: (one.p_value / one.limit, -abs(one.difference), one.key))
    best: dict[tuple[str, int], Finding] = {}
    for one in ranked:
        best.setdefault(one.key, one)
    return list(best.values())
