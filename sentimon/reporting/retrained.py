"""The plan and the outcome of a retraining, as tables and objects."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import LABELS
from sentimon.reporting.numbers import estimate
from sentimon.reporting.style import Fitting, new_table, sentences_of
from sentimon.reporting.text import visible
from sentimon.finetuning.results import Results, Side
from sentimon.finetuning.retraining_plan import Plan
from sentimon.finetuning.sentimon_model import OurTrainee

MANY_UNKNOWN = 0.05
"""Share of unknown tokens from which on a model misses words, and not an odd sign here and there."""


def plan_object(plan: Plan, seconds: float) -> dict[str, Any]:
    """Return what `retrain --dry-run --json` documents; `seconds` is about how long it takes."""
    course = plan.course
    return {
        "base": plan.base.model,
        "base_revision": plan.base.revision,
        "fingerprint": course.fingerprint,
        "new_rows": len(course.fresh),
        "per_class": dict(zip(LABELS, course.counts, strict=True)),
        "held_out": len(course.held),
        "old_rows": len(course.replay),
        "old_rows_a_pass": plan.replayed,
        "old_held_out": len(course.held_replay),
        "passes": plan.pace.epochs,
        "steps": plan.steps,
        "unknown_tokens": plan.unknown,
        "bfloat16": plan.pace.bfloat16,
        "seed": plan.pace.seed,
        "seconds": seconds,
    }


def plan_table(plan: Plan, seconds: float) -> RenderableType:
    """Return what a retraining will do, and about how long it takes."""
    course, pace = plan.course, plan.pace
    table = new_table(f"Retraining of {visible(plan.base.model)}", ("Rows", "left"), ("n", "right"))
    for name, count in zip(LABELS, course.counts, strict=True):
        table.add_row(f"new, {name}", str(count))
    table.add_row("new, kept out", str(len(course.held)))
    if course.replay:
        table.add_row("old, each pass", str(plan.replayed))
        table.add_row("old, kept out", str(len(course.held_replay)))
    kind = "bfloat16" if pace.bfloat16 else "float32"
    sentences = [
        f"At most {pace.epochs} passes, {plan.steps} steps of {pace.batch} rows, {kind}, seed {pace.seed}.",
        f"About {duration(seconds)} on this machine.",
    ]
    return Group(table, Text(), sentences_of(sentences))


def explain_unknown(plan: Plan) -> str | None:
    """Return in words that the model cannot read much of the new texts; None where it can."""
    share = plan.unknown
    if share < MANY_UNKNOWN:
        return None
    grows = isinstance(plan.trainee, OurTrainee)
    mend = "--grow-vocabulary 4000 adds word pieces for them" if grows else "--base names one that reads them"
    return f"{share:.0%} of the tokens of the new texts are unknown to {plan.base.model}: {mend}"


def results_table(results: Results, *, path: str) -> RenderableType:
    """Return the base and the new model on the rows kept out, and the next step."""
    best = results.best
    first = (
        f"Pass {best.number} of {results.passes[-1].number} was taken: the least log loss on rows kept out, "
        f"{best.held_out_loss:.3f}."
        if best.number
        else "No pass was better than the start: the weights are those of the base, calibrated anew."
    )
    if results.fresh.no_better_than_guessing:
        rest = _guessing(results.fresh)
    else:
        rest = f"Compare and serve it: sentimon promote {visible(path)} --data FILE"
    return Group(Fitting(partial(_kept_out, results)), Text(), sentences_of([first, rest]))


def _kept_out(results: Results, narrow: bool) -> Table:
    columns = (("Rows", "left"), ("n", "right"), ("Macro recall", "left"), ("Accuracy", "left"))
    table = new_table("Rows kept out", *columns, narrow=narrow)
    for name, side in (("new", results.fresh), ("old", results.replay)):
        if side is None:
            continue
        for which, quality in (("base", side.before), ("retrained", side.after)):
            cells = (estimate(one, below=narrow) for one in (quality.macro_recall, quality.accuracy))
            table.add_row(f"{name}, {which}", str(quality.n), *cells)
    return table


def _guessing(side: Side) -> str:
    return (
        f"On the {side.after.n} new rows kept out it cannot be told from guessing ({side.guessing:.3f}): "
        "either these rows are too few, or their labels do not follow from their texts. Look at some of them "
        "side by side, have a few labelled a second time (`sentimon label import` names conflicts), or label "
        "more."
    )


def duration(seconds: float) -> str:
    """Return about how long that is.

    >>> duration(40), duration(200), duration(9000)
    ('40 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
