import json
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import MissingPackageError, StoreError, UsageError
from sentimon.labels import LABELS
from sentimon.prediction_log import row_export as export
from sentimon.prediction_log.output_files import ROWS, OutputFile, checked_output
from sentimon.prediction_log.reader import read_log_file
from sentimon.prediction_log.record import OPTIONAL_FIELDS, PredictionRecord
from sentimon.prediction_log.row_export import check_export, export_rows
from tests.support import strategies
from tests.support.rows import record, records

HOSTILE = [
    "[red]no[/red]",
    "\x1b[31mred\x00",
    "\u202eback",
    "a\nb\r\u2028c",
    "🎉👩‍💻",
    "",
    "=1+1",
    '"',
    "\U0010ffff",
]


def out(path: Path) -> OutputFile:
    return checked_output(path, ROWS)


@given(st.lists(strategies.records(), max_size=10))
def test_json_lines_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, some: list[PredictionRecord]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    assert export_rows(out(path), some) == len(some)
    back = list(read_log_file(path, zone=UTC))
    assert [one.to_dict() for one in back if isinstance(one, PredictionRecord)] == [
        one.to_dict() for one in some
    ]
    assert len(back) == len(some)


@given(st.lists(strategies.records(), max_size=10))
def test_parquet_holds_each_field_of_each_row(
    tmp_path_factory: pytest.TempPathFactory, some: list[PredictionRecord]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    assert export_rows(out(path), some) == len(some)
    for one, back in zip(some, pyarrow.parquet.read_table(path).to_pylist(), strict=True):
        assert back["timestamp"] == one.timestamp
        assert back["text"] == one.text
        assert back["sentiment"] == one.sentiment.label
        assert back["confidence"] == one.confidence
        vector = (None, None, None) if one.scores is None else one.scores.vector
        assert tuple(back[label] for label in LABELS) == vector
        assert [back[name] for name in OPTIONAL_FIELDS] == [getattr(one, name) for name in OPTIONAL_FIELDS]
        assert back["extra"] is None


def test_the_columns_are_typed(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    assert export_rows(out(path), []) == 0
    schema = pyarrow.parquet.read_schema(path)
    types = {name: str(schema.field(name).type) for name in schema.names}
    texts = dict.fromkeys(("text", "sentiment", "id", "model", "revision", "text_hash", "extra"), "string")
    numbers = dict.fromkeys(("confidence", *LABELS), "double")
    others = {
        "timestamp": "timestamp[us, tz=UTC]",
        "truncated": "bool",
        "unreadable": "bool",
        "token_hashes": "list<element: uint32>",
    }
    assert types == {**others, **texts, **numbers}
    assert schema.names == [
        "timestamp", "text", "sentiment", "confidence", "negative", "neutral", "positive",
        "id", "model", "revision", "truncated", "unreadable", "text_hash", "token_hashes", "extra",
    ]  # fmt: skip


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".JSONL", ".Parquet"])
def test_hostile_texts_and_the_ends_of_the_calendar_survive(tmp_path: Path, ending: str) -> None:
    edges = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    given_rows = [record(0, text=text, id=text, extra={text: [text]}) for text in HOSTILE]
    given_rows += [
        record(1, timestamp=moment, truncated=True, unreadable=True, text=None, text_hash="ab")
        for moment in edges
    ]
    path = tmp_path / f"rows{ending}"
    check_export(path)
    export_rows(out(path), given_rows)
    if ending.lower() == ".jsonl":
        back = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        assert back == [json.loads(json.dumps(one.to_dict())) for one in given_rows]
        return
    table = pyarrow.parquet.read_table(path)
    assert table["text"].to_pylist() == [*HOSTILE, None, None]
    assert [json.loads(one) for one in table["extra"].to_pylist()[: len(HOSTILE)]] == [
        {text: [text]} for text in HOSTILE
    ]
    assert table["timestamp"].to_pylist()[-2:] == edges


def test_parquet_is_written_in_groups_as_rows_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_GROUP_ROWS", 4)
    path = tmp_path / "rows.parquet"
    assert export_rows(out(path), iter(records(10, 0, 0))) == 10
    assert pyarrow.parquet.ParquetFile(path).metadata.num_row_groups == 3
    long = [record(0, minute, text="x" * 600_000) for minute in range(4)]
    export_rows(out(path), long)
    assert pyarrow.parquet.ParquetFile(path).metadata.num_row_groups == 2


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_a_file_is_private_and_a_failure_leaves_the_old_one_alone(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "made" / f"rows{ending}"
    path.parent.mkdir()
    export_rows(out(path), records(1, 1, 1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()

    def broken() -> Iterator[Any]:
        yield from records(2, 0, 0)
        raise StoreError("the log cannot be read")

    with pytest.raises(StoreError, match="the log cannot be read"):
        export_rows(out(path), broken())
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["rows", "rows.csv", ".jsonl", "rows.jsonl.gz", "rows.parquet.", "-"])
def test_another_ending_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the ending does not say") as caught:
        check_export(Path(name))
    assert caught.value.hint == "end it in .jsonl or .parquet"


def test_parquet_without_pyarrow_names_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    check_export(Path("rows.jsonl"))
    with pytest.raises(MissingPackageError, match=r"rows\.parquet: Parquet needs pyarrow") as caught:
        check_export(Path("rows.parquet"))
    assert caught.value.hint == "pip install 'sentimon[data]', or end it in .jsonl"
