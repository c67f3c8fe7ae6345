"""Personal data taken out of single lines: of rows, of lines that are none, of entries of the quarantine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import LONGEST, LineError, encode
from sentimon.prediction_log.durable_files import append_lines, errors_named, sync_name
from sentimon.prediction_log.folder import ENDINGS, open_segments, sealed_files, stem_of
from sentimon.prediction_log.locks import exclusive, shared
from sentimon.prediction_log.maintenance.erasure_criteria import ERASED, KEPT_FIELDS, Criteria, readings_of
from sentimon.prediction_log.maintenance.quarantine import LONG_LINES, QUARANTINE_FILE, quarantined_line
from sentimon.prediction_log.maintenance.rewriting import (
    DAMAGED,
    Edit,
    Line,
    Lock,
    Stays,
    Tick,
    all_stay,
    check_no_link,
    edited_lines,
    only_rewriter,
    orphans,
    rewrite,
    rewrite_files,
    silent,
)
from sentimon.prediction_log.row_parser import parse_row
from sentimon.prediction_log.segment import Fragment, Segment, opened
from sentimon.timestamps import format_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be erased, and how."""

    criteria: Criteria
    drop_rows: bool
    """Whether rows go as a whole; else they keep what the statistics need."""
    now: datetime
    zone: tzinfo | None
    """Of logged timestamps that name none; None is local time."""
    longest: int = LONGEST
    """Bytes of the longest line that is searched."""


class Erasing:
    """Takes the personal data of one file out of the rows, and counts them."""

    def __init__(self, order: Order, tick: Tick) -> None:
        self.rows = 0
        self.bad_lines = 0
        self.too_long: list[int] = []
        """The numbers of the lines that were not searched."""
        self._order = order
        self._tick = tick

    def stays(self, piece: Fragment, number: int) -> bool:
        """Note a line that is too long to be searched; it stays."""
        if piece.last:
            self.too_long.append(number)
        return True

    def __call__(self, line: Line) -> bytes | None:
        """Return what is to be of a line of the log."""
        self._tick()
        criteria, readings = self._order.criteria, readings_of(line.raw)
        if not criteria.may_mean(readings):
            return line.content
        try:
            parse_row(line.content, zone=self._order.zone)
        except LineError:
            meant = criteria.mean_line(readings)
            self.bad_lines += meant
            return None if meant else line.content
        if not criteria.mean_row(line.content):
            return line.content
        self.rows += 1
        return None if self._order.drop_rows else _without_person(line.content, self._order.now)


class Purging:
    """Takes the entries that are meant out of the quarantine, and counts them."""

    def __init__(self, criteria: Criteria, tick: Tick) -> None:
        self.count = 0
        self._criteria = criteria
        self._tick = tick

    def __call__(self, line: Line) -> bytes | None:
        """Return what is to be of a line of the quarantine."""
        self._tick()
        meant = self._criteria.mean_line(readings_of(quarantined_line(line.content)))
        self.count += meant
        return None if meant else line.content


_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _without_person(content: bytes, now: datetime) -> bytes:
    fields = _decode_raw(content)
    row: dict[str, object] = {"timestamp": fields["timestamp"], "text": None}
    # As they were written, digit by digit: the row must count as it did.
    row |= {name: fields[name] for name in KEPT_FIELDS if name in fields}
    return encode(row | {ERASED: format_moment(now)})


AUDIT_FILE = "erasures.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedFile:
    """What is erased from one file of the log."""

    path: Path
    rows: int
    bad_lines: int


@dataclass(slots=True, kw_only=True)
class Erasure:
    """What an erasure takes away: found so far, or done so far."""

    files: list[ErasedFile] = field(default_factory=list)
    """Those that change."""
    untouched: list[str] = field(default_factory=list)
    """The stems of those that do not."""
    quarantine_entries: int = 0
    unsearched: list[str] = field(default_factory=list)
    """Lines that are too long to be searched, as path:line; they stay."""
    leftovers: list[Path] = field(default_factory=list)
    """Second forms of sealed files, left by a killed compression, that hold such rows, too."""

    @property
    def any(self) -> bool:
        """Return whether there is anything to erase."""
        return bool(self.files or self.quarantine_entries or self.leftovers)

    @property
    def counts(self) -> dict[str, int]:
        """Return what is erased, in numbers, as `--json` and the record of the erasure name them."""
        return {
            "rows_erased": sum(one.rows for one in self.files),
            "bad_lines_removed": sum(one.bad_lines for one in self.files),
            "quarantine_entries_removed": self.quarantine_entries,
            "files_rewritten": len(self.files),
        }


def find_erasure(folder: Path, order: Order, *, tick: Tick = silent) -> Erasure:
    """Return what `order` would take away from the log in `folder`; nothing is changed.

    Raises:
        StoreError: the folder is not there, or a file cannot be read, for it is damaged perhaps.
    """
    found = Erasure()
    for segment in open_segments(folder, longest=order.longest):
        edit = Erasing(order, tick)
        _searched(segment, edit, edit.stays)
        found.unsearched += [f"{segment.file.path}:{number}" for number in edit.too_long]
        if edit.rows or edit.bad_lines:
            found.files.append(_result(segment.file.path, edit))
        else:
            found.untouched.append(stem_of(segment.file.path))
    quarantine = folder / QUARANTINE_FILE
    if quarantine.exists():
        purge = Purging(order.criteria, tick)
        with opened(quarantine) as segment:
            _searched(segment, purge)
        found.quarantine_entries = purge.count
    found.leftovers = _leftovers(folder, order)
    return found


def erase(
    folder: Path,
    found: Erasure,
    order: Order,
    *,
    forget_index: Callable[[], object],
    tick: Tick = silent,
) -> Erasure:
    """Take away from the log in `folder` what `order` names, and return what was taken.

    `found` is what `find_erasure` returned. `forget_index` removes the index, which may quote bad lines;
    it is called where anything was taken. A line in `erasures.jsonl` records the numbers, and never
    what was looked for; also where an error ends the work half-way.

    Raises:
        StoreError: a file that holds any of it is a link (then nothing is changed), or the log cannot be
            written; what was erased until then stays so.
    """
    for path in _to_rewrite(folder, found):
        check_no_link(path)
    done = Erasure(unsearched=found.unsearched)
    if not found.any and not orphans(folder):
        return done
    with only_rewriter(folder):
        complete = False
        try:
            _erase(folder, found, order, done, tick)
            complete = True
        finally:
            if done.any:
                forget_index()
                append_lines(folder / AUDIT_FILE, [encode(_record(order, done, complete=complete))])
    return done


def unsearched_files(folder: Path) -> list[Path]:
    """Return the damaged files and the long lines that a repair kept: what they hold is not searched."""
    return sorted([*folder.glob(f"*{DAMAGED}*"), *folder.glob(LONG_LINES)])


def _to_rewrite(folder: Path, found: Erasure) -> list[Path]:
    quarantine = [folder / QUARANTINE_FILE] if found.quarantine_entries else []
    return [*(one.path for one in found.files), *found.leftovers, *quarantine]


def _result(path: Path, edit: Erasing) -> ErasedFile:
    return ErasedFile(path=path, rows=edit.rows, bad_lines=edit.bad_lines)


def _searched(segment: Segment, edit: Edit, stays: Stays = all_stay) -> None:
    try:
        for _ in edited_lines(segment, edit, stays):
            pass
    except LineError as error:
        raise _damaged(segment.file.path, error) from error


def _erase(folder: Path, found: Erasure, order: Order, done: Erasure, tick: Tick) -> None:
    def erase_one(path: Path, lock: Lock) -> None:
        edit = Erasing(order, tick)
        try:
            changed = rewrite(path, edit, lock, longest=order.longest)
        except LineError as error:
            raise _damaged(path, error) from error
        if changed is not None:
            done.files.append(_result(path, edit))

    # First: what counts for nothing now would be a file of the log if the other form went before it.
    for leftover in _leftovers(folder, order):
        with errors_named(leftover), exclusive(folder):
            leftover.unlink(missing_ok=True)
        done.leftovers.append(leftover)
    rewrite_files(folder, found.untouched, erase_one)
    quarantine, purge = folder / QUARANTINE_FILE, Purging(order.criteria, tick)
    if rewrite(quarantine, purge, lambda: exclusive(folder)) is not None:
        done.quarantine_entries = purge.count
        with errors_named(quarantine):
            sync_name(quarantine)


def _leftovers(folder: Path, order: Order) -> list[Path]:
    with shared(folder):
        forms = [
            (one, one.with_name(stem_of(one) + ending)) for one in sealed_files(folder) for ending in ENDINGS
        ]
        others = [other for one, other in forms if other != one and other.exists()]
    return [other for other in others if _holds_any(other, order)]


def _holds_any(path: Path, order: Order) -> bool:
    edit = Erasing(order, silent)
    try:
        with opened(path, longest=order.longest) as segment:
            _searched(segment, edit)
    except StoreError:
        # What cannot be read cannot be searched, and nobody needs it.
        return True
    return bool(edit.rows or edit.bad_lines)


def _record(order: Order, done: Erasure, *, complete: bool) -> dict[str, object]:
    return {
        "timestamp": format_moment(order.now),
        "criteria": order.criteria.counts,
        "drop_rows": order.drop_rows,
        **done.counts,
        "complete": complete,
    }


def _damaged(path: Path, error: LineError) -> StoreError:
    hint = "run `sentimon logs repair` first; no file is changed before all can be searched"
    return StoreError(f"{path}: {error.message}", hint=hint)
