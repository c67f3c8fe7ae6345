"""Logs that are written, rotated, torn and edited in all ways."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

from sentimon.config.settings import LogSettings
from sentimon.prediction_log import rotation
from sentimon.prediction_log.folder import LIVE_FILE, list_files
from sentimon.prediction_log.index import cells, line_blocks, packed_sums, period_sums, refresh, scan
from sentimon.prediction_log.writer import LogWriter
from tests.support.rows import START, record, row

ROME = ZoneInfo("Europe/Rome")


NOW = START + timedelta(days=400)


CHANNELS = ["app", "web", "", None, 3, 3.0, 2.5, True, "a" * 90, {"deep": 1}, [], "(other)", "\u202eppa"]
FIELDS = ("channel", "user.land", "@length", "@model", "@script")
"""Fields that divide the rows of `line`."""
WIDTHS = (1, 2, 6)
"""Hours of the cells of small logs."""


def line(chance: random.Random) -> bytes:
    """A row or something else, in one of many forms, at a time that is often near the last."""
    minute = chance.choice([0, 1, 59, 60, 61, 119, 600, chance.randrange(3000)])
    place, confidence = (
        chance.randrange(3),
        chance.choice([0.34, 0.5, 0.8, 0.999999, 1.0, chance.uniform(0.4, 1)]),
    )
    kind = chance.randrange(16)
    extra: dict[str, object] = {
        "model": chance.choice(["m", "n", None]),
        "truncated": chance.choice([True, False]),
        **chance.choice([{}, {}, {"unreadable": True}]),
    }
    if kind == 0:
        return chance.choice(
            [b"", b"   ", b"\r", b"{", b"{}{}", b"nonsense", b"\xff\xfe", b'{"a":1}', b"[[[["]
        )
    if kind == 1:
        extra["timestamp"] = "2026-09-07T10:00:00"
    if kind == 2:
        extra |= {
            "timestamp": "2026-09-07T10:30:00.123456+02:00",
            "text": chance.choice([None, "", "  ", "perché 😀"]),
        }
    if kind == 3:
        extra |= {"sentiment": "Positivo", "scores": {"Negativo": 0.1, "Neutro": 0.1, "Positivo": 0.8}}
        return json.dumps(row(2, minute, 0.8) | extra | {"confidence": 0.8}).encode()
    if kind == 4:
        extra["note"] = {"deep": ["\u2028", {"timestamp": 1}]}
    if kind == 5:
        extra["scores"] = {"negative": 0.6, "neutral": 0.6, "positive": 0.1}
    made = row(place, minute, confidence) | extra
    if chance.randrange(2):
        made |= {"channel": chance.choice(CHANNELS)}
    if chance.randrange(2):
        place_of_origin = chance.choice(["it", "de", None, 7, ["x"]])
        made |= chance.choice([{"user": {"land": place_of_origin}}, {"user.land": "it"}, {"user": "nobody"}])
    labels = ("negative", "neutral", "positive")
    made |= {
        "sentiment": labels[place],
        "confidence": confidence + chance.choice([0, 0, 0, 1e-3, 1.9999e-3, 0.1]),
    }
    return json.dumps(made, ensure_ascii=bool(chance.randrange(2))).encode()


def lines(chance: random.Random, most: int = 12) -> bytes:
    return b"".join(line(chance) + b"\n" for _ in range(chance.randrange(most)))


def by_writer(folder: Path, chance: random.Random) -> None:
    settings = LogSettings(
        rotate_megabytes=chance.choice([0, 1]), compression=chance.choice(["zstd", "gzip", "none"])
    )
    writer = LogWriter(folder, settings)
    for _ in range(chance.randrange(1, 4)):
        minute = chance.choice([5, 100, chance.randrange(3000)])
        writer.append(
            [record(chance.randrange(3), minute + one) for one in range(chance.randrange(8))], now=START
        )


def by_another_program(folder: Path, chance: random.Random) -> None:
    with (folder / LIVE_FILE).open("ab") as file:
        file.write(lines(chance))


def torn(folder: Path, chance: random.Random) -> None:
    with (folder / LIVE_FILE).open("ab") as file:
        made = line(chance)
        file.write(chance.choice([made, made[: len(made) // 2], b" ", b"\xef\xbb\xbf" + made]))


def some_file(folder: Path, chance: random.Random) -> Path | None:
    files = [one.path for one in list_files(folder)]
    return chance.choice(files) if files else None


def edited(folder: Path, chance: random.Random) -> None:
    """A byte changed where it stands, and perhaps rows behind; all in the same inode."""
    path = some_file(folder, chance)
    if path is None:
        return
    content = bytearray(path.read_bytes())
    if content:
        content[chance.randrange(len(content))] = chance.choice(b'0123456789"}\n ')
    path.write_bytes(bytes(content) + (lines(chance) if path.suffix == ".jsonl" else b""))


def replaced_by_one_of_the_same_size(folder: Path, chance: random.Random) -> None:
    path = some_file(folder, chance)
    if path is None or path.suffix != ".jsonl":
        return
    parts = path.read_bytes().split(b"\n")
    status = path.stat()
    new = path.with_name("new")
    chance.shuffle(parts)
    new.write_bytes(b"\n".join(parts).replace(b"negative", b"positive"))
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)


def cut_and_grown_back(folder: Path, chance: random.Random) -> None:
    path = folder / LIVE_FILE
    if path.exists():
        size = path.stat().st_size
        os.truncate(path, chance.randrange(size + 1))
        while path.stat().st_size <= size:
            with path.open("ab") as file:
                file.write(lines(chance, 4) + b"\n")


@contextmanager
def small_sizes(*, bulk: bool) -> Iterator[None]:
    """Everything that depends on a size happens with a few rows, too."""
    amount = 0 if bulk else 1 << 40
    with (
        mock.patch.object(refresh, "BULK_BYTES", amount),
        mock.patch.object(period_sums, "BULK_BYTES", amount),
        mock.patch.object(scan, "UNIT_BYTES", 1500),
        mock.patch("sentimon.prediction_log.index.indexed_files.UNIT_BYTES", 1500),
        mock.patch.object(line_blocks, "BLOCK", 700),
        mock.patch.object(cells, "MOST_GAP_BYTES", 100),
        mock.patch.object(packed_sums, "WIDTHS", WIDTHS),
        mock.patch.object(period_sums, "WIDTHS", WIDTHS),
        mock.patch("sentimon.prediction_log.index.scan._SMALL", 300),
        mock.patch.object(rotation, "MEGABYTE", 1000),
    ):
        yield
