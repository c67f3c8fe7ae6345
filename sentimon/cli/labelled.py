"""What several commands read: the rows of the log, and the gold labels beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sentimon.cli.output import counted, note
from sentimon.cli.progress import watched
from sentimon.workflows.log_labels import describe_lines, read_labels, text_hash
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.jsonl import BadLine
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.windows import Period


@contextmanager
def log_rows(
    workspace: Workspace, period: Period, *, noted: bool = True
) -> Iterator[Iterator[PredictionRecord]]:
    """Give the rows of the log in `period`, in log order, until the block ends; bad lines are `noted`."""
    from sentimon.cli.reading import note_trouble

    with ExitStack() as stack:
        rows = workspace.logged_rows(period, stack)
        if noted:
            note_trouble(workspace, rows.trouble)
        yield watched(rows, "rows read")


def forget_unnamed(workspace: Workspace) -> None:
    """Remove the labels of rows that the log no longer names, as after an erasure, and say how many."""
    from sentimon.gold_labels.gold_label import ID, TEXT_HASH, keys_of
    from sentimon.gold_labels.label_book import forget_labels
    from sentimon.prediction_log.windows import Period

    # Those that are there before the log is read: what is labelled meanwhile has its row.
    unnamed = set(read_labels(workspace).labels)
    if not unnamed:
        return
    by_text, hash_text = any(kind == TEXT_HASH for kind, _ in unnamed), text_hash(workspace)
    with log_rows(workspace, Period(), noted=False) as records:
        for record in records:
            unnamed.difference_update(keys_of(record, hash_text) if by_text else [(ID, record.id or "")])
    removed = forget_labels(workspace.folder, unnamed, zone=workspace.naive_zone)
    if removed:
        note(f"{counted(removed, 'label')} removed, of rows that the log no longer names")


def note_lines(what: str, lines: Iterable[BadLine]) -> None:
    """Say on stderr which lines are at fault, the first twenty by name."""
    for line in describe_lines(what, lines):
        note(line)
