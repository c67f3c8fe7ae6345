"""Rows of the log as a table, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.logbook.record import PredictionRecord
from sentimon.reporting.numbers import number
from sentimon.reporting.style import class_name, sentences_of
from sentimon.reporting.text import visible

_LONGEST = 500
"""Characters of a text that are looked at; few terminals are wider."""
_LONGEST_ID = 100
_ID_WIDTH = 36
"""Cells: a UUID fits."""
_TEXT_WIDTH = 12
"""Cells that the text keeps where ids are long and the terminal is narrow."""


def rows_table(
    records: Sequence[PredictionRecord], names: Sequence[str], *, zone: tzinfo | None, total: int
) -> RenderableType:
    """Return the first `records` of `total` that match, at the time of `zone` (None: local).

    There is a column for ids where one of them has one.
    """
    with_id = any(record.id is not None for record in records)
    table = _empty(zone, with_id=with_id)
    for record in records:
        table.add_row(
            _time(record.timestamp, zone),
            class_name(record.sentiment, names),
            number(record.confidence),
            *([Text(_start(record.id or "", _LONGEST_ID))] if with_id else []),
            _text(record),
        )
    more = "; --limit shows more" if len(records) < total else ""
    return Group(table, Text(), sentences_of([f"{len(records):,} of {total:,} rows shown{more}"]))


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
    table.add_column("Time", no_wrap=True)
    table.add_column("Class", no_wrap=True)
    table.add_column("Confidence", no_wrap=True, justify="right")
    if with_id:
        # Over several lines if need be: an id is there to be copied.
        table.add_column("Id", overflow="fold", max_width=_ID_WIDTH)
    table.add_column("Text", no_wrap=True, overflow="ellipsis", ratio=1, width=_TEXT_WIDTH)
    return table


def _time(moment: datetime, zone: tzinfo | None) -> str:
    try:
        return moment.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    except (OverflowError, ValueError, OSError):
        # At the edge of the calendar the zone has no such year.
        return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds") + "Z"


def _text(record: PredictionRecord) -> Text:
    if record.text is not None:
        return Text(_start(record.text, _LONGEST))
    kept = "not kept" if record.text_hash is None else f"hash {_start(record.text_hash, _LONGEST_ID)}"
    return Text(f"({kept})", style="dim")


def _start(text: str, longest: int) -> str:
    return visible(text if len(text) <= longest else text[:longest] + "…")
