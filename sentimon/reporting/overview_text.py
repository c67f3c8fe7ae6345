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
class LastVerdict:
    """The verdict that was saved last."""

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
    files: int
    size: int
    """Bytes of all files."""
    known: KnownRows | None
    newest: datetime | None
    baseline: KnownBaseline | None
    collecting: bool
    """Whether rows are being collected for a baseline."""
    verdict: LastVerdict | None
    problems: tuple[str, ...]
    """What could not be read, and why."""

    @property
    def has_rows(self) -> bool:
        """Return whether something was logged."""
        return self.on_objects or self.size > 0

    @property
    def next_steps(self) -> tuple[tuple[str, ...], ...]:
        """Return the words of the commands to type next; three where nothing is logged yet."""
        if not self.has_rows:
            return _TO_START
        if self.problems:
            return (("doctor",),)
        if self.baseline is None and not self.collecting:
            return (("baseline", "create"),)
        if self.verdict is None:
            return (("drift", "--save"),)
        if self.newest is not None and self.newest > self.verdict.at:
            return (("retrain-check", "--save"),)
        return (("report",) if self.verdict.finding else ("watch",),)


_TO_START: tuple[tuple[str, ...], ...] = (
    ("predict", "I love this"),
    ("log", "--input", "reviews.csv"),
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
    yield "Next:" if found.has_rows else "To start:"
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
    if found.has_rows and not found.on_objects:
        yield "newest", _newest(found)
    if found.has_rows or found.baseline is not None:
        yield "baseline", _baseline(found)
        yield "verdict", _verdict(found)
    for one in found.problems:
        yield "problem", one


def _log(found: Overview) -> str:
    if found.on_objects:
        return f"{found.source}: on object storage, not looked at; `sentimon metrics` reads it"
    if not found.has_rows:
        return f"{found.source}: no rows yet"
    where = f"in {counted(found.files, 'file')}, {_size(found.size)}"
    if found.known is None:
        return f"{found.source}: rows {where}, not counted yet; `sentimon metrics` counts them"
    rest = found.known.uncounted_bytes
    later = f"; {_size(rest)} of them not counted yet" if rest else ""
    return f"{found.source}: {counted(found.known.rows, 'row')} {where}{later}"


def _newest(found: Overview) -> str:
    if found.newest is None:
        return "not known without reading the log"
    age = found.now - found.newest
    said = f"{length(age)} ago" if found.newest <= found.now else "in the future"
    return f"{_moment(found.newest)}, {said}"


def _baseline(found: Overview) -> str:
    coming = "rows for a new one are being collected" if found.collecting else ""
    if found.baseline is None:
        return coming or "none"
    one = found.baseline
    said = f"{one.name!r}, {counted(one.rows, 'row')}, made {_moment(one.created)}"
    return f"{said}; {coming}" if coming else said


def _verdict(found: Overview) -> str:
    if found.verdict is None:
        return "none saved; drift and retrain-check keep it with --save"
    one = found.verdict
    return f"{one.verdict} ({one.command}, {_moment(one.at)})"


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
