import io
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from rich.console import Console

from sentimon.labels import LABELS
from sentimon.prediction_log.record import PredictionRecord
from sentimon.reporting.log_tables import rows_table
from tests.support.rows import record

HOSTILE = ["[red]no[/red]", "\x1b[31mred\x1b[0m", "<script>alert(1)</script>", "\u202eback", "a\nb\r\u2028c"]


def shown(
    records: Sequence[PredictionRecord],
    *,
    names: Sequence[str] = LABELS,
    zone: str = "UTC",
    total: int | None = None,
    width: int = 100,
) -> list[str]:
    """The lines of the table."""
    stream = io.StringIO()
    table = rows_table(records, names, zone=ZoneInfo(zone), total=len(records) if total is None else total)
    Console(file=stream, width=width, color_system=None, markup=False, highlight=False, emoji=False).print(
        table
    )
    return [line.rstrip() for line in stream.getvalue().split("\n")[:-1]]


def test_a_row_is_a_line_with_time_class_confidence_and_text() -> None:
    rows = [record(0, 0, text="brutto"), record(2, 61, 0.9126, text="bello")]
    lines = shown(rows, names=("Cattivo", "Così così", "Buono"), zone="Europe/Rome", total=1234)
    assert lines == [
        "Rows of the log, Europe/Rome time",
        "Time                 Class    Confidence  Text",
        "─" * 100,
        "2026-09-07 10:00:00  Cattivo       0.800  brutto",
        "2026-09-07 11:01:00  Buono         0.913  bello",
        "",
        "2 of 1,234 rows shown; --limit shows more",
    ]


def test_a_text_that_the_model_could_not_read_is_marked_as_it_is_by_predict() -> None:
    rows = [
        replace(record(0, text="こんにちは"), unreadable=True),
        replace(record(1, text="long"), truncated=True),
        replace(record(2, text=None), unreadable=True, truncated=True),
    ]
    texts = [line.partition("0.800  ")[2] for line in shown(rows)[3:6]]
    assert texts == ["(unreadable) こんにちは", "(cut) long", "(unreadable) (cut) (not kept)"]


def test_all_rows_shown_ask_for_no_more() -> None:
    assert shown([record(0)])[-1] == "1 of 1 rows shown"


def test_local_time_is_called_so() -> None:
    stream = io.StringIO()
    Console(file=stream, width=100).print(rows_table([record(0)], LABELS, zone=None, total=1))
    assert stream.getvalue().startswith("Rows of the log, local time")


def test_ids_have_a_column_where_a_row_has_one() -> None:
    uuid = "123e4567-e89b-12d3-a456-426614174000"
    rows = [record(0, text="a"), record(1, text="b" * 90, id=uuid), record(2, text="c", id="\x1b[31m")]
    assert shown(rows[:1])[1].split() == ["Time", "Class", "Confidence", "Text"]
    lines = shown(rows)
    assert lines[1].split() == ["Time", "Class", "Confidence", "Id", "Text"]
    assert lines[4].split()[4:] == [uuid, "b" * 18 + "…"]
    assert lines[5].split()[4:] == ["\\x1b[31m", "c"]


def test_where_there_is_no_room_beside_the_ids_they_stand_below_the_times() -> None:
    lines = shown([record(1, text="b" * 90, id="123e4567-e89b-12d3-a456-426614174000")], width=80)
    assert lines[1].split() == ["Time", "Class", "Confidence", "Text"]
    assert lines[3].endswith("  " + "b" * 36 + "…")
    assert lines[4:6] == ["123e4567-e89b-12d3-a", "456-426614174000"]
    tweet = shown([record(1, text="b" * 90, id="101042649389219840"), record(1)], width=60)
    assert tweet[3].endswith("  " + "b" * 17 + "…")
    assert tweet[4] == "101042649389219840"
    assert tweet[5].endswith("text 0")
    short = shown([record(1, text="b" * 90, id="ab")], width=60)
    assert [line[42:] for line in short[3:5]] == ["ab  bbbbbbbbbbbbb…", ""]


def test_an_endless_id_or_text_is_cut_and_looks_cut() -> None:
    (long,) = [line for line in shown([record(0, text="x" * 10_000)], width=700) if "xxx" in line]
    assert long.endswith("x" * 500 + "…")
    ids = [line for line in shown([record(0, id="y" * 10_000)]) if "yyy" in line]
    assert len(ids) == 3
    assert ids[-1].rstrip().endswith("y…")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_prints_as_itself_on_one_line(text: str) -> None:
    escapes = {"\x1b": "\\x1b", "\u202e": "\\u202e", "\n": "\\n", "\r": "\\r", "\u2028": "\\u2028"}
    printed = "".join(escapes.get(one, one) for one in text)
    assert shown([record(0, text=text)])[3].endswith("0.800  " + printed)


def test_a_hostile_name_of_a_class_prints_as_itself() -> None:
    assert "\\x1b[31m[b]" in shown([record(0)], names=("\x1b[31m[b]", "b", "c"))[3]


def test_a_long_text_stays_on_its_line() -> None:
    lines = shown([record(0, text="uno due " * 20), record(1, text="tre")], width=60)
    assert [line[41:].strip() for line in lines[3:5]] == ["uno due uno due …", "tre"]


def test_a_wide_text_fits_the_terminal() -> None:
    (line,) = [one for one in shown([record(0, text="日本" * 50)], width=60) if "日" in one]
    assert line.endswith("…")
    assert len(line) + line.count("日") + line.count("本") <= 60


def test_a_text_that_was_not_kept_is_told_from_an_empty_one() -> None:
    rows = [record(0, text=None), record(0, text=None, text_hash="ab12"), record(0, text="")]
    assert [line[41:].strip() for line in shown(rows)[3:6]] == ["(not kept)", "(hash ab12)", ""]


@pytest.mark.parametrize(
    ("year", "zone", "printed"),
    [
        (1, "America/New_York", "0001-01-01 00:00:00Z"),
        (1, "UTC", "0001-01-01 00:00:00 "),
        (9999, "Asia/Tokyo", "9999-12-31 23:59:59Z"),
    ],
)
def test_the_ends_of_the_calendar_have_a_time_in_every_zone(year: int, zone: str, printed: str) -> None:
    ends = {1: datetime(1, 1, 1, tzinfo=UTC), 9999: datetime(9999, 12, 31, 23, 59, 59, 5, tzinfo=UTC)}
    assert shown([record(0, timestamp=ends[year])], zone=zone)[3].startswith(printed)
