"""Which rows show what a monitor found: those of the event that grew, or of what grew in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sentimon.monitoring.monitor_look import Finding
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.new_words import Vocabulary, WordCounter
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import CONFIDENCE_BINS
from sentimon.prediction_log.word_hashes import tokens_of

Test = Callable[[PredictionRecord], bool]


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
