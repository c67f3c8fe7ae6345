"""How often the traffic check cries wolf, and how soon it finds that rows stop, halve or double.

    python benchmarks/traffic.py [YEARS]

It simulates so many years (100) of rows per hour for each of several kinds of logs, checks the volume once a
day and the freshness each hour, and prints the table of benchmarks/README.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sentimon.monitoring.freshness import usual_gaps
from sentimon.monitoring.traffic_volume import (
    FEWER_FACTORS,
    MORE_FACTORS,
    DailyRows,
    Day,
    Direction,
    day_evidence,
    evidence_limit,
    judge_volume,
    nearest_null,
)

Rows = NDArray[np.int64]
Ask = Callable[..., int | None]
FIRST = 20_700
"""Days since 1970 of the first day that is simulated: a Friday."""
ALPHA = 0.05
YEAR = 365
QUIET = 21
"""Days between the baseline and a change."""
LONGEST = 120
"""Days after which a change counts as not found."""
OFFICE = np.array([0] * 8 + [1, 2, 3, 3, 2, 3, 3, 3, 2, 1] + [0] * 6) / 23
ROUND = np.array([1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 4, 3, 2, 1]) / 99


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of log: rows of a working day, what the weekend has of them, and how days vary."""

    name: str
    rows: float
    weekend: float
    hours: NDArray[np.float64]
    spread: float = 0.12
    wander: float = 0.0
    """Standard deviation of a level that keeps nine tenths of itself from day to day."""
    bursts: int = 0
    """Times a year at which 1 to 3 days have 2 to 5 times as many rows."""
    growth: float = 0.0
    """A week."""

    def simulate(self, days: int, chance: np.random.Generator, *, holidays: bool = True) -> Rows:
        """Return rows per hour, of shape (days, 24)."""
        day = np.arange(days)
        level = self.rows * np.where((day + FIRST + 3) % 7 < 5, 1.0, self.weekend)
        level *= chance.lognormal(0, self.spread, days) * (1 + self.growth) ** (day / 7)
        if self.wander:
            steps = chance.normal(0, self.wander * np.sqrt(1 - 0.81), days)
            for one in range(1, days):
                steps[one] += 0.9 * steps[one - 1]
            level *= np.exp(steps)
        for begin in range(0, days, YEAR):
            for one in begin + chance.choice(YEAR, self.bursts, replace=False):
                level[one : one + chance.integers(1, 4)] *= chance.uniform(2, 5)
            if holidays:
                for one in begin + chance.choice(YEAR - 9, 10, replace=False):
                    level[one : one + 1] *= chance.uniform(0.1, 0.5)
                level[begin + YEAR - 8 : begin + YEAR - 1] *= 0.4
        return chance.poisson(level[:, None] * self.hours)


KINDS = (
    Kind(name="office hours, no weekend", rows=2000, weekend=0, hours=OFFICE),
    Kind(name="all day, every day", rows=5000, weekend=1, hours=ROUND),
    Kind(name="fewer at the weekend", rows=3000, weekend=0.4, hours=ROUND),
    Kind(name="days that vary by 30 %", rows=1000, weekend=0.5, hours=ROUND, spread=0.3),
    Kind(name="a level that wanders by 10 %", rows=1000, weekend=0.5, hours=ROUND, wander=0.1),
    Kind(name="12 bursts a year", rows=1000, weekend=0.5, hours=ROUND, bursts=12),
    Kind(name="12 rows a day", rows=12, weekend=0.5, hours=np.full(24, 1 / 24), spread=0.1),
)
GROWING = Kind(name="1 % more a week", rows=1000, weekend=0.5, hours=ROUND, growth=0.01)
CHANGES = {"to 2 %": 0.02, "halved": 0.5, "to 0.7": 0.7, "times 1.5": 1.5, "doubled": 2.0}


def found_after(kind: Kind, weeks: int, days: int, change: float | None, seed: int) -> int | None:
    """Return after how many days a change of the volume is found; None: never."""
    chance = np.random.default_rng(seed)
    begin = 7 * weeks
    rows = kind.simulate(begin + days, chance, holidays=change is None).sum(axis=1)
    if change is not None:
        rows[begin + QUIET :] = chance.poisson(change * rows[begin + QUIET :])
    log = [Day(FIRST + day, int(count)) for day, count in enumerate(rows)]
    usual = DailyRows.of(log[:begin])
    if usual is None:
        return None
    first = begin + (0 if change is None else QUIET)
    for end in worth_judging(log[begin:], usual) + begin + 1:
        if end > first and judge_volume(log[begin:end], usual, alpha=ALPHA, confidence_level=0.95).change:
            return int(end) - first
    return None


def worth_judging(days: Sequence[Day], usual: DailyRows) -> Rows:
    """Return the places of the days at which all evidence would be enough, if none had to be taken off.

    Only these can be findings: it saves judging the others, and no finding is missed.
    """
    worth = np.zeros(len(days), bool)
    for direction, factors in ((Direction.FEWER, FEWER_FACTORS), (Direction.MORE, MORE_FACTORS)):
        edge = nearest_null(usual, direction)
        for factor in factors:
            judged = (day if usual.levels[day.weekday] else None for day in days)
            gains = [0.0 if day is None else day_evidence(day, usual, factor, edge) for day in judged]
            before = np.concatenate([[0.0], np.cumsum(gains)])
            worth |= before[1:] - np.minimum.accumulate(before[:-1]) > evidence_limit(ALPHA)
    return np.flatnonzero(worth)


def silent(kind: Kind, weeks: int, days: int, change: float | None, seed: int) -> int | None:
    """Return after how many hours a log counts as silent: falsely, or after its rows stopped at any hour."""
    chance = np.random.default_rng(seed)
    rows = kind.simulate(7 * weeks + days, chance, holidays=change is None).ravel()
    begin = 24 * 7 * weeks
    known = {FIRST * 24 + hour: (int(count), 0, 0) for hour, count in enumerate(rows[:begin]) if count}
    limit = usual_gaps(known).max_age
    if change is not None:
        stop = begin + int(chance.integers(0, 24 * 7))
        newest = int(np.flatnonzero(rows[:stop]).max())
        return max(1, newest + limit + 1 - stop)
    later = np.concatenate([[begin - 1], begin + np.flatnonzero(rows[begin:])])
    gaps = np.diff(later)
    return int(gaps.max()) if (gaps > limit).any() else None


def outcomes(
    pool: Executor, ask: Ask, kind: Kind, weeks: int, count: int, days: int, change: float | None
) -> list[int | None]:
    """Return what `ask` says of so many simulated logs."""
    one = partial(ask, kind, weeks, days, change)
    return list(pool.map(one, range(count), chunksize=4))


def delay(found: Sequence[int | None]) -> str:
    """Return the median delay and how many were found."""
    known = [one for one in found if one is not None]
    median = f"{np.median([one if one is not None else np.inf for one in found]):.0f}" if known else "-"
    return median if len(known) == len(found) else f"{median} ({len(known)} of {len(found)})"


def main(years: int) -> None:
    """Print the tables."""
    few = max(10, years // 4)
    with ProcessPoolExecutor() as pool:
        print("| log | baseline | false: volume | false: silence | stopped, h |", " | ".join(CHANGES), "|")
        print("|---" * (5 + len(CHANGES)) + "|")
        for kind in KINDS:
            for weeks in (1, 4):
                wrong = [one for one in outcomes(pool, found_after, kind, weeks, years, YEAR, None) if one]
                mute = [one for one in outcomes(pool, silent, kind, weeks, years, YEAR, None) if one]
                cells = [f"{len(wrong)} of {years}", f"{len(mute)} of {years}"]
                cells.append(delay(outcomes(pool, silent, kind, weeks, few, 21, 0.0)))
                cells += [
                    delay(outcomes(pool, found_after, kind, weeks, few, QUIET + LONGEST, change))
                    for change in CHANGES.values()
                ]
                print(f"| {kind.name} | {weeks} w | {' | '.join(cells)} |", flush=True)
        for weeks in (1, 4):
            grown = outcomes(pool, found_after, GROWING, weeks, few, YEAR, None)
            print(f"{GROWING.name}, baseline of {weeks} w: found after {delay(grown)} days", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
