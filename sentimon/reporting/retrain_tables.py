"""The plan and the results of a retraining, as tables and objects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import LABELS, by_name
from sentimon.reporting.plain_text import estimate, visible
from sentimon.reporting.table_style import Fitting, new_table, sentences_of

if TYPE_CHECKING:
    from sentimon.finetuning.results import BeforeAndAfter, RetrainingResults
    from sentimon.finetuning.retraining_plan import RetrainingPlan

MANY_UNKNOWN = 0.05
"""Share of unknown tokens above which a model lacks words, and not only a few odd signs."""


def plan_object(plan: RetrainingPlan, seconds: float, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return what `retrain --dry-run --json` documents; `seconds` is about how long it takes."""
    split = plan.split
    return {
        "base": plan.base.model,
        "base_revision": plan.base.revision,
        "fingerprint": split.fingerprint,
        "new_rows": len(split.train),
        "per_class": dict(by_name(names, split.counts)),
        "held_out": len(split.held_out),
        "old_rows": len(split.replay),
        "old_rows_a_pass": plan.replay_per_epoch,
        "old_held_out": len(split.replay_held_out),
        "passes": plan.hyper.epochs,
        "steps": plan.steps,
        "unknown_tokens": plan.unknown_share,
        "bfloat16": plan.hyper.bfloat16,
        "seed": plan.hyper.seed,
        "seconds": seconds,
    }


def plan_table(plan: RetrainingPlan, seconds: float, names: Sequence[str] = LABELS) -> RenderableType:
    """Return what a retraining will do, and about how long it takes."""
    split, hyper = plan.split, plan.hyper
    table = new_table(f"Retraining of {visible(plan.base.model)}", ("Rows", "left"), ("n", "right"))
    for name, count in by_name(names, split.counts):
        table.add_row(f"new, {name}", str(count))
    table.add_row("new, kept out", str(len(split.held_out)))
    if split.replay:
        table.add_row("old, each pass", str(plan.replay_per_epoch))
        table.add_row("old, kept out", str(len(split.replay_held_out)))
    kind = "bfloat16" if hyper.bfloat16 else "float32"
    sentences = [
        f"At most {hyper.epochs} passes, {plan.steps} steps of {hyper.batch} rows, {kind}, "
        f"seed {hyper.seed}.",
        f"About {duration(seconds)} on this machine.",
    ]
    return Group(table, Text(), sentences_of(sentences))


def explain_unknown(plan: RetrainingPlan) -> str | None:
    """Return a sentence that says how much of the new texts the model cannot read; None if it reads them."""
    share = plan.unknown_share
    if share < MANY_UNKNOWN:
        return None
    grows = plan.model.vocabulary_can_grow
    remedy = (
        "--grow-vocabulary 4000 adds word pieces for them" if grows else "--base names one that reads them"
    )
    return f"{share:.0%} of the tokens of the new texts are unknown to {plan.base.model}: {remedy}"


def results_table(results: RetrainingResults, *, path: str) -> RenderableType:
    """Return the base and the new model on the held-out rows, and the next step."""
    best = results.best
    first = (
        f"Pass {best.number} of {results.epochs[-1].number} was taken: the least log loss on rows kept out, "
        f"{best.held_out_loss:.3f}."
        if best.number
        else "No pass was better than the start: the weights are those of the base, calibrated anew."
    )
    if results.new.no_better_than_guessing:
        rest = _explain_guessing(results.new)
    else:
        rest = f"Compare and serve it: sentimon promote {visible(path)} --data FILE"
    return Group(Fitting(partial(_held_out_table, results)), Text(), sentences_of([first, rest]))


def _held_out_table(results: RetrainingResults, narrow: bool) -> Table:
    columns = (("Rows", "left"), ("n", "right"), ("Macro recall", "left"), ("Accuracy", "left"))
    table = new_table("Rows kept out", *columns, narrow=narrow)
    for name, side in (("new", results.new), ("old", results.old)):
        if side is None:
            continue
        for which, quality in (("base", side.before), ("retrained", side.after)):
            cells = (estimate(one, below=narrow) for one in (quality.macro_recall, quality.accuracy))
            table.add_row(f"{name}, {which}", str(quality.n), *cells)
    return table


def _explain_guessing(side: BeforeAndAfter) -> str:
    return (
        f"On the {side.after.n} new rows kept out it cannot be told from guessing ({side.guessing:.3f}): "
        "either these rows are too few, or their labels do not follow from their texts. Look at some of them "
        "side by side, have a few labelled a second time (`sentimon label import` names conflicts), or label "
        "more."
    )


def duration(seconds: float) -> str:
    """Return a duration, rounded, in seconds, minutes or hours.

    >>> duration(40), duration(200), duration(9000)
    ('40 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
