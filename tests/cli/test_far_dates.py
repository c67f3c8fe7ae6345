"""Rows dated in year 1 or 9999: every command answers, in zones whose years begin earlier or end later."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentimon.prediction_log.windows import CALENDAR_END
from tests.support.in_process import said, said_with_notes
from tests.support.rows import lines, record, records, written

FIRST = datetime(1, 1, 1, tzinfo=UTC)
FAR = (FIRST, FIRST + timedelta(hours=5), CALENDAR_END - timedelta(hours=9), CALENDAR_END)
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "local")


@pytest.fixture(params=ZONES)
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENTIMON_METRICS__TIME_ZONE", request.param)
    rows = [*records(30, 20, 50), *(record(0, 0, timestamp=one) for one in FAR)]
    named = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(rows)]
    written(Path("logs"), lines(named))
    labels = [{"id": f"r{n}", "label": "neutral", "timestamp": "2026-09-08T08:00:00Z"} for n in range(104)]
    Path("logs/labels.jsonl").write_text(lines(labels), encoding="utf-8")
    said("baseline", "create", "--since", "2026-09-01", "--until", "2026-09-30")
    return str(request.param)


@pytest.mark.parametrize("every", ["1h", "6h", "1d", "4w"])
def test_windows_hold_all_rows_and_what_is_left_out_is_said(
    log: str, every: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, notes = said_with_notes("metrics", "--every", every, "--json")
    assert code == 0
    windows = json.loads(out)["windows"]
    assert sum(one["total_predictions"] for one in windows) == 104
    assert [windows[0]["start"], windows[-1]["end"]] == [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ]
    if every != "4w":
        assert "no rows from 0001-01" in notes
        assert "to 2026-09-0" in notes
    monkeypatch.setenv("SENTIMON_LOGS__INDEX", "false")
    assert json.loads(said("metrics", "--every", every, "--json")[1])["windows"] == windows


COMMANDS = (
    "metrics --every 1d",
    "metrics --since 9999-12-31 --every 1h",
    "metrics --until 0001-01-02 --every 1w",
    "metrics --quality --every 1d",
    "label status --every 1d",
    "drift",
    "drift --monitor --dry-run",
    "retrain-check",
    "report --output report.html",
    "report --output report.md --every 1d",
    "report --output report.html --since 9999-12-30",
    "logs query --since 9999-12-30",
    "logs status",
    "export prometheus",
    "baseline check",
)


def test_every_command_answers(log: str) -> None:
    for command in COMMANDS:
        assert said(*command.split())[0] in (0, 3, 4), command
