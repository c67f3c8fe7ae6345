"""Asked to end, the program ends with the code of the signal, and leaves no child and no temporary file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import clean_environment
from tests.support.rows import lines, records, written

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
PROGRAM = """
import os, signal, sys, time
number = int(sys.argv.pop(1)); place = sys.argv.pop(1); times = int(sys.argv.pop(1))
for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(one, signal.SIG_DFL if one != signal.SIGINT else signal.default_int_handler)
module, name = place.rsplit(".", 1)
import importlib
found = importlib.import_module(module)
before = getattr(found, name)
def struck(*arguments, **options):
    for _ in range(times):
        os.kill(os.getpid(), number)
    time.sleep(60)
setattr(found, name, struck)
from sentimon.__main__ import main
main()
"""
"""Runs the command line; where it comes to a function, the signal arrives."""


def strike(
    folder: Path, number: int, place: str, *arguments: str, times: int = 1
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(int(number)), place, str(times), *arguments],
        cwd=folder,
        env=clean_environment(folder),
        capture_output=True,
        timeout=60,
        check=False,
    )


def left(folder: Path) -> list[str]:
    """Temporary files, which have names that begin with a dot; the lock of a job stays."""
    return [str(path) for path in folder.rglob(".*") if path.is_file() and path.name != ".lock"]


@pytest.fixture
def log(tmp_path: Path) -> bytes:
    rows = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(records(30, 20, 50))]
    written(tmp_path / "logs", lines(rows) + "bad\n")
    (tmp_path / "texts.txt").write_text("good\nbad\n" * 20, encoding="utf-8")
    return (tmp_path / "logs/predictions.jsonl").read_bytes()


PLACES = {
    "reading": ("sentimon.prediction_log.index.refresh.refresh_index", ("metrics", "--logs", "logs")),
    "scoring": (
        "sentimon.scoring.batch_scoring.score_here",
        ("predict", "--input", "texts.txt", "--output", "out"),
    ),
    "a rewrite": ("os.fsync", ("logs", "repair", "--yes", "--logs", "logs")),
    "a baseline": ("os.fsync", ("baseline", "create", "--logs", "logs")),
}


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("what", PLACES)
def test_a_signal_ends_it_with_its_code_and_nothing_is_left(
    log: bytes, what: str, number: signal.Signals, tmp_path: Path
) -> None:
    place, arguments = PLACES[what]
    done = strike(tmp_path, number, place, *arguments)
    assert done.returncode == CODES[number], done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert left(tmp_path) == []
    assert (tmp_path / "logs/predictions.jsonl").read_bytes() == log


@pytest.mark.parametrize("number", CODES)
def test_a_second_signal_does_not_break_into_the_tidying_up(
    log: bytes, number: signal.Signals, tmp_path: Path
) -> None:
    done = strike(tmp_path, number, "os.fsync", "logs", "repair", "--yes", "--logs", "logs", times=2)
    assert done.returncode == CODES[number]
    assert left(tmp_path) == []
    assert (tmp_path / "logs/predictions.jsonl").read_bytes() == log


@pytest.mark.parametrize("number", CODES)
def test_a_signal_while_it_is_still_loading_is_its_code_as_well(
    log: bytes, number: signal.Signals, tmp_path: Path
) -> None:
    done = strike(tmp_path, number, "gc.set_threshold", "metrics", "--logs", "logs")
    assert done.returncode == CODES[number]
    assert done.stderr == b""


def test_a_signal_that_the_parent_ignored_stays_ignored(log: bytes, tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    program = "import os, signal; from sentimon.__main__ import main; import gc\n"
    program += "gc.set_threshold = lambda *_: os.kill(os.getpid(), signal.SIGHUP)\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", program, "metrics", "--logs", "logs", "--json"],
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        capture_output=True,
        preexec_fn=ignore,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["total_predictions"] == 100
