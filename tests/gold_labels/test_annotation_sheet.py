from __future__ import annotations

import csv
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.evaluation.datasets import load_labelled
from sentimon.gold_labels.gold_label import ID, TEXT_HASH
from sentimon.gold_labels.label_import import read_label_file
from sentimon.gold_labels.sampling import SampledRow, write_sheet
from sentimon.ingest.input_columns import Need
from sentimon.ingest.input_row import InputRow
from sentimon.prediction_log.output_files import ROWS, checked_output
from tests.support.csv_texts import TEXTS
from tests.support.inputs import read_file
from tests.support.rows import START, record

HOSTILE = [
    "=HYPERLINK(1)",
    "'=1",
    "''+1",
    "@SUM",
    "-1.5",
    "\t=x",
    "\r=x",
    "\x1b[31mred\x00",
    "\\x1b",
    "'twas",
    "a\r\nb",
    "\u2028",
]


def sheet_of(path: Path, texts: list[str]) -> Path:
    """The sheet that `label next` writes of rows with these texts, which are their ids, too."""
    drawn = [
        SampledRow(record=record(0, number, text=text), key=(ID, text), probability=0.5)
        for number, text in enumerate(texts)
    ]
    write_sheet(checked_output(path, ROWS), drawn, draw=START)
    return path


def hashed(text: str) -> str:
    return f"h:{text}"


@given(st.lists(TEXTS, max_size=8))
@settings(max_examples=60)
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = sheet_of(tmp_path_factory.mktemp("sheet") / "s.csv", texts)
    back = [one for one in read_file(path, need=Need.PREDICTIONS) if isinstance(one, InputRow)]
    # A row without a text is none that can be labelled.
    written = [one for one in texts if one.strip()]
    assert [one.text for one in back] == written
    assert [one.fields.get("id", "") for one in back] == written


def test_no_cell_is_a_formula_or_acts_on_a_terminal(tmp_path: Path) -> None:
    path = sheet_of(tmp_path / "s.csv", HOSTILE)
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [one["text"] for one in found][:4] == ["'=HYPERLINK(1)", "''=1", "'''+1", "'@SUM"]
    cells = [cell for one in found for cell in one.values()]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    assert b"\x1b" not in path.read_bytes()
    assert {one["probability"] for one in found} == {"0.5"}


def test_a_labelled_sheet_is_joined_by_id_and_text_whatever_an_annotation_tool_dropped(
    tmp_path: Path,
) -> None:
    with sheet_of(tmp_path / "s.csv", HOSTILE).open(encoding="utf-8", newline="") as file:
        found = [one | {"label": "neutral"} for one in csv.DictReader(file)]
    for kept in (list(found[0]), ["id", "label"], ["text", "label"]):
        path = tmp_path / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, kept, extrasaction="ignore", quoting=csv.QUOTE_ALL)
            out.writeheader()
            out.writerows(found)
        rows = read_file(path, need=Need.LABELS)
        inbox = read_label_file(rows, by=None, label_field=None, now=START, zone=UTC, hash_text=hashed)
        for text, one in zip(HOSTILE, inbox.labels, strict=True):
            assert {(ID, text), (TEXT_HASH, hashed(text))} & set(one.keys)


def test_an_evaluation_reads_the_texts_as_they_were_and_leaves_other_tables_alone(tmp_path: Path) -> None:
    texts = [one for one in HOSTILE if "\r" not in one]
    with sheet_of(tmp_path / "s.csv", texts).open(encoding="utf-8", newline="") as file:
        found = [one | {"label": "neutral"} for one in csv.DictReader(file)]
    for kept, wanted in ((list(found[0]), texts), (["text", "label"], [one["text"] for one in found])):
        path = tmp_path / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, kept, extrasaction="ignore", quoting=csv.QUOTE_ALL)
            out.writeheader()
            out.writerows(found)
        assert [one.text for one in load_labelled(str(path))] == [one for one in wanted if one.strip()]
