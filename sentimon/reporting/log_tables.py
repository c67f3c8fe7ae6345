"""The prediction log as tables: its rows, its files, and what `logs verify` found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.errors import LogFileError
from sentimon.prediction_log.log_file import LogFile
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.plain_text import number, span_of, text_marks, visible
from sentimon.reporting.table_style import class_name, new_table, sentences_of
from sentimon.timestamps import in_zone

_LONGEST = 500
"""Characters of a text that are shown at most; few terminals are wider."""
_LONGEST_ID = 100
_ID_WIDTH = 36
"""Cells: a UUID fits."""
_TIME_WIDTH, _CONFIDENCE_WIDTH, _GAP = 19, 10, 2
_TEXT_WIDTH = 12
"""The least width of the text column."""


def rows_table(
    records: Sequence[PredictionRecord], names: Sequence[str], *, zone: tzinfo | None, total: int
) -> RenderableType:
    """Return a table of `records`, the first of `total` that match, with times in `zone` (None: local).

    There is a column for ids where one of them has one.
    """
    more = "; --limit shows more" if len(records) < total else ""
    shown = sentences_of([f"{len(records):,} of {total:,} rows shown{more}"])
    return Group(_Rows(records, names, zone), Text(), shown)


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table of rows, whose ids are printed below the times if the terminal is narrow."""

    records: Sequence[PredictionRecord]
    names: Sequence[str]
    zone: tzinfo | None

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield the table that fits."""
        ids = [_start(one.id or "", _LONGEST_ID) for one in self.records]
        longest = min(_ID_WIDTH, max(map(cell_len, ids), default=0))
        others = sum((_TIME_WIDTH, max(map(cell_len, self.names)), _CONFIDENCE_WIDTH, _TEXT_WIDTH))
        below = options.max_width < others + longest + 4 * _GAP
        table = _empty(self.zone, with_id=any(ids) and not below)
        for record, name in zip(self.records, ids, strict=True):
            time = _time(record.timestamp, self.zone)
            table.add_row(
                Text(f"{time}\n{name}".rstrip() if below else time),
                class_name(record.sentiment, self.names),
                number(record.confidence),
                *([Text(name)] if any(ids) and not below else []),
                _text(record),
            )
        yield table


def _empty(zone: tzinfo | None, *, with_id: bool) -> Table:
    table = Table(
        title=Text(f"Rows of the log, {zone or 'local'} time", style="bold", no_wrap=True),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        expand=True,
    )
    table.add_column("Time", overflow="fold", min_width=_TIME_WIDTH, max_width=_TIME_WIDTH + 1)
    table.add_column("Class", no_wrap=True)
    table.add_column("Confidence", no_wrap=True, justify="right")
    if with_id:
        # Over several lines if need be: an id is there to be copied.
        table.add_column("Id", overflow="fold", max_width=_ID_WIDTH)
    table.add_column("Text", no_wrap=True, overflow="ellipsis", ratio=1, width=_TEXT_WIDTH)
    return table


def _time(moment: datetime, zone: tzinfo | None) -> str:
    shown = in_zone(moment, zone)
    # At the edge of the calendar the zone has no such year.
    mark = "Z" if shown.tzinfo is UTC and zone is not UTC else ""
    return shown.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds") + mark


def _text(record: PredictionRecord) -> Text:
    marks = text_marks(unreadable=record.unreadable, truncated=record.truncated)
    if record.text is not None:
        return Text(marks + _start(record.text, _LONGEST))
    kept = "not kept" if record.text_hash is None else f"hash {_start(record.text_hash, _LONGEST_ID)}"
    return Text(f"{marks}({kept})", style="dim")


def _start(text: str, longest: int) -> str:
    return visible(text if len(text) <= longest else text[:longest] + "…")


def log_files_table(
    rows: Sequence[tuple[LogFile, Summary]], index: LogFile | None, lost: Sequence[LogFileError] = ()
) -> RenderableType:
    """Return the files of a log with their sizes and rows, the totals, and the path of the index.

    Files that are `lost` cannot be read and count nowhere.
    """
    columns = (
        ("File", "left"),
        ("Bytes", "right"),
        ("Rows", "right"),
        ("Bad", "right"),
        ("Rows are", "left"),
    )
    table = new_table("Files of the log", *columns)
    for file, summary in rows:
        name = Text(visible(file.path.name), overflow="fold")
        table.add_row(name, str(file.size), str(summary.count), str(summary.bad_count), span_of(summary))
    for error in lost:
        name = Text(visible("" if error.path is None else error.path.name), overflow="fold")
        table.add_row(name, "", "", "", Text("cannot be read", style="bold red"))
    table.add_section()
    whole = sum((summary for _, summary in rows), start=Summary())
    size = sum(file.size for file, _ in rows)
    table.add_row(
        "all that can be read" if lost else "all",
        str(size),
        str(whole.count),
        str(whole.bad_count),
        span_of(whole),
    )
    kept = "No index is kept." if index is None else f"Index: {visible(str(index.path))}, {index.size} bytes."
    return Group(table, Text(), sentences_of([kept]))


def verified_table(
    rows: Sequence[tuple[LogFile, Summary]], wrong: Sequence[Path], *, indexed: bool
) -> RenderableType:
    """Return the files of a log with their good and bad lines, and whether the index agrees with each."""
    columns = (("File", "left"), ("Rows", "right"), ("Bad", "right"), ("Kinds", "left"), ("Index", "left"))
    table = new_table("The log, read as a whole", *columns)
    for file, summary in rows:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.bad.items()))
        agrees = Text("wrong", style="bold red") if file.path in wrong else "agrees" if indexed else "none"
        name = Text(visible(file.path.name), overflow="fold")
        table.add_row(name, str(summary.count), str(summary.bad_count), kinds, agrees)
    return table
