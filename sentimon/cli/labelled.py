"""What several commands read: the rows of the log, and the gold labels beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from sentimon.cli.output import counted, note
from sentimon.cli.progress import watched
from sentimon.cli.session import Session

if TYPE_CHECKING:
    from sentimon.evaluation.late.book import LabelBook
    from sentimon.evaluation.late.entry import Hash
    from sentimon.jsonl import BadLine
    from sentimon.logbook.record import PredictionRecord
    from sentimon.logbook.windows import Period

_SHOWN = 20


@contextmanager
def log_rows(session: Session, period: Period, *, noted: bool = True) -> Iterator[Iterator[PredictionRecord]]:
    """Give the rows of the log in `period`, in log order, until the block ends; bad lines are `noted`."""
    from sentimon.cli.reading import note_trouble
    from sentimon.logbook.rollup.rows import open_rows

    with ExitStack() as stack:
        rows = session.index.ask(lambda sums: open_rows(sums, period, stack))
        if noted:
            note_trouble(session, rows.trouble)
        yield watched(rows, "rows read")


def text_hash(session: Session) -> Hash:
    """Return the keyed hash of a text; its key is read, and made if need be, when it is first asked for."""
    from msgspec.structs import replace

    from sentimon.logbook.privacy import Privacy

    @cache
    def privacy() -> Privacy:
        return Privacy.of(replace(session.settings.logs, text="hash"))

    return lambda text: privacy().hash(text)


def read_labels(session: Session) -> LabelBook:
    """Return the gold labels of the log; bad lines among them are noted."""
    from sentimon.evaluation.late.book import read_book

    book = read_book(session.folder, zone=session.naive_zone)
    note_lines("bad label", book.bad_lines)
    return book


def forget_unnamed(session: Session) -> None:
    """Remove the labels of rows that the log no longer names, as after an erasure, and say how many."""
    from sentimon.evaluation.late.book import forget_labels
    from sentimon.evaluation.late.entry import ID, TEXT_HASH, keys_of
    from sentimon.logbook.windows import Period

    # Those that are there before the log is read: what is labelled meanwhile has its row.
    unnamed = set(read_labels(session).labels)
    if not unnamed:
        return
    by_text, hash_text = any(kind == TEXT_HASH for kind, _ in unnamed), text_hash(session)
    with log_rows(session, Period(), noted=False) as records:
        for record in records:
            unnamed.difference_update(keys_of(record, hash_text) if by_text else [(ID, record.id or "")])
    removed = forget_labels(session.folder, unnamed, zone=session.naive_zone)
    if removed:
        note(f"{counted(removed, 'label')} removed, of rows that the log no longer names")


def note_lines(what: str, lines: Iterable[BadLine]) -> None:
    """Say on stderr which lines are at fault, the first twenty by name."""
    given = list(lines)
    for line in given[:_SHOWN]:
        note(f"{what}: {line}")
    if len(given) > _SHOWN:
        note(f"and {counted(len(given) - _SHOWN, 'line')} more: {what}")
