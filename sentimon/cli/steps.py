"""A file logged in steps: a run that was stopped goes on where it was, and no row is logged twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sentimon.cli.engine import chunk_texts, scoring_of
from sentimon.cli.inputs import BadLines
from sentimon.cli.output import counted, note
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, clock

if TYPE_CHECKING:
    from sentimon.ingest.input_row import InputRow
    from sentimon.jsonl import BadLine
    from sentimon.prediction_log.resumable_log import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What has become of the rows of an input."""

    logged: int
    bad_lines: int
    already: bool = False
    """All of them were done with before."""


def log_in_steps(session: Session, rows: Iterator[InputRow | BadLine], asked: Mapping[str, Any]) -> Kept:
    """Log the rows that no earlier run of this job has logged, and return what has become of all.

    Where that was all of them, it is said, and how to log them again.

    Raises:
        StoreError: the job is running, was begun otherwise, or nobody can tell how far it came.
    """
    from sentimon.prediction_log.resumable_log import open_journal
    from sentimon.prediction_log.writer import LogWriter

    # What the journal calls done must be on the disk.
    writer = LogWriter(session.folder, replace(session.settings.logs, fsync="always"))
    with open_journal(session.folder, asked["input"], asked, writer, now=clock()) as journal:
        already = journal.complete
        if already:
            # On a cluster there is a journal in any case.
            local = session.settings.engine.name == "local"
            again = "leave --resume out" if local else f"remove {journal.path}"
            note(f"{asked['input']}: was logged already; {again} to log it again")
        else:
            _log_rest(session, rows, journal)
        done = journal.done
    return Kept(logged=done.logged, bad_lines=done.bad_lines, already=already)


def _log_rest(session: Session, rows: Iterator[InputRow | BadLine], journal: Journal) -> None:
    from sentimon.engine.part_files import PART_CHUNKS
    from sentimon.prediction_log.intake import take_in

    bad, every = BadLines(), False
    if journal.done.rows:
        note(f"goes on after row {journal.done.rows}: {journal.done.logged} logged before")
    try:
        for given, became in take_in(
            journal.rest(watched(rows, "rows read")),
            score=scoring_of(session.settings),
            clock=clock,
            zone=session.naive_zone,
            size=PART_CHUNKS * chunk_texts(session.settings),
        ):
            records = list(bad.left_out(became))
            journal.append(given, records, bad_lines=len(became) - len(records), now=clock())
        every = True
    finally:
        if journal.done.logged and not every:
            logged = counted(journal.done.logged, "prediction")
            note(f"{logged} logged before it stopped; run again, it goes on there")
    journal.finish()
