"""A log that went silent, as those see it who run the checks: by hand, from cron, for Prometheus."""

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
    assert found["traffic"]["says"].startswith("The newest row is ")
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
