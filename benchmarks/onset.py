"""How well the onset of a change is found: simulated steps, the share of intervals that cover, their width.

    python benchmarks/onset.py [--runs 500] [--only class]

A run draws a baseline and the hours after it, with a step at any minute of their middle four fifths. Counted
are the runs whose rows after the step differ from the baseline by more than chance (95 %), as an onset is
asked for where a change was found. The interval is that of 95 %; the bar is that 93 % of them cover.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from sentimon.monitoring.onset import ConfidenceSums, Onset
from sentimon.monitoring.onset_search import (
    class_mix_onset,
    confidence_onset,
    volume_onset,
)
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.intervals import wilson

LEVEL = 0.95
BAR = 0.93
FIRST_HOUR = 490_000
MIX = np.array([0.15, 0.45, 0.4])
LONG, SHORT, MONTHS = 168, 48, 60 * 24
"""Hours of the history after the baseline."""
NIGHT = 0.8
"""How far rows per hour swing around their mean over the day, where they do."""
Array = np.ndarray[Any, Any]
Generator = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Traffic, and the step that happens to it."""

    kind: str
    """class, confidence or volume."""
    step: str
    rows: int
    """Per hour, on average."""
    baseline: int
    hours: int
    """Of the history after the baseline."""
    nights: bool = False
    """Whether traffic follows the day."""
    wave: float = 0.0
    """How far the class mix, or the confidence, swings over the day."""
    bursts: float = 0.0
    """Intraclass correlation of the rows of an hour; for the volume the spread of its rate."""
    place: str = "any"
    """Where the step falls: any, first (with the first row) or late (in the last tenth)."""

    @property
    def name(self) -> str:
        """Return what tells it from the others."""
        parts = [self.step, f"{self.rows} rows an hour", f"{self.hours} h"]
        parts += ["nights"] if self.nights else []
        parts += [f"daily wave {self.wave}"] if self.wave else []
        parts += [f"bursts {self.bursts}"] if self.bursts else []
        parts += [] if self.place == "any" else [f"step: {self.place}"]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave; None where no onset was given."""

    covers: bool
    hours: int
    rows: int
    away: int
    """Hours from the hour of the onset to the true one, without sign."""


def moved(step: str) -> Array:
    """Return the mix after a step."""
    if step == "swap":
        return MIX[::-1]
    share = float(step.removeprefix("moved "))
    return MIX + share * np.array([1, -1, 0])


def sizes(generator: Generator, scenario: Scenario, hours: Array, factor: Array | float = 1.0) -> Array:
    """Return the number of rows in each hour; `factor` is what the step makes of them."""
    rates = scenario.rows * factor * np.ones(len(hours))
    if scenario.nights:
        rates = rates * (1 + NIGHT * np.sin(2 * math.pi * hours / 24))
    if scenario.kind == "volume" and scenario.bursts:
        rates = rates * generator.gamma(1 / scenario.bursts, scenario.bursts, len(rates))
    return generator.poisson(rates)


def later_part(hours: Array, step: float) -> Array:
    """Return how much of each hour lies after the step, 0 .. 1."""
    return np.clip(hours + 1 - step, 0, 1)


def baseline_hours(scenario: Scenario) -> Array:
    """Return the hours of the baseline."""
    return np.arange(FIRST_HOUR - max(1, round(scenario.baseline / scenario.rows)), FIRST_HOUR)


def later_hours(scenario: Scenario) -> Array:
    """Return the hours after the baseline."""
    return np.arange(FIRST_HOUR, FIRST_HOUR + scenario.hours)


def draw_step(generator: Generator, scenario: Scenario) -> float:
    """Return when the step happens, in hours since 1970."""
    low, high = {"any": (0.1, 0.9), "first": (0.0, 0.0), "late": (0.9, 0.97)}[scenario.place]
    return FIRST_HOUR + scenario.hours * float(generator.uniform(low, high))


def mixed_rows(generator: Generator, scenario: Scenario, hours: Array, mix: Array, rows: Array) -> Array:
    """Return rows per class of each hour, shape (hours, 3)."""
    swing = scenario.wave * np.cos(2 * math.pi * hours / 24)
    shares = np.clip(mix + swing[:, None] * np.array([-1, 0.2, 0.8]), 0.005, 1)
    shares = shares / shares.sum(axis=1, keepdims=True)
    if scenario.bursts:
        shares = generator.gamma(shares * (1 / scenario.bursts - 1)) + 1e-9
        shares = shares / shares.sum(axis=1, keepdims=True)
    found: Array = generator.multinomial(rows, shares)
    return found


def class_run(generator: Generator, scenario: Scenario) -> Run | None:
    """Return what the onset of the class mix was in one run."""
    step = draw_step(generator, scenario)

    def counts(hours: Array) -> Array:
        rows = sizes(generator, scenario, hours)
        late = generator.binomial(rows, later_part(hours, step))
        both = mixed_rows(generator, scenario, hours, MIX, rows - late)
        return both + mixed_rows(generator, scenario, hours, moved(scenario.step), late)

    before, hours = baseline_hours(scenario), later_hours(scenario)
    known, later = counts(before), counts(hours)
    after = later[hours > step]
    if not known.sum() or not after.sum() or not differs(known, after):
        return None
    onset = class_mix_onset(as_counts(before, known), as_counts(hours, later), confidence_level=LEVEL)
    return outcome(onset, step, dict(zip(hours.tolist(), later.sum(axis=1).tolist(), strict=True)))


def as_counts(hours: Array, counts: Array) -> dict[int, Counts]:
    """Return the rows per class of each hour that has any."""
    cells = zip(hours.tolist(), counts.tolist(), strict=True)
    return {hour: (one[0], one[1], one[2]) for hour, one in cells if sum(one)}


def differs(one: Array, other: Array) -> bool:
    """Return whether the shares of two sets of hours differ, by a chi-square that knows bursts."""
    p, q = one.sum(0) / one.sum(), other.sum(0) / other.sum()
    error = 0.0
    for hours, shares in ((one, p), (other, q)):
        # The variance of a share over hours of different size.
        residuals = hours[:, 0] - hours.sum(1) * shares[0]
        error += (
            max(float((residuals**2).sum()), hours.sum() * shares[0] * (1 - shares[0])) / hours.sum() ** 2
        )
    return bool(abs(p[0] - q[0]) > 1.96 * math.sqrt(error))


def confidence_run(generator: Generator, scenario: Scenario) -> Run | None:
    """Return what the onset of the mean confidence was in one run."""
    step, less = draw_step(generator, scenario), float(scenario.step.removeprefix("less by "))

    def sums(hours: Array) -> dict[int, ConfidenceSums]:
        rows = sizes(generator, scenario, hours)
        late = generator.binomial(rows, later_part(hours, step))
        usual = 0.8 + scenario.wave * np.cos(2 * math.pi * hours / 24)
        usual = usual + generator.normal(0, 0.4 * math.sqrt(scenario.bursts), len(hours))
        means = np.repeat(np.concatenate([usual, usual - less]), np.concatenate([rows - late, late]))
        place = np.repeat(np.tile(np.arange(len(hours)), 2), np.concatenate([rows - late, late]))
        means = np.clip(means, 0.4, 0.98)
        drawn = np.round(generator.beta(6 * means, 6 * (1 - means)) * 1e6)
        totals = np.bincount(place, drawn, len(hours)).tolist()
        squares = np.bincount(place, drawn**2, len(hours)).tolist()
        cells = zip(hours.tolist(), rows.tolist(), totals, squares, strict=True)
        return {
            hour: ConfidenceSums(rows=count, total=int(total), squares=int(square))
            for hour, count, total, square in cells
            if count
        }

    known, later = sums(baseline_hours(scenario)), sums(later_hours(scenario))
    after = [one for hour, one in later.items() if hour > step]
    if not known or not after:
        return None
    baseline = sum_of(list(known.values()))
    error = math.sqrt(mean_error(list(known.values())) + mean_error(after))
    if abs(baseline.mean - sum_of(after).mean) < 1.96 * error:
        return None
    onset = confidence_onset(baseline, later, confidence_level=LEVEL)
    return outcome(onset, step, {hour: one.rows for hour, one in later.items()})


def sum_of(parts: list[ConfidenceSums]) -> ConfidenceSums:
    """Return the sum over all rows."""
    return sum(parts, start=ConfidenceSums(rows=0, total=0, squares=0))


def mean_error(parts: list[ConfidenceSums]) -> float:
    """Return the squared standard error of the mean over hours that vary."""
    whole = sum_of(parts)
    between = sum((one.rows * (one.mean - whole.mean)) ** 2 for one in parts)
    return max(between, whole.scatter) / whole.rows**2


def volume_run(generator: Generator, scenario: Scenario) -> Run | None:
    """Return what the onset of the volume was in one run."""
    step, factor = draw_step(generator, scenario), float(scenario.step.removeprefix("times "))
    before, hours = baseline_hours(scenario), later_hours(scenario)
    known = as_rows(before, sizes(generator, scenario, before))
    changed = 1 + (factor - 1) * later_part(hours, step)
    later = as_rows(hours, sizes(generator, scenario, hours, changed))
    expected = expectation(known, later)
    after = [hour for hour in later if hour > step]
    usual, seen = sum(expected[hour] for hour in after), sum(later[hour] for hour in after)
    error = (usual + scenario.bursts * sum(expected[hour] ** 2 for hour in after)) ** 0.5
    if abs(seen - usual) < 1.96 * error:
        return None
    onset = volume_onset(expected, later, baseline_rows=sum(known.values()), confidence_level=LEVEL)
    return outcome(onset, step, later)


def as_rows(hours: Array, rows: Array) -> dict[int, int]:
    """Return the number of rows of each hour."""
    return dict(zip(hours.tolist(), rows.tolist(), strict=True))


def expectation(known: Mapping[int, int], hours: Iterable[int]) -> dict[int, float]:
    """Return the mean rows of each hour of the day in the baseline, where it covers the day."""
    cells: dict[int, list[int]] = {}
    for hour, rows in known.items():
        cells.setdefault(hour % 24, []).append(rows)
    mean = sum(known.values()) / len(known)
    if len(cells) < 24:
        return dict.fromkeys(hours, mean)
    # Half a day of the mean keeps an hour without rows from being impossible.
    return {hour: (sum(cells[hour % 24]) + mean / 2) / (len(cells[hour % 24]) + 0.5) for hour in hours}


def outcome(onset: Onset | None, step: float, rows: Mapping[int, int]) -> Run:
    """Return whether the interval covers the step, and how wide it is."""
    hour = math.floor(step)
    if onset is None:
        return Run(False, 0, 0, 0)
    span = range(onset.first_hour, onset.last_hour + 1)
    covered = sum(count for one, count in rows.items() if one in span)
    return Run(hour in span, len(span), covered, abs(onset.hour - hour))


RUNS = {"class": class_run, "confidence": confidence_run, "volume": volume_run}


def scenarios() -> Iterator[Scenario]:
    """Yield all scenarios."""
    yield from class_scenarios()
    yield from confidence_scenarios()
    yield from volume_scenarios()


def class_scenarios() -> Iterator[Scenario]:
    """Yield steps of the class mix."""
    for step, rows, baseline in product(
        ("moved 0.05", "moved 0.1", "moved 0.2", "swap"), (5, 20, 200), (500, 5_000)
    ):
        # So few rows with so small a change: it would not be found.
        if (step, rows) != ("moved 0.05", 5):
            yield Scenario(kind="class", step=step, rows=rows, baseline=baseline, hours=LONG)
    tenth = partial(Scenario, kind="class", step="moved 0.1")
    for rows in (20, 200):
        few = partial(tenth, rows=rows, baseline=5_000)
        yield few(hours=SHORT)
        yield few(hours=MONTHS)
        yield few(hours=LONG, nights=True, wave=0.05)
        yield few(hours=LONG, bursts=0.05)
        yield few(hours=LONG, nights=True, wave=0.05, bursts=0.02)
        yield few(hours=LONG, place="first")
        yield few(hours=LONG, place="late")
    yield tenth(rows=200, baseline=500, hours=LONG, bursts=0.05)
    yield tenth(rows=200, baseline=500, hours=LONG, nights=True, wave=0.05)


def confidence_scenarios() -> Iterator[Scenario]:
    """Yield steps of the mean confidence."""
    for step, rows in product(("less by 0.02", "less by 0.05"), (5, 20, 200)):
        yield Scenario(kind="confidence", step=step, rows=rows, baseline=5_000, hours=LONG)
    for rows in (20, 200):
        less = partial(Scenario, kind="confidence", step="less by 0.05", rows=rows)
        yield less(baseline=500, hours=LONG)
        yield less(baseline=5_000, hours=SHORT)
        yield less(baseline=5_000, hours=LONG, bursts=0.05)
        yield less(baseline=5_000, hours=LONG, nights=True, wave=0.03)
        yield less(baseline=5_000, hours=LONG, place="first")


def volume_scenarios() -> Iterator[Scenario]:
    """Yield steps of the rows per hour; the baseline is one or two weeks long."""
    for step, rows in product(("times 0.5", "times 2", "times 0"), (5, 20, 200)):
        yield Scenario(kind="volume", step=step, rows=rows, baseline=rows * 336, hours=LONG)
    for rows in (20, 200):
        half = partial(Scenario, kind="volume", step="times 0.5", rows=rows)
        yield half(baseline=rows * 336, hours=SHORT)
        yield half(baseline=rows * 336, hours=LONG, bursts=0.1)
        yield half(baseline=rows * 336, hours=LONG, nights=True)
        yield half(baseline=rows * 168, hours=LONG, nights=True, bursts=0.1)
        yield half(baseline=rows * 168, hours=LONG, nights=True, place="first")


def one_run(scenario: Scenario, seed: int) -> Run | None:
    """Return one run of a scenario; None where no change would have been found."""
    return RUNS[scenario.kind](np.random.default_rng(seed), scenario)


def row(scenario: Scenario, found: list[Run]) -> str:
    """Return the line of the table."""
    covered = sum(one.covers for one in found)
    share = wilson(covered, len(found))
    hours = statistics.median(one.hours for one in found)
    rows = statistics.median(one.rows for one in found)
    away = statistics.median(one.away for one in found)
    value, low, high = share.value or 0.0, share.low or 0.0, share.high or 0.0
    return (
        f"| {scenario.kind} | {scenario.name} | {scenario.baseline:,} | {covered} of {len(found)}: "
        f"{value:.3f} [{low:.3f}, {high:.3f}] | {hours:,.0f} h, {rows:,.0f} rows | {away:.0f} h | "
        f"{'yes' if value >= BAR else 'no'} |"
    )


def main() -> None:
    """Run all scenarios and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the kind or the name of the scenarios")
    options = parser.parse_args()
    print("| change | scenario | baseline, rows | covered | width, median | off, median | >= 0.93 |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(options.workers) as workers:
        for scenario in scenarios():
            if options.only not in f"{scenario.kind} {scenario.name}":
                continue
            found: list[Run] = []
            # A change that would not have been found has no onset: other seeds take its place.
            for start in range(0, 20 * options.runs, options.runs):
                seeds = range(start, start + options.runs)
                runs = workers.map(partial(one_run, scenario), seeds, chunksize=25)
                found += [one for one in runs if one is not None]
                if len(found) >= options.runs:
                    break
            print(
                row(scenario, found[: options.runs]) if found else f"| {scenario.name} | never found |",
                flush=True,
            )


if __name__ == "__main__":
    main()
