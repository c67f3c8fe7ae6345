"""Two models side by side: table, sentences, JSON."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.comparison import Comparison, Pairing
from sentimon.monitoring.intervals import Change, Estimate
from sentimon.reporting.numbers import MISSING, change, number
from sentimon.reporting.style import Fitting, new_table, sentences_of
from sentimon.reporting.text import visible


def comparison_object(found: Comparison) -> dict[str, Any]:
    """Return what `compare --json` documents; differences are B minus A, null where rows are too few."""
    return {
        "worse": found.worse,
        "tolerance": found.tolerance,
        **_pairing(found.whole),
        "parts": [{"part": one.part, **_pairing(one)} for one in found.parts],
        "seconds_per_text": {"a": found.seconds_a, "b": found.seconds_b, "ratio": found.cost_ratio},
    }


def comparison_table(found: Comparison, *, a: str, b: str, data: str) -> RenderableType:
    """Return the accuracy of both and their differences, as a whole and in parts, and what follows."""
    table = Fitting(partial(_parts, found, f"B against A on {visible(data)}"))
    names = [f"A is {visible(a)}, B is {visible(b)}."]
    return Group(table, Text(), sentences_of([*names, *explain_comparison(found)]))


def _parts(found: Comparison, title: str, narrow: bool) -> Table:
    table = new_table(
        title,
        ("Rows", "left"),
        ("n", "right"),
        ("A", "right"),
        ("B", "right"),
        ("Accuracy, B - A", "left"),
        ("p", "right"),
        narrow=narrow,
    )
    for one in found.parts:
        _add(table, one, narrow)
    table.add_section()
    _add(table, found.whole, narrow)
    return table


def explain_comparison(found: Comparison) -> list[str]:
    """Return in sentences whether B may take the place of A."""
    whole, limit = found.whole, f"{found.tolerance:g}"
    if found.worse:
        lows = [
            one.low for one in (whole.accuracy_difference, whole.recall_difference) if one.low is not None
        ]
        first = f"WORSE: B may be worse by more than {limit}: an interval reaches down to {min(lows):+.3f}."
    else:
        first = f"Not worse: B gives up no more than {limit} of accuracy and macro recall."
    ratio = found.cost_ratio
    cost = (
        ""
        if ratio is None
        else f" B takes {ratio:.2f} times as long ({1000 * found.seconds_b:.1f} ms a text)."
    )
    return [
        first,
        f"Macro recall, B - A: {change(_change(whole.recall_difference)) or MISSING}. They agree on "
        f"{number(whole.agreement)} of the rows; only A is right on {whole.only_a}, only B on "
        f"{whole.only_b} (McNemar p {_p(whole.mcnemar_p)}).{cost}",
    ]


def _add(table: Table, one: Pairing, narrow: bool) -> None:
    table.add_row(
        Text(visible(one.part), overflow="fold"),
        str(one.n),
        number(one.accuracy_a),
        number(one.accuracy_b),
        change(_change(one.accuracy_difference), below=narrow) or "too few rows",
        _p(one.mcnemar_p),
    )


def _pairing(one: Pairing) -> dict[str, Any]:
    return {
        "n": one.n,
        "accuracy_a": one.accuracy_a,
        "accuracy_b": one.accuracy_b,
        "accuracy_difference": one.accuracy_difference.to_dict(),
        "macro_recall_difference": one.recall_difference.to_dict(),
        "agreement": one.agreement,
        "only_a": one.only_a,
        "only_b": one.only_b,
        "mcnemar_p": one.mcnemar_p,
    }


def _change(one: Estimate) -> Change | None:
    if one.value is None or one.low is None or one.high is None:
        return None
    return Change(value=one.value, low=one.low, high=one.high)


def _p(value: float | None) -> str:
    if value is None:
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"
