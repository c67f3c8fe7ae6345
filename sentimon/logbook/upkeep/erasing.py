"""Personal data taken out of single lines: of rows, of lines that are none, of entries of the quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

import msgspec

from sentimon.jsonl import LONGEST, LineError, encode
from sentimon.logbook.moments import format_moment
from sentimon.logbook.opened import Fragment
from sentimon.logbook.row import parse_row
from sentimon.logbook.upkeep.criteria import ERASED, KEPT_FIELDS, Criteria, readings_of
from sentimon.logbook.upkeep.quarantine import quarantined_line
from sentimon.logbook.upkeep.rewriting import Line, Tick


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
