"""A classifier of two classes, negative and positive: neutral is no class of its rows, labels and models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sentimon.errors import DataError, ModelError, SentimonError, StoreError, UsageError
from tests.support.in_process import said, said_with_notes
from tests.support.onnx_folders import write_folder
from tests.support.rows import lines, rows

TWO = "[labels]\nclasses = 'two'\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    Path("sentimon.toml").write_text(TWO, encoding="utf-8")


def three() -> None:
    Path("sentimon.toml").unlink()


def given(name: str, found: Sequence[Any]) -> str:
    Path(name).write_text(lines(found), encoding="utf-8")
    return name


def of_two(positive: float, minute: int = 0, **rest: Any) -> dict[str, Any]:
    """A row of a classifier of two classes, with the score of each."""
    return {
        "timestamp": f"2026-09-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z",
        "text": f"text {minute}",
        "scores": {"negative": round(1 - positive, 6), "positive": positive},
        **rest,
    }


def logged() -> list[dict[str, Any]]:
    path = Path("logs/predictions.jsonl")
    return [json.loads(one) for one in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def model(*classes: str) -> str:
    write_folder(Path("model"), id2label=dict(enumerate(classes)))
    return "model"


LISTED = [{"label": "NEGATIVE", "score": 0.2}, {"label": "POSITIVE", "score": 0.8}]
IN_ITS_WAY = {
    "a mapping": {"text": "a", "scores": {"negative": 0.2, "positive": 0.8}},
    "a list": {"text": "a", "scores": LISTED},
    "columns": {"text": "a", "prob_negative": 0.2, "prob_positive": 0.8},
    "a neutral score of 0": {"text": "a", "scores": {"negative": 0.2, "neutral": 0, "positive": 0.8}},
}


@pytest.mark.parametrize("way", IN_ITS_WAY)
def test_scores_of_two_classes_are_whole_in_a_log_of_two(way: str) -> None:
    assert said("log", "--input", given("x.jsonl", [IN_ITS_WAY[way]]))[0] == 0
    (row,) = logged()
    assert (row["sentiment"], row["confidence"]) == ("positive", 0.8)
    assert row["scores"] == {"negative": 0.2, "neutral": 0.0, "positive": 0.8}


@pytest.mark.parametrize("way", list(IN_ITS_WAY)[:3])
def test_a_log_of_three_classes_refuses_them_and_names_the_setting(way: str) -> None:
    three()
    with pytest.raises(DataError, match="negative and positive alone") as error:
        said("log", "--input", given("x.jsonl", [IN_ITS_WAY[way]]))
    assert '[labels] classes = "two"' in str(error.value.hint)
    assert logged() == []


def test_one_row_of_two_classes_among_rows_of_three_is_bad_and_says_why() -> None:
    three()
    first = json.loads(rows(1, 0, 0))
    code, _, notes = said_with_notes("log", "--input", given("x.jsonl", [first, of_two(0.8)]))
    assert (code, len(logged())) == (1, 1)
    assert 'x.jsonl:2: scores lack neutral; without such a class set [labels] classes = "two"' in notes


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "a", "sentiment": "neutral"}, "sentiment is neutral, a class that is not there"),
        ({"text": "a", "sentiment": "neutral", "confidence": 0.6}, "sentiment is neutral"),
        (
            {"text": "a", "scores": {"negative": 0.1, "neutral": 0.1, "positive": 0.8}},
            "neutral scores 0.1, a class that is not there",
        ),
        (
            {"text": "a", "sentiment": "positive", "confidence": 0.4},
            "the best of two classes has 1/2 or more",
        ),
    ],
)
def test_a_row_that_knows_a_third_class_is_bad_in_a_log_of_two(row: dict[str, Any], reason: str) -> None:
    good = {"text": "b", "sentiment": "positive", "confidence": 0.9}
    code, _, notes = said_with_notes("log", "--input", given("x.jsonl", [row, good]))
    assert (code, [one["text"] for one in logged()]) == (1, ["b"])
    assert reason in notes


def test_numbered_outputs_of_two_classes_need_a_map_for_either_number_may_be_positive() -> None:
    row = {"text": "a", "label": "LABEL_1", "score": 0.8}
    with pytest.raises(DataError, match="LABEL_1"):
        said("log", "--input", given("x.jsonl", [row, {**row, "label": "LABEL_0"}]))
    asked = ("--label-map", "LABEL_0=negative,LABEL_1=positive")
    assert said("log", "--input", "x.jsonl", *asked)[0] == 0
    assert [one["sentiment"] for one in logged()] == ["positive", "negative"]


@pytest.mark.parametrize("codes", [(0, 1), (-1, 1)])
def test_gold_codes_of_two_classes_are_certain_and_neutral_is_no_label(codes: tuple[int, int]) -> None:
    name = model("NEGATIVE", "POSITIVE")
    gold = [{"text": "good", "label": codes[1]}, {"text": "bad", "label": codes[0]}]
    code, out = said("evaluate", "--data", given("g.jsonl", gold), "--model", name, "--json")
    assert (code, json.loads(out)["n"]) == (0, 2)
    with pytest.raises(DataError, match="a class that is not there with"):
        said("evaluate", "--data", given("g.jsonl", [{"text": "a", "label": "neutral"}]), "--model", name)


def test_three_stars_have_no_class_of_two_until_a_map_says_which() -> None:
    name = model("NEGATIVE", "POSITIVE")
    gold = [{"text": "good", "label": 5}, {"text": "bad", "label": 1}, {"text": "so", "label": 3}]
    asked = ("evaluate", "--data", given("g.jsonl", gold), "--model", name, "--labels", "stars")
    with pytest.raises(DataError, match=r"without a class \(rows of each\): 3 \(1\)") as error:
        said(*asked)
    assert "--label-map 3=" in str(error.value.hint)
    assert said(*asked, "--label-map", "3=negative")[0] in (0, 3, 4)
    with pytest.raises(UsageError, match="said to mean neutral"):
        said(*asked, "--label-map", "3=neutral")


def test_neutral_labels_of_logged_rows_are_bad_lines() -> None:
    said("log", "--input", given("x.jsonl", [of_two(0.9, id="1"), of_two(0.1, id="2")]))
    gold = [{"id": "1", "label": "positive"}, {"id": "2", "label": "neutral"}]
    code, _, notes = said_with_notes("label", "import", given("g.jsonl", gold))
    assert code == 1
    assert "label 'neutral' is neutral, a class that is not there" in notes


def test_a_model_with_a_neutral_output_has_no_place_among_two_classes() -> None:
    with pytest.raises(ModelError, match="sentimon-default has an output for neutral") as error:
        said("predict", "good")
    assert '[labels] classes = "three"' in str(error.value.hint)


def test_a_model_without_a_neutral_output_serves_two_classes_and_is_said_to_lack_one_of_three() -> None:
    name = model("NEGATIVE", "POSITIVE")
    code, out, notes = said_with_notes("predict", "--text", "good", "--model", name, "--json")
    assert (code, notes) == (0, "")
    assert json.loads(out)["scores"]["neutral"] == 0, "a row has our form"
    three()
    code, _, notes = said_with_notes("predict", "--text", "good", "--model", name, "--json")
    assert (code, notes.count("model has no output for neutral, whose score is always 0")) == (0, 1)


def test_a_baseline_of_other_classes_is_refused_wherever_it_would_be_compared() -> None:
    three()
    said("log", "--input", given("x.jsonl", [json.loads(one) for one in rows(40, 0, 40).splitlines()]))
    said("baseline", "create")
    Path("sentimon.toml").write_text(TWO, encoding="utf-8")
    asked = (
        ("drift",), ("drift", "--monitor"), ("retrain-check",), ("baseline", "show"),
        ("baseline", "check"), ("report", "--output", "r.html"),
    )  # fmt: skip
    for one in asked:
        with pytest.raises(SentimonError, match=r'is of three classes, and .* is "two"'):
            said(*one)
    assert "Not compared: logs/baseline.json: the baseline is of three classes" in said("watch")[1]
    said("baseline", "create", "--force")
    three()
    for one in asked:
        with pytest.raises(StoreError, match=r'is of two classes, and .* is "three"'):
            said(*one)


ANSWERS = (
    ("metrics",), ("metrics", "--every", "1d"), ("metrics", "--quality"), ("metrics", "--estimate"),
    ("drift",), ("drift", "--monitor"), ("retrain-check",), ("watch",),
    ("baseline", "show"), ("baseline", "check"), ("label", "status"), ("logs", "query", "--limit", "3"),
    ("report", "--output", "r.html"), ("report", "--output", "r.md"),
    ("evaluate", "--data", "g.jsonl"), ("predict", "--text", "good"),
    ("compare", "model", "model", "--data", "g.jsonl"),
    ("label", "import", "l.jsonl", "--dry-run"), ("doctor",),
    ("calibrate", "--data", "g.jsonl", "--output", "c.json"),
)  # fmt: skip
ROWS = ("predict", "logs")
"""What prints rows as they are logged, which keep the form of three scores in JSON."""


def answers_of(*arguments: str) -> str:
    """Everything that a command says: its output, its notes, and its message where it fails."""
    try:
        return "".join(map(str, said_with_notes(*arguments)[1:]))
    except SentimonError as error:
        return f"{error.message} {error.hint}"


def test_no_answer_about_a_log_of_two_classes_mentions_neutral() -> None:
    name = model("NEGATIVE", "POSITIVE")
    Path("sentimon.toml").write_text(f"{TWO}[model]\nname = '{name}'\n", encoding="utf-8")
    before = [of_two(0.9 if one % 2 else 0.2, minute=10 * one, id=str(one)) for one in range(120)]
    after = [of_two(0.9 if one % 5 else 0.2, minute=10 * one, id=str(one)) for one in range(120, 240)]
    said("log", "--input", given("x.jsonl", before))
    said("baseline", "create")
    said("log", "--input", given("y.jsonl", after))
    given("g.jsonl", [{"text": f"good {one}", "label": one % 2} for one in range(60)])
    given("l.jsonl", [{"id": str(one), "label": "positive" if one % 3 else "negative"} for one in range(200)])
    said("label", "import", "l.jsonl")
    for one in ANSWERS:
        assert "neutral" not in answers_of(*one), one
        if one[0] not in (*ROWS, "report", "watch", "calibrate"):
            assert "neutral" not in answers_of(*one, "--json"), one
    for name in ("r.html", "r.md"):
        assert "neutral" not in Path(name).read_text(encoding="utf-8"), name
    for one in (("metrics",), ("drift",), ("drift", "--monitor"), ("retrain-check",)):
        answers_of(*one, "--prometheus", "p.prom")
        assert "neutral" not in Path("p.prom").read_text(encoding="utf-8"), one


def test_the_distance_of_two_classes_is_the_change_of_a_share() -> None:
    said("log", "--input", given("x.jsonl", [of_two(0.9 if one % 2 else 0.2, one) for one in range(100)]))
    said("baseline", "create")
    more = [of_two(0.9 if one % 5 else 0.2, one) for one in range(100, 200)]
    said("log", "--input", given("y.jsonl", more))
    code, out = said("drift", "--json")
    found = json.loads(out)
    assert (code, found["baseline_distribution"]) == (3, {"negative": 0.5, "positive": 0.5})
    assert found["current_distribution"] == {"negative": 0.2, "positive": 0.8}
    assert found["drift_score"] == pytest.approx(0.3)
    assert found["share_changes"]["positive"]["value"] == pytest.approx(0.3)


def test_rows_of_three_classes_are_not_left_out_of_answers_in_silence() -> None:
    three()
    said("log", "--input", given("x.jsonl", [json.loads(one) for one in rows(3, 2, 3).splitlines()]))
    Path("sentimon.toml").write_text(TWO, encoding="utf-8")
    for one in (("metrics",), ("drift",), ("report", "--output", "r.html"), ("label", "status")):
        with pytest.raises(StoreError, match="rows are neutral, a class that is not there") as error:
            said(*one)
        assert '[labels] classes = "three"' in str(error.value.hint)


def test_estimates_and_a_calibration_need_labels_of_two_classes_alone() -> None:
    name = model("NEGATIVE", "POSITIVE")
    logged_rows = [of_two((one * 37 % 100 + 0.5) / 100, one, id=str(one)) for one in range(600)]
    said("log", "--input", given("x.jsonl", logged_rows))
    gold = []
    for number, one in enumerate(logged_rows):
        share = one["scores"]["positive"]
        gold.append(
            {"id": str(number), "label": "positive" if number * 61 % 100 < 100 * share else "negative"}
        )
    said("label", "import", given("l.jsonl", gold[:300]))
    code, out = said("metrics", "--estimate", "--json")
    found = json.loads(out)
    assert (code, found["trustworthy"], set(found["labelled"])) == (0, True, {"negative", "positive"})
    right = (
        sum(
            (one["scores"]["positive"] > 0.5) == (gold[at]["label"] == "positive")
            for at, one in enumerate(logged_rows)
        )
        / 600
    )
    assert found["accuracy"]["low"] <= right <= found["accuracy"]["high"]
    best = found["mix"]["best"]
    assert best["negative"]["value"] + best["positive"]["value"] == pytest.approx(1)
    data = given("g.jsonl", [{"text": f"good {one}", "label": one % 2} for one in range(80)])
    code, _ = said("calibrate", "--data", data, "--model", name, "--output", "c.json")
    assert (code, json.loads(Path("c.json").read_text(encoding="utf-8"))["rows"]) == (0, 80)
