"""The files of a log looked after: checked against the index, shortened, repaired, and parts of them erased.

What removes or rewrites comes in two steps, so that people can be asked in between: one finds what
there is to do, the other does it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from sentimon.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.prediction_log.index.period_sums import PeriodSums
    from sentimon.prediction_log.log_file import LogFile
    from sentimon.prediction_log.maintenance.erasure import Erasure, ErasureOrder
    from sentimon.prediction_log.maintenance.repair import RepairedFile
    from sentimon.prediction_log.summary import Summary
    from sentimon.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheck:
    """What reading a whole log, and holding it against its index, came to."""

    files: Sequence[tuple[LogFile, Summary]]
    """Each file with the sum over its rows and bad lines."""
    misread: Sequence[Path]
    """Files about which the index said something else."""
    summary: Summary
    strays: Sequence[Path]
    """Files in the folder that are not part of the log."""
    indexed: bool
    """Whether there is an index."""

    @property
    def sound(self) -> bool:
        """Return whether every line is good, and the index right."""
        return not self.misread and not self.summary.bad_count


def verify_log(workspace: Workspace) -> LogCheck:
    """Read the whole log and return whether its lines are good, and the index says what the files say.

    Raises:
        StoreError: the log cannot be read.
    """
    from sentimon.prediction_log.index.verification import differing_files
    from sentimon.prediction_log.maintenance.rewriting import find_stray_files
    from sentimon.prediction_log.windows import Period

    index = workspace.index
    wrong: dict[Path, None] = {}

    def question(sums: PeriodSums) -> tuple[list[tuple[LogFile, Summary]], Summary]:
        differing = differing_files(sums, now=workspace.now, run=index.run) if workspace.index_file else []
        # A damaged index is made anew at once, and the question is put again.
        wrong.update((one.path, None) for one in differing)
        return sums.by_file(), sums.summary(Period())

    files, summary = index.ask(question)
    return LogCheck(
        files=files,
        misread=[*wrong],
        summary=summary,
        strays=find_stray_files(workspace.folder),
        indexed=workspace.index_file is not None,
    )


def find_prunable(workspace: Workspace) -> list[LogFile]:
    """Return the sealed files that are older, or take more room, than the settings allow.

    Raises:
        UsageError: the settings say neither how long files are kept nor how much room they may take.
        StoreError: the folder cannot be read.
    """
    from sentimon.prediction_log.folder import list_files
    from sentimon.prediction_log.maintenance.retention import files_to_prune

    settings = workspace.settings.logs
    if not settings.keep_days and not settings.keep_megabytes:
        raise UsageError(
            "nothing says what to keep", hint="give --keep-days or --keep-megabytes, or set them in [logs]"
        )
    return list(files_to_prune(list_files(workspace.folder), settings, now=workspace.now))


def prune_log(workspace: Workspace, files: Sequence[LogFile]) -> None:
    """Remove `files` from the log, and compress what was left to be.

    Raises:
        StoreError: the folder cannot be written.
    """
    from sentimon.prediction_log.maintenance.retention import remove_files
    from sentimon.prediction_log.rotation import compress_left_over

    if files:
        remove_files(workspace.folder, files)
    compress_left_over(workspace.folder, workspace.settings.logs.compression)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRepair:
    """The bad lines of a log, found or moved out of it into the quarantine."""

    quarantine: Path
    files: Sequence[RepairedFile]
    """Files with bad lines, or with damage."""
    examined: Mapping[str, RepairedFile]
    """All files."""

    @property
    def bad_count(self) -> int:
        """Return how many bad lines there are."""
        return sum(one.bad_count for one in self.files)


def find_repair(workspace: Workspace) -> LogRepair:
    """Return the bad lines of the log; nothing is changed.

    Raises:
        StoreError: the log cannot be read.
    """
    from sentimon.prediction_log.maintenance.quarantine import QUARANTINE_FILE
    from sentimon.prediction_log.maintenance.repair import find_bad_lines, needs_repair

    longest = workspace.settings.logs.max_line_bytes
    with _lines_read(workspace) as tick:
        found = find_bad_lines(workspace.folder, zone=workspace.naive_zone, longest=longest, tick=tick)
    return LogRepair(
        quarantine=workspace.folder / QUARANTINE_FILE,
        files=[one for one in found.values() if needs_repair(one)],
        examined=found,
    )


def repair_log(workspace: Workspace, found: LogRepair) -> LogRepair:
    """Move the bad lines of the log into its quarantine, and return what was moved.

    Raises:
        StoreError: the log cannot be read or written.
    """
    from dataclasses import replace

    from sentimon.prediction_log.maintenance.repair import repair_log as move_bad_lines

    with _lines_read(workspace) as tick:
        files = move_bad_lines(
            workspace.folder,
            found.examined,
            now=workspace.now,
            zone=workspace.naive_zone,
            longest=workspace.settings.logs.max_line_bytes,
            tick=tick,
        )
    return replace(found, files=files)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogErasure:
    """What people wrote, and who they are, in a log: found, or erased."""

    order: ErasureOrder
    erasure: Erasure
    unsearched: Sequence[Path]
    """Files that a repair kept, which are not looked into."""


def find_erasure(
    workspace: Workspace,
    *,
    ids: Iterable[str] = (),
    text_hashes: Iterable[str] = (),
    contains: Iterable[str] = (),
    drop_rows: bool = False,
) -> LogErasure:
    """Return what an erasure of each row that fits any of the criteria would change; nothing is changed.

    With `drop_rows` the rows themselves go, else only their texts, ids and fields that are not ours.

    Raises:
        StoreError: the log cannot be read.
    """
    from sentimon.prediction_log.maintenance import erasure
    from sentimon.prediction_log.maintenance.erasure_criteria import ErasureCriteria

    order = erasure.ErasureOrder(
        criteria=ErasureCriteria.of(ids=ids, text_hashes=text_hashes, contains=contains),
        drop_rows=drop_rows,
        now=workspace.now,
        zone=workspace.naive_zone,
        longest=workspace.settings.logs.max_line_bytes,
    )
    with _lines_read(workspace) as tick:
        found = erasure.find_erasure(workspace.folder, order, tick=tick)
    return LogErasure(order=order, erasure=found, unsearched=erasure.unsearched_files(workspace.folder))


def erase_rows(workspace: Workspace, found: LogErasure) -> LogErasure:
    """Erase what was found, with the labels of rows that the log no longer names, and return what was done.

    Raises:
        StoreError: the log cannot be read or written.
    """
    from sentimon.prediction_log.maintenance import erasure
    from sentimon.reporting.plain_text import counted
    from sentimon.workflows.log_labels import forget_unnamed

    forget = partial(forget_index, workspace)
    with _lines_read(workspace) as tick:
        done = erasure.erase(workspace.folder, found.erasure, found.order, forget_index=forget, tick=tick)
    removed = forget_unnamed(workspace)
    if removed:
        workspace.say(f"{counted(removed, 'label')} removed, of rows that the log no longer names")
    unsearched = erasure.unsearched_files(workspace.folder)
    return LogErasure(order=found.order, erasure=done, unsearched=unsearched)


@contextmanager
def _lines_read(workspace: Workspace) -> Iterator[Callable[[], object]]:
    """Give what is to be called with each line, for the progress."""
    lines = cast("Generator[None, None, Any]", workspace.progress(repeat(None), "lines read"))
    try:
        yield partial(next, lines)
    finally:
        lines.close()


def forget_index(workspace: Workspace) -> None:
    """Remove the index of a log, wherever it is kept; the next question makes it anew.

    Raises:
        StoreError: it may not be removed.
    """
    from sentimon.prediction_log.index.sqlite_store import remove_index

    for place in workspace.index_places():
        remove_index(place)
