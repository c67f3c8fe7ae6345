"""Windows for a monitor, and what they are compared with."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import EventWindow
from sentimon.prediction_log.summary import Counts, Summary, Tally, summarise
from tests.support.rows import START, record

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def mixed(negative: int, neutral: int, positive: int) -> Summary:
    """So many rows of each class, a minute apart, in no order and as sure as each other."""
    places = [0] * negative + [1] * neutral + [2] * positive
    random.Random(0).shuffle(places)
    return summarise(record(place, n, 0.5 + 0.004 * (n % 100)) for n, place in enumerate(places))


def baseline(*counts: int) -> Baseline:
    return Baseline(name="b", created=START, source="logs", summary=mixed(*counts))


REFERENCE = Reference.of(baseline(600, 900, 1500))


def window(negative: int, neutral: int, positive: int, *, hour: int = 1) -> EventWindow:
    whole = REFERENCE.window(mixed(negative, neutral, positive))
    return replace(whole, hours={hour: whole.rows})


def by_hour(cells: Mapping[int, Counts]) -> Summary:
    """So many rows of each class, without a confidence, in some hours since 1970."""
    negative, neutral, positive = (
        Tally(count=sum(counts[place] for counts in cells.values())) for place in range(3)
    )
    return Summary(classes=(negative, neutral, positive), hours=cells)
