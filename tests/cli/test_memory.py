"""What reading a log takes of memory, however long it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentimon.labels import LABELS
from tests.conftest import clean_environment
from tests.rows import START, row

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
