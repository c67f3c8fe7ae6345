"""What is understood of an input, for `--dry-run`: as a table, and as an object."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sentimon.ingest.input_row import InputRow
from sentimon.ingest.understanding import Understanding
from sentimon.reporting.plain_text import counted, visible
from sentimon.timestamps import format_moment

_LONGEST = 60


def understanding_object(found: Understanding) -> dict[str, Any]:
    """Return the keys that `--dry-run --json` documents."""
    return {
        "path": found.path,
        "format": found.file_format,
        "encoding": found.encoding,
        "encoding_guessed": found.guessed,
        "compression": found.compression,
        "separator": found.separator,
        "sheet": found.sheet,
        "rows": found.rows,
        "without_text": found.without_text,
        "without_label": found.without_label,
        "bad_lines": found.bad_lines,
        "columns": {role: {"name": one.name, "why": one.why} for role, one in found.columns.items()},
        "time_format": found.time_format,
        "first": None if found.first is None else format_moment(found.first),
        "last": None if found.last is None else format_moment(found.last),
        "predictions": found.predictions,
        "label_coding": found.label_coding,
        "labels": {label: dict(values) for label, values in found.label_counts.items()},
        "first_rows": [_row_object(row) for row in found.first_rows],
        "notes": list(found.notes),
    }


def understanding_table(found: Understanding) -> Table:
    """Return a table with one line per fact."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row("file", visible(found.path))
    table.add_row("format", visible(_format(found)))
    for role, column in found.columns.items():
        table.add_row(role, f"{visible(column.name)} ({column.why})")
    if found.first is not None and found.last is not None:
        written = "" if found.time_format is None else f", written as {found.time_format}"
        span = f"{format_moment(found.first)} to {format_moment(found.last)}"
        table.add_row("times", visible(f"{span}{written}"))
    if found.predictions is not None:
        table.add_row("predictions", found.predictions)
    if found.label_coding is not None:
        table.add_row("labels", visible(f"{found.label_coding}: {_labels(found)}"))
    table.add_row("rows", visible(_rows(found)))
    for bad in found.first_bad:
        table.add_row("bad line", visible(str(bad)))
    for row in found.first_rows:
        table.add_row(f"row {row.line}", visible(_row(row)))
    for one in found.notes:
        table.add_row("note", visible(one))
    return table


def _format(found: Understanding) -> str:
    separator = f", cells between {found.separator!r}" if found.separator else ""
    packed = f", {found.compression}" if found.compression else ""
    guess = " (a guess)" if found.guessed else ""
    sheet = f", sheet {found.sheet!r}" if found.sheet else ""
    encoding = f", {found.encoding}{guess}" if found.encoding else ""
    return f"{found.file_format}{encoding}{separator}{packed}{sheet}"


def _labels(found: Understanding) -> str:
    parts = []
    for label, values in found.label_counts.items():
        shown = ", ".join(f"{value} ({count})" for value, count in values.items())
        parts.append(f"{label}: {shown or 'none'}")
    return "; ".join(parts)


def _rows(found: Understanding) -> str:
    left_out = [
        counted(found.bad_lines, "bad line") if found.bad_lines else "",
        f"{found.without_text} without a text" if found.without_text else "",
        f"{found.without_label} without a label" if found.without_label else "",
    ]
    parts = ", ".join(one for one in left_out if one)
    return f"{found.rows}" + (f"; left out: {parts}" if parts else "")


def _row_object(row: InputRow) -> dict[str, Any]:
    fields = dict(row.fields)
    if row.moment is not None:
        fields["timestamp"] = format_moment(row.moment[0])
    return {"line": row.line, "text": row.text, **fields}


def _row(row: InputRow) -> str:
    found = _row_object(row)
    text = found.pop("text")
    cells = [f"{name} {_short(value)}" for name, value in found.items() if name != "line"]
    return "; ".join([_short(text), *cells])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
