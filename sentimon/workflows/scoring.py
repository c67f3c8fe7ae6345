"""Texts scored: to rows that are shown, to part files, and to the log; the last two go on after a stop.

Each function is one loop: rows are read, cut into batches, scored, and handed on as they are done.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import asdict, replace

from sentimon.config.paths import expanded
from sentimon.engine.scoring_engine import chunk_texts, score_batches
from sentimon.errors import UsageError
from sentimon.jsonl import BadLine, encode
from sentimon.reporting.plain_text import counted
from sentimon.scoring.scored_rows import Row, answered, row_batches
from sentimon.scoring.scores import ScoredText

if TYPE_CHECKING:
    from sentimon.config import Settings
    from sentimon.config.settings import InputSettings
    from sentimon.engine.part_files import Manifest
    from sentimon.prediction_log.intake import CheckedBatch
    from sentimon.prediction_log.logged_inputs import LoggedInput
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.resumable_job import Step
    from sentimon.workflows.workspace import Workspace

T = TypeVar("T")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredBatch:
    """Some texts with their scores, in the order of the input."""

    texts: list[tuple[str, ScoredText]]
    bad_lines: int
    """Rows that were reported and left out."""
    model: str
    revision: str

    @property
    def truncated(self) -> int:
        """Return how many of the texts the model could not read to their end."""
        return sum(scored.truncated for _, scored in self.texts)

    @property
    def unreadable(self) -> int:
        """Return how many of the texts are in letters that the model does not know."""
        return sum(scored.unreadable for _, scored in self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedBatch:
    """Rows of an input that are in the log now."""

    records: list[PredictionRecord]
    bad_lines: int
    """Rows that were reported and left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedFile:
    """What has become of the rows of a file, in this run and in earlier ones."""

    logged: int
    bad_lines: int
    already: bool
    """Whether all of them were done with before this run."""
    without_scores: int = 0
    """Predictions that came without the scores of all classes and were logged by this run as they are."""
    unreadable: int = 0
    """Texts logged by this run that are in letters which the model does not know."""


def describe_job(settings: Settings, source: str | None, option: str) -> dict[str, Any]:
    """Return what a resumable job is asked to do: to which file, and what is done to it.

    Raises:
        UsageError: `option` asks for a job, and the input is no file, which alone can be read again.
    """
    from sentimon.ingest.input_row import TEXT_COLUMN
    from sentimon.scoring.scorer import model_name
    from sentimon.scoring.unknown_letters import MAX_UNKNOWN

    if source is None or not is_file(source):
        raise UsageError(
            f"{option} needs --input with a file", hint="only a file can be read again after a stop"
        )
    path = expanded(source)
    status, limit = path.stat(), settings.model.max_unknown
    return {
        "input": os.fsencode(path.absolute()).decode(errors="replace"),
        "bytes": status.st_size,
        "modified_ns": status.st_mtime_ns,
        "column": settings.input.text_column or TEXT_COLUMN,
        "format": settings.input.format or None,
        "model": model_name(settings.model),
        "revision": settings.model.revision,
        "label_map": dict(settings.model.label_map),
        **({"classes": settings.labels.classes} if settings.labels.classes != "three" else {}),
        # Jobs that earlier versions began do not say it.
        **({"max_unknown": limit} if limit != MAX_UNKNOWN else {}),
        **_reading_of(settings.input),
    }


def _reading_of(settings: InputSettings) -> dict[str, Any]:
    """Return the other settings by which the rows of a file are read, those that are set."""
    given = {"format", "text_column"}
    return {f"input.{name}": value for name, value in asdict(settings).items() if value and name not in given}


def is_file(source: str | None) -> bool:
    """Return whether an input is a file, which can be read again; stdin and a pipe cannot."""
    return source not in (None, "-") and expanded(str(source)).is_file()


def score_rows(
    workspace: Workspace, rows: Iterable[Row], *, ordered: bool = True
) -> Generator[ScoredBatch, None, None]:
    """Yield the texts of the rows with their scores, a batch at a time; bad rows are said, and left out.

    Raises:
        ModelError: the model cannot be loaded.
        EngineError: the cluster cannot be used.
    """
    settings = workspace.settings
    batches = row_batches(workspace.progress(rows, "texts read"), chunk_texts=chunk_texts(settings))
    for batch, answers in score_batches(settings, batches, ordered=ordered, say=workspace.say):
        texts = good_rows(workspace, answered(batch.rows, answers))
        yield ScoredBatch(
            texts=texts,
            bad_lines=len(batch) - len(texts),
            model=answers.model,
            revision=answers.revision,
        )


def log_scored(
    workspace: Workspace, batches: Iterable[ScoredBatch], *, clock: Clock
) -> Generator[ScoredBatch, None, None]:
    """Yield the batches of `score_rows`, each once it is in the log."""
    from sentimon.prediction_log.record import PredictionRecord

    with workspace.writer() as writer:
        for batch in batches:
            now = clock()
            records = [
                PredictionRecord.of(text, scored, timestamp=now, model=batch.model, revision=batch.revision)
                for text, scored in batch.texts
            ]
            writer.append(records, now=clock())
            yield batch


def output_folder(workspace: Workspace, output: str, source: str | None) -> Path:
    """Return the folder to write part files to: a new one, an empty one, or one of such a job.

    Raises:
        UsageError: it is that of a log, or holds the input or other things.
    """
    from sentimon.engine.part_files import LOCK, MANIFEST, is_part_name

    # Parts alone may be of anything. A job leaves its lock first, then a part, and then the list of them.
    begun = any((expanded(output) / name).is_file() for name in (LOCK, MANIFEST))

    def is_ours(name: str) -> bool:
        return is_part_name(name) and (name[0] == "." or begun)

    return workspace.check_new_folder(output, inputs=[source], ours=is_ours)


def score_to_part_files(
    workspace: Workspace, folder: Path, rows: Iterable[Row], asked: Mapping[str, Any], *, ordered: bool = True
) -> Manifest:
    """Write the predictions of all rows into part files in `folder`, and return the list of them.

    A run that was stopped is gone on with, if it was `asked` the same.

    Raises:
        StoreError: another program writes there, or what is there was asked for otherwise.
    """
    from sentimon.engine.part_files import open_parts
    from sentimon.prediction_log.resumable_job import STEP_CHUNKS
    from sentimon.reporting.prediction_table import prediction_object

    settings = workspace.settings
    size = chunk_texts(settings)
    # Where the parts are cut depends on it.
    with open_parts(folder, {**asked, "chunk_texts": size}) as parts:
        before = parts.manifest
        if before.complete:
            workspace.say(f"{folder}: was complete already")
            return before
        if before.parts:
            predictions = counted(before.sum_of("predictions"), "prediction")
            workspace.say(f"{folder}: goes on after {predictions} in {counted(len(before.parts), 'part')}")
        steps = parts.steps_left(workspace.progress(rows, "texts read"), step_rows=STEP_CHUNKS * size)
        for step, answers in score_batches(settings, steps, ordered=ordered, say=workspace.say):
            texts = good_rows(workspace, answered(step.rows, answers))
            lines = [encode(prediction_object(text, scored, model=answers.model)) for text, scored in texts]
            truncated = sum(scored.truncated for _, scored in texts)
            unreadable = sum(scored.unreadable for _, scored in texts)
            parts.add(step, answers, lines, truncated=truncated, unreadable=unreadable)
        parts.finish()
        return parts.manifest


def mark_of(workspace: Workspace, source: str | None, *, again: bool, job: str = "") -> LoggedInput | None:
    """Return the mark by which the log knows a file that was logged; None where the input is no file.

    Raises:
        StoreError: the file was logged already, and not `again`; or it cannot be read.
    """
    from sentimon.prediction_log.logged_inputs import logged_input

    if source is None or not is_file(source):
        return None
    mark = logged_input(workspace.folder, expanded(source), again=again, job=job)
    mark.check()
    return mark


def log_rows(
    workspace: Workspace, rows: Iterable[Row], *, clock: Clock, mark: LoggedInput | None = None
) -> Generator[LoggedBatch, None, None]:
    """Yield what became of the rows, a batch at a time, each once it is in the log.

    Rows that bring a prediction are checked and kept as they are; the texts of the others are scored. Bad
    rows are said, and left out. `clock` tells when a row was read. `mark` is that of the file which holds
    the rows.

    Raises:
        ModelError: the model cannot be loaded.
        EngineError: the cluster cannot be used.
        StoreError: another program logs the same file.
    """
    from sentimon.prediction_log.intake import check_rows, checked_batches

    settings = workspace.settings
    logged, whole = 0, False
    read = workspace.progress(rows, "rows read")
    checked = check_rows(read, clock=clock, zone=workspace.naive_zone, classes=workspace.classes)
    batches = checked_batches(checked, chunk_texts=chunk_texts(settings))
    try:
        with workspace.writer() as writer:
            for batch, answers in score_batches(settings, batches, say=workspace.say):
                records = good_rows(workspace, batch.records(answers))
                if mark is not None and records and not logged:
                    mark.claim(now=clock())
                writer.append(records, now=clock())
                logged += len(records)
                yield LoggedBatch(records=records, bad_lines=len(batch) - len(records))
        if mark is not None and logged:
            mark.finish(logged, now=clock())
        whole = True
    finally:
        if logged and not whole:
            workspace.say(f"{counted(logged, 'prediction')} logged before it stopped")


def log_file(
    workspace: Workspace,
    rows: Iterable[Row],
    asked: Mapping[str, Any],
    *,
    clock: Clock,
    mark: LoggedInput | None = None,
) -> LoggedFile:
    """Log the rows of a file that no earlier run of the same job has logged, each once.

    Raises:
        StoreError: the job is running, was begun otherwise, or nobody can tell how far it came.
    """
    from sentimon.prediction_log.resumable_job import STEP_CHUNKS
    from sentimon.prediction_log.resumable_log import open_journal
    from sentimon.prediction_log.writer import LogWriter

    # What the journal calls done must be on the disk.
    writer = LogWriter(workspace.folder, replace(workspace.settings.logs, fsync="always"))
    with open_journal(workspace.folder, asked["input"], asked, writer, now=clock()) as journal:
        already = journal.complete
        if already:
            # On a cluster there is a journal in any case.
            local = workspace.settings.engine.name == "local"
            again = "give --again and leave --resume out" if local else f"remove {journal.path}, give --again"
            workspace.say(f"{asked['input']}: was logged already; {again} to log it once more")
            return LoggedFile(logged=journal.done.logged, bad_lines=journal.done.bad_lines, already=True)
        if journal.done.rows:
            workspace.say(f"goes on after row {journal.done.rows}: {journal.done.logged} logged before")
        size = STEP_CHUNKS * chunk_texts(workspace.settings)
        steps = journal.steps_left(workspace.progress(rows, "rows read"), step_rows=size)
        checked = _checked_steps(workspace, steps, clock)
        lacking = unreadable = 0
        with _said_if_stopped(workspace, journal):
            for step, answers in score_batches(workspace.settings, checked, say=workspace.say):
                records = good_rows(workspace, step.batch.records(answers))
                if mark is not None and records and not journal.done.logged:
                    mark.claim(now=clock())
                journal.add(step.step, records, bad_lines=len(step) - len(records), now=clock())
                lacking += sum(one.scores is None for one in records)
                unreadable += count_unreadable(records)
        journal.finish()
        if mark is not None and journal.done.logged:
            mark.finish(journal.done.logged, now=clock())
        return LoggedFile(
            logged=journal.done.logged,
            bad_lines=journal.done.bad_lines,
            already=False,
            without_scores=lacking,
            unreadable=unreadable,
        )


def count_unreadable(records: Iterable[PredictionRecord]) -> int:
    """Return how many rows are of texts in letters that the model does not know."""
    return sum(bool(one.unreadable) for one in records)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CheckedStep:
    """A step of the log, whose rows were checked."""

    step: Step
    batch: CheckedBatch

    def __len__(self) -> int:
        return len(self.step)

    @property
    def texts(self) -> list[str]:
        return self.batch.texts


def _checked_steps(workspace: Workspace, steps: Iterable[Step], clock: Clock) -> Iterator[_CheckedStep]:
    from sentimon.prediction_log.intake import CheckedBatch, check_rows

    for step in steps:
        checked = check_rows(step.rows, clock=clock, zone=workspace.naive_zone, classes=workspace.classes)
        yield _CheckedStep(step=step, batch=CheckedBatch(rows=list(checked)))


@contextlib.contextmanager
def _said_if_stopped(workspace: Workspace, journal: Any) -> Iterator[None]:
    """Say how far the journal came where the block does not come to its end."""
    whole = False
    try:
        yield
        whole = True
    finally:
        if journal.done.logged and not whole:
            logged = counted(journal.done.logged, "prediction")
            workspace.say(f"{logged} logged before it stopped; run again, it goes on there")


def good_rows(workspace: Workspace, rows: Iterable[T | BadLine]) -> list[T]:
    """Return the good rows; each bad one is said at once."""
    good: list[T] = []
    for row in rows:
        if isinstance(row, BadLine):
            workspace.say(f"bad line: {row}")
        else:
            good.append(row)
    return good
