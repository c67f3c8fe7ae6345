"""Class mix and confidence as tables: of a period, per window, and of a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import by_name, places_named
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.prediction_metrics import Metrics, measure
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Window
from sentimon.reporting.plain_text import (
    bar,
    counted,
    estimate,
    minute,
    number,
    span_of,
    sparkline,
    visible,
)
from sentimon.reporting.table_style import (
    STYLES,
    Fitting,
    class_name,
    new_table,
    sentences_of,
    short_name,
)
from sentimon.reporting.verdict_sentences import explain_lacking
from sentimon.timestamps import in_zone

_BAR_WIDTH = 20
_MOST_MARKS = 60
_SHORT = 8
"""The width of a class name at the head of a narrow column."""


def metrics_table(metrics: Metrics, summary: Summary, names: Sequence[str]) -> RenderableType:
    """Return the class mix and the confidence of some rows, and how many rows lack what."""
    table, lacking = Fitting(partial(_metrics, metrics, summary, names)), explain_lacking(metrics)
    return Group(table, Text(), sentences_of(lacking)) if lacking else table


def _metrics(metrics: Metrics, summary: Summary, names: Sequence[str], narrow: bool) -> Table:
    table = new_table(
        f"Predictions {span_of(summary)}",
        ("Class", "left"),
        ("Rows", "right"),
        ("Share", "left"),
        ("", "left"),
        ("Mean confidence", "left"),
        narrow=narrow,
    )
    for place in places_named(names):
        share = metrics.shares[place]
        table.add_row(
            class_name(place, names),
            str(metrics.counts[place]),
            estimate(share, below=narrow),
            Text(bar(share.value, _BAR_WIDTH // (1 + narrow)), style=STYLES[place]),
            estimate(metrics.confidence_by_class[place], below=narrow),
        )
    table.add_section()
    table.add_row("all", str(metrics.total), "", "", estimate(metrics.confidence, below=narrow))
    return table


def windows_table(
    windows: Sequence[Window],
    names: Sequence[str],
    *,
    zone: tzinfo | None,
    confidence_level: float,
) -> RenderableType:
    """Return the class mix and the confidence per window, with a sparkline per class above."""
    measured = [measure(window.summary, confidence_level=confidence_level) for window in windows]
    table = Fitting(partial(_windows, windows, measured, names, zone))
    unfinished = [] if all(window.complete for window in windows) else ["* not over yet"]
    return Group(Text(), _Sparklines(measured, names), table, sentences_of(unfinished))


def _windows(
    windows: Sequence[Window],
    measured: Sequence[Metrics],
    names: Sequence[str],
    zone: tzinfo | None,
    narrow: bool,
) -> Table:
    table = new_table(
        f"Per window, {zone or 'local'} time",
        ("Window", "left"),
        ("Rows", "right"),
        *((short_name(name, _SHORT) if narrow else name, "right") for name in names if name),
        ("Confidence", "left"),
        narrow=narrow,
    )
    for window, metrics in zip(windows, measured, strict=True):
        start = minute(in_zone(window.start, zone), below=narrow)
        table.add_row(
            start if window.complete else start + "*",
            str(metrics.total),
            *(number(share.value) for _, share in by_name(names, metrics.shares)),
            estimate(metrics.confidence, below=narrow),
        )
    return table


@dataclass(frozen=True, slots=True)
class _Sparklines:
    """One sparkline per class: its share in the latest windows, as many as the terminal has room for."""

    measured: Sequence[Metrics]
    names: Sequence[str]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the lines, and their scale."""
        names = [visible(name) for name in self.names]
        width = max(map(cell_len, names)) + 2
        most = max(1, min(_MOST_MARKS, options.max_width - width))
        shown = self.measured[-most:]
        for place in places_named(names):
            line = sparkline([metrics.shares[place].value for metrics in shown])
            yield Text.assemble(set_cell_size(names[place], width), (line, STYLES[place]))
        scale = f"share per window, 0 to 1{f', the latest {most}' if len(shown) < len(self.measured) else ''}"
        yield Text(" " * width + scale, style="dim")
        yield Text()


def baseline_table(baseline: Baseline, names: Sequence[str], *, confidence_level: float) -> RenderableType:
    """Return the class mix of a baseline, its source and its models."""
    metrics = measure(baseline.summary, confidence_level=confidence_level)
    models = [f"{model or 'unnamed model'}@{revision or '?'}" for model, revision in baseline.summary.models]
    facts = [
        f"Baseline {visible(baseline.name)!r}, made {baseline.created:%Y-%m-%d %H:%M} UTC from the log in "
        f"{visible(baseline.source)}, of {visible(', '.join(sorted(models)))};",
        f"{len(baseline.summary.hours)} hours with rows.",
        *(
            f"Divided by {visible(name)}: {counted(len(one.slices.tallies), 'value')}."
            for name, one in baseline.fields.items()
        ),
    ]
    return Group(metrics_table(metrics, baseline.summary, names), Text(), sentences_of(facts))
