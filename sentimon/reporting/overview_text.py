"""Where one is with a log, its value and its plain lines: nothing that draws tables is loaded for it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.plain_text import counted, minute, visible
from sentimon.reporting.traffic_sentences import length

if TYPE_CHECKING:
    from sentimon.prediction_log.index.known_rows import KnownRows

_NAMES = 10
"""Width of the names at the left."""
_WITHOUT_LOG = ("predict",)
"""Commands that need no log to be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBaseline:
    """The baseline that is there."""

    name: str
    rows: int
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedVerdict:
    """A verdict that was saved."""

    command: str
    """Which command gave it: `drift` or `retrain-check`."""
    verdict: str
    finding: bool
    """Whether it is one to act on."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Where one is with a log; what is None is not there, or not known without reading the log."""

    source: str
    now: datetime
    on_objects: bool
    """Whether the rows are on object storage, where nothing is looked at."""
    files: int | None
    """None where they could not be listed, or are on object storage."""
    size: int
    """Bytes of all files."""
    few: int | None
    """The rows of the log, where these are fewer than a baseline takes; None where they may be enough."""
    fewest: int
    """The rows that a baseline takes."""
    known: KnownRows | None
    newest: datetime | None
    baseline: KnownBaseline | None
    collecting: bool
    """Whether rows are being collected for a baseline."""
    verdict: SavedVerdict | None
    """The one that stands."""
    later: SavedVerdict | None
    """A look since then that gave no verdict."""
    problems: tuple[str, ...]
    """What could not be read, and why."""

    @property
    def has_rows(self) -> bool:
        """Return whether something was logged, as far as that is known."""
        return self.files is None or self.size > 0

    @property
    def bad_lines(self) -> int:
        """Return how many lines of the log are known to hold no row."""
        return 0 if self.known is None else self.known.bad

    @property
    def next_steps(self) -> tuple[tuple[str, ...], ...]:
        """Return the words of the commands to type next; three where nothing is logged yet."""
        if self.problems:
            return (("doctor",),)
        if not self.has_rows:
            return _TO_START
        return (self._next_look(),)

    def _next_look(self) -> tuple[str, ...]:
        if self.verdict is not None and self.verdict.finding:
            return ("report",)
        if self.bad_lines:
            return ("logs", "verify")
        lacks_baseline = self.baseline is None and not self.collecting
        if lacks_baseline and not self.on_objects:
            return ("baseline", "create") if self.few is None else _MORE_ROWS
        if lacks_baseline or self.verdict is None:
            return ("drift", "--save")
        # Nobody watches what is on object storage.
        if self.on_objects or (self.newest is not None and self.newest > self._looked):
            return ("retrain-check", "--save")
        return ("watch",)

    @property
    def _looked(self) -> datetime:
        """Return when somebody looked last."""
        looks = [one.at for one in (self.verdict, self.later) if one is not None]
        return max(looks)


_MORE_ROWS = ("log", "--input", "reviews.csv")
_TO_START: tuple[tuple[str, ...], ...] = (
    ("predict", "I love this"),
    _MORE_ROWS,
    ("metrics",),
)


def overview_lines(found: Overview, options: CommandOptions, *, width: int) -> Iterator[str]:
    """Yield the lines that say where one is, `width` wide; a command stays on one line, to be copied."""
    for name, text in _facts(found):
        yield from textwrap.wrap(
            visible(text),
            width,
            initial_indent=f"{name:<{_NAMES}}",
            subsequent_indent=" " * _NAMES,
            break_on_hyphens=False,
        )
    yield ""
    yield "Next:" if found.has_rows or found.problems else "To start:"
    for words in found.next_steps:
        yield f"  {_command(words, options)}"
    yield ""
    yield "All commands: sentimon --help"


def _command(words: tuple[str, ...], options: CommandOptions) -> str:
    # The default folder needs no name, and what only scores a text has no log.
    named = "" if words[0] in _WITHOUT_LOG or options.logs == "logs" else "--logs"
    return visible(options.command(*words, logs=named))


def _facts(found: Overview) -> Iterator[tuple[str, str]]:
    yield "log", _log(found)
    if found.files and found.size:
        yield "newest", _newest(found)
    # What was not looked at, or not found where there may be more of it elsewhere, is not said to be none.
    looked = found.has_rows and found.files is not None
    if looked or found.baseline is not None or found.collecting:
        yield "baseline", _baseline(found)
    if looked or found.verdict is not None:
        yield "verdict", _verdict(found)
    if found.bad_lines:
        yield "bad lines", f"{found.bad_lines:,} of the log hold no row; `sentimon logs verify` shows them"
    for one in found.problems:
        yield "problem", one


def _log(found: Overview) -> str:
    if found.on_objects:
        return f"{found.source}: on object storage, not looked at; `sentimon metrics` reads it"
    if found.files is None:
        return f"{found.source}: could not be looked at"
    if not found.has_rows:
        return f"{found.source}: no rows yet"
    where = f"in {counted(found.files, 'file')}, {_size(found.size)}"
    known, rest = found.known, 0 if found.known is None else found.known.uncounted_bytes
    if known is None or (rest and not known.rows):
        return f"{found.source}: rows {where}, not counted yet; `sentimon metrics` counts them"
    later = f"; {_size(rest)} of them not counted yet" if rest else ""
    return f"{found.source}: {counted(known.rows, 'row')} {where}{later}"


def _newest(found: Overview) -> str:
    if found.newest is None:
        return "not known without reading the log"
    age = found.now - found.newest
    said = f"{length(age)} ago" if found.newest <= found.now else "in the future"
    return f"{_moment(found.newest)}, {said}"


def _baseline(found: Overview) -> str:
    coming = "rows for a new one are being collected" if found.collecting else ""
    if found.baseline is None:
        return coming or (
            "none" if found.few is None else f"none; it takes at least {counted(found.fewest, 'row')}"
        )
    one = found.baseline
    said = f"{one.name!r}, {counted(one.rows, 'row')}, made {_moment(one.created)}"
    return f"{said}; {coming}" if coming else said


def _verdict(found: Overview) -> str:
    if found.verdict is None:
        return "none saved; drift and retrain-check keep it with --save"
    one, later = found.verdict, found.later
    if one.finding:
        said = f"{one.verdict} since {_moment(one.at)} ({one.command})"
    else:
        said = f"{one.verdict} ({one.command}, {_moment(one.at)})"
    if later is None:
        return said
    return f"{said}; since then {later.verdict} ({later.command}, {_moment(later.at)}), which ends nothing"


def _moment(moment: datetime) -> str:
    return f"{minute(moment)} UTC"


def _size(size: int) -> str:
    """Return a number of bytes in the unit that fits.

    >>> _size(512), _size(99382), _size(2_400_000)
    ('512 bytes', '99 kB', '2.4 MB')
    """
    if size < 1000:
        return counted(size, "byte")
    return f"{size / 1e3:.0f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"
