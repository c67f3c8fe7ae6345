"""Erase personal data from a log: from rows, bad lines and entries of the quarantine; and record it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import LONGEST, LineError, encode
from sentimon.prediction_log.durable_files import append_lines, errors_named, sync_name
from sentimon.prediction_log.folder import ENDINGS, sealed_files, stem_of
from sentimon.prediction_log.locks import exclusive, shared
from sentimon.prediction_log.log_file import LineFragment, OpenLogFile, open_log_file
from sentimon.prediction_log.maintenance.erasure_criteria import (
    ERASED,
    KEPT_FIELDS,
    ErasureCriteria,
    possible_texts,
)
from sentimon.prediction_log.maintenance.quarantine import LONG_LINES, QUARANTINE_FILE, quarantined_line
from sentimon.prediction_log.maintenance.rewriting import (
    DAMAGED,
    FolderLock,
    FragmentFilter,
    LineCallback,
    LineEdit,
    NumberedLine,
    check_no_link,
    edited_lines,
    keep_fragments,
    no_callback,
    only_rewriter,
    orphans,
    rewrite,
    rewrite_files,
)
from sentimon.prediction_log.reader import open_log_files
from sentimon.prediction_log.record import parse_row
from sentimon.timestamps import format_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
    """What is to be erased, and how."""

    criteria: ErasureCriteria
    drop_rows: bool
    """Whether to remove whole rows; otherwise they keep what the statistics need."""
    now: datetime
    zone: tzinfo | None
    """The zone of logged timestamps that name none; None is local time."""
    longest: int = LONGEST
    """Bytes of the longest line that is searched."""


class RowEraser:
    """A LineEdit that erases personal data from the lines of one file, and counts them."""

    def __init__(self, order: ErasureOrder, tick: LineCallback) -> None:
        self.rows = 0
        self.bad_lines = 0
        self.too_long: list[int] = []
        """The numbers of the lines that were not searched."""
        self._order = order
        self._tick = tick

    def keep_fragment(self, piece: LineFragment, number: int) -> bool:
        """Note a line that is too long to be searched; it stays."""
        if piece.last:
            self.too_long.append(number)
        return True

    def __call__(self, line: NumberedLine) -> bytes | None:
        """Return the new content of a line of the log."""
        self._tick()
        criteria, readings = self._order.criteria, possible_texts(line.raw)
        if not criteria.may_match(readings):
            return line.content
        try:
            parse_row(line.content, zone=self._order.zone)
        except LineError:
            meant = criteria.matches_line(readings)
            self.bad_lines += meant
            return None if meant else line.content
        if not criteria.matches_row(line.content):
            return line.content
        self.rows += 1
        return None if self._order.drop_rows else _without_person(line.content, self._order.now)


class QuarantineEraser:
    """A LineEdit that removes matching entries from the quarantine, and counts them."""

    def __init__(self, criteria: ErasureCriteria, tick: LineCallback) -> None:
        self.count = 0
        self._criteria = criteria
        self._tick = tick

    def __call__(self, line: NumberedLine) -> bytes | None:
        """Return the new content of a line of the quarantine."""
        self._tick()
        meant = self._criteria.matches_line(possible_texts(quarantined_line(line.content)))
        self.count += meant
        return None if meant else line.content


_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _without_person(content: bytes, now: datetime) -> bytes:
    fields = _decode_raw(content)
    row: dict[str, object] = {"timestamp": fields["timestamp"], "text": None}
    # Numbers stay as they were written, digit by digit: the sums must not change.
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
    """What an erasure is going to remove, or has removed so far."""

    files: list[ErasedFile] = field(default_factory=list)
    """The files that change."""
    untouched: list[str] = field(default_factory=list)
    """The stems of the files that do not change."""
    quarantine_entries: int = 0
    unsearched: list[str] = field(default_factory=list)
    """Lines that are too long to be searched, as path:line; they stay."""
    leftovers: list[Path] = field(default_factory=list)
    """Second forms of sealed files, left by a killed compression, that hold matching rows."""

    @property
    def any(self) -> bool:
        """Return whether there is anything to erase."""
        return bool(self.files or self.quarantine_entries or self.leftovers)

    @property
    def counts(self) -> dict[str, int]:
        """Return the numbers of what is erased, by the names in `--json` and in the audit record."""
        return {
            "rows_erased": sum(one.rows for one in self.files),
            "bad_lines_removed": sum(one.bad_lines for one in self.files),
            "quarantine_entries_removed": self.quarantine_entries,
            "files_rewritten": len(self.files),
        }


def find_erasure(folder: Path, order: ErasureOrder, *, tick: LineCallback = no_callback) -> Erasure:
    """Return what `order` would erase from the log in `folder`; nothing is changed.

    Raises:
        StoreError: there is no such folder, or a file cannot be read, perhaps because it is damaged.
    """
    found = Erasure()
    for opened in open_log_files(folder, longest=order.longest):
        edit = RowEraser(order, tick)
        _searched(opened, edit, edit.keep_fragment)
        found.unsearched += [f"{opened.file.path}:{number}" for number in edit.too_long]
        if edit.rows or edit.bad_lines:
            found.files.append(_result(opened.file.path, edit))
        else:
            found.untouched.append(stem_of(opened.file.path))
    quarantine = folder / QUARANTINE_FILE
    if quarantine.exists():
        purge = QuarantineEraser(order.criteria, tick)
        with open_log_file(quarantine) as opened:
            _searched(opened, purge)
        found.quarantine_entries = purge.count
    found.leftovers = _leftovers(folder, order)
    return found


def erase(
    folder: Path,
    found: Erasure,
    order: ErasureOrder,
    *,
    forget_index: Callable[[], object],
    tick: LineCallback = no_callback,
) -> Erasure:
    """Erase from the log in `folder` what `order` names, and return what was erased.

    `found` is the result of `find_erasure`. `forget_index` removes the index, which may quote bad lines;
    it is called if anything was erased. A line in `erasures.jsonl` records the numbers, never what was
    searched for, even if an error ends the work half-way.

    Raises:
        StoreError: a file that would change is a link (then nothing is changed), or the log cannot be
            written; what was erased until then stays erased.
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
    """Return the damaged files and long lines that a repair kept: an erasure does not search them."""
    return sorted([*folder.glob(f"*{DAMAGED}*"), *folder.glob(LONG_LINES)])


def _to_rewrite(folder: Path, found: Erasure) -> list[Path]:
    quarantine = [folder / QUARANTINE_FILE] if found.quarantine_entries else []
    return [*(one.path for one in found.files), *found.leftovers, *quarantine]


def _result(path: Path, edit: RowEraser) -> ErasedFile:
    return ErasedFile(path=path, rows=edit.rows, bad_lines=edit.bad_lines)


def _searched(opened: OpenLogFile, edit: LineEdit, stays: FragmentFilter = keep_fragments) -> None:
    try:
        for _ in edited_lines(opened, edit, stays):
            pass
    except LineError as error:
        raise _damaged(opened.file.path, error) from error


def _erase(folder: Path, found: Erasure, order: ErasureOrder, done: Erasure, tick: LineCallback) -> None:
    def erase_one(path: Path, lock: FolderLock) -> None:
        edit = RowEraser(order, tick)
        try:
            changed = rewrite(path, edit, lock, longest=order.longest)
        except LineError as error:
            raise _damaged(path, error) from error
        if changed is not None:
            done.files.append(_result(path, edit))

    # First, for such a leftover would become a file of the log once its other form is gone.
    for leftover in _leftovers(folder, order):
        with errors_named(leftover), exclusive(folder):
            leftover.unlink(missing_ok=True)
        done.leftovers.append(leftover)
    rewrite_files(folder, found.untouched, erase_one)
    quarantine, purge = folder / QUARANTINE_FILE, QuarantineEraser(order.criteria, tick)
    if rewrite(quarantine, purge, lambda: exclusive(folder)) is not None:
        done.quarantine_entries = purge.count
        with errors_named(quarantine):
            sync_name(quarantine)


def _leftovers(folder: Path, order: ErasureOrder) -> list[Path]:
    with shared(folder):
        forms = [
            (one, one.with_name(stem_of(one) + ending)) for one in sealed_files(folder) for ending in ENDINGS
        ]
        others = [other for one, other in forms if other != one and other.exists()]
    return [other for other in others if _holds_any(other, order)]


def _holds_any(path: Path, order: ErasureOrder) -> bool:
    edit = RowEraser(order, no_callback)
    try:
        with open_log_file(path, longest=order.longest) as opened:
            _searched(opened, edit)
    except StoreError:
        # It cannot be searched, and is not needed.
        return True
    return bool(edit.rows or edit.bad_lines)


def _record(order: ErasureOrder, done: Erasure, *, complete: bool) -> dict[str, object]:
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
