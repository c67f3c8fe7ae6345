"""Models as tables: two compared, the gate that a promotion has to pass, and the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.model_comparison import Comparison, PairedResult, PromotionCheck
from sentimon.reporting.plain_text import MISSING, change, number, visible
from sentimon.reporting.table_style import Fitting, new_table, sentences_of
from sentimon.statistics.intervals import Difference, Estimate

SHOWN = 10


def comparison_object(found: Comparison) -> dict[str, Any]:
    """Return the object of `compare --json`; differences are B minus A, or null if there are too few rows."""
    return {
        "worse": found.worse,
        "tolerance": found.tolerance,
        **_pairing(found.whole),
        "parts": [{"part": one.part, **_pairing(one)} for one in found.parts],
        "seconds_per_text": {"a": found.seconds_a, "b": found.seconds_b, "ratio": found.cost_ratio},
    }


def comparison_table(found: Comparison, *, a: str, b: str, data: str) -> RenderableType:
    """Return both accuracies and their difference, in total and per part, and the conclusion."""
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
    """Return whether B may replace A, as sentences."""
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


def _add(table: Table, one: PairedResult, narrow: bool) -> None:
    table.add_row(
        Text(visible(one.part), overflow="fold"),
        str(one.n),
        number(one.accuracy_a),
        number(one.accuracy_b),
        change(_change(one.accuracy_difference), below=narrow) or "too few rows",
        _p(one.mcnemar_p),
    )


def _pairing(one: PairedResult) -> dict[str, Any]:
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


def _change(one: Estimate) -> Difference | None:
    if one.value is None or one.low is None or one.high is None:
        return None
    return Difference(value=one.value, low=one.low, high=one.high)


def _p(value: float | None) -> str:
    if value is None:
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def gate_object(gate: PromotionCheck) -> dict[str, Any]:
    """Return the gate part of `promote --json`; `comparison` is null without held-out rows."""
    return {
        "open": gate.open,
        "comparison": None if gate.comparison is None else comparison_object(gate.comparison),
        "regressions": {
            "listed": gate.listed,
            "broken": [
                {
                    "text": one.text,
                    "label": one.label.label,
                    "before": one.before.label,
                    "now": one.now.label,
                }
                for one in gate.broken
            ],
        },
    }


def figures_of(gate: PromotionCheck) -> dict[str, Any]:
    """Return the figures of a gate that the registry stores; they contain no text."""
    kept = {"listed": gate.listed, "broken": len(gate.broken)}
    if gate.comparison is None:
        return kept
    whole = gate.comparison.whole
    return kept | {
        "n": whole.n,
        "accuracy_before": whole.accuracy_a,
        "accuracy": whole.accuracy_b,
        "accuracy_difference": whole.accuracy_difference.to_dict(),
        "macro_recall_difference": whole.recall_difference.to_dict(),
    }


def gate_table(gate: PromotionCheck, *, serving: str, candidate: str, data: str) -> RenderableType:
    """Return the comparison, and the listed texts that would lose their label."""
    parts: list[RenderableType] = []
    if gate.comparison is not None:
        parts.append(comparison_table(gate.comparison, a=serving, b=candidate, data=data))
    if gate.listed:
        kept = gate.listed - len(gate.broken)
        parts.append(sentences_of([f"Of {gate.listed} listed texts {kept} keep their label."]))
    if gate.broken:
        table = new_table(
            "Lost", ("Label", "left"), ("In use", "left"), ("Candidate", "left"), ("Text", "left")
        )
        for one in gate.broken[:SHOWN]:
            text = Text(visible(one.text), no_wrap=True, overflow="ellipsis")
            table.add_row(one.label.label, one.before.label, one.now.label, text)
        parts += [Text(), table]
    return Group(*parts)


def models_table(entries: Sequence[Mapping[str, Any]], *, current: str | None) -> RenderableType:
    """Return the history of a registry, the latest change last; the version in use is marked."""
    served = f"{visible(current)} serves." if current else "None serves: the configuration names the model."
    return Group(Fitting(partial(_models, entries, current)), Text(), sentences_of([served]))


def _models(entries: Sequence[Mapping[str, Any]], current: str | None, narrow: bool) -> Table:
    table = new_table(
        "Models",
        ("Version", "left"),
        ("Revision", "left"),
        ("When", "left"),
        ("What", "text"),
        ("Why", "text"),
        narrow=narrow,
    )
    for at, one in enumerate(entries):
        serves = one.get("version") == current and all(
            later.get("version") != current for later in entries[at + 1 :]
        )
        version = Text(visible(str(one.get("version"))), style="bold" if serves else "")
        revision = visible(str(one.get("revision")))
        day, _, time = str(one.get("timestamp", ""))[:16].partition("T")
        when = ("\n" if narrow else " ").join((visible(day), visible(time)))
        what = visible(f"{one.get('event')} by {one.get('who')}")
        table.add_row(version, *(Text(cell) for cell in (revision, when, what)), _why(one))
    return table


def _why(entry: Mapping[str, Any]) -> Text:
    forced = " (forced)" if entry.get("forced") else ""
    return Text(visible(f"{entry.get('why') or '-'}{forced}"), overflow="fold")
