"""Files as people have them: read as what they are, or refused with the option that decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sentimon.errors import DataError, SentimonError, StoreError, UsageError
from tests.support.in_process import said, said_with_notes

REVIEWS = (
    "data;stelle;recensione\n23/11/2026 01:30;5;Ottimo\n24/11/2026 10:00;1;Pessimo\n25/11/2026 11:00;3; \n"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")


def listed(**scores: float) -> list[dict[str, Any]]:
    """Scores as a pipeline gives them with `top_k=None`."""
    return [{"label": label, "score": score} for label, score in scores.items()]


def logged(folder: str = "logs") -> list[dict[str, Any]]:
    path = Path(folder) / "predictions.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_a_sheet_of_reviews_is_logged_at_its_own_times_and_what_was_taken_is_said() -> None:
    Path("r.csv").write_text(REVIEWS, encoding="utf-8")
    code, out, notes = said_with_notes("log", "--input", "r.csv")
    assert (code, out) == (0, "")
    assert notes.split("\n")[0] == (
        "r.csv: the text is in 'recensione'; the time is in 'data', written as %d/%m/%Y %H:%M"
    )
    assert "r.csv: 1 row without a text left out" in notes
    assert [(row["timestamp"], row["text"], row["stelle"]) for row in logged()] == [
        ("2026-11-23T01:30:00Z", "Ottimo", "5"),
        ("2026-11-24T10:00:00Z", "Pessimo", "1"),
    ]


def test_where_no_value_tells_the_day_from_the_month_nothing_is_logged_until_somebody_says() -> None:
    Path("r.csv").write_text("date,text\n03/04/2026,Ottimo\n05/04/2026,Pessimo\n", encoding="utf-8")
    with pytest.raises(DataError, match="column 'date'") as error:
        said("log", "--input", "r.csv")
    assert '"%d/%m/%Y"' in str(error.value.hint)
    assert logged() == []
    assert said("log", "--input", "r.csv", "--time-format", "%d/%m/%Y")[0] == 0
    assert [row["timestamp"] for row in logged()] == ["2026-04-03T00:00:00Z", "2026-04-05T00:00:00Z"]


def test_rows_without_times_are_dated_now_and_it_is_said() -> None:
    Path("r.csv").write_text("text,day\nOttimo,Monday\n", encoding="utf-8")
    notes = said_with_notes("log", "--input", "r.csv")[2]
    assert "no column of times: rows are dated now; columns are text, day" in notes
    assert "no column of times" not in said_with_notes("log", "--input", "r.csv", "--again", "-q")[2]


def test_a_file_without_columns_is_not_said_to_have_some() -> None:
    Path("empty.csv").write_bytes(b"")
    assert "columns are" not in said_with_notes("log", "--input", "empty.csv")[2]


def test_what_a_setting_names_is_taken_without_an_option() -> None:
    Path("sentimon.toml").write_text('[input]\ntext_column = "b"\ntime_column = "-"\n', encoding="utf-8")
    Path("r.csv").write_text("a,b,date\nno,Ottimo,03/04/2026\n", encoding="utf-8")
    assert said("log", "--input", "r.csv")[0] == 0
    (row,) = logged()
    assert (row["text"], row["date"]) == ("Ottimo", "03/04/2026")


@pytest.mark.parametrize(
    "row",
    [
        {"text": "a", "scores": listed(NEGATIVE=0.1, NEUTRAL=0.2, POSITIVE=0.7)},
        {"text": "a", "scores": [listed(neg=0.1, neu=0.2, pos=0.7)]},
        {"text": "a", "negative": 0.1, "neutral": 0.2, "positive": 0.7},
        {"text": "a", "prob_neg": "0,1", "prob_neu": "0.2", "prob_pos": "7e-1"},
        {"text": "a", "scores": '{"Negativo": 0.1, "Neutro": 0.2, "Positivo": 0.7}'},
    ],
)  # fmt: skip
def test_scores_of_another_model_are_kept_as_they_are(row: dict[str, Any]) -> None:
    Path("r.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert said("log", "--input", "r.jsonl")[0] == 0
    (found,) = logged()
    assert (found["sentiment"], found["confidence"]) == ("positive", 0.7)
    assert found["scores"] == {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
    assert "model" not in found


def test_labels_of_another_model_are_mapped_and_unknown_ones_refused_before_anything_is_logged() -> None:
    scores = listed(joy=0.7, anger=0.2, calm=0.1)
    Path("r.jsonl").write_text(json.dumps({"text": "a", "scores": scores}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="'joy'") as error:
        said("log", "--input", "r.jsonl")
    assert "--label-map" in str(error.value.hint)
    assert logged() == []
    assert (
        said("log", "--input", "r.jsonl", "--label-map", "joy=positive,anger=negative,calm=neutral")[0] == 0
    )
    assert logged()[0]["scores"] == {"negative": 0.2, "neutral": 0.1, "positive": 0.7}


@pytest.mark.parametrize(
    ("row", "confidence"),
    [
        ({"text": "a", "label": "POSITIVE", "score": 0.93}, 0.93),
        ({"text": "a", "label": "5 stars", "score": "0,71"}, 0.71),
        ({"text": "a", "prediction": "Positivo"}, None),
        ({"text": "a", "sentiment": "positive", "confidence": 0.8}, 0.8),
    ],
)
def test_a_class_with_its_probability_or_alone_is_a_prediction(
    row: dict[str, Any], confidence: float | None
) -> None:
    Path("r.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert said("log", "--input", "r.jsonl")[0] == 0
    (found,) = logged()
    assert (found["sentiment"], found["confidence"], found["scores"]) == ("positive", confidence, None)


def test_a_label_alone_may_be_gold_so_the_text_is_scored_and_it_is_said() -> None:
    Path("r.csv").write_text("text,label\nOttimo,negative\n", encoding="utf-8")
    notes = said_with_notes("log", "--input", "r.csv")[2]
    assert "texts are scored, and 'label' is kept (--label-column: a model predicted it)" in notes
    said("log", "--input", "r.csv", "--again", "--label-column", "label")
    assert [(row["sentiment"], row["scores"] is None) for row in logged()] == [
        ("positive", False),
        ("negative", True),
    ]


def test_predict_scores_texts_and_says_that_other_scores_are_not_looked_at() -> None:
    row = {"text": "Ottimo", "negative": 0.9, "neutral": 0.1, "positive": 0.0}
    Path("r.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    _, out, notes = said_with_notes("predict", "--input", "r.jsonl", "--json")
    assert json.loads(out)["sentiment"] == "positive"
    assert "what another model predicted (negative, neutral, positive) is not looked at" in notes


@pytest.mark.parametrize(
    "command", [("evaluate", "--data"), ("label", "import"), ("calibrate", "--output", "c.json", "--data")]
)
def test_what_a_model_predicted_is_never_taken_for_gold(command: tuple[str, ...]) -> None:
    Path("r.jsonl").write_text('{"text": "a", "label": "POSITIVE", "score": 0.9}\n', encoding="utf-8")
    said("log", "a")
    with pytest.raises(DataError, match="'label' may be what a model predicted, for score stands beside it"):
        said(*command, "r.jsonl")
    assert not Path("logs/labels.jsonl").exists()
    assert not Path("c.json").exists()


@pytest.mark.parametrize("command", [("evaluate", "--data"), ("label", "import")])
def test_stars_are_refused_as_a_whole_until_somebody_says_what_they_mean(command: tuple[str, ...]) -> None:
    Path("r.csv").write_text("text,stars\nOttimo,5\nPessimo,1\nPessimo!,2\nBah,3\n", encoding="utf-8")
    said("log", "Ottimo", "Pessimo", "Pessimo!", "Bah")
    with pytest.raises(DataError, match="has the numbers 1, 2, 3, 5") as error:
        said(*command, "r.csv")
    assert "--labels stars" in str(error.value.hint)
    assert not Path("logs/labels.jsonl").exists()
    assert said(*command, "r.csv", "--labels", "stars")[0] == 0


def test_an_argument_that_is_a_file_is_no_text_unless_somebody_says_so() -> None:
    Path("r.csv").write_text("text\nOttimo\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"r\.csv is a file, and was given as a text") as error:
        said("predict", "r.csv")
    assert error.value.hint == "--input r.csv reads the file; --text r.csv scores its name"
    assert json.loads(said("predict", "--text", "r.csv", "--json")[1])["text"] == "r.csv"


def test_the_same_content_is_logged_once_unless_somebody_asks() -> None:
    Path("r.csv").write_text("text\nOttimo\n", encoding="utf-8")
    Path("copy.csv").write_bytes(Path("r.csv").read_bytes())
    said("log", "--input", "r.csv")
    for name in ("r.csv", "copy.csv"):
        for more in ((), ("--resume",)):
            with pytest.raises(StoreError, match="was logged already, 1 row on"):
                said("log", "--input", name, *more)
    assert len(logged()) == 1
    said("log", "--input", "copy.csv", "--again")
    assert len(logged()) == 2


def test_a_run_that_logged_nothing_leaves_no_mark() -> None:
    Path("r.csv").write_text("text\nOttimo\n", encoding="utf-8")
    with pytest.raises(SentimonError):
        said("log", "--input", "r.csv", "--model", "./nowhere")
    assert said("log", "--input", "r.csv")[0] == 0


def test_a_dry_run_shows_how_the_file_is_understood_and_writes_nothing() -> None:
    Path("r.csv").write_text(REVIEWS, encoding="utf-8")
    found = json.loads(said("log", "--input", "r.csv", "--dry-run", "--json")[1])["input"]
    assert found["columns"] == {
        "text": {"name": "recensione", "why": "usual name"},
        "time": {"name": "data", "why": "usual name"},
    }
    assert (found["format"], found["separator"], found["encoding"]) == ("csv", ";", "utf-8")
    assert (found["rows"], found["without_text"], found["bad_lines"]) == (2, 1, 0)
    assert (found["first"], found["last"]) == ("2026-11-23T01:30:00Z", "2026-11-24T10:00:00Z")
    assert found["first_rows"][0] == {
        "line": 2, "text": "Ottimo", "stelle": "5", "timestamp": "2026-11-23T01:30:00Z"
    }  # fmt: skip
    assert [path.name for path in Path().iterdir()] == ["r.csv"]


def test_a_dry_run_of_labels_shows_their_coding_with_counts() -> None:
    Path("r.csv").write_text(REVIEWS, encoding="utf-8")
    for command in (("label", "import", "r.csv"), ("calibrate", "--output", "c.json", "--data", "r.csv")):
        found = json.loads(said(*command, "--labels", "stars", "--dry-run", "--json")[1])
        assert found["columns"]["label"] == {"name": "stelle", "why": "usual name"}
        assert found["labels"] == {"negative": {"1": 1}, "neutral": {"3": 1}, "positive": {"5": 1}}
    assert [path.name for path in Path().iterdir()] == ["r.csv"]
