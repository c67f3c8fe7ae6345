"""Slices of the traffic as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import LABELS, by_name
from sentimon.monitoring.slice_comparison import FieldComparison, SliceOutcome
from sentimon.monitoring.slice_metrics import FieldMetrics, not_told_apart
from sentimon.reporting.plain_text import change, estimate, number, visible
from sentimon.reporting.slice_sentences import explain_others, explain_slices
from sentimon.reporting.table_style import Fitting, new_table, sentences_of, short_name
from sentimon.statistics.intervals import Difference
from sentimon.statistics.mix_decomposition import Decomposition

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
    few = ["* too few rows for a verdict"] if any(one.few for one in found.slices) else []
    return few + explain_others(found.field, found.values, len(found.slices), not_told_apart(found))


def slices_object(found: FieldMetrics, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the slices of a field: their rows, shares and confidence, each with its interval."""
    return {
        "field": found.field,
        "values": found.values,
        "too_many_values": found.values is None,
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


def comparison_table(found: FieldComparison, names: Sequence[str]) -> RenderableType:
    """Return each slice before and now with what it adds to the change, and what that means in words."""
    shown = [visible(name) for name in names]
    return Group(
        Text(),
        Fitting(partial(_comparison, found, names)),
        Text(),
        sentences_of(explain_slices(found, shown)),
    )


def _comparison(found: FieldComparison, names: Sequence[str], narrow: bool) -> Table:
    """Return the slices by the class whose share moved most; in a narrow table without the parts."""
    place = max(range(3), key=lambda one: abs(found.shares[one].whole.value))
    parts = {one.value: one for one in found.shares[place].slices}
    name = short_name(names[place], _SHORT)
    table = new_table(
        f"By {visible(found.field)}: what each slice adds to the change of {visible(names[place])}",
        ("Value", "left"),
        ("Rows", "right"),
        ("Of all", "left"),
        (name, "left"),
        *(() if narrow else (("By mix", "right"), ("By itself", "right"))),
        ("Adds", "left"),
        ("", "left"),
        narrow=narrow,
    )
    for one in found.slices:
        part, old, new = parts.get(one.value), *one.of_all
        means = (None, None) if part is None else part.means
        figures = () if part is None else (part.mix.value, part.within.value)
        table.add_row(
            Text(visible(one.value)),
            str(one.after.count),
            f"{number(old.value, digits=2)} to {number(new.value, digits=2)}",
            f"{number(means[0], digits=2)} to {number(means[1], digits=2)}",
            *(() if narrow else (f"{figure:+.3f}" for figure in figures)),
            "" if part is None else change(part.both, below=True),
            _state(one.state),
        )
    total = found.shares[place]
    table.add_section()
    table.add_row(
        "all",
        str(sum(one.after.count for one in found.slices)),
        "",
        f"{number(total.before, digits=2)} to {number(total.after, digits=2)}",
        *(() if narrow else (f"{total.mix.value:+.3f}", f"{total.within.value:+.3f}")),
        change(total.whole, below=True),
        "",
    )
    return table


_STATES = {
    SliceOutcome.DRIFT: Text("DRIFT", style="bold red"),
    SliceOutcome.CHANGED: Text("changed", style="bold"),
    SliceOutcome.UNCHANGED: Text(""),
    SliceOutcome.TOO_FEW_ROWS: Text("few rows", style="yellow"),
    SliceOutcome.NEW: Text("new", style="bold"),
    SliceOutcome.GONE: Text("gone", style="bold"),
}


def _state(state: SliceOutcome) -> Text:
    return _STATES[state]


def comparison_object(found: FieldComparison, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the slices before and now, what each adds to each change, and the changes as sums of them."""
    parts = [{one.value: one for one in decomposition.slices} for decomposition in found.shares]
    return {
        "field": found.field,
        "too_many_values": found.too_many,
        "changes": {name: _change_object(one) for name, one in by_name(names, found.shares)}
        | {"confidence": None if found.confidence is None else _change_object(found.confidence)},
        "slices": [
            {
                "value": one.value,
                "state": one.state.value,
                "baseline_predictions": one.before.count,
                "current_predictions": one.after.count,
                "baseline_share_of_all": one.of_all[0].to_dict(),
                "current_share_of_all": one.of_all[1].to_dict(),
                "baseline_distribution": dict(by_name(names, one.before.counts)),
                "current_distribution": dict(by_name(names, one.after.counts)),
                "drift_score": one.score.to_dict(),
                "share_changes": None
                if one.share_changes is None
                else {name: _difference(each) for name, each in by_name(names, one.share_changes)},
                "adds": {
                    name: {
                        "mix": _difference(each[one.value].mix),
                        "within": _difference(each[one.value].within),
                        "both": _difference(each[one.value].both),
                    }
                    for name, each in by_name(names, parts)
                    if one.value in each
                },
            }
            for one in found.slices
        ],
    }


def _change_object(one: Decomposition) -> dict[str, Any]:
    return {
        "before": one.before,
        "after": one.after,
        "change": _difference(one.whole),
        "by_traffic_mix": _difference(one.mix),
        "within_slices": _difference(one.within),
    }


def _difference(one: Difference) -> dict[str, float]:
    return {"value": one.value, "low": one.low, "high": one.high}
