"""Bad lines moved out of the log: into the quarantine first, then out of their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from sentimon.jsonl import LONGEST, BadLine, LineError
from sentimon.prediction_log.folder import open_segments, stem_of
from sentimon.prediction_log.maintenance.quarantine import Quarantine
from sentimon.prediction_log.maintenance.rewriting import (
    Line,
    Lock,
    Tick,
    check_no_link,
    edited_lines,
    only_rewriter,
    rewrite,
    rewrite_files,
    silent,
)
from sentimon.prediction_log.row_parser import parse_row
from sentimon.prediction_log.segment import Fragment, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedFile:
    """What was, or is, wrong with one file of the log."""

    path: Path
    bad: Mapping[str, int]
    """Bad lines per kind."""
    damaged: bool
    """Whether the compressed file could be read only up to some point."""
    kept_as: Path | None = None
    """The damaged original, once it is repaired."""

    @property
    def bad_count(self) -> int:
        """Return the number of bad lines."""
        return sum(self.bad.values())


def find_bad_lines(
    folder: Path, *, zone: tzinfo | None, longest: int = LONGEST, tick: Tick = silent
) -> dict[str, RepairedFile]:
    """Return what is wrong with each file of the log in `folder`, by the stem of its name.

    Files without bad lines are there, too. `tick` is called with each line that is read.

    Raises:
        StoreError: the folder is not there, or a file cannot be read.
    """
    segments = open_segments(folder, longest=longest)
    return {stem_of(one.file.path): _examined(one, zone, tick) for one in segments}


def repair_log(
    folder: Path,
    found: Mapping[str, RepairedFile],
    *,
    now: datetime,
    zone: tzinfo | None,
    longest: int = LONGEST,
    tick: Tick = silent,
) -> list[RepairedFile]:
    """Move the bad lines out of the log in `folder`, and return the files that were changed.

    `found` is what `find_bad_lines` returned. The bad lines are safe in `quarantine.jsonl` before they
    leave their file; killed in between, they are in both, and repaired again, twice in the quarantine.
    Of a damaged file the rows before the damage stay, and the original is kept beside it.

    Raises:
        StoreError: one of these files is a link (then nothing is changed), or the log cannot be written;
            what was repaired until then stays so.
    """
    for file in found.values():
        if needs_repair(file):
            check_no_link(file.path)
    repaired: list[RepairedFile] = []
    quarantine = Quarantine(folder, now=now)

    def repair(path: Path, lock: Lock) -> None:
        sorting = _Sorting(path, zone=zone, tick=tick, keep=quarantine.add, keep_piece=quarantine.add_piece)
        try:
            changed = rewrite(
                path,
                sorting,
                lock,
                stays=sorting.stays,
                longest=longest,
                salvage=True,
                ready=quarantine.flush,
            )
        finally:
            quarantine.forget_piece()
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


def _examined(segment: Segment, zone: tzinfo | None, tick: Tick) -> RepairedFile:
    path = segment.file.path
    sorting = _Sorting(path, zone=zone, tick=tick, keep=_nowhere, keep_piece=_nowhere)
    damaged = False
    try:
        for _ in edited_lines(segment, sorting, sorting.stays):
            pass
    except LineError:
        damaged = True
    return RepairedFile(path=path, bad=sorting.bad, damaged=damaged)


def _nowhere(*_: object) -> None:
    """Keep nothing."""


class _Sorting:
    """Leaves the good lines of one file, and hands the others over."""

    def __init__(
        self,
        path: Path,
        *,
        zone: tzinfo | None,
        tick: Tick,
        keep: Callable[[BadLine, bytes], object],
        keep_piece: Callable[[BadLine, Fragment], object],
    ) -> None:
        self.bad: Counter[str] = Counter()
        self._path = str(path)
        self._zone = zone
        self._tick = tick
        self._keep = keep
        self._keep_piece = keep_piece

    def stays(self, piece: Fragment, number: int) -> bool:
        """Hand over the next piece of a line that is too long."""
        error = piece.error
        if piece.last:
            self._tick()
            self.bad[error.kind] += 1
        self._keep_piece(error.at(self._path, number), piece)
        return False

    def __call__(self, line: Line) -> bytes | None:
        self._tick()
        try:
            parse_row(line.content, zone=self._zone)
        except LineError as error:
            self.bad[error.kind] += 1
            self._keep(error.at(self._path, line.number), line.raw)
            return None
        return line.content
