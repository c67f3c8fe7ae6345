"""Predictions as they are made: a growing table for people, one JSON object each for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from sentimon.labels import by_name
from sentimon.reporting.plain_text import number, visible
from sentimon.reporting.table_style import STYLES
from sentimon.scoring.scores import ScoredText, Scores

_LONGEST = 500
"""Characters of a text that are shown at most: a table cell is never wider than a line."""


def prediction_object(text: str, scored: ScoredText, *, model: str) -> dict[str, Any]:
    """Return one prediction with the keys that `predict --json` documents."""
    return {
        "text": text,
        "sentiment": scored.scores.label.label,
        "confidence": scored.scores.confidence,
        "scores": scored.scores.to_dict(),
        "model": model,
        "truncated": scored.truncated,
    }


def predictions_table(
    predictions: Iterable[tuple[str, Scores, bool]], names: Sequence[str], *, heading: bool
) -> Table:
    """Return a table of (text, scores, truncated), one line per text.

    Its column widths do not depend on the rows, so that one chunk continues the last.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_header=heading,
        expand=True,
    )
    label_width = max(8, *(len(name) for name in names))
    table.add_column("Class", width=label_width, no_wrap=True)
    table.add_column("Confidence", width=10, justify="right")
    for name in filter(None, names):
        table.add_column(Text(visible(name)), width=max(8, len(name)), justify="right", no_wrap=True)
    table.add_column("Text", ratio=1, no_wrap=True, overflow="ellipsis")
    for text, scores, truncated in predictions:
        shown = ("(cut) " if truncated else "") + visible(text[:_LONGEST])
        table.add_row(
            Text(visible(names[scores.label]), style=STYLES[scores.label]),
            number(scores.confidence),
            *(number(score) for _, score in by_name(names, scores.vector)),
            Text(shown),
        )
    return table
