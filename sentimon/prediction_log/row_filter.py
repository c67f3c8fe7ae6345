"""Choose rows by class, confidence, text, id or model; texts are searched without regard to case."""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary, Summary


def folded_forms(text: str) -> set[str]:
    """Return the forms of `text`, without case, to search for another text: it is in it if any form is."""
    folded = text.casefold()
    # An accented letter may be one character or two, and nobody sees which.
    return {folded} if folded.isascii() else {folded, unicodedata.normalize("NFC", folded)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Conditions on a row; a field that is None is no condition."""

    sentiments: frozenset[Sentiment] | None = None
    min_confidence: float | None = None
    """Inclusive, as is `max_confidence`; a row without a confidence meets neither."""
    max_confidence: float | None = None
    contains: str | None = None
    """A part of the text, in upper or lower case."""
    id: str | None = None
    model: str | None = None

    def holds(self, record: PredictionRecord) -> bool:
        """Return whether `record` meets all conditions."""
        return self._fits(record) and (self.contains is None or _mentions(record.text, self.contains))

    def cannot_tell(self, record: PredictionRecord) -> bool:
        """Return whether `record` meets all conditions but `contains`, and its text was not kept."""
        return self.contains is not None and record.text is None and self._fits(record)

    def has_no_confidence(self, record: PredictionRecord) -> bool:
        """Return whether `record` lacks the confidence that it would be chosen by."""
        limits = (self.min_confidence, self.max_confidence)
        return record.confidence is None and limits != (None, None)

    def _fits(self, record: PredictionRecord) -> bool:
        return (
            (self.sentiments is None or record.sentiment in self.sentiments)
            and self._is_as_sure(record.confidence)
            and (self.id is None or record.id == self.id)
            and (self.model is None or record.model == self.model)
        )

    def _is_as_sure(self, confidence: float | None) -> bool:
        if self.min_confidence is None and self.max_confidence is None:
            return True
        return (
            confidence is not None
            and (self.min_confidence is None or confidence >= self.min_confidence)
            and (self.max_confidence is None or confidence <= self.max_confidence)
        )


_NOTHING = Summary()


class MatchingRows:
    """An iterator over the rows that pass a filter, which also sums them.

    `trouble` is the sum over the bad lines of the log.
    """

    def __init__(
        self, rows: Iterable[PredictionRecord], row_filter: RowFilter, *, trouble: Summary = _NOTHING
    ) -> None:
        self.unsearched = 0
        """Rows that could not be searched, for their text was not kept."""
        self.without_confidence = 0
        """Rows that could not be chosen by a confidence, for they have none."""
        self._found = GrowingSummary()
        self._found.add_bad(trouble.bad, trouble.bad_lines)
        self._records = self._select(rows, row_filter)

    def __iter__(self) -> Iterator[PredictionRecord]:
        """Return itself."""
        return self

    def __next__(self) -> PredictionRecord:
        """Return the next row."""
        return next(self._records)

    @property
    def summary(self) -> Summary:
        """Return the sum over the matching rows so far, and over the bad lines."""
        return self._found.summary()

    def _select(self, rows: Iterable[PredictionRecord], row_filter: RowFilter) -> Iterator[PredictionRecord]:
        for row in rows:
            if row_filter.holds(row):
                self._found.add(row)
                yield row
            elif row_filter.cannot_tell(row):
                self.unsearched += 1
            elif row_filter.has_no_confidence(row):
                self.without_confidence += 1


def newest_rows(records: Iterable[PredictionRecord], limit: int) -> list[PredictionRecord]:
    """Return the `limit` latest of `records`, the latest first; no more are in memory at once.

    Of two rows with the same time, the later one in the log is the newer.
    """
    latest = heapq.nlargest(limit, enumerate(records), key=lambda pair: (pair[1].timestamp, pair[0]))
    return [record for _, record in latest]


def _mentions(text: str | None, part: str) -> bool:
    return text is not None and any(one in form for form in folded_forms(text) for one in folded_forms(part))
