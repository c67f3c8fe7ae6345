"""What there is, as rich tables: the baseline, its check on itself, the files of the log, the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from sentimon.errors import SegmentError
from sentimon.logbook.opened import LogFile
from sentimon.logbook.summary import Summary
from sentimon.monitoring.baseline import Baseline, BaselineCheck
from sentimon.monitoring.metrics import measure
from sentimon.reporting.numbers import interval, number
from sentimon.reporting.style import new_table, sentences_of, span_of
from sentimon.reporting.tables import metrics_table
from sentimon.reporting.text import visible
from sentimon.reporting.words import explain_check


def baseline_table(baseline: Baseline, names: Sequence[str], *, confidence_level: float) -> RenderableType:
    """Return the class mix of a baseline and where it came from."""
    metrics = measure(baseline.summary, confidence_level=confidence_level)
    models = [f"{model or 'unnamed model'}@{revision or '?'}" for model, revision in baseline.summary.models]
    facts = [
        f"Baseline {visible(baseline.name)!r}, made {baseline.created:%Y-%m-%d %H:%M} UTC from the log in "
        f"{visible(baseline.source)}, of {visible(', '.join(sorted(models)))};",
        f"{len(baseline.summary.hours)} hours with rows.",
    ]
    return Group(metrics_table(metrics, baseline.summary, names), Text(), sentences_of(facts))


def check_table(check: BaselineCheck, *, zone: tzinfo | None) -> RenderableType:
    """Return how far each window of a baseline lies from the rest of it."""
    table = new_table(
        "Each window against the rest", ("Window", "left"), ("Rows", "right"), ("Score", "left"), ("", "left")
    )
    for window in check.windows:
        table.add_row(
            f"{window.start.astimezone(zone):%Y-%m-%d %H:%M}",
            str(window.count),
            f"{number(window.score)} {interval(window.low, window.high)}",
            Text("departs", style="bold red") if window.departs else "",
        )
    return Group(table, Text(), sentences_of(explain_check(check)))


def log_files_table(
    rows: Sequence[tuple[LogFile, Summary]], index: LogFile | None, lost: Sequence[SegmentError] = ()
) -> RenderableType:
    """Return the files of a log with what each holds, all together, and where the index is kept.

    Those that are `lost` cannot be read, and count nowhere.
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
    named = "all that can be read" if lost else "all"
    table.add_row(named, str(size), str(whole.count), str(whole.bad_count), span_of(whole))
    kept = "No index is kept." if index is None else f"Index: {visible(str(index.path))}, {index.size} bytes."
    return Group(table, Text(), sentences_of([kept]))


def verified_table(
    rows: Sequence[tuple[LogFile, Summary]], wrong: Sequence[Path], *, indexed: bool
) -> RenderableType:
    """Return each file of the log, its good and bad lines, and whether the index agreed, if one is kept."""
    columns = (("File", "left"), ("Rows", "right"), ("Bad", "right"), ("Kinds", "left"), ("Index", "left"))
    table = new_table("The log, read as a whole", *columns)
    for file, summary in rows:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.bad.items()))
        agrees = Text("wrong", style="bold red") if file.path in wrong else "agrees" if indexed else "none"
        name = Text(visible(file.path.name), overflow="fold")
        table.add_row(name, str(summary.count), str(summary.bad_count), kinds, agrees)
    return table


def settings_table(rows: Iterable[tuple[str, object, str]]) -> RenderableType:
    """Return every setting with its value and where it came from."""
    table = new_table("Settings", ("Key", "left"), ("Value", "left"), ("From", "left"))
    for key, value, origin in rows:
        table.add_row(
            key, Text(visible(_toml(value)), overflow="fold"), Text(visible(origin), overflow="fold")
        )
    return table


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
