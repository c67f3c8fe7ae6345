"""Quality and class mix estimated without labels: tables, sentences, JSON, and whether to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.estimate import (
    AssumptionChecks,
    Estimates,
    Mix,
)
from sentimon.evaluation.realised_quality import EstimateGap
from sentimon.labels import LABELS, by_name, places_named
from sentimon.reporting.plain_text import change, estimate, number
from sentimon.reporting.table_style import Fitting, class_name, new_table, sentences_of
from sentimon.statistics.intervals import Difference

NOT_TRUSTWORTHY = "not trustworthy here"


def estimates_object(
    found: Estimates, gap: EstimateGap | None, *, calibration: str | None, names: Sequence[str] = LABELS
) -> dict[str, Any]:
    """Return the object of `metrics --estimate --json`; estimates that cannot be trusted are null."""
    learnt, trust = found.learnt, found.trust
    return {
        "rows": found.rows,
        "rows_without_scores": found.without_scores,
        "labelled": dict(by_name(names, found.labelled)),
        "trustworthy": trust.holds,
        "reasons": reasons(trust),
        "accuracy": None if learnt is None else learnt.accuracy.to_dict(),
        "macro_recall": None if learnt is None else learnt.macro_recall.to_dict(),
        "mix": {
            "counting": _mix(found.counted, names),
            "confusion_matrix": None if learnt is None else _mix(learnt.by_confusion, names),
            "expectation_maximisation": None if learnt is None else _mix(learnt.by_expectation, names),
            "preferred": None if learnt is None else learnt.preferred,
            "best": None if learnt is None else _mix(found.best, names),
        },
        "realised": None if gap is None else _gap(gap),
        "fit": {"distance": trust.fit.distance, "usual": trust.fit.usual, "p": trust.fit.p},
        "words": None
        if trust.novelty is None
        else {"new": trust.novelty.now, "usual": trust.novelty.usual, "n": trust.novelty.n},
        "condition_number": found.condition,
        "calibration": {
            "from": calibration,
            "kind": found.calibrator.kind,
            "weights": [one for _, one in by_name(names, found.calibrator.weights)],
            "biases": [one for _, one in by_name(names, found.calibrator.biases)],
        },
        "assumptions": assumptions(found, calibration),
    }


def estimates_table(
    found: Estimates, gap: EstimateGap | None, names: Sequence[str], *, calibration: str | None
) -> RenderableType:
    """Return the estimated quality, the class mix by each method, and the assumptions behind them."""
    quality = new_table(
        f"Estimated without labels, {found.rows} predictions", ("", "left"), ("Estimate", "left")
    )
    learnt = found.learnt
    quality.add_row("accuracy", NOT_TRUSTWORTHY if learnt is None else estimate(learnt.accuracy))
    quality.add_row("macro recall", NOT_TRUSTWORTHY if learnt is None else estimate(learnt.macro_recall))
    if gap is not None:
        quality.add_row("accuracy by labels", estimate(gap.realised))
        quality.add_row("realised - estimated", change(gap.difference))
    return Group(
        quality,
        Text(),
        Fitting(partial(_mix_table, found, names)),
        Text(),
        sentences_of([*_verdict(found), *assumptions(found, calibration)]),
    )


def reasons(trust: AssumptionChecks) -> list[str]:
    """Return the reasons not to trust the estimates, as sentences; an empty list if there are none."""
    found = []
    if not trust.scores_fit:
        found.append(
            f"The scores fit no mixture of the labelled classes: {number(trust.fit.distance)} apart, where "
            f"{number(trust.fit.usual)} is usual (p {trust.fit.p:.3f}, limit {trust.fit_level:g})."
        )
    if trust.novelty is not None and not trust.words_known:
        found.append(
            f"The words are new: {number(trust.novelty.now)} of them are in no labelled text, where "
            f"{number(trust.novelty.usual)} is usual (limit {trust.new_words:g} more)."
        )
    return found


def assumptions(found: Estimates, calibration: str | None) -> list[str]:
    """Return what the estimates assume and which scores they use, as sentences."""
    labelled = sum(found.labelled)
    kind = found.calibrator.kind
    if found.calibrator.temperature is not None:
        kind = f"{kind} {found.calibrator.temperature:.2f}"
    origin = f"fitted on {labelled} labelled rows" if calibration is None else f"from {calibration}"
    said = [
        f"Assumed: only the class mix differs from the {labelled} labelled rows; texts of a class are alike.",
        f"Used: calibrated scores ({kind}, {origin}); what is logged stays raw.",
    ]
    if found.without_scores:
        said.append(
            f"Left out: {found.without_scores} rows without the scores of all classes, which it needs."
        )
    if found.trust.novelty is None:
        said.append("No texts are kept, so their words could not be compared.")
    return said


def _verdict(found: Estimates) -> list[str]:
    if found.learnt is None:
        said = "More than the class mix has changed, so that no estimate is given; label some of these rows."
        return [f"{NOT_TRUSTWORTHY.capitalize()}.", *reasons(found.trust), said]
    preferred = found.learnt.preferred
    if preferred == "counting":
        return [
            "Use the counted mix: with these labels a correction would add more error than it takes away."
        ]
    return [f"Use the mix by {preferred}: it has the least error, as far as these labels tell."]


def _mix_table(found: Estimates, names: Sequence[str], narrow: bool) -> Table:
    columns = (("Class", "left"), ("Counted", "left"), ("By confusion matrix", "text"), ("By EM", "text"))
    table = new_table("Class mix", *columns, narrow=narrow)
    learnt = found.learnt
    for place in places_named(names):
        table.add_row(
            class_name(place, names),
            estimate(found.counted[place], below=narrow),
            *(
                [NOT_TRUSTWORTHY, NOT_TRUSTWORTHY]
                if learnt is None
                else [
                    estimate(way[place], below=narrow) for way in (learnt.by_confusion, learnt.by_expectation)
                ]
            ),
        )
    return table


def _mix(mix: Mix, names: Sequence[str]) -> dict[str, Any]:
    return {name: one.to_dict() for name, one in by_name(names, mix)}


def _gap(gap: EstimateGap) -> dict[str, Any]:
    difference: Difference = gap.difference
    return {
        "accuracy": gap.realised.to_dict(),
        "difference": {"value": difference.value, "low": difference.low, "high": difference.high},
    }
