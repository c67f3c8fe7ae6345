"""What reading a log takes of memory, however long it is."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentimon.compression import ZstdFile
from sentimon.labels import LABELS
from tests.conftest import clean_environment
from tests.support.rows import START, row

MEGABYTE = 1_000_000
LIMIT = 60 * MEGABYTE
DENSE = 999
THREE_YEARS = 3 * 365 * 24
PEAK = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE, check=True)
sys.stdout.buffer.write(done.stdout)
# The highest of the program and of those that it started and waited for, in kilobytes.
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


def write_log(folder: Path, hours: int, an_hour: int) -> int:
    """A log of so many hours, each with so many rows of about 350 bytes and a bad line; return its rows."""
    kept = []
    for number in range(an_hour):
        place, confidence = number % 3, (0.61, 0.95, 0.999999)[number % 3]
        more = {"text": "Che bella giornata! 😀 " * 5, "model": "sentimon/student", "id": number}
        judged = {"sentiment": LABELS[place], "confidence": confidence}
        kept.append(row(place, 0, confidence, timestamp="@@") | more | judged)
    hour = b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in kept) + b'{"torn": \n'
    folder.mkdir()
    with (folder / "predictions.jsonl").open("wb") as file:
        for number in range(hours):
            file.write(hour.replace(b"@@", (START + timedelta(hours=number)).isoformat().encode()))
    return hours * an_hour


@pytest.fixture(
    params=[(3, DENSE), (450, DENSE), (THREE_YEARS, 1)],
    ids=["1 MB", "150 MB", "a row in each hour of three years"],
)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, int]]:
    rows = write_log(tmp_path / "logs", *request.param)
    yield tmp_path, rows
    (tmp_path / "logs" / "predictions.jsonl").unlink()


def test_a_log_of_any_length_is_summed_up_in_60_megabytes(log: tuple[Path, int]) -> None:
    folder, rows = log
    for index in ("false", "true", "true"):
        given = {"SENTIMON_LOGS__INDEX": index, "SENTIMON_ENGINE__WORKERS": "2"}
        done = subprocess.run(
            [sys.executable, "-c", PEAK, "-m", "sentimon", "metrics", "--json"],
            capture_output=True,
            cwd=folder,
            env=clean_environment(folder) | given,
            check=True,
        )
        assert json.loads(done.stdout)["total_predictions"] == rows
        peak = 1024 * int(done.stderr.split()[-1])
        print(f"index {index}: {rows} rows, {peak / MEGABYTE:.1f} MB at most")
        assert peak < LIMIT


ROOM = 600 * MEGABYTE
"""Of addresses, libraries included; a line of 300 MB takes more than twice its size to read."""


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))


@pytest.fixture(scope="module")
def long_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows around one line of 300 MB: a few kilobytes, sealed and compressed."""
    packed = io.BytesIO()
    good = json.dumps(row(2, 0, 0.8) | {"sentiment": "positive", "confidence": 0.8}).encode() + b"\n"
    with ZstdFile(packed, "w") as file:
        file.write(good)
        for _ in range(300):
            file.write(b"x" * MEGABYTE)
        file.write(b"\n" + good)
    folder = tmp_path_factory.mktemp("long")
    (folder / "logs").mkdir()
    (folder / "logs/predictions-20260907T080000Z.jsonl.zst").write_bytes(packed.getvalue())
    return folder


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("metrics --json", 0),
        ("logs query --json", 0),
        ("logs status --json", 0),
        ("logs verify --json", 3),
        ("logs erase --contains Mario --dry-run --json", 0),
        ("doctor --json", 0),
        ("logs repair --yes --json", 0),
    ],
)
def test_a_line_of_any_length_is_one_bad_line_and_takes_no_memory(
    long_line: Path, command: str, code: int
) -> None:
    settings = {"SENTIMON_LOGS__MAX_LINE_BYTES": str(1 << 20), "SENTIMON_LOGS__INDEX": "false"}
    done = subprocess.run(
        [sys.executable, "-m", "sentimon", *command.split()],
        capture_output=True,
        cwd=long_line,
        env=clean_environment(long_line) | settings | {"OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=None if command.startswith("doctor") else limited,
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr.decode()
    if command.startswith("metrics"):
        assert json.loads(done.stdout)["total_predictions"] == 2
        assert b":2: longer than 1048576 bytes (logs.max_line_bytes)" in done.stderr
    if command.startswith("logs repair"):
        (moved,) = (long_line / "logs").glob("quarantine-*.zst")
        assert moved.stat().st_size < MEGABYTE


def test_a_long_line_of_the_input_is_one_bad_line_and_takes_no_memory(long_line: Path) -> None:
    line = json.dumps(row(2, 0, 0.8)).encode() + b"\n"
    source = long_line / "input.jsonl"
    with source.open("wb") as file:
        file.write(line)
        for _ in range(300):
            file.write(b"x" * MEGABYTE)
        file.write(b"\n" + line)
    done = subprocess.run(
        [sys.executable, "-m", "sentimon", "log", "--input", "input.jsonl", "--logs", "other", "--json"],
        capture_output=True,
        cwd=long_line,
        env=clean_environment(long_line) | {"SENTIMON_LOGS__MAX_LINE_BYTES": str(1 << 20)},
        preexec_fn=limited,
        check=False,
    )
    source.unlink()
    assert done.returncode == 1, done.stderr.decode()
    assert b"input.jsonl:2: longer than 1048576 bytes (logs.max_line_bytes)" in done.stderr
    assert (long_line / "other/predictions.jsonl").read_bytes().count(b"\n") == 2
