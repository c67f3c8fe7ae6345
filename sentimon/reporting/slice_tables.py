"""Slices of the traffic as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import LABELS, by_name
from sentimon.monitoring.slice_metrics import FieldMetrics, not_told_apart
from sentimon.reporting.plain_text import counted, estimate, number, visible
from sentimon.reporting.table_style import Fitting, new_table, sentences_of, short_name

_SHORT = 8
"""The width of a class name at the head of a narrow column."""


def slices_table(found: FieldMetrics, names: Sequence[str]) -> RenderableType:
    """Return the class mix and the confidence of each slice, and what is to be known of them."""
    table = Fitting(partial(_slices, found, names))
    return Group(Text(), table, sentences_of(_explain(found)))


def _slices(found: FieldMetrics, names: Sequence[str], narrow: bool) -> Table:
    table = new_table(
        f"By {visible(found.field)}",
        ("Value", "left"),
        ("Rows", "right"),
        ("Of all", "right"),
        *((short_name(name, _SHORT) if narrow else name, "left") for name in names if name),
        ("Confidence", "left"),
        narrow=narrow,
    )
    for one in found.slices:
        table.add_row(
            Text(visible(one.value) + ("*" if one.few else "")),
            str(one.total),
            number(one.of_all.value, digits=2),
            *(estimate(share, below=narrow, digits=2) for _, share in by_name(names, one.shares)),
            estimate(one.confidence, below=narrow, digits=2),
        )
    return table


def _explain(found: FieldMetrics) -> list[str]:
    sentences = []
    if any(one.few for one in found.slices):
        sentences.append("* too few rows for a verdict")
    others = not_told_apart(found)
    if found.too_many:
        sentences.append(
            f"{visible(found.field)} has more values than can be told apart: all rows are (other)."
        )
    elif others:
        left = counted(found.values - len(found.slices) + 1, "value")
        sentences.append(f"(other) are {counted(others, 'row')} of {left} with fewer rows.")
    return sentences


def slices_object(found: FieldMetrics, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the slices of a field: their rows, shares and confidence, each with its interval."""
    return {
        "field": found.field,
        "values": None if found.too_many else found.values,
        "too_many_values": found.too_many,
        "slices": [
            {
                "value": one.value,
                "total_predictions": one.total,
                "share_of_all": one.of_all.to_dict(),
                "sentiment_distribution": dict(by_name(names, one.counts)),
                "shares": _estimates(dict(by_name(names, one.shares))),
                "confidence": one.confidence.to_dict(),
                "too_few_rows": one.few,
            }
            for one in found.slices
        ],
    }


def _estimates(shares: Mapping[str, Any]) -> dict[str, Any]:
    return {name: share.to_dict() for name, share in shares.items()}
