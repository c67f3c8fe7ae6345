"""How often a look at unchanged rows is drift, and how often it finds a change in the last tenth of the rows.

    python benchmarks/recent_rows.py [--logs 500]

Rows are drawn at random, in hours of equal size, at most 500 of them. Each is judged three times: by the look
that goes back over doubling windows, by one at all rows, and by one at the last tenth alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.recent_rows import ComparedWindow, all_rows, find_recent_rows
from sentimon.prediction_log.summary import Counts, Summary, Tally
from sentimon.statistics.distances import wasserstein_distance

THRESHOLD, LEVEL, FEWEST = 0.15, 0.95, 50
"""The settings as they are without a configuration."""
MIXES = ((0.334, 0.333, 0.333), (0.4, 0.2, 0.4), (0.2, 0.5, 0.3), (0.1, 0.2, 0.7))
BASELINES = (500, 5_000)
ROWS = (50, 60, 100, 200, 1_000, 10_000, 100_000)
STEPS = (0.2, 0.3)
FIRST = 500_000
"""The first hour after the baseline."""
Hours = dict[int, Counts]
Mix = tuple[float, float, float]


def drawn(generator: np.random.Generator, rows: int, hours: int, first: int, mix: Mix) -> Hours:
    """Return rows per class in so many hours."""
    found: Hours = {}
    for hour, size in enumerate(np.diff(np.linspace(0, rows, hours + 1).astype(int))):
        negative, neutral, positive = generator.multinomial(size, mix)
        found[first + hour] = (int(negative), int(neutral), int(positive))
    return found


def total(hours: Hours) -> Counts:
    """Return the rows per class."""
    negative, neutral, positive = (sum(counts[place] for counts in hours.values()) for place in range(3))
    return negative, neutral, positive


def baseline_of(hours: Hours) -> Baseline:
    """Return a baseline of such rows."""
    negative, neutral, positive = (Tally(count=count) for count in total(hours))
    summary = Summary(classes=(negative, neutral, positive), hours=hours)
    return Baseline(name="b", created=datetime(2026, 1, 1, tzinfo=UTC), source="drawn", summary=summary)


def is_drift(window: ComparedWindow, after: Counts) -> bool:
    """Return whether the rows are above the threshold and more than chance."""
    low, _ = window.interval(after, LEVEL)
    return low > 0 and wasserstein_distance(window.before, after) > THRESHOLD


def looks(baseline: Baseline, hours: Hours) -> tuple[bool, bool, bool]:
    """Return whether it is drift: for the look, for all rows, and for the last tenth of the hours alone."""
    window = find_recent_rows(baseline, hours, fewest=FEWEST, threshold=THRESHOLD, confidence_level=LEVEL)
    part = {hour: counts for hour, counts in hours.items() if window.since is None or hour >= window.since}
    plain = all_rows(baseline.summary.counts)
    ordered = sorted(hours)
    last = {hour: hours[hour] for hour in ordered[-max(1, len(ordered) // 10) :]}
    return is_drift(window, total(part)), is_drift(plain, total(hours)), is_drift(plain, total(last))


def shares(
    generator: np.random.Generator, mix: Mix, known: int, rows: int, step: float, logs: int
) -> list[float]:
    """Return how often each kind of look finds drift, 0 .. 1."""
    found = np.zeros(3)
    moved = (mix[0] - step, mix[1], mix[2] + step)
    hours = min(500, max(10, rows // 10))
    for _ in range(logs):
        baseline = baseline_of(drawn(generator, known, min(168, known // 10), 0, mix))
        quiet = drawn(generator, rows - rows // 10, hours - hours // 10, FIRST, mix)
        later = drawn(generator, rows // 10, hours // 10, FIRST + hours - hours // 10, moved)
        found += looks(baseline, {**quiet, **later})
    return list(found / logs)


def report(logs: int) -> Iterator[str]:
    """Yield the tables, a line each."""
    generator = np.random.default_rng(1)
    yield "| unchanged rows | drift, % of looks, over mixes and baselines | all rows in one look |"
    yield "|---|---|---|"
    for rows in ROWS:
        many = logs if rows < 10_000 else logs // 5
        found = [shares(generator, mix, known, rows, 0.0, many) for mix in MIXES for known in BASELINES]
        yield f"| {rows:,} | {_range(found, 0)} | {_range(found, 1)} |"
    yield ""
    yield "| moved in the last tenth | rows | found, % | by the last tenth alone | by all rows in one look |"
    yield "|---|---|---|---|---|"
    for step in STEPS:
        for rows in (1_000, 5_000, 50_000):
            looked, whole, alone = shares(generator, MIXES[1], BASELINES[1], rows, step, logs // 2)
            yield f"| {step:g} | {rows:,} | {100 * looked:.0f} | {100 * alone:.0f} | {100 * whole:.0f} |"


def _range(found: list[list[float]], place: int) -> str:
    values = [100 * one[place] for one in found]
    return f"{min(values):.1f} to {max(values):.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--logs", type=int, default=500, help="logs of each kind")
    for line in report(parser.parse_args().logs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
