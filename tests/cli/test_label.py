from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.support.rows import lines, row, rows, written

LABELS = "id,label\n1,negative\n2,neutral\n9,positive\n"


def logged(count: int = 30, **rest: object) -> str:
    """Rows with ids 1, 2, ... of classes in turn, less sure of the first."""
    return lines(
        row(number % 3, number, 0.4 + number / (2 * count), id=str(number), sentiment=None, **rest)
        for number in range(1, count + 1)
    )


LOG = lines(
    {name: value for name, value in json.loads(line).items() if value is not None}
    for line in logged().splitlines()
)


def thirty_rows(run: Callable[..., Ran]) -> None:
    assert run("log", "--input", "-", "-q", stdin=LOG).code == 0


@pytest.fixture
def log(begin_with) -> str:  # type: ignore[no-untyped-def]
    begin_with(thirty_rows)
    return LOG


def test_labels_are_joined_stored_once_and_the_log_stays_as_it_is(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before = (tmp_path / "logs/predictions.jsonl").read_bytes()
    (tmp_path / "l.csv").write_text(LABELS, encoding="utf-8")
    done = run("label", "import", "l.csv")
    assert (done.code, done.out) == (0, "")
    assert "3 labels added; 3 labels in logs/labels.jsonl" in done.err
    path = tmp_path / "logs/labels.jsonl"
    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = run("label", "import", "l.csv", "--key", "id", "--json")
    assert again.json == {
        "added": 0, "replaced": 0, "unchanged": 3, "conflicts": 0, "unknown": 0, "bad_lines": 0,
        "without_label": 0, "labels": 3, "path": "logs/labels.jsonl",
    }  # fmt: skip
    assert path.read_bytes() == content
    assert (tmp_path / "logs/predictions.jsonl").read_bytes() == before


def test_what_is_left_out_is_named_counted_and_exits_1(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "l.csv").write_text(LABELS, encoding="utf-8")
    assert run("label", "import", "l.csv", "-q").code == 0
    (tmp_path / "m.csv").write_text("id,label\n1,positive\n77,neutral\n3,angry\n4,\n", encoding="utf-8")
    done = run("label", "import", "m.csv")
    assert done.code == 1
    assert "conflict: m.csv:2: id '1' is labelled negative since" in done.err
    assert "unknown: m.csv:3: no logged row has id '77'" in done.err
    assert (
        "bad line: m.csv:4: unknown label 'angry'; write the labels as negative, neutral, positive"
        in done.err
    )
    assert "0 labels added, 1 row not labelled yet, 1 conflict left out, 1 unknown row left out" in done.err
    assert run("label", "import", "m.csv", "--replace").code == 1
    assert run("label", "status", "--json").json["labelled"] == 3


def test_a_sheet_that_went_through_a_spreadsheet_comes_back(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    drawn = run("label", "next", "-n", "4", "--output", "s.csv")
    assert "fill in a column `label`, then: sentimon label import s.csv --logs logs" in drawn.err
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        sheet = list(csv.DictReader(file))
    labels = ("Negative", " neutral ", "POSITIVE", "  ")
    # A byte order mark, semicolons, Windows line ends, a capital letter, a column of one's own, a blank.
    with (tmp_path / "t.csv").open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, [*sheet[0], " Label", "notes"], delimiter=";", lineterminator="\r\n")
        out.writeheader()
        for one, label in zip(sheet, labels, strict=True):
            out.writerow(one | {" Label": label, "notes": "by hand"})
    done = run("label", "import", "t.csv")
    assert (done.code, done.err) == (
        0,
        "3 labels added, 1 row not labelled yet; 3 labels in logs/labels.jsonl\n",
    )
    named = run("label", "import", "t.csv", "--label-column", "Label")
    assert "3 known already" in named.err


def test_a_file_that_cannot_be_read_says_what_to_do(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    missing = run("label", "import", "nowhere.csv")
    assert (missing.code, missing.err) == (1, "error: nowhere.csv: no such file\nhint: check the path\n")
    (tmp_path / "u.csv").write_text(LABELS, encoding="utf-16")
    assert run("label", "import", "u.csv").code == 0
    (tmp_path / "l.csv").write_text(f"{LABELS}9,perché no,neutral\n", encoding="cp1252")
    western = run("label", "import", "l.csv")
    assert western.code == 1
    assert "l.csv:5: not valid UTF-8: 0xE9 at byte 8 of the line" in western.err
    assert "probably --encoding cp1252" in western.err


def test_an_erased_row_takes_its_label_along(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "l.csv").write_text(LABELS, encoding="utf-8")
    assert run("label", "import", "l.csv", "-q").code == 0
    assert run("logs", "erase", "--id", "2", "--dry-run").code == 0
    assert b'"id":"2"' in (tmp_path / "logs/labels.jsonl").read_bytes()
    done = run("logs", "erase", "--yes", "--id", "2")
    assert done.code == 0, done.err
    assert "1 label removed, of rows that the log no longer names" in done.err
    kept = (tmp_path / "logs/labels.jsonl").read_bytes()
    assert (b'"id":"2"' in kept, kept.count(b"\n")) == (False, 2)


@pytest.mark.parametrize("mode", ["full", "redact", "hash"])
def test_a_text_names_its_rows_in_every_mode_that_keeps_something_and_is_never_stored(
    run,
    tmp_path: Path,
    mode: str,  # type: ignore[no-untyped-def]
) -> None:
    text = "write to anna@example.org, please"
    settings = {"SENTIMON_LOGS__TEXT": mode}
    given = lines(row(0, number, text=text) for number in range(2)) + rows(1, 1, 1, minute=5)
    assert run("log", "--input", "-", "-q", stdin=given, **settings).code == 0
    (tmp_path / "l.jsonl").write_text(lines([{"text": text, "label": "negative"}]), encoding="utf-8")
    done = run("label", "import", "l.jsonl", "--key", "text", **settings)
    assert (done.code, "1 label added" in done.err) == (0, True), done.err
    kept = (tmp_path / "logs/labels.jsonl").read_text(encoding="utf-8")
    assert "anna" not in kept
    assert "please" not in kept
    # One label, two rows with that text.
    assert run("label", "status", "--json", **settings).json["labelled"] == 2


def test_labels_come_from_stdin_and_from_parquet_too(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"id": [1, 2], "feeling": ["Positivo", "Neutro"]})
    pyarrow.parquet.write_table(table, tmp_path / "l.parquet")
    assert run("label", "import", "l.parquet", "--label-column", "feeling", "--json").json["added"] == 2
    done = run("label", "import", "-", "--format", "csv", "--json", stdin="id;label\n5;neutral\n")
    assert (done.code, done.json["added"]) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["import", "none.csv"], 1, "none.csv: no such file"),
        (["import", "l.csv", "--key", "name"], 2, "unknown key 'name'"),
        (["import", "l.csv", "--logs", "nowhere"], 1, "nowhere: no such folder"),
        (["import", "l.csv", "--label-column", "gold"], 1, "has no column 'gold'"),
        (["next", "--output", "x.json"], 2, "end it in .csv"),
        (["next", "--output", "logs/x.csv"], 2, "lies in the folder of the log"),
        (["next", "--output", "l.csv"], 1, "is there already"),
        (["next", "--output", "x.csv", "--strategy", "best"], 2, "unknown strategy 'best'"),
        (["next", "--output", "x.csv", "--strategy", "drifted"], 1, "sentimon baseline create"),
        (["status", "--every", "7h"], 2, "do not fit the calendar"),
    ],
)
def test_a_mistake_is_named_with_the_next_step(  # type: ignore[no-untyped-def]
    run, log, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    (tmp_path / "l.csv").write_text(LABELS, encoding="utf-8")
    done = run("label", *arguments)
    assert done.code == code
    assert says in done.err
    assert "Traceback" not in done.err


def test_status_warns_of_labels_that_are_no_random_sample(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    given = lines(row(number % 3, number, id=str(number)) for number in range(240))
    assert run("log", "--input", "-", "-q", stdin=given).code == 0
    assert "no logged row of that period is labelled" in run("label", "status").err
    only_negative = "id,label\n" + "".join(f"{number},negative\n" for number in range(0, 180, 3))
    assert run("label", "import", "-", "--format", "csv", "-q", stdin=only_negative).code == 0
    done = run("label", "status", "--every", "1h")
    assert done.code == 0
    assert "WARNING: the labelled rows are not a random sample" in done.out
    assert "negative 1.000 of the labelled, 0.111 of the others" in done.out.replace("\n", "")
    found = run("label", "status", "--json").json
    assert (found["rows"], found["labelled"], found["coverage"]) == (240, 60, 0.25)
    assert found["per_class"]["negative"] == {"rows": 80, "labelled": 60, "coverage": 0.75}
    assert found["sample"]["random"] is False


@pytest.mark.parametrize("strategy", ["random", "uncertain", "diverse", "drifted"])
def test_next_draws_unlabelled_rows_and_takes_them_back_with_their_probability(  # type: ignore[no-untyped-def]
    run, log, tmp_path: Path, strategy: str
) -> None:
    if strategy == "drifted":
        settings = {"SENTIMON_DRIFT__MIN_SAMPLES": "5"}
        created = run("baseline", "create", "--until", "2026-09-07T08:10:00Z", **settings)
        assert created.code == 0, created.err
    (tmp_path / "l.csv").write_text(LABELS, encoding="utf-8")
    assert run("label", "import", "l.csv", "-q").code == 0
    arguments = ["label", "next", "-n", "10", "--strategy", strategy, "--seed", "3", "--output"]
    assert run(*arguments, "one.csv").code == 0
    again = run(*arguments, "two.csv", "--json")
    frame = 21 if strategy == "drifted" else 27
    assert again.json == {
        "drawn": 10, "unlabelled": frame, "strategy": strategy, "seed": 3, "path": "two.csv",
    }  # fmt: skip
    sheets = [
        list(csv.DictReader(io.StringIO((tmp_path / name).read_text(encoding="utf-8"))))
        for name in ("one.csv", "two.csv")
    ]
    assert [one["id"] for one in sheets[0]] == [one["id"] for one in sheets[1]]
    assert list(sheets[0][0]) == ["id", "text", "row_id", "text_hash", "probability", "draw"]
    assert not {one["id"] for one in sheets[0]} & {"1", "2", "9"}
    out = io.StringIO()
    writer = csv.DictWriter(out, [*sheets[0][0], "label"])
    writer.writeheader()
    writer.writerows(one | {"label": "neutral"} for one in sheets[0])
    done = run("label", "import", "-", "--format", "csv", "--json", stdin=out.getvalue())
    assert (done.code, done.json["added"]) == (0, 10), done.err
    assert run("label", "status", "--json").json["drawn"] == 10


def test_rows_without_an_id_are_named_by_the_hash_of_their_text(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    hostile = 'a "quoted", text\r\nof =1+1 two lines\u2028'
    given = lines([row(0, 1, text=hostile), row(0, 2, text=hostile), row(1, 3, text=None)])
    written(tmp_path / "logs", "".join(_whole(line) for line in given.split("\n") if line))
    done = run("label", "next", "--output", "o.csv")
    assert done.code == 0
    assert "1 row without id and text: no label could be joined" in done.err
    with (tmp_path / "o.csv").open(encoding="utf-8", newline="") as file:
        (found,) = csv.DictReader(file)
    assert (found["id"], found["text"], len(found["text_hash"])) == ("", hostile, 64)
    labelled = f"text_hash,label\n{found['text_hash']},negative\n"
    args = ("label", "import", "-", "--format", "csv", "--key", "text-hash", "-q")
    assert run(*args, stdin=labelled).code == 0
    assert run("label", "status", "--json").json["labelled"] == 2
    none_left = run("label", "next", "--output", "p.csv")
    assert none_left.code == 4


def _whole(line: str) -> str:
    fields = json.loads(line)
    return (
        json.dumps(fields | {"sentiment": max(fields["scores"], key=fields["scores"].get), "confidence": 0.8})
        + "\n"
    )
