"""Quality by slice of the traffic: of the labelled rows, and estimated for rows without labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sentimon.evaluation.estimate import Estimates
from sentimon.evaluation.quality import Quality, evaluate
from sentimon.evaluation.realised_quality import EstimateGap, Judged, RealisedQuality, realised_quality_of
from sentimon.labels import Classes, Sentiment
from sentimon.prediction_log.slices import OTHER, GrowingSlices, Slices
from sentimon.scoring.scores import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceQuality:
    """Quality of the labelled rows of one slice."""

    value: str
    rows: int
    """Number of its rows, labelled or not."""
    quality: RealisedQuality
    few: bool
    """Whether it has too few labels for a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldQuality:
    """The labelled rows by the values of one field: the values with the most rows, the largest first."""

    field: str
    slices: tuple[SliceQuality, ...]
    """The last is that of the rows whose values are not told apart, if there are any."""
    values: int | None
    """How many values any row has; None where there are so many that none is told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceEstimate:
    """Quality of the rows of one slice, estimated without labels; either `estimates` or `lacking` is None."""

    value: str
    rows: int
    """Number of its rows, with the scores of all classes or without."""
    few: bool
    """Whether it has too few rows for a verdict."""
    own_labels: bool
    """Whether the estimates are learnt from the labels of the slice; else from those of all rows."""
    estimates: Estimates | None
    """None where there is nothing to learn from, or to estimate for."""
    gap: EstimateGap | None
    """How far the estimate was off on labelled rows of the period itself; None where there are none."""
    lacking: str | None
    """What it lacks for estimates, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEstimates:
    """The estimates by the values of one field: the values with the most rows, the largest first."""

    field: str
    slices: tuple[SliceEstimate, ...]
    """The last is that of the rows whose values are not told apart, if there are any."""
    values: int | None
    """How many values any row has; None where there are so many that none is told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceEvaluation:
    """Quality of a model on the labelled texts of one slice."""

    value: str
    quality: Quality
    few: bool
    """Whether it has too few labels for a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEvaluation:
    """Labelled texts by the values of one field: the values with the most texts, the largest first."""

    field: str
    slices: tuple[SliceEvaluation, ...]
    """The last is that of the texts whose values are not told apart, if there are any."""
    values: int | None
    """How many values any text has; None where there are so many that none is told apart."""


def measure_slice_quality(
    field: str,
    judged: Iterable[Judged],
    slices: Slices,
    *,
    most: int,
    min_labels: int,
    confidence_level: float,
) -> FieldQuality:
    """Return the quality of the labelled rows of the `most` largest slices, and of all others as one.

    `slices` are the sums over all rows, labelled or not. The rows of a slice are weighted as they would be
    without the others.
    """
    shown = slices.told_apart(slices.largest(most))
    labelled = judged_by_value(judged, field, shown.tallies)
    found = []
    for value, tally in shown.tallies.items():
        quality = realised_quality_of(labelled.get(value, ()), confidence_level=confidence_level)
        few = quality.n < min_labels
        found.append(SliceQuality(value=value, rows=tally.count, quality=quality, few=few))
    return FieldQuality(
        field=field,
        slices=tuple(found),
        values=slices.distinct,
    )


def evaluate_slices(
    field: str,
    values: Sequence[str],
    scores: Sequence[Scores],
    labels: Sequence[Sentiment],
    *,
    most: int,
    min_labels: int,
    confidence_level: float,
    present: Classes,
) -> FieldEvaluation:
    """Return the quality of `scores` in the `most` largest slices of the rows, and in all others as one.

    `values` are those of the `field`, `labels` the gold ones, in the order of the rows.
    """
    growing = GrowingSlices()
    for value, label in zip(values, labels, strict=True):
        growing.add(value, label, None)
    slices = growing.slices()
    places: dict[str, list[int]] = {value: [] for value in slices.told_apart(slices.largest(most)).tallies}
    for place, value in enumerate(values):
        places[value if value in places else OTHER].append(place)
    return FieldEvaluation(
        field=field,
        slices=tuple(
            SliceEvaluation(
                value=value,
                quality=evaluate(
                    [scores[place] for place in own],
                    [labels[place] for place in own],
                    confidence_level=confidence_level,
                    present=present,
                ),
                few=len(own) < min_labels,
            )
            for value, own in places.items()
        ),
        values=slices.distinct,
    )


def judged_by_value(
    judged: Iterable[Judged], field: str, told_apart: Mapping[str, object] | None = None
) -> Mapping[str, Sequence[Judged]]:
    """Return the labelled rows of each value of a field, in their order.

    Values that are not among those `told_apart` are OTHER.
    """
    found: dict[str, list[Judged]] = {}
    for one in judged:
        value = one.slices[field]
        shown = value if told_apart is None or value in told_apart else OTHER
        found.setdefault(shown, []).append(one)
    return found
