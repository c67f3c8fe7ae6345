"""A model measured on labelled texts by the slices of these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sentimon.errors import DataError, UsageError
from sentimon.prediction_log.slice_fields import parse_conditions
from sentimon.scoring.scores import Scores
from sentimon.statistics.intervals import wilson
from sentimon.workflows import evaluation
from sentimon.workflows.evaluation import ScoredTexts, evaluate_model
from sentimon.workflows.labelled_texts import read_labelled
from sentimon.workflows.opening import open_workspace
from sentimon.workflows.workspace import Workspace
from tests.support.in_process import said
from tests.support.rows import lines


@pytest.fixture
def always_positive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model to which every text is positive."""
    sure = Scores.from_probabilities([0.1, 0.1, 0.8])

    def score_all(workspace: Workspace, texts: list[str]) -> ScoredTexts:
        del workspace
        return ScoredTexts(scores=[sure] * len(texts), model="m", revision="1")

    monkeypatch.setattr(evaluation, "score_all", score_all)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """80 texts of shop rome, 20 of them negative; 10 of oslo, all negative; 5 short ones without a shop."""
    rows: list[dict[str, Any]] = [
        {"text": "x" * 60, "label": "negative" if number < 20 else "positive", "shop": "rome"}
        for number in range(80)
    ]
    rows += [{"text": "x" * 60, "label": "negative", "shop": "oslo"}] * 10
    rows += [{"text": "ok", "label": "positive"}] * 5
    path = tmp_path / "labelled.jsonl"
    path.write_text(lines(rows), encoding="utf-8")
    return str(path)


@pytest.mark.usefixtures("always_positive")
def test_each_value_of_a_column_has_its_quality_with_intervals(data: str, tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    rows = read_labelled(workspace, data, by="shop")
    found = evaluate_model(workspace, rows, by="shop")
    assert found.by is not None
    assert [(one.value, one.quality.n, one.quality.accuracy, one.few) for one in found.by.slices] == [
        ("rome", 80, wilson(60, 80), False),
        ("oslo", 10, wilson(0, 10), True),
        ("(missing)", 5, wilson(5, 5), True),
    ]
    lengths = evaluate_model(workspace, read_labelled(workspace, data, by="@length"), by="@length").by
    assert lengths is not None
    assert [(one.value, one.quality.n) for one in lengths.slices] == [("50-99", 90), ("0-19", 5)]


@pytest.mark.usefixtures("always_positive")
def test_a_slice_is_what_where_leaves(data: str, tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    by = evaluate_model(workspace, read_labelled(workspace, data, by="shop"), by="shop").by
    assert by is not None
    for one in by.slices:
        narrowed = workspace.narrowed(parse_conditions([f"shop={one.value}"], origin="--where"))
        assert evaluate_model(narrowed, read_labelled(narrowed, data)).quality == one.quality


@pytest.mark.usefixtures("always_positive")
def test_the_command_shows_the_slices_and_writes_them(data: str) -> None:
    code, text = said("evaluate", "--data", data, "--by", "shop")
    assert (code, "By shop" in text, "* too few labels for a verdict" in text) == (0, True, True)
    assert "oslo* 10 0.000" in " ".join(text.split())
    _, text = said("evaluate", "--data", data, "--by", "shop", "--where", "@length=50-99", "--json")
    found = json.loads(text)
    assert (found["n"], found["by"]["field"], found["by"]["values"]) == (90, "shop", 2)
    assert [one["n"] for one in found["by"]["slices"]] == [80, 10]


def test_a_column_or_value_that_is_not_there_is_named(data: str, tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    with pytest.raises(DataError, match="no column 'city'"):
        read_labelled(workspace, data, by="city")
    with pytest.raises(UsageError, match="@lang is none of the fields"):
        read_labelled(workspace, data, by="@lang")
    narrowed = workspace.narrowed(parse_conditions(["shop=paris"], origin="--where"))
    with pytest.raises(DataError, match="none of 95 rows is shop=paris"):
        read_labelled(narrowed, data)
