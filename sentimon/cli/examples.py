"""Behind an alarm: the words that grew, and some of the rows."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.cli.monitor import Looked
    from sentimon.cli.session import Session
    from sentimon.logbook.record import PredictionRecord
    from sentimon.logbook.rollup.sums import Sums
    from sentimon.monitoring.growth import Growth

_WORDS = 5
_ROWS = 3


def find_examples(session: Session, seen: Looked) -> tuple[list[Growth], list[PredictionRecord]]:
    """Return (the words that grew most, the latest rows of the event that moved most).

    Looked at are the hours that hold new rows. Words only where the baseline and the log both hold texts.
    """
    return session.index.ask(lambda sums: _find(sums, seen))


def _find(sums: Sums, seen: Looked) -> tuple[list[Growth], list[PredictionRecord]]:
    from sentimon.cli.reading import within_hours
    from sentimon.logbook.moments import hour_of
    from sentimon.logbook.rollup.rows import open_rows
    from sentimon.logbook.tokens import hash_word, words_of
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.growth import grown_words
    from sentimon.monitoring.showing import shows

    incident, vocabulary = seen.report.incident, seen.report.baseline.vocabulary
    rows: deque[PredictionRecord] = deque(maxlen=_ROWS)
    found: Counter[str] = Counter()
    texts = 0
    if incident is None or not seen.hours:
        return [], []
    is_one = shows(incident.findings, seen.report.reference, vocabulary)
    with ExitStack() as stack:
        since = seen.report.baseline.last
        for row in open_rows(sums, within_hours(Period(after=since), seen.hours), stack):
            if hour_of(row.timestamp) not in seen.hours:
                continue
            if is_one(row):
                rows.append(row)
            if row.text is not None:
                texts += 1
                found.update(set(words_of(row.text)))
    if vocabulary is None or vocabulary.keyed or not texts:
        return [], list(rows)
    hashed = {word: (hash_word(word), count) for word, count in found.items()}
    return grown_words(hashed, texts, vocabulary, most=_WORDS), list(rows)
