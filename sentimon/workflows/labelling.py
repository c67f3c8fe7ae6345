"""Gold labels for a log: imported, counted, and the rows drawn that are worth labelling next."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.errors import UsageError
from sentimon.workflows.log_labels import describe_lines, read_labels, text_hash
from sentimon.workflows.log_rows import open_log
from sentimon.workflows.slices import check_some_row_has, field_named

if TYPE_CHECKING:
    from datetime import datetime

    from sentimon.gold_labels.gold_label import Key
    from sentimon.gold_labels.label_book import Added
    from sentimon.gold_labels.label_coverage import Coverage
    from sentimon.gold_labels.label_import import LabelFile
    from sentimon.gold_labels.label_join import LabelLookup
    from sentimon.gold_labels.sampling import Draw
    from sentimon.gold_labels.sampling_strategies import Weigh
    from sentimon.gold_labels.stratified_sampling import SliceDraw
    from sentimon.ingest.input_file import InputFile
    from sentimon.ingest.input_row import InputRow
    from sentimon.jsonl import BadLine
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelImport:
    """What came of importing a file of gold labels."""

    path: Path
    """The file beside the log that holds the labels."""
    added: Added
    """How many labels are new, replaced or known already, and those that contradict a known one."""
    unknown: tuple[BadLine, ...]
    """Labels for which the log has no row."""
    bad_lines: tuple[BadLine, ...]
    without_label: int
    """Rows of the file that nobody has labelled yet."""

    @property
    def left_out(self) -> tuple[int, int, int]:
        """Return how many labels were left out: (conflicts, unknown rows, bad lines)."""
        return len(self.added.conflicts), len(self.unknown), len(self.bad_lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellingSheet:
    """Rows drawn to be labelled next, and the file that they were written to."""

    path: str
    draw: Draw
    by: Sequence[SliceDraw] | None = None
    """What was drawn of each slice, those with the most rows first; None where that is not asked for."""


def import_labels(
    workspace: Workspace,
    rows: str | Path | InputFile | Iterable[InputRow | BadLine],
    *,
    key: str | None = None,
    label_column: str | None = None,
    replace: bool = False,
) -> LabelImport:
    r"""Store gold labels beside the log, and return what became of each.

    `rows` is a file of labels, of any format that `sentimon.ingest` reads, or the rows of one. The `key` by
    which they name rows of the log is "id", "text-hash" or "text"; None takes the first that the file has.
    To import a file twice changes nothing. Where a row has another label already, the later one counts only
    with `replace`.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from sentimon import PredictionLogger, import_labels, label_status, open_workspace
    >>> folder = tempfile.TemporaryDirectory()
    >>> logger = PredictionLogger(log_dir=folder.name)
    >>> scores = {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
    >>> for text in ("Ottimo!", "Che bello"):
    ...     logged = logger.log_prediction(text=text, sentiment_scores=scores)
    >>> file = Path(folder.name) / "labels.csv"
    >>> written = file.write_text("text,label\nOttimo!,positive\n", encoding="utf-8")
    >>> workspace = open_workspace(folder.name)
    >>> import_labels(workspace, file).added.new
    1
    >>> label_status(workspace).labelled.count
    1
    >>> folder.cleanup()

    Raises:
        UsageError: there is no such key.
        DataError: the file holds no labels.
        StoreError: the log cannot be read, or the labels cannot be written.
    """
    from sentimon.gold_labels import LABELS_FILE
    from sentimon.gold_labels.label_book import add_labels
    from sentimon.gold_labels.label_import import KEYS, address
    from sentimon.prediction_log.windows import Period

    if key not in (None, *KEYS):
        raise UsageError(f"--key: unknown key {key!r}", hint=f"use one of: {', '.join(KEYS)}")
    inbox = _read_labels(workspace, rows, key, label_column)
    with open_log(workspace, Period()) as records:
        arrivals, strangers = address(inbox.labels, records, text_hash(workspace))
    sync = workspace.settings.logs.fsync != "never"
    added = add_labels(workspace.folder, arrivals, replace=replace, zone=workspace.naive_zone, sync=sync)
    found = LabelImport(
        path=workspace.folder / LABELS_FILE,
        added=added,
        unknown=tuple(strangers),
        bad_lines=inbox.bad_lines,
        without_label=inbox.without_label,
    )
    _say_left_out(workspace, found)
    return found


def _say_left_out(workspace: Workspace, found: LabelImport) -> None:
    kinds = {"bad line": found.bad_lines, "unknown": found.unknown, "conflict": found.added.conflicts}
    for what, lines in kinds.items():
        for line in describe_lines(what, lines):
            workspace.say(line)


def _read_labels(
    workspace: Workspace,
    rows: str | Path | InputFile | Iterable[InputRow | BadLine],
    key: str | None,
    label_column: str | None,
) -> LabelFile:
    from sentimon.gold_labels.label_import import read_label_file
    from sentimon.ingest.input_columns import Need
    from sentimon.ingest.input_file import InputFile

    with ExitStack() as stack:
        if isinstance(rows, str | Path):
            rows = stack.enter_context(_opened(workspace, rows, label_column))
        of_file = isinstance(rows, InputFile)
        class_names = rows.class_names if isinstance(rows, InputFile) else None
        return read_label_file(
            rows,
            by=key,
            label_field="label" if of_file else label_column,
            coding=workspace.input_context(Need.LABELS).label_coding(class_names),
            now=workspace.now,
            zone=workspace.naive_zone,
            hash_text=text_hash(workspace),
        )


def _opened(workspace: Workspace, file: str | Path, label_column: str | None) -> InputFile:
    from msgspec.structs import replace

    from sentimon.config.paths import expanded
    from sentimon.ingest.input_columns import Need
    from sentimon.ingest.input_file import open_input_file

    context = workspace.input_context(Need.LABELS)
    if label_column is not None:
        context = dataclasses.replace(context, settings=replace(context.settings, label_column=label_column))
    found = open_input_file(expanded(file), context)
    for one in found.notes:
        workspace.say(f"{file}: {one}")
    return found


def label_status(workspace: Workspace, period: Period | None = None, *, every: str | None = None) -> Coverage:
    """Return how much of the log in `period` is labelled, how late, and whether that is a fair sample.

    With `every`, such as "1d", also per window.

    Raises:
        UsageError: no such windows fit the calendar.
        StoreError: the log or its labels cannot be read.
    """
    from sentimon.gold_labels.label_coverage import cover
    from sentimon.gold_labels.label_join import join_labels
    from sentimon.prediction_log.windows import Period

    calendar = None if every is None else workspace.calendar(every)
    finder = read_labels(workspace).finder(text_hash(workspace))
    with open_log(workspace, period or Period()) as records:
        return cover(
            join_labels(workspace.checked(records), finder),
            calendar=calendar,
            now=workspace.now,
            confidence_level=workspace.settings.drift.confidence_level,
        )


def draw_to_label(
    workspace: Workspace,
    output: Path,
    period: Period | None = None,
    *,
    n: int = 100,
    strategy: str = "uncertain",
    seed: int = 0,
    by: str | None = None,
    force: bool = False,
) -> LabellingSheet:
    """Write `n` unlabelled rows of `period` to a CSV file that people fill in, and return the draw.

    The strategy is "random", "uncertain", "drifted" or "diverse"; every row keeps a chance to be picked,
    and the sheet says with which probability each was. With `by`, the name of a field such as "channel", each
    slice of the rows by its values is drawn from: half of `n` is shared out evenly among them, half by their
    rows. `force` replaces the file that is there.

    Raises:
        UsageError: there is no such strategy or field, `n` is fewer than the slices, no row has the
            confidence that "uncertain" needs, or the file is no .csv file or may not be written.
        StoreError: the file is there already; "drifted" is asked for without a baseline.
    """
    from sentimon.gold_labels.sampling import write_sheet
    from sentimon.prediction_log.output_files import ROWS
    from sentimon.prediction_log.windows import Period

    if output.suffix.lower() != ".csv":
        raise UsageError(f"{output}: the ending does not say what is written", hint="end it in .csv")
    sheet = workspace.output(output, ROWS, force=force)
    field = None if by is None else field_named(by)
    draw, parts = _draw(workspace, period or Period(), field, n=n, strategy=strategy, seed=seed)
    write_sheet(sheet, draw.rows, draw=workspace.now)
    return LabellingSheet(path=str(sheet), draw=draw, by=parts)


def _draw(
    workspace: Workspace, period: Period, field: SliceField | None, *, n: int, strategy: str, seed: int
) -> tuple[Draw, Sequence[SliceDraw] | None]:
    """Return what is drawn, and of each slice where the rows are divided by a field."""
    from msgspec.structs import replace

    from sentimon.gold_labels.sampling import draw_rows
    from sentimon.gold_labels.sampling_strategies import STRATEGIES

    if strategy not in STRATEGIES:
        raise UsageError(
            f"--strategy: unknown strategy {strategy!r}", hint=f"use one of: {', '.join(STRATEGIES)}"
        )
    before = _baseline_end(workspace) if strategy == "drifted" else None
    if before is not None and period.since is None:
        period = replace(period, since=before)
    book = read_labels(workspace)
    unlabelled = _Unlabelled(workspace, period, book.finder(text_hash(workspace)))
    weigh = _weigh(workspace, unlabelled, strategy, before)
    # The labels so far are part of the seed: those not picked the last time are drawn anew.
    salt, parts = f"{seed}:{len(book.labels)}", None
    if field is None:
        draw = draw_rows(unlabelled.rows(noted=True), n=n, seed=salt, weigh=weigh)
    else:
        draw, parts = _draw_by(workspace, unlabelled, field, n=n, seed=salt, weigh=weigh)
    if strategy == "uncertain":
        _check_confidences(workspace, unlabelled.without_confidence, draw.frame)
    return draw, parts


def _draw_by(
    workspace: Workspace, unlabelled: _Unlabelled, field: SliceField, *, n: int, seed: str, weigh: Weigh
) -> tuple[Draw, Sequence[SliceDraw]]:
    from sentimon.gold_labels.stratified_sampling import allocate, draw_from_slices
    from sentimon.prediction_log.slices import OTHER, GrowingSlices

    growing = GrowingSlices()
    for _, record in unlabelled.rows(noted=True):
        growing.add(field.value(record, record.extra), record.sentiment, None)
    slices = growing.slices()
    check_some_row_has(workspace, field, slices)
    shown = slices.told_apart(slices.largest(workspace.settings.segments.most_values)).tallies

    def slice_of(record: PredictionRecord) -> str:
        value = field.value(record, record.extra)
        return value if value in shown else OTHER

    counts = {value: tally.count for value, tally in shown.items()}
    sizes = allocate(counts, n) if counts else {}
    return draw_from_slices(unlabelled.rows, sizes=sizes, slice_of=slice_of, seed=seed, weigh=weigh)


def _check_confidences(workspace: Workspace, lacking: int, rows: int) -> None:
    """Raise UsageError where no row says how sure it is; say how many do not.

    Raises:
        UsageError: there are rows, but none has a confidence.
    """
    if lacking and lacking == rows:
        raise UsageError(
            f"--strategy uncertain needs a confidence, and none of the {rows} rows has one",
            hint="use one of: random, drifted, diverse",
        )
    if lacking:
        workspace.say(f"{lacking} of {rows} rows have no confidence: they are drawn as seldom as sure ones")


class _Unlabelled:
    """The rows of a period that have no label and can be named."""

    def __init__(self, workspace: Workspace, period: Period, finder: LabelLookup) -> None:
        self._workspace = workspace
        self._period = period
        self._finder = finder
        self.without_confidence = 0
        """How many of the rows that were yielded, and noted, have no confidence."""

    def rows(self, *, noted: bool = False) -> Iterator[tuple[Key, PredictionRecord]]:
        """Yield (key, row); what is passed over is said where it is to be `noted`."""
        from sentimon.gold_labels.gold_label import ID
        from sentimon.gold_labels.label_join import keys_of
        from sentimon.reporting.plain_text import counted

        hash_text, nameless = text_hash(self._workspace), 0
        with open_log(self._workspace, self._period, noted=noted) as records:
            for record in self._workspace.checked(records):
                if self._finder.label_of(record) is not None:
                    continue
                keys = keys_of(record, hash_text) if record.id is None else [(ID, record.id)]
                nameless += not keys
                if keys:
                    self.without_confidence += noted and record.confidence is None
                    yield keys[0], record
        if noted and nameless:
            rows = counted(nameless, "row")
            self._workspace.say(f"{rows} without id and text: no label could be joined to such")


def _weigh(workspace: Workspace, unlabelled: _Unlabelled, strategy: str, before: datetime | None) -> Weigh:
    from sentimon.gold_labels import sampling_strategies as strategies
    from sentimon.prediction_log.windows import Period

    if strategy == "random":
        return strategies.equal_weight
    if strategy == "uncertain":
        return strategies.uncertainty_weight
    rows = (record for _, record in unlabelled.rows())
    if strategy == "diverse":
        return strategies.diversity_weights(strategies.count_clusters(rows))
    now = strategies.count_words(rows)
    with open_log(workspace, Period(until=before), noted=False) as records:
        return strategies.drift_weights(strategies.count_words(records), now)


def _baseline_end(workspace: Workspace) -> datetime | None:
    from sentimon.workflows.state_files import read_baseline

    last = read_baseline(workspace.baseline_path(None)).last
    return None if last is None else last + _INSTANT
