"""Predictions as they are made: a growing table for people, one JSON object each for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from sentimon.labels import by_name
from sentimon.reporting.plain_text import counted, number, text_marks, visible
from sentimon.reporting.table_style import STYLES
from sentimon.scoring.scores import ScoredText, Scores

_LONGEST = 500
"""Characters of a text that are shown at most: a table cell is never wider than a line."""
_DIGITS = 3
"""Of a share of letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownText:
    """What the table shows of a text."""

    text: str
    scores: Scores
    truncated: bool
    unreadable: bool

    @property
    def marked(self) -> str:
        """Return the beginning of the text, after what there is to know of it."""
        marks = text_marks(unreadable=self.unreadable, truncated=self.truncated)
        return marks + visible(self.text[:_LONGEST])


def prediction_object(text: str, scored: ScoredText, *, model: str) -> dict[str, Any]:
    """Return one prediction with the keys that `predict --json` documents.

    `unknown` is there where it is not 0, and `unreadable` where it is true: almost no text has either.
    """
    content = {
        "text": text,
        "sentiment": scored.scores.label.label,
        "confidence": scored.scores.confidence,
        "scores": scored.scores.to_dict(),
        "model": model,
        "truncated": scored.truncated,
    }
    if scored.unknown:
        content["unknown"] = round(scored.unknown, _DIGITS)
    if scored.unreadable:
        content["unreadable"] = True
    return content


def explain_unreadable(unreadable: int, model: str, *, total: int | None = None) -> str:
    """Return how many texts, of so many, a model could not read, and what to do, as a sentence."""
    texts = counted(unreadable, "text") if total is None else f"{unreadable} of {counted(total, 'text')}"
    return (
        f"{texts} unreadable: mostly in letters that {visible(model)} does not know, so that the scores say "
        "nothing; --model names another model"
    )


def predictions_table(predictions: Iterable[ShownText], names: Sequence[str], *, heading: bool) -> Table:
    """Return a table of texts with their scores, one line per text.

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
    for one in predictions:
        scores = one.scores
        table.add_row(
            Text(visible(names[scores.label]), style=STYLES[scores.label]),
            number(scores.confidence),
            *(number(score) for _, score in by_name(names, scores.vector)),
            Text(one.marked),
        )
    return table
