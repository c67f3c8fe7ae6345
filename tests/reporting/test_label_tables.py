"""What people see of labels and of quality over time, compared with golden text at width 100.

Run with SENTIMON_GOLDEN=write in the environment to write the golden files anew, then read the diff.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from sentimon.evaluation.late.coverage import cover
from sentimon.evaluation.late.entry import GoldLabel
from sentimon.labels import LABELS, Sentiment
from sentimon.logbook.windows import Calendar
from sentimon.reporting.labels import coverage_table
from tests.rows import START, record

GOLDEN = Path(__file__).parent.parent / "golden"
DAY = timedelta(days=1)


def label(place: int, hours: float = 0, **rest: object) -> GoldLabel:
    return GoldLabel(
        key=("id", "1"), label=Sentiment(place), timestamp=START + timedelta(hours=hours), **rest
    )


def coverage() -> RenderableType:
    rows = [(record(number % 3, number * 30), None) for number in range(90)]
    rows += [
        (record(0, 5, 0.5), label(0, hours, probability=0.5, draw=START) if hours % 2 else label(0, hours))
        for hours in range(60)
    ]
    found = cover(rows, calendar=Calendar.of("1d", UTC), now=START + 1.5 * DAY, confidence_level=0.95)
    return coverage_table(found, ("Negativo", "Neutro", "Positivo"), zone=UTC)


def coverage_of_nothing() -> RenderableType:
    found = cover([(record(0), None)], calendar=None, now=START, confidence_level=0.95)
    return coverage_table(found, LABELS, zone=UTC)


SHOWN = [coverage, coverage_of_nothing]


@pytest.mark.parametrize("make", SHOWN, ids=lambda make: make.__name__)
def test_it_looks_as_it_should(make: Callable[[], RenderableType]) -> None:
    stream = io.StringIO()
    Console(file=stream, width=100, color_system=None, markup=False, highlight=False, emoji=False).print(
        make()
    )
    text = "".join(line.rstrip() + "\n" for line in stream.getvalue().split("\n")).rstrip("\n") + "\n"
    path = GOLDEN / f"{make.__name__}.txt"
    if os.environ.get("SENTIMON_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
