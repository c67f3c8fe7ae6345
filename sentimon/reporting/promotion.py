"""A gate and the registry of models, as tables and objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.gate import Gate
from sentimon.reporting.comparison import comparison_object, comparison_table
from sentimon.reporting.style import Fitting, new_table, sentences_of
from sentimon.reporting.text import visible

SHOWN = 10


def gate_object(gate: Gate) -> dict[str, Any]:
    """Return what `promote --json` documents of the gate; `comparison` is null without held-back rows."""
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


def figures_of(gate: Gate) -> dict[str, Any]:
    """Return what the registry keeps of a gate: numbers, and no text."""
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


def gate_table(gate: Gate, *, serving: str, candidate: str, data: str) -> RenderableType:
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
    """Return the history of a registry, the latest switch last; the version that serves is marked."""
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
