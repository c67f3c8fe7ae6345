from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sentimon.errors import DataError, NoVerdictError, StoreError
from sentimon.evaluation.calibration_file import Calibration, calibrate, errors_of, read_calibration
from sentimon.statistics.score_scaling import (
    TEMPERATURE,
    UNCHANGED,
    VECTOR,
    softmax,
)
from tests.support.rows import START


def rows(n: int, weights: tuple[float, float, float], bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose logits are off by weights and a bias of the negative class."""
    random = np.random.default_rng(4)
    logits = random.normal(size=(n, 3)) * 2
    truth = softmax(logits)
    gold = (truth.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return softmax((logits + np.array([bias, 0, 0])) * np.array(weights)), gold


def made(*given: object, fewest: int = 30) -> Calibration:
    scores, gold = rows(*given)  # type: ignore[arg-type]
    return calibrate(scores, gold, model="m", revision="1", fewest=fewest)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ((1500, (1.0, 1.0, 1.0)), (UNCHANGED.kind, TEMPERATURE)),
        ((1500, (2.0, 2.0, 2.0)), (TEMPERATURE,)),
        ((1500, (1.0, 1.0, 1.0), 1.5), (VECTOR,)),
        ((1500, (2.5, 1.0, 1.0)), (VECTOR,)),
    ],
)
def test_the_simplest_scaling_that_wins_on_held_out_rows_is_taken(
    given: tuple[object, ...], kind: tuple[str, ...]
) -> None:
    assert made(*given).calibrator.kind in kind


def test_it_halves_the_calibration_error_of_a_model_that_is_too_sure() -> None:
    scores, gold = rows(3000, (3.0, 3.0, 3.0))
    found = calibrate(scores, gold, model="m", revision="1", fewest=30)
    before, after = errors_of(found.calibrator, scores, gold)
    assert after.value < before.value / 2
    assert found.held_out[TEMPERATURE] < found.held_out["none"]


def test_too_few_rows_of_a_class_are_refused() -> None:
    with pytest.raises(NoVerdictError, match="labelled rows are negative, at least 30"):
        made(40, (1.0, 1.0, 1.0))


def test_it_reads_back_as_it_was_kept(tmp_path: Path) -> None:
    found = made(400, (2.0, 2.0, 2.0))
    path = tmp_path / "c.json"
    path.write_text(json.dumps(found.to_dict(created=START)), encoding="utf-8")
    assert read_calibration(path) == found
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is no calibration"),
        ("[]", "is no calibration"),
        ('{"version": 1}', "is no calibration"),
        (None, "no such file"),
    ],
)
def test_what_is_no_calibration_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "c.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=says) as caught:
        read_calibration(path)
    assert "sentimon calibrate" in str(caught.value.hint)


@pytest.mark.parametrize("change", [{"version": 2}, {"kind": "magic"}])
def test_a_later_version_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "c.json"
    content = made(400, (2.0, 2.0, 2.0)).to_dict(created=START) | change
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StoreError, match="is not known here"):
        read_calibration(path)


def test_it_is_for_one_model_and_rows_that_name_another_are_refused() -> None:
    found = made(400, (2.0, 2.0, 2.0))
    assert found.for_model("m", "1") == found.for_model(None, None) == found.calibrator
    for other in (("x", "1"), ("m", "2")):
        with pytest.raises(DataError, match="calibration is for m@1"):
            found.for_model(*other)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [9e15] * 3},
        {"weights": [0, 0, 0]},
        {"weights": [-0.0] * 3},
        {"weights": [1, 2, 3]},
        {"biases": [1, 0, 0]},
        {"rows": -1},
    ],
)
def test_parameters_that_no_calibration_has_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "c.json"
    content = made(400, (2.0, 2.0, 2.0)).to_dict(created=START) | change
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StoreError, match=r"c\.json: is no calibration: "):
        read_calibration(path)
