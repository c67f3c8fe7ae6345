"""What other programs say of classes, as rows for the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sentimon.config.settings import InputSettings
from sentimon.errors import DataError
from sentimon.ingest.input_columns import InputContext, Need
from sentimon.ingest.input_file import InputFile, open_input_file
from sentimon.ingest.input_row import InputRow


def opened(folder: Path, content: str | list[dict[str, Any]], **settings: Any) -> InputFile:
    """The file of these rows, or of this text, read for the log."""
    path = folder / ("a.csv" if isinstance(content, str) else "a.jsonl")
    lines = [content] if isinstance(content, str) else [json.dumps(row) + "\n" for row in content]
    path.write_text("".join(lines), encoding="utf-8")
    return open_input_file(path, InputContext(settings=InputSettings(**settings), need=Need.PREDICTIONS))


def fields(file: InputFile) -> list[dict[str, Any]]:
    return [row.fields if isinstance(row, InputRow) else {"bad": row.reason} for row in file]


def test_scores_that_pandas_printed_into_a_csv_are_read(tmp_path: Path) -> None:
    scores = {"positive": 0.9, "negative": 0.1, "neutral": 0.0}
    cell = str([{"label": label, "score": score} for label, score in scores.items()])
    with opened(tmp_path, f'text,scores\nGreat,"{cell}"\n') as file:
        assert fields(file) == [{"scores": scores}]


def test_scores_of_a_class_that_is_none_are_refused_until_it_is_mapped(tmp_path: Path) -> None:
    scores = {"Positive": 0.5, "Negative": 0.125, "Mixed": 0.25, "Neutral": 0.125}
    rows = [{"Text": "Great", "Sentiment": "POSITIVE", "SentimentScore": scores}]
    with pytest.raises(DataError, match="scores of 'Mixed', which is no class") as error:
        opened(tmp_path, rows)
    assert error.value.hint == 'say what it means, such as --label-map "Mixed=neutral"'
    with opened(tmp_path, rows, label_map={"Mixed": "neutral"}) as file:
        assert fields(file)[0]["scores"] == {"positive": 0.5, "negative": 0.125, "neutral": 0.375}


def test_shares_of_vader_are_not_taken_for_probabilities_and_it_is_said(tmp_path: Path) -> None:
    heading, cells = "text,neg,neu,pos,compound", "good but far,0.0,0.756,0.244,0.44"
    with opened(tmp_path, f"{heading}\n{cells}\n") as file:
        assert "shares of a text, not probabilities" in "; ".join(file.notes)
        assert "scores" not in fields(file)[0]
    with opened(tmp_path, f"{heading},sentiment\n{cells},positive\n") as file:
        assert fields(file)[0]["sentiment"] == "positive"
    vader = {"neg": 0.0, "neu": 0.7, "pos": 0.3, "compound": 0.4}
    with pytest.raises(DataError, match="compound") as error:
        opened(tmp_path, [{"text": "a", "scores": vader}])
    assert "--label-column -" in str(error.value.hint)
    with opened(tmp_path, [{"text": "a", "scores": vader}], label_column="-") as file:
        assert fields(file) == [{}]


def test_a_class_alone_is_said_with_the_option_by_which_texts_are_scored(tmp_path: Path) -> None:
    content = "text,sentiment\nGreat,positive\n"
    with opened(tmp_path, content) as file:
        assert "sentiment (class alone; --label-column - scores the texts)" in "; ".join(file.notes)
        assert fields(file) == [{"sentiment": "positive"}]
    with opened(tmp_path, content, label_column="-") as file:
        assert fields(file) == [{"label": "positive"}]


def test_a_confidence_in_percent_or_words_is_left_out_and_said(tmp_path: Path) -> None:
    with opened(tmp_path, "text,sentiment,confidence\nGreat,positive,98%\n") as file:
        assert "'confidence' has no numbers from 0 to 1, and is not read" in file.notes
        assert fields(file) == [{"sentiment": "positive"}]


def test_a_format_of_times_without_a_column_of_them_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--time-format is given") as error:
        opened(tmp_path, "text,submitted\nGreat,1700000000\n", time_format="epoch")
    assert "--time-column" in str(error.value.hint)
    with opened(tmp_path, "text\nGreat\n", time_format="epoch", time_column="-") as file:
        assert len(fields(file)) == 1


def test_hours_in_a_column_of_their_own_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    with opened(tmp_path, "Datum;Uhrzeit;Kommentar\n23.11.2026;10:30;Gut\n") as file:
        assert "the hours in 'Uhrzeit' are not read" in file.notes
