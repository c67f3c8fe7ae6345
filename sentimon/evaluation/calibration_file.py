"""The calibration of a model: chosen by cross-validation, kept in a small file that names the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from sentimon.errors import DataError, NoVerdictError
from sentimon.files import MOST_SETTINGS, read_file
from sentimon.jsonl import decode_file
from sentimon.labels import THREE, Sentiment
from sentimon.statistics.calibration_error import calibration_error
from sentimon.statistics.intervals import Estimate
from sentimon.statistics.score_scaling import (
    KINDS,
    TEMPERATURE,
    UNCHANGED,
    VECTOR,
    Calibrator,
    Classes,
    Matrix,
    fit_scaling,
    held_out_losses,
    log_loss,
)
from sentimon.timestamps import format_moment

VERSION = 1
_SEED = 0
_MOST = 1000.0
"""Largest weight or bias; with a larger one all scores are 0 or 1."""
Weight = Annotated[float, msgspec.Meta(gt=0, le=_MOST)]
Bias = Annotated[float, msgspec.Meta(ge=-_MOST, le=_MOST)]
_AGAIN = "make one with `sentimon calibrate`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibrator, the model that it is for, and why it was chosen."""

    calibrator: Calibrator
    model: str
    revision: str
    rows: int
    """Labelled rows that it was fitted on."""
    held_out: Mapping[str, float]
    """Mean log loss in nats on rows held out, for `none`, `temperature` and `vector`."""

    def for_model(self, model: str | None, revision: str | None) -> Calibrator:
        """Return the calibrator for rows of a model; `model` or `revision` is None where the rows do not say.

        Raises:
            DataError: it is for another model, or another revision of it.
        """
        if model not in (None, self.model) or revision not in (None, self.revision):
            raise DataError(
                f"the calibration is for {self.model}@{self.revision}, the rows are of {model}@{revision}",
                hint="make one for that model with `sentimon calibrate --model`",
            )
        return self.calibrator

    def to_dict(self, *, created: datetime) -> dict[str, Any]:
        """Return the content of the file: version, model, parameters, and the rows they were fitted on."""
        return {
            "version": VERSION,
            "created": format_moment(created),
            "model": self.model,
            "revision": self.revision,
            "kind": self.calibrator.kind,
            "weights": list(self.calibrator.weights),
            "biases": list(self.calibrator.biases),
            "rows": self.rows,
            "held_out_log_loss": dict(self.held_out),
        }


def calibrate(
    scores: Matrix,
    gold: Classes,
    *,
    model: str,
    revision: str,
    fewest: int,
    present: tuple[Sentiment, ...] = THREE,
) -> Calibration:
    """Return the calibration of raw `scores` (n, k) by the columns `gold` (n,) of the true classes.

    The columns are the classes that are `present`.

    Temperature scaling is chosen unless its cross-validated log loss is worse than without calibration;
    vector scaling where its loss is better than that of temperature scaling by more than one standard error.

    Source: Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, 7.10 (the rule of one
    standard error).

    Raises:
        NoVerdictError: a class has fewer than `fewest` rows.
    """
    for place, count in zip(present, np.bincount(gold, minlength=len(present)), strict=True):
        if count < fewest:
            raise NoVerdictError(
                f"{count} labelled rows are {place.label}, at least {fewest} of each class are needed",
                hint="label more, or lower quality.min_labels_per_class",
            )
    raw = log_loss(scores, gold)
    losses = {kind: held_out_losses(scores, gold, kind, seed=_SEED) for kind in (TEMPERATURE, VECTOR)}
    gain = losses[TEMPERATURE] - losses[VECTOR]
    kind = TEMPERATURE if losses[TEMPERATURE].mean() < raw.mean() else UNCHANGED.kind
    if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)) and losses[VECTOR].mean() < raw.mean():
        kind = VECTOR
    calibrator = UNCHANGED if kind == UNCHANGED.kind else fit_scaling(scores, gold, kind)
    if not all(0 < weight <= _MOST for weight in calibrator.weights):
        raise NoVerdictError(
            f"the labels contradict the scores: they would be weighted by {calibrator.weights}",
            hint="check that the labels mean what the file says (`sentimon evaluate`)",
        )
    return Calibration(
        calibrator=calibrator,
        model=model,
        revision=revision,
        rows=len(gold),
        held_out={UNCHANGED.kind: float(raw.mean())}
        | {one: float(loss.mean()) for one, loss in losses.items()},
    )


def errors_of(calibrator: Calibrator, scores: Matrix, gold: Classes) -> tuple[Estimate, Estimate]:
    """Return the expected calibration error of the raw scores and of the calibrated ones."""
    found = []
    for given in (scores, calibrator.apply(scores)):
        right = (given.argmax(axis=1) == gold).astype(np.float64)
        found.append(calibration_error(given.max(axis=1), right))
    return found[0], found[1]


class _File(msgspec.Struct, kw_only=True):
    version: int
    model: str
    revision: str
    kind: str
    weights: tuple[Weight, Weight, Weight]
    biases: tuple[Bias, Bias, Bias]
    rows: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
    held_out_log_loss: dict[str, Annotated[float, msgspec.Meta(ge=0, le=_MOST)]]


_decode_file = msgspec.json.Decoder(_File).decode


def read_calibration(path: Path) -> Calibration:
    """Return the calibration in the file at `path`.

    Raises:
        StoreError: the file is missing, unreadable, no calibration, or of a later version.
    """
    content = read_file(path, hint=_AGAIN, most=MOST_SETTINGS)
    return decode_file(content, _from_content, origin=str(path), what="calibration", hint=_AGAIN)


def _from_content(content: bytes) -> Calibration:
    found = _decode_file(content)
    if found.version != VERSION or found.kind not in (UNCHANGED.kind, *KINDS):
        raise DataError(f"version {found.version}, kind {found.kind!r} is not known here")
    if found.kind != VECTOR and len(set(found.weights)) != 1:
        raise DataError(f"{found.kind} has one weight, not {found.weights}")
    if found.kind in (UNCHANGED.kind, TEMPERATURE) and any(found.biases):
        raise DataError(f"{found.kind} has no biases, not {found.biases}")
    return Calibration(
        calibrator=Calibrator(kind=found.kind, weights=found.weights, biases=found.biases),
        model=found.model,
        revision=found.revision,
        rows=found.rows,
        held_out=found.held_out_log_loss,
    )
