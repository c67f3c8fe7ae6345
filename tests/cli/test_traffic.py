"""A log that went silent, as those see it who run the checks: by hand, from cron, for Prometheus."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentimon.reporting.prometheus_text import read_values
from tests.conftest import MAX_AGE
from tests.support.rows import lines, row

BY_ITS_GAPS = {MAX_AGE: ""}
"""The tests set a limit that no row of theirs is older than."""
NOON = 240


@pytest.fixture
def baseline(run, log) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10)
    assert run("baseline", "create").code == 0


def test_cron_is_told_once_of_a_silent_log_and_once_of_its_end(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, minute=NOON)
    loud = run("drift", **BY_ITS_GAPS)
    assert (loud.code, loud.err) == (0, "")
    assert "the longest pause in the log was 4 hours, and" in loud.out.replace("\n", " ")
    assert run("drift", "--json", **BY_ITS_GAPS).json["traffic"]["verdict"] == "silent"
    assert not (tmp_path / "logs/.sentimon/said.json").exists()
    said = run("retrain-check", "-q", "--prometheus", "x.prom", **BY_ITS_GAPS)
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("logs: No row has come for ")
    assert said.err.endswith(
        "; the longest pause in the log was 4 hours, and up to 7 days would still be usual "
        "(monitor.max_age sets that).\n"
    )
    exported = (tmp_path / "x.prom").read_text(encoding="utf-8")
    assert 'sentimon_log_silent{source="x"} 1' in exported
    for command in ("retrain-check", "drift"):
        again = run(command, "-q", **BY_ITS_GAPS)
        assert (again.code, again.out, again.err) == (0, "", "")
    now = datetime.now(UTC) - timedelta(minutes=5)
    run("log", "--input", "-", "-q", stdin=lines([row(0, timestamp=now.isoformat())]))
    back = run("drift", "-q", **BY_ITS_GAPS)
    assert (back.code, back.err.count("\n")) == (0, 1)
    assert back.err.startswith("logs: The newest row is 5 minutes old, and pauses of up to ")
    assert back.err.endswith(" are usual: the log is no longer silent.\n")
    assert run("drift", "-q", **BY_ITS_GAPS).err == ""


def test_cron_is_told_once_that_there_is_no_baseline(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10)
    said = run("retrain-check", "-q")
    assert (said.code, said.out) == (4, "")
    assert said.err == (
        "logs: There is no baseline, so that nothing says whether the predictions drift: "
        "`sentimon baseline create` makes one.\n"
    )
    assert run("retrain-check", "-q").err == run("drift", "-q", "--no-create").err == ""
    made = run("drift", "-q")
    assert "THERE WAS NO BASELINE" in made.err
    assert made.err.startswith("logs: There is a baseline now.\n")
    assert run("retrain-check", "-q").err == ""
    assert (tmp_path / "logs/.sentimon/said.json").stat().st_mode & 0o777 == 0o600


def test_doctor_and_the_export_tell_a_silent_log(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    found = {one["name"]: one for one in run("doctor", "--json", **BY_ITS_GAPS).json["findings"]}
    assert found["traffic"]["state"] == "warning"
    assert found["traffic"]["says"].startswith("No row has come for ")
    exported = run("export", "prometheus", **BY_ITS_GAPS).out
    assert exported.count("# TYPE sentimon_latest_prediction_timestamp_seconds gauge") == 1
    assert 'sentimon_log_silent{source="sentimon"} 1' in exported


def test_the_newest_row_is_exported_without_those_dated_in_the_future(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10)
    ahead = datetime.now(UTC) + timedelta(days=300)
    run("log", "--input", "-", "-q", stdin=lines([row(0, timestamp=ahead.isoformat())]))
    found = []
    for arguments in (("export", "prometheus", "--output", "x.prom"), ("drift", "--prometheus", "x.prom")):
        run(*arguments, "-q")
        exported = (tmp_path / "x.prom").read_text(encoding="utf-8")
        values = {key.partition("{")[0]: value for key, value in read_values(exported).items()}
        found.append(values["sentimon_latest_prediction_timestamp_seconds"])
    assert found[0] == found[1] < ahead.timestamp() - 86_400


def test_saved_results_hold_the_traffic(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, minute=NOON)
    for arguments, name in (
        (("drift",), "drift_reports"),
        (("drift", "--monitor"), "drift_reports"),
        (("retrain-check",), "retraining_triggers"),
        (("metrics",), "metrics"),
    ):
        run(*arguments, "--save", **BY_ITS_GAPS)
        text = (tmp_path / "logs" / f"{name}.jsonl").read_text(encoding="utf-8")
        kept = json.loads(text.split("\n")[-2])["traffic"]
        assert (kept["verdict"], kept["silent"], kept["max_age_hours"]) == ("silent", True, 168.0), arguments


def test_drift_says_what_to_do_next_with_commands_on_lines_of_their_own(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    log(10, 20, 70, minute=NOON)
    found = run("drift")
    assert found.code == 3
    *_, read, see, report = found.out.rstrip("\n").split("\n")
    assert "- Read some of the rows that became more frequent:\n" in found.out
    assert read.startswith("    sentimon logs query --newest --limit 20 --sentiment positive --since 2026-")
    assert (see, report) == (
        "- See the charts, and what else to do:",
        "    sentimon report --logs logs",
    )
    assert "In brackets: between which numbers the true one lies, with 95 % confidence" in found.out
    log(70, 20, 10, minute=2 * NOON)
    assert "What to do now" not in run("drift", "--since", "1h").out
