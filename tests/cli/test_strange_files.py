"""Every command on the folder of a log in which something else stands in the place of a file of ours."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from sentimon.errors import SentimonError
from tests.support.in_process import said
from tests.support.rows import lines, records

NAMES = (
    "predictions.jsonl",
    "predictions-20260907T080000Z.jsonl",
    "baseline.json",
    "baseline.next.json",
    "baseline.before.json",
    "monitor.json",
    "labels.jsonl",
    "metrics.jsonl",
    "drift_reports.jsonl",
    "retraining_triggers.jsonl",
    "quarantine.jsonl",
    "erasures.jsonl",
    ".sentimon",
    ".sentimon/lock",
    ".sentimon/monitor.lock",
    ".sentimon/compression.lock",
    ".sentimon/rollup.sqlite",
    ".sentimon/error_rate.json",
    ".sentimon/said.json",
    ".sentimon/told.json",
)
COMMANDS = (
    "metrics --save",
    "metrics --every 1h",
    "baseline create --force",
    "baseline check",
    "drift --save",
    "drift --monitor",
    "drift --reset --yes",
    "retrain-check --save",
    "label import labels.csv",
    "label next --output next.csv --force",
    "logs status",
    "logs verify",
    "logs query --limit 1",
    "logs repair --yes",
    "logs erase --contains zzz --yes",
    "report --output report.html",
    "export prometheus",
)
KINDS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a link": lambda path: path.symlink_to(Path("kept/target").absolute()),
    "a link to a folder": lambda path: path.symlink_to(Path("kept").absolute()),
    "a link to nothing": lambda path: path.symlink_to(Path("kept/new").absolute()),
}
SECONDS = 60
"""What waits for a pipe waits for ever."""


def too_long(number: int, frame: FrameType | None) -> None:
    raise AssertionError("it waits for ever")


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log with a baseline and labels, in a folder that is left as it is."""
    monkeypatch.chdir(tmp_path)
    logs = tmp_path / "good"
    (logs / ".sentimon").mkdir(parents=True)
    named = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(records(30, 20, 40))]
    (logs / "predictions.jsonl").write_text(lines(named), encoding="utf-8")
    (tmp_path / "labels.csv").write_text("id,label\nr1,neutral\n", encoding="utf-8")
    said("baseline", "create", "--logs", "good")
    (tmp_path / "kept").mkdir()
    before = signal.signal(signal.SIGALRM, too_long)
    yield logs
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_of_ours_is_no_crash_and_no_way_out_of_the_folder(good: Path, name: str) -> None:
    chance = random.Random(name)
    target = Path("kept/target")
    for command in COMMANDS:
        kind = chance.choice(list(KINDS))
        shutil.rmtree("logs", ignore_errors=True)
        shutil.copytree(good, "logs")
        path = Path("logs", name)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        KINDS[kind](path)
        target.write_bytes(b"of somebody else")
        target.chmod(0o604)
        case = f"{command}: {name} is {kind}"
        signal.alarm(SECONDS)
        try:
            code, _ = said(*command.split())
        except SentimonError as error:
            code = int(error.exit_code)
        assert code in range(5), case
        assert [one.name for one in Path("kept").iterdir()] == ["target"], case
        assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"of somebody else", 0o604), case
