import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.support.damaged_logs import good
from tests.support.packed_files import SEALED
from tests.support.rows import written

Run = Callable[..., Ran]
HOSTILE = "\x1b[31m[red]<script>\u202e Mario"


def spoilt(folder: Path) -> Path:
    """A log with bad lines in a sealed file and the live one, and a damaged file."""
    written(folder, gzip.compress(good(0) + b"nonsense\n" + b"caf\xe9\n"), SEALED + ".gz")
    written(folder, gzip.compress(good(1))[:-3], SEALED.replace("07T", "08T") + ".gz")
    return written(folder, good(2) + good(3, sentiment=HOSTILE) + b"\n")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_repair_says_first_what_is_wrong_and_then_moves_it(run: Run, tmp_path: Path) -> None:
    logs = spoilt(tmp_path / "logs")
    before = contents(logs)
    planned = run("logs", "repair", "--dry-run")
    assert planned.code == 3
    assert contents(logs) == before
    table = [line.split() for line in planned.out.split("\n")]
    assert [SEALED + ".gz", "2", "encoding", "1,", "json", "1"] in table
    assert [SEALED.replace("07T", "08T") + ".gz", "0", "damaged"] in table
    assert ["predictions.jsonl", "1", "label", "1"] in table
    assert "3 bad lines would be moved to logs/quarantine.jsonl" in planned.err
    assert "would be kept beside it" in planned.err
    metrics = run("metrics", "--json").json
    done = run("logs", "repair", "--yes")
    assert (done.code, done.out) == (0, planned.out)
    assert "3 bad lines moved to logs/quarantine.jsonl" in done.err
    assert ".gz.damaged" in done.err
    after = run("metrics", "--json").json
    assert after["sentiment_distribution"] == metrics["sentiment_distribution"]
    assert (metrics["bad_lines"]["count"], after["bad_lines"]["count"]) == (4, 0)
    assert len((logs / "quarantine.jsonl").read_bytes().splitlines()) == 3


def test_repair_as_json_has_its_keys_and_nothing_on_stderr(run: Run, tmp_path: Path) -> None:
    spoilt(tmp_path / "logs")
    keys = ["path", "dry_run", "bad_lines", "quarantine", "files"]
    planned, done, again = (
        run("logs", "repair", "--json", *rest) for rest in (["--dry-run"], ["--yes"], ["--logs", "logs"])
    )
    assert [(one.code, one.err) for one in (planned, done, again)] == [(3, ""), (0, ""), (0, "")]
    assert all(list(one.json) == keys for one in (planned, done, again))
    damaged = f"logs/{SEALED.replace('07T', '08T')}.gz"
    expected = {
        f"logs/{SEALED}.gz": (2, {"encoding": 1, "json": 1}, False, None),
        damaged: (0, {}, True, damaged + ".damaged"),
        "logs/predictions.jsonl": (1, {"label": 1}, False, None),
    }
    for ran, dry in ((planned, True), (done, False)):
        assert ran.json["dry_run"] is dry
        assert (ran.json["bad_lines"], ran.json["quarantine"]) == (3, "logs/quarantine.jsonl")
        assert {
            one["path"]: (one["bad_lines"], one["kinds"], one["damaged"], one["kept_as"])
            for one in ran.json["files"]
        } == {path: (*facts[:3], None if dry else facts[3]) for path, facts in expected.items()}
    assert again.json["files"] == []


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["--json"]])
def test_with_nothing_wrong_repair_changes_nothing(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    logs = written(tmp_path / "logs", good(0))
    before = contents(logs)
    done = run("logs", "repair", "--yes", *arguments)
    assert done.code == 0
    assert contents(logs) == before
    assert ("nothing to repair" in done.err) == ("--json" not in arguments)


def test_repair_of_no_log_is_an_error(run: Run) -> None:
    done = run("logs", "repair", "--yes", "--logs", "nowhere")
    assert (done.code, done.out) == (1, "")
    assert "nowhere: no such folder" in done.err


def test_what_is_erased_is_gone_from_every_file_and_metrics_stay(run: Run, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    written(logs, gzip.compress(good(0, text="Per Mario Rossi", id="order-9") + good(1)), SEALED + ".gz")
    written(logs, b'{"text": "mario rossi torn\n' + good(2) + good(3, id=4711) + good(4, text_hash="abc"))
    assert run("logs", "repair", "--yes").code == 0
    metrics = run("metrics", "--json").json
    asked = ["--contains", "MARIO ROSSI", "--id", "4711", "--text-hash", "abc", "--id", "unknown"]
    before = contents(logs)
    planned = run("logs", "erase", *asked, "--dry-run", "--json")
    assert contents(logs) == before
    done = run("logs", "erase", "--yes", *asked)
    assert (planned.code, done.code) == (0, 0)
    assert planned.json == {
        "path": "logs",
        "dry_run": True,
        "drop_rows": False,
        "rows_erased": 3,
        "bad_lines_removed": 0,
        "quarantine_entries_removed": 1,
        "files_rewritten": 2,
        "files": [
            {"path": f"logs/{SEALED}.gz", "rows_erased": 1, "bad_lines_removed": 0},
            {"path": "logs/predictions.jsonl", "rows_erased": 2, "bad_lines_removed": 0},
        ],
        "leftovers_removed": [],
        "not_searched": [],
    }
    table = [line.split() for line in done.out.split("\n")]
    assert [SEALED + ".gz", "1", "0"] in table
    assert ["predictions.jsonl", "2", "0"] in table
    assert ["quarantine.jsonl", "1"] in table
    assert "3 rows erased, 1 bad line removed" in done.err
    for path, content in contents(logs).items():
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().casefold()
        assert not any(name in text for name in ("mario", "order-9", '"abc"', '"id":4711'))
    after = run("metrics", "--json").json
    for key in ("sentiment_distribution", "average_confidence", "first", "last"):
        assert after[key] == metrics[key]
    again = run("logs", "erase", "--yes", *asked)
    assert (again.code, again.out) == (0, "")
    assert "nothing matches" in again.err


def test_dropped_rows_are_gone_from_the_statistics_too(run: Run, tmp_path: Path) -> None:
    logs = written(tmp_path / "logs", good(0, id="a") + good(1, id="b"))
    assert run("logs", "erase", "--yes", "--id", "a", "--drop-rows", "--json").json["rows_erased"] == 1
    assert run("metrics", "--json").json["total_predictions"] == 1
    assert json.loads((logs / "erasures.jsonl").read_bytes())["drop_rows"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--id, --text-hash, --contains"),
        (["--dry-run"], "--id, --text-hash, --contains"),
        (["--id", ""], "--id is empty"),
        (["--id", "a", "--contains", " "], "--contains is empty"),
        (["--text-hash", ""], "--text-hash is empty"),
    ],
)
def test_what_would_erase_nothing_or_everything_is_wrong_usage(
    run: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    logs = written(tmp_path / "logs", good(0, id="", text=""))
    before = contents(logs)
    done = run("logs", "erase", "--yes", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "hint:" in done.err
    assert contents(logs) == before


def test_a_damaged_file_stops_an_erasure_and_the_next_step_is_named(run: Run, tmp_path: Path) -> None:
    logs = spoilt(tmp_path / "logs")
    before = contents(logs)
    for arguments in ([], ["--dry-run"]):
        done = run("logs", "erase", "--yes", "--contains", "mario", *arguments)
        assert (done.code, done.out) == (1, "")
        assert SEALED.replace("07T", "08T") in done.err
        assert "sentimon logs repair" in done.err
    assert contents(logs) == before
    assert run("logs", "repair", "--yes").code == 0
    done = run("logs", "erase", "--yes", "--contains", "mario")
    assert done.code == 0
    assert f"not searched: logs/{SEALED.replace('07T', '08T')}.gz.damaged" in done.err
    assert run("logs", "erase", "--yes", "--contains", "mario", "--json").json["not_searched"] == [
        f"logs/{SEALED.replace('07T', '08T')}.gz.damaged"
    ]


def test_hostile_texts_and_folders_act_on_nothing(run: Run, tmp_path: Path) -> None:
    name = "logs\x1b[31m[red]"
    logs = written(tmp_path / name, good(0, text=HOSTILE) + HOSTILE.encode() + b"\n" + b"\xff\xfe\n")
    ran = [
        run("logs", "repair", "--logs", name, "--dry-run"),
        run("logs", "erase", "--logs", name, "--contains", HOSTILE, "--dry-run"),
        run("logs", "repair", "--yes", "--logs", name),
        run("logs", "erase", "--yes", "--logs", name, "--contains", HOSTILE),
    ]
    assert [one.code for one in ran] == [3, 0, 0, 0]
    assert not any("\x1b" in one.out + one.err or "\u202e" in one.out + one.err for one in ran)
    assert "moved to logs\\x1b[31m[red]/quarantine.jsonl" in ran[2].err
    assert all(b"Mario" not in content for content in contents(logs).values())
    # A value that is no valid UTF-8 in the arguments of a program looks like this.
    assert run("logs", "erase", "--yes", "--logs", name, "--contains", "\udcff\udcfe").code == 0
    assert run("logs", "erase", "--yes", "--logs", name, "--id", "\udcff", "--json").code == 0
