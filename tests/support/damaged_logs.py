"""Logs with bad lines."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC
from pathlib import Path
from typing import Any

from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from tests.conftest import clean_environment
from tests.support.rows import lines, row


def good(minute: int, **rest: Any) -> bytes:
    return lines([row(0, minute) | {"sentiment": "negative", "confidence": 0.8} | rest]).encode()


def good_rows(folder: Path) -> list[PredictionRecord]:
    return [one for one in read_log(folder, zone=UTC) if isinstance(one, PredictionRecord)]


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sentimon.config.settings import LogSettings
from sentimon.prediction_log import rotation
from sentimon.prediction_log.writer import LogWriter
from tests.support.rows import record
rotation.MEGABYTE = 10_000
writer = LogWriter(Path(sys.argv[1]), LogSettings(rotate_megabytes=1, compression=sys.argv[2]))
for number in range(300):
    writer.append([record(0, number, text=f"{number}:" + "x" * 400, id=f"id{number}")], now=datetime.now(UTC))
"""


def start_writer(folder: Path, compression: str) -> subprocess.Popen[bytes]:
    """A program that logs 300 rows; a file is sealed and compressed every 20."""
    folder.mkdir(exist_ok=True)
    arguments = [sys.executable, "-c", WRITER, str(folder), compression]
    return subprocess.Popen(arguments, env=clean_environment(folder))
