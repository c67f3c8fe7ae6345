"""The gold labels beside a log, joined to its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

from sentimon.files import is_there

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.evaluation.error_rate_monitor import ErrorRateCheck
    from sentimon.evaluation.realised_quality import Judged
    from sentimon.evaluation.slice_error_rates import SliceErrorRates
    from sentimon.gold_labels.gold_label import Hash
    from sentimon.gold_labels.label_book import LabelBook
    from sentimon.jsonl import BadLine
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace

_SHOWN = 20


def text_hash(workspace: Workspace) -> Hash:
    """Return the keyed hash of a text; its key is read, and made if need be, when it is first asked for."""
    from msgspec.structs import replace

    from sentimon.prediction_log.privacy import Privacy

    @cache
    def privacy() -> Privacy:
        return Privacy.of(replace(workspace.settings.logs, text="hash"))

    return lambda text: privacy().hash(text)


def read_labels(workspace: Workspace, *, checked: bool = True) -> LabelBook:
    """Return the gold labels of the log; bad lines among them are said.

    Raises:
        StoreError: they cannot be read, or one of them, where they are to be `checked`, is of a class that is
            not there.
    """
    from sentimon.errors import StoreError
    from sentimon.gold_labels import LABELS_FILE
    from sentimon.gold_labels.label_book import read_book
    from sentimon.labels import TWO_CLASSES

    book = read_book(workspace.folder, zone=workspace.naive_zone)
    for line in describe_lines("bad label", book.bad_lines):
        workspace.say(line)
    strange = sum(one.label not in workspace.classes for one in book.labels.values()) if checked else 0
    if strange:
        raise StoreError(
            f"{workspace.folder / LABELS_FILE}: {strange} labels are neutral, a class that is not there with "
            f"{TWO_CLASSES}",
            hint="import other labels of those rows with `sentimon label import --replace`",
        )
    return book


def forget_unnamed(workspace: Workspace) -> int:
    """Remove the labels of rows that the log no longer names, as after an erasure, and return how many."""
    from sentimon.gold_labels.gold_label import ID, TEXT_HASH
    from sentimon.gold_labels.label_book import forget_labels
    from sentimon.gold_labels.label_join import keys_of
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.log_rows import open_log

    # Those that are there before the log is read: what is labelled meanwhile has its row.
    unnamed = set(read_labels(workspace, checked=False).labels)
    if not unnamed:
        return 0
    by_text, hash_text = any(kind == TEXT_HASH for kind, _ in unnamed), text_hash(workspace)
    with open_log(workspace, Period(), noted=False) as records:
        for record in records:
            unnamed.difference_update(keys_of(record, hash_text) if by_text else [(ID, record.id or "")])
    return forget_labels(workspace.folder, unnamed, zone=workspace.naive_zone)


def judge_log(workspace: Workspace, book: LabelBook, period: Period) -> list[Judged]:
    """Return the rows of the log in `period` that have a label, each with it and its declared slices."""
    from sentimon.evaluation.realised_quality import judge
    from sentimon.gold_labels.label_join import join_labels

    with ExitStack() as stack:
        rows = workspace.progress(workspace.logged_rows(period, stack), "rows read")
        joined = join_labels(rows, book.finder(text_hash(workspace)))
        judged, _ = judge(joined, fields=workspace.fields)
    return list(judged)


def risk_since_baseline(
    workspace: Workspace, book: LabelBook, judged: Sequence[Judged], path: Path
) -> ErrorRateCheck:
    """Return whether the error rate rose since the baseline at `path`; without one, since the first labels.

    Raises:
        StoreError: the baseline cannot be read back.
    """
    from sentimon.evaluation.error_rate_monitor import check_error_rate

    settings, (whole, _) = workspace.settings.quality, _levels(workspace)
    return check_error_rate(
        judged,
        {key: place for place, key in enumerate(book.labels)},
        _in_reference(judged, path),
        tolerance=settings.tolerance,
        confidence_level=whole,
        min_labels=settings.min_labels,
        reference_labels=settings.reference_labels,
    )


def slice_risks_since_baseline(
    workspace: Workspace, book: LabelBook, judged: Sequence[Judged], path: Path
) -> SliceErrorRates | None:
    """Return whether the error rate of a slice of the declared fields rose, as `risk_since_baseline` does.

    None where no field is declared, and in a log that is narrowed to one slice.

    Raises:
        StoreError: the baseline cannot be read back.
    """
    from sentimon.evaluation.slice_error_rates import check_slice_error_rates

    settings, (_, slices) = workspace.settings.quality, _levels(workspace)
    if slices is None:
        return None
    return check_slice_error_rates(
        judged,
        {key: place for place, key in enumerate(book.labels)},
        _in_reference(judged, path),
        fields=workspace.settings.segments.fields,
        tolerance=settings.tolerance,
        confidence_level=slices,
        min_labels=settings.min_labels,
        reference_labels=settings.reference_labels,
    )


def _levels(workspace: Workspace) -> tuple[float, float | None]:
    """Return the confidence levels of (the check of all rows, the checks of slices together or None)."""
    level = workspace.settings.drift.confidence_level
    if not workspace.settings.segments.fields or workspace.where:
        return level, None
    from sentimon.evaluation.slice_error_rates import WHOLE

    return 1 - (1 - level) * WHOLE, 1 - (1 - level) * (1 - WHOLE)


def _in_reference(judged: Sequence[Judged], path: Path) -> list[bool]:
    """Return for each labelled row whether it is of the time of the baseline at `path`, if there is one."""
    from sentimon.workflows.state_files import read_baseline

    last = read_baseline(path).last if is_there(path) else None
    return [last is not None and one.timestamp <= last for one in judged]


def describe_lines(what: str, lines: Iterable[BadLine]) -> Iterator[str]:
    """Yield a sentence for each line at fault, the first twenty by name."""
    given = list(lines)
    for line in given[:_SHOWN]:
        yield f"{what}: {line}"
    left = len(given) - _SHOWN
    if left > 0:
        yield f"and {left} {'line' if left == 1 else 'lines'} more: {what}"
