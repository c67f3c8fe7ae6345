import sqlite3
from pathlib import Path

import pytest

from tests.support.rows import lines, records, written

INDEX = "logs/.sentimon/rollup.sqlite"
SEALED = "predictions-20260901T000000Z.jsonl"


def rows(negative: int, neutral: int, positive: int) -> str:
    return lines(one.to_dict() for one in records(negative, neutral, positive))


def test_a_good_log_is_good(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", rows(3, 4, 5))
    written(tmp_path / "logs", rows(1, 1, 1), SEALED)
    done = run("logs", "verify", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["ok"]
    assert [(one["rows"], one["bad_lines"], one["index_agrees"]) for one in done.json["files"]] == [
        (3, 0, True),
        (12, 0, True),
    ]
    assert (done.json["bad_lines"]["count"], done.json["strays"]) == (0, [])


def test_bad_lines_are_a_finding_that_says_where_and_what_next(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", rows(1, 0, 0) + "{\n" + rows(1, 0, 0) + "nonsense")
    done = run("logs", "verify")
    assert done.code == 3
    assert "logs/predictions.jsonl:2: not valid JSON" in done.err
    assert "logs/predictions.jsonl:4: not valid JSON" in done.err
    assert "sentimon logs repair" in done.err
    found = run("logs", "verify", "--json")
    assert found.code == 3
    assert not found.json["ok"]
    assert found.json["files"][0]["kinds"] == {"json": 2}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET total = (SELECT total FROM entry ORDER BY number DESC)",
        "DELETE FROM cell WHERE hour = (SELECT min(hour) FROM cell)",
        "UPDATE cell SET content = (SELECT content FROM cell ORDER BY hour DESC, entry) WHERE entry = 1",
    ],
)
def test_an_index_that_says_something_else_is_found_and_removed(run, tmp_path: Path, change: str) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", rows(30, 40, 50))
    written(tmp_path / "logs", rows(1, 1, 1), SEALED)
    truth = run("metrics", "--json").json["total_predictions"]
    connection = sqlite3.connect(tmp_path / INDEX)
    connection.execute(change)
    connection.commit()
    connection.close()
    done = run("logs", "verify")
    assert done.code == 3
    assert "the index was wrong about" in done.err
    assert run("metrics", "--json").json["total_predictions"] == truth
    assert run("logs", "verify").code == 0


def test_what_only_looks_like_the_log_is_named(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", rows(1, 0, 0))
    for name in ("predictions.jsonl.bak", "predictions-old.jsonl", f"{SEALED}.zst.damaged"):
        written(tmp_path / "logs", rows(1, 0, 0), name)
    done = run("logs", "verify", "--json")
    assert done.code == 0
    assert [Path(one).name for one in done.json["strays"]] == [
        f"{SEALED}.zst.damaged",
        "predictions-old.jsonl",
        "predictions.jsonl.bak",
    ]
    assert done.err.count("not part of the log: ") == 3


def test_without_an_index_the_files_are_read_all_the_same(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", rows(1, 0, 0) + "{\n")
    done = run("logs", "verify", SENTIMON_LOGS__INDEX="false")
    assert done.code == 3
    assert not (tmp_path / INDEX).exists()


def test_quiet_says_nothing_of_a_good_log_and_all_of_a_bad_one(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = written(tmp_path / "logs", lines(one.to_dict() for one in records(1, 1, 1)))
    for command in (["verify", "-q"], ["prune", "-q", "--keep-days", "30"]):
        done = run("logs", *command)
        assert (done.code, done.out, done.err) == (0, "", "")
    with (folder / "predictions.jsonl").open("a") as file:
        file.write("no row\n")
    done = run("logs", "verify", "-q")
    assert done.code == 3
    assert "predictions.jsonl:4" in done.out + done.err
