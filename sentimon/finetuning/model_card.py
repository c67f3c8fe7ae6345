"""The model card of a retrained model, in Markdown: data, recipe, results, use and limits."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.evaluation.quality import Quality
from sentimon.finetuning.results import BeforeAndAfter, RetrainingResults
from sentimon.finetuning.retraining_plan import ANSWER_SHARE, PRIOR_SHARE, RetrainingPlan
from sentimon.finetuning.targets import SMOOTHING
from sentimon.statistics.intervals import Estimate

USE = (
    "Sentiment (`negative`, `neutral`, `positive`) of texts like those of its rows, watched by sentimon.",
    "It is not meant to judge people, nor for texts of another kind or language than its rows.",
)
LIMITS = (
    "- The rows kept out also chose the pass and the temperature: these figures lean towards the better.",
    "  `sentimon promote --data` compares on rows that chose nothing.",
    "- What the base model gets wrong on other texts it still does: its own card holds, too.",
    "- Labels drawn by `label next` prefer hard rows: figures on them are lower than on all traffic.",
)


def write_card(plan: RetrainingPlan, results: RetrainingResults, *, sources: Sequence[str]) -> str:
    """Return the model card; `sources` name where the rows came from."""
    base = f"retrained from `{plan.base.model}` at `{plan.base.revision}`"
    parts = (
        ("# A sentiment model retrained with sentimon", [f"Revision `{results.revision}`, {base}."]),
        ("## What it is for", USE),
        ("## Data", _data(plan, results, sources)),
        ("## Recipe", _recipe(plan, results)),
        ("## Results", _results(results)),
        ("## Limits", LIMITS),
    )
    return "\n".join(f"{heading}\n\n" + "\n".join(lines) + "\n" for heading, lines in parts)


def _data(plan: RetrainingPlan, results: RetrainingResults, sources: Sequence[str]) -> list[str]:
    split = plan.split
    low, middle, high = split.counts
    return [
        f"- Fingerprint `{results.fingerprint}`: SHA-256 of every text and label, in order.",
        f"- From: {', '.join(sources)}. No text is part of this folder.",
        f"- New texts: {len(split.train)} trained on ({low} negative, {middle} neutral, {high} positive), "
        f"{len(split.held_out)} kept out.",
        f"- Old texts: {plan.replay_per_epoch} of {len(split.replay)} mixed into each pass, "
        f"{len(split.replay_held_out)} kept out.",
    ]


def _recipe(plan: RetrainingPlan, results: RetrainingResults) -> list[str]:
    hyper = plan.hyper
    return [
        f"- AdamW, learning rate {hyper.rate:g}: up over {hyper.warmup:.0%} of the steps, then down to 0; "
        f"weight decay {hyper.weight_decay:g}.",
        f"- At most {hyper.epochs} passes, patience {hyper.patience}; {hyper.batch} rows a step, "
        f"texts cut at {plan.max_tokens} tokens.",
        f"- {'bfloat16 with float32 masters' if hyper.bfloat16 else 'float32'}, seed {hyper.seed}.",
        f"- Labels smoothed by {SMOOTHING:g}; {PRIOR_SHARE:g} of the log class mix of the new rows "
        "taken out.",
        f"- The target of an old row: {ANSWER_SHARE:g} of the base model's answer, the rest its label.",
        f"- Taken: pass {results.best.number} of {len(results.epochs) - 1}, by held-out log loss.",
        f"- Calibration: one temperature, {results.temperature:.3f}, fitted on them, in the last layer.",
        "- `model.onnx` has its weights in seven of eight bits, `model.safetensors` in float32.",
    ]


def _results(results: RetrainingResults) -> list[str]:
    lines = [
        "On rows kept out, by the model as it serves. Intervals hold 95 %.",
        "",
        "| rows | n | macro recall | accuracy | calibration error |",
        "|---|---|---|---|---|",
    ]
    for name, side in (("new", results.new), ("old", results.old)):
        if side is not None:
            lines += [_row(f"{name}, base", side.before), _row(f"{name}, retrained", side.after)]
            lines.append(_difference(name, side))
    if results.new.no_better_than_guessing:
        lines += ["", "**On the new rows kept out it cannot be told from guessing.**"]
    return lines


def _row(name: str, quality: Quality) -> str:
    cells = (quality.macro_recall, quality.accuracy, quality.calibration_error)
    return f"| {name} | {quality.n} | " + " | ".join(map(_shown, cells)) + " |"


def _difference(name: str, side: BeforeAndAfter) -> str:
    pairing = side.pairing
    cells = (_shown(pairing.recall_difference), _shown(pairing.accuracy_difference))
    return f"| {name}, difference | {pairing.n} | {' | '.join(cells)} | |"


def _shown(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
