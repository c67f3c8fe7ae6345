"""Repair a log: bad lines are copied to the quarantine first, and then removed from their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from sentimon.jsonl import LONGEST, BadLine, LineError
from sentimon.prediction_log.folder import stem_of
from sentimon.prediction_log.log_file import LineFragment, OpenLogFile
from sentimon.prediction_log.maintenance.quarantine import Quarantine
from sentimon.prediction_log.maintenance.rewriting import (
    FolderLock,
    LineCallback,
    NumberedLine,
    check_no_link,
    edited_lines,
    no_callback,
    only_rewriter,
    rewrite,
    rewrite_files,
)
from sentimon.prediction_log.reader import open_log_files
from sentimon.prediction_log.record import parse_row


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedFile:
    """The bad lines of one file of the log, before or after the repair."""

    path: Path
    bad: Mapping[str, int]
    """Bad lines per kind."""
    damaged: bool
    """Whether the compressed file is damaged from some point on."""
    kept_as: Path | None = None
    """The damaged original, after the repair."""

    @property
    def bad_count(self) -> int:
        """Return the number of bad lines."""
        return sum(self.bad.values())


def find_bad_lines(
    folder: Path, *, zone: tzinfo | None, longest: int = LONGEST, tick: LineCallback = no_callback
) -> dict[str, RepairedFile]:
    """Return the bad lines of each file of the log in `folder`, by the stem of its name.

    Files without bad lines are included. `tick` is called for each line that is read.

    Raises:
        StoreError: the folder is not there, or a file cannot be read.
    """
    segments = open_log_files(folder, longest=longest)
    return {stem_of(one.file.path): _bad_lines_of(one, zone, tick) for one in segments}


def repair_log(
    folder: Path,
    found: Mapping[str, RepairedFile],
    *,
    now: datetime,
    zone: tzinfo | None,
    longest: int = LONGEST,
    tick: LineCallback = no_callback,
) -> list[RepairedFile]:
    """Move the bad lines out of the log in `folder`, and return the files that were changed.

    `found` is the result of `find_bad_lines`. The bad lines are on the disk in `quarantine.jsonl` before
    they leave their file; after a kill in between they are in both, and a second repair puts them into
    the quarantine twice. The rows of a damaged file before the damage stay, and the original is kept
    beside it.

    Raises:
        StoreError: one of these files is a link (then nothing is changed), or the log cannot be written;
            what was repaired until then stays so.
    """
    for file in found.values():
        if needs_repair(file):
            check_no_link(file.path)
    repaired: list[RepairedFile] = []
    quarantine = Quarantine(folder, now=now)

    def repair(path: Path, lock: FolderLock) -> None:
        sorting = _BadLineSorter(
            path, zone=zone, tick=tick, keep=quarantine.add, keep_piece=quarantine.add_fragment
        )
        try:
            changed = rewrite(
                path,
                sorting,
                lock,
                keep_fragment=sorting.keep_fragment,
                longest=longest,
                salvage=True,
                ready=quarantine.flush,
            )
        finally:
            quarantine.drop_unfinished()
        if changed is not None:
            kept_as = changed.kept_as
            one = RepairedFile(path=path, bad=sorting.bad, damaged=kept_as is not None, kept_as=kept_as)
            repaired.append(one)

    untouched = [stem for stem, file in found.items() if not needs_repair(file)]
    if len(untouched) < len(found):
        with only_rewriter(folder):
            rewrite_files(folder, untouched, repair)
    return repaired


def needs_repair(file: RepairedFile) -> bool:
    """Return whether anything is wrong with the file."""
    return bool(file.bad) or file.damaged


def _bad_lines_of(opened: OpenLogFile, zone: tzinfo | None, tick: LineCallback) -> RepairedFile:
    path = opened.file.path
    sorting = _BadLineSorter(path, zone=zone, tick=tick, keep=_nowhere, keep_piece=_nowhere)
    damaged = False
    try:
        for _ in edited_lines(opened, sorting, sorting.keep_fragment):
            pass
    except LineError:
        damaged = True
    return RepairedFile(path=path, bad=sorting.bad, damaged=damaged)


def _nowhere(*_: object) -> None:
    """Drop a bad line."""


class _BadLineSorter:
    """A LineEdit that keeps the good lines of one file, and hands the bad ones over."""

    def __init__(
        self,
        path: Path,
        *,
        zone: tzinfo | None,
        tick: LineCallback,
        keep: Callable[[BadLine, bytes], object],
        keep_piece: Callable[[BadLine, LineFragment], object],
    ) -> None:
        self.bad: Counter[str] = Counter()
        self._path = str(path)
        self._zone = zone
        self._tick = tick
        self._keep = keep
        self._keep_piece = keep_piece

    def keep_fragment(self, piece: LineFragment, number: int) -> bool:
        """Hand over the next fragment of a line that is too long."""
        error = piece.error
        if piece.last:
            self._tick()
            self.bad[error.kind] += 1
        self._keep_piece(error.at(self._path, number), piece)
        return False

    def __call__(self, line: NumberedLine) -> bytes | None:
        self._tick()
        try:
            parse_row(line.content, zone=self._zone)
        except LineError as error:
            self.bad[error.kind] += 1
            self._keep(error.at(self._path, line.number), line.raw)
            return None
        return line.content
