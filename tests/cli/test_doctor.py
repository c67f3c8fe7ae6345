import os
import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sentimon.prediction_log.index import sqlite_store as store
from sentimon.prediction_log.index.verification import index_damage
from sentimon.reporting.setup_tables import all_good, failed, good, warning
from sentimon.workflows.doctor import LIBRARIES, examine
from sentimon.workflows.opening import open_workspace
from tests.conftest import ROOT, Ran
from tests.support.faults import in_new_process
from tests.support.rows import lines, row, rows

NOON = 240
NAMES = [
    "settings",
    "versions",
    "model",
    "index",
    "writing",
    "log",
    "baseline",
    "traffic",
    "clock",
    "disk",
    "webhook",
    "messages",
]


def all_well(run: Callable[..., Ran]) -> None:
    run("log", "--input", "-", "-q", stdin=rows(70, 20, 10, model="m"))
    assert run("baseline", "create").code == 0
    run("log", "--input", "-", "-q", stdin=rows(10, 20, 70, minute=NOON, model="m"))


@pytest.fixture
def log(begin_with) -> None:  # type: ignore[no-untyped-def]
    """A log in which all is well."""
    begin_with(all_well)


def findings(done) -> dict[str, dict[str, str | None]]:  # type: ignore[no-untyped-def]
    found = {one["name"]: one for one in done.json["findings"]}
    assert done.json["ok"] is (done.code == 0)
    assert (done.code == 1) is ("failed" in [one["state"] for one in found.values()])
    for one in found.values():
        assert list(one) == ["name", "state", "says", "mend"]
        assert (one["mend"] is None) is (one["state"] == "ok")
    return found


def test_a_log_in_which_all_is_well(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before = (tmp_path / "logs/predictions.jsonl").read_bytes()
    done = run("doctor", "--json")
    assert done.err == ""
    found = findings(done)
    assert list(found) == NAMES
    assert {one["state"] for one in found.values()} == {"ok"}
    assert found["log"]["says"] == "200 rows in logs"
    assert found["baseline"]["says"] == "'baseline', 100 rows; 100 newer rows, of the same model"
    assert "sentimon-default@" in str(found["model"]["says"])
    assert (tmp_path / "logs/predictions.jsonl").read_bytes() == before
    assert sorted(one.name for one in (tmp_path / "logs").iterdir()) == [
        ".sentimon",
        "baseline.json",
        "predictions.jsonl",
    ]
    table = run("doctor")
    assert (table.code, table.err) == (0, "")
    assert [line.split()[0] for line in table.out.split("\n")[3:] if line[:1].isalpha()] == NAMES


def test_without_a_log_the_rest_is_looked_at_and_the_next_step_named(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("doctor", "--json", "--logs", "nowhere")
    found = findings(done)
    assert done.code == 1
    assert found["log"]["state"] == "failed"
    assert "sentimon log" in str(found["log"]["mend"])
    assert found["model"]["state"] == "ok"
    assert list(found) == NAMES
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_log_is_a_warning(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").mkdir()
    done = run("doctor", "--json")
    found = findings(done)
    assert done.code == 0
    assert found["log"]["state"] == found["baseline"]["state"] == "warning"


def test_a_wrong_setting_is_a_failure_and_not_a_crash(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "sentimon.toml").write_text("[drift]\ntreshold = 1\n", encoding="utf-8")
    done = run("doctor", "--json")
    found = findings(done)
    assert (done.code, list(found)) == (1, ["settings", "versions"])
    assert "sentimon.toml: unknown key drift.treshold" in str(found["settings"]["says"])
    assert found["settings"]["mend"] == "did you mean drift.threshold?"


def test_a_model_that_does_not_load_fails_and_one_that_answers_oddly_warns(run, log) -> None:  # type: ignore[no-untyped-def]
    done = run("doctor", "--json", SENTIMON_MODEL__NAME="/nowhere")
    assert (done.code, findings(done)["model"]["state"]) == (1, "failed")
    mirrored = '{negative = "positive", positive = "negative"}'
    done = run("doctor", "--json", SENTIMON_MODEL__LABEL_MAP=mirrored)
    assert (done.code, findings(done)["model"]["state"]) == (0, "warning")
    assert "label_map" in str(findings(done)["model"]["mend"])


@pytest.mark.parametrize("damage", [b"garbage", b""])
def test_a_damaged_index_is_said_and_is_well_the_next_time(run, log, tmp_path: Path, damage: bytes) -> None:  # type: ignore[no-untyped-def]
    assert run("metrics").code == 0
    index = tmp_path / "logs/.sentimon/rollup.sqlite"
    content = index.read_bytes()
    assert index_damage(index) is None
    index.write_bytes((content[:4096] + damage * 2000)[: len(content)] if damage else content[:9000])
    done = run("doctor", "--json")
    assert (done.code, findings(done)["index"]["state"]) == (0, "warning")
    assert findings(done)["log"]["says"] == "200 rows in logs"
    assert findings(run("doctor", "--json"))["index"]["state"] == "ok"
    assert (
        findings(run("doctor", "--json", SENTIMON_LOGS__INDEX="false"))["index"]["says"]
        == "switched off (logs.index): each command reads the whole log"
    )


def examine_while_it_is_locked(logs: str, index: str) -> None:
    store.PATIENCE_SECONDS = 0.01
    with closing(sqlite3.connect(index, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        found = {one.name: one for one in examine(lambda: open_workspace(logs))}
        assert list(found) == NAMES
        assert {one.state for one in found.values()} == {"ok"}
        assert found["index"].says == f"{index} is being changed by another program"
        assert found["log"].says == f"200 rows in {logs}"
        other.execute("DELETE FROM cell WHERE hour = (SELECT min(hour) FROM cell)")
        other.execute("COMMIT")


def test_hours_that_do_not_add_up_and_a_lock_are_told_apart(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("metrics")
    index = tmp_path / "logs/.sentimon/rollup.sqlite"
    in_new_process(examine_while_it_is_locked, str(tmp_path / "logs"), str(index))
    assert index_damage(index) == "the index is damaged"


def test_bad_lines_and_copies_are_warnings(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs/predictions-copy.jsonl").touch()
    assert "predictions-copy.jsonl" in str(findings(run("doctor", "--json"))["log"]["says"])
    with (tmp_path / "logs/predictions.jsonl").open("ab") as file:
        file.write(b"broken\n")
    found = findings(run("doctor", "--json"))["log"]
    assert found["state"] == "warning"
    assert "1 bad line, the first: logs/predictions.jsonl:201: not valid JSON" in str(found["says"])
    assert "logs repair" in str(found["mend"])


def test_a_segment_that_is_away_is_named_and_the_table_goes_on(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    away = tmp_path / "logs/predictions-20260801T000000Z.jsonl.zst"
    away.symlink_to("/archive/not/mounted.zst")
    done = run("doctor", "--json")
    found = findings(done)
    assert (done.code, list(found)) == (1, NAMES)
    assert found["log"]["state"] == "failed"
    assert f"logs/{away.name}: cannot be read: is a link to /archive/not/mounted.zst" in str(
        found["log"]["says"]
    )
    assert "200 rows in the others" in str(found["log"]["says"])
    assert "mount" in str(found["log"]["mend"])
    assert found["clock"]["state"] == "ok"
    table = run("doctor")
    assert table.code == 1
    assert [line.split()[0] for line in table.out.split("\n")[3:] if line[:1].isalpha()] == NAMES


def test_a_log_that_others_may_read_is_a_warning(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs/predictions.jsonl").chmod(0o644)
    found = findings(run("doctor", "--json"))["writing"]
    assert (found["state"], found["mend"]) == ("warning", "chmod 600 logs/predictions.jsonl")


def test_a_log_that_cannot_be_written_is_a_failure(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    live = tmp_path / "logs/predictions.jsonl"
    live.rename(tmp_path / "logs/elsewhere")
    live.mkdir()
    found = findings(run("doctor", "--json"))
    assert found["writing"]["state"] == "failed"
    assert "logs/predictions.jsonl: Is a directory" in str(found["writing"]["says"])


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_a_failure(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").chmod(0o500)
    assert findings(run("doctor", "--json"))["writing"]["state"] == "failed"
    (tmp_path / "logs").chmod(0o700)


def test_a_baseline_of_another_model_and_a_damaged_one_fail(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", "-q", stdin=rows(5, 0, 0, minute=2 * NOON, model="other"))
    done = run("doctor", "--json")
    found = findings(done)["baseline"]
    assert (done.code, found["state"]) == (1, "failed")
    assert "is of m, but rows are of other" in str(found["says"])
    assert "baseline create --force" in str(found["mend"])
    (tmp_path / "logs/baseline.json").write_text("{}", encoding="utf-8")
    assert "is no baseline" in str(findings(run("doctor", "--json"))["baseline"]["says"])


def test_a_baseline_of_too_few_rows_fails(run, log) -> None:  # type: ignore[no-untyped-def]
    found = findings(run("doctor", "--json", SENTIMON_DRIFT__MIN_SAMPLES="101"))["baseline"]
    assert (found["state"], found["says"]) == (
        "failed", "'baseline', 100 rows, fewer than the 101 of drift.min_samples",
    )  # fmt: skip


def test_rows_of_the_future_and_rows_without_a_zone_are_warnings(run, log) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", "-q", stdin=lines([row(0, model="m", timestamp="2026-09-07T08:00:00")]))
    naive = findings(run("doctor", "--json"))["clock"]
    # The row was given its zone when it was logged.
    assert naive["state"] == "ok"
    run("log", "--input", "-", "-q", stdin=lines([row(0, model="m", timestamp="2099-01-01T00:00:00Z")]))
    ahead = findings(run("doctor", "--json"))["clock"]
    assert ahead["state"] == "warning"
    assert "1 row dated in the future, the latest 2099-01-01 00:00 UTC" in str(ahead["says"])


def test_old_rows_without_a_zone_depend_on_the_machine_until_one_is_set(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    old = row(0, sentiment="Negativo", timestamp="2026-09-07T08:00:00") | {"confidence": 0.8}
    with (tmp_path / "logs/predictions.jsonl").open("a", encoding="utf-8") as file:
        file.write(lines([old]))
    found = findings(run("doctor", "--json"))["clock"]
    assert found["state"] == "warning"
    assert "1 timestamp without a zone read as local time" in str(found["says"])
    assert (
        findings(run("doctor", "--json", SENTIMON_LOGS__NAIVE_TIME_ZONE="Europe/Rome"))["clock"]["state"]
        == "ok"
    )


def test_too_little_room_to_seal_a_file_is_a_warning(run, log) -> None:  # type: ignore[no-untyped-def]
    found = findings(run("doctor", "--json", SENTIMON_LOGS__ROTATE_MEGABYTES="1000000000"))["disk"]
    assert found["state"] == "warning"
    assert "sealing a file needs 2000000.0" in str(found["says"])


def test_a_webhook_is_looked_at_and_nothing_is_sent(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    hook = {"SENTIMON_NOTIFY__WEBHOOK": "https://hooks.example.com/secret-path"}
    unsigned = findings(run("doctor", "--json", **hook))["webhook"]
    assert (unsigned["state"], unsigned["says"]) == (
        "warning",
        "what goes to https://hooks.example.com is not signed",
    )
    hook["SENTIMON_NOTIFY__WEBHOOK_SECRET_FILE"] = "secret"
    assert findings(run("doctor", "--json", **hook))["webhook"]["state"] == "failed"
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef", encoding="utf-8")
    secret.chmod(0o644)
    assert findings(run("doctor", "--json", **hook))["webhook"]["mend"] == "chmod 600 secret"
    secret.chmod(0o600)
    assert findings(run("doctor", "--json", **hook))["webhook"]["state"] == "ok"


def test_the_libraries_are_those_that_are_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = " ".join(project["dependencies"])
    assert all(name in required for name in LIBRARIES)


def test_only_where_nothing_is_to_be_looked_at_all_is_good() -> None:
    findings = [good("settings", "fine"), good("log", "100 rows")]
    assert all_good(findings)
    assert not all_good([*findings, warning("disk", "little room", "make room")])
    assert not all_good([*findings, failed("log", "it cannot be read", "check it")])
