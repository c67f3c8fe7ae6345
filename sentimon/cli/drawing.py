"""What `sentimon label next` reads: unlabelled rows, twice where their weights follow from all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sentimon.cli.labelled import log_rows
from sentimon.cli.output import counted, note
from sentimon.cli.session import Session
from sentimon.errors import UsageError
from sentimon.prediction_log.output_files import ROWS
from sentimon.workflows.log_labels import read_labels, text_hash

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sentimon.gold_labels.gold_label import Key
    from sentimon.gold_labels.label_book import Finder
    from sentimon.gold_labels.sampling import Draw
    from sentimon.gold_labels.sampling_weights import Weigh
    from sentimon.prediction_log.output_files import OutputFile
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.windows import Period

_INSTANT = timedelta(microseconds=1)


def sheet_of(session: Session, output: Path, *, force: bool) -> OutputFile:
    """Return the file to write the rows to.

    Raises:
        UsageError: it is no .csv file, or may not be written.
        StoreError: it is there already.
    """
    if output.suffix.lower() != ".csv":
        raise UsageError(f"{output}: the ending does not say what is written", hint="end it in .csv")
    return session.output(output, ROWS, force=force)


def draw_unlabelled(session: Session, period: Period, *, n: int, strategy: str, seed: int) -> Draw:
    """Return `n` unlabelled rows of `period`, drawn as `strategy` says.

    Raises:
        UsageError: there is no such strategy.
        StoreError: `drifted` without a baseline.
    """
    from msgspec.structs import replace

    from sentimon.gold_labels.sampling import draw_rows
    from sentimon.gold_labels.sampling_weights import STRATEGIES

    if strategy not in STRATEGIES:
        raise UsageError(
            f"--strategy: unknown strategy {strategy!r}", hint=f"use one of: {', '.join(STRATEGIES)}"
        )
    before = _baseline_end(session) if strategy == "drifted" else None
    if before is not None and period.since is None:
        period = replace(period, since=before)
    book = read_labels(session)
    unlabelled = _Unlabelled(session, period, book.finder(text_hash(session)))
    weigh = _weigh(session, unlabelled, strategy, before)
    # The labels so far are part of the seed: those not picked the last time are drawn anew.
    return draw_rows(unlabelled.rows(noted=True), n=n, seed=f"{seed}:{len(book.labels)}", weigh=weigh)


class _Unlabelled:
    """The rows of a period that have no label and can be named."""

    def __init__(self, session: Session, period: Period, finder: Finder) -> None:
        self._session = session
        self._period = period
        self._finder = finder

    def rows(self, *, noted: bool = False) -> Iterator[tuple[Key, PredictionRecord]]:
        """Yield (key, row); what is passed over is said where it is to be `noted`."""
        from sentimon.gold_labels.gold_label import ID, keys_of

        hash_text, nameless = text_hash(self._session), 0
        with log_rows(self._session, self._period, noted=noted) as records:
            for record in records:
                if self._finder.label_of(record) is not None:
                    continue
                keys = keys_of(record, hash_text) if record.id is None else [(ID, record.id)]
                nameless += not keys
                if keys:
                    yield keys[0], record
        if noted and nameless:
            note(f"{counted(nameless, 'row')} without id and text: no label could be joined to such")


def _weigh(session: Session, unlabelled: _Unlabelled, strategy: str, before: datetime | None) -> Weigh:
    from sentimon.gold_labels import sampling_weights as strategies
    from sentimon.prediction_log.windows import Period

    if strategy == "random":
        return strategies.alike
    if strategy == "uncertain":
        return strategies.uncertain
    rows = (record for _, record in unlabelled.rows())
    if strategy == "diverse":
        return strategies.diverse(strategies.count_clusters(rows))
    now = strategies.count_words(rows)
    with log_rows(session, Period(until=before), noted=False) as records:
        return strategies.drifted(strategies.count_words(records), now)


def _baseline_end(session: Session) -> datetime | None:
    from sentimon.workflows.state_files import read_baseline

    last = read_baseline(session.baseline_path(None)).last
    return None if last is None else last + _INSTANT
