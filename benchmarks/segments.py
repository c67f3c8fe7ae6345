"""How often watched slices cry wolf, how soon one that moved is found, and what a search over slices finds.

    python benchmarks/segments.py [--seeds 100] [--only quiet,delays,search]

Rows are simulated: three fields of ten values each, one with values of a tenth each, two with some that are
rare. The class mix depends on the values, and swings over the day, as the traffic of each value does. Checks
come hourly. A first look by normal approximation picks the checks at which the monitor itself is asked.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from msgspec.structs import replace
from scipy.stats import norm

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import find_shifts, is_due, look_back_level
from sentimon.monitoring.slice_reference import SegmentReference, count_slice, slice_weights
from sentimon.monitoring.slice_shifts import (
    MIX_PART,
    ROWS_OF_A_CHECK,
    WHOLE_PART,
    SegmentState,
    check_slices,
    whole_settings,
)
from sentimon.monitoring.watched_events import EventGroup, EventWindow
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.fisher_test import alpha_share, shift_p_value
from sentimon.statistics.slice_candidates import Cell
from sentimon.statistics.slice_search import search_slices

SETTINGS = MonitorSettings()
HOURS = 7 * 24
"""Of the baseline."""
CHECKS = 1_000
MOST_KNOWN = 20_000
"""Rows of the baseline with which ways to weigh slices are compared."""
QUIET = 20
"""Checks before a change."""
FIELDS = ("a", "b", "c")
VALUES = 10
WEIGHTS = np.array(
    [
        [0.1] * VALUES,
        [0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01],
        [0.45, 0.25, 0.1, 0.06, 0.05, 0.04, 0.02, 0.02, 0.008, 0.002],
    ]
)
Array = np.ndarray[Any, Any]
Weights = Callable[[dict[str, int]], dict[str, float]]
RULES: dict[str, Weights] = {
    "half and half": slice_weights,
    "alike": lambda rows: dict.fromkeys(rows, 1 / len(rows)),
    "by rows": lambda rows: {value: size / sum(rows.values()) for value, size in rows.items()},
}


@dataclass(frozen=True, slots=True)
class Traffic:
    """How rows come: the season of classes and of values, and what happens to one value."""

    swing: float = 0.0
    """Of the share of the negative class over the day."""
    waver: float = 0.0
    """By what part of itself the traffic of each value swings over the day."""
    bursts: float = 0.0
    """Standard deviation of class shares from hour to hour."""
    moved: tuple[int, int, float] | None = None
    """(field, value, how far its negative share moves); field -1: all rows."""

    def draw(self, random: np.random.Generator, hours: Array, n: int, since: int) -> Array:
        """Return the rows per class, shape (hours, fields + 1, values, 3), of n rows in each hour.

        The last field has one value that all rows have. From hour number `since` on, the value moves.
        """
        rows = len(hours) * n
        hour, number = np.repeat(hours, n), np.repeat(np.arange(len(hours)), n)
        negative = np.full(rows, 0.3) + self.swing * np.sin(2 * math.pi * hour / 24)
        neutral = np.full(rows, 0.55)
        if self.bursts:
            negative += random.normal(0, self.bursts, len(hours))[number]
            neutral += random.normal(0, 1.3 * self.bursts, len(hours))[number]
        phases = 2 * math.pi * np.arange(VALUES) / VALUES
        values = []
        for place, usual in enumerate(WEIGHTS):
            clock = usual * (1 + self.waver * np.sin(2 * math.pi * np.arange(24)[:, None] / 24 + phases))
            below = np.cumsum(clock / clock.sum(axis=1, keepdims=True), axis=1)
            drawn = (random.random(rows)[:, None] > below[hour % 24]).sum(axis=1)
            values.append(np.minimum(drawn, VALUES - 1))
            # Values differ in their class mix, by up to 0.06 to either side in each field.
            negative += 0.06 * np.sin(2.4 * np.arange(VALUES) + place)[values[-1]]
        if self.moved is not None:
            field, value, share = self.moved
            negative += share * (number >= since) * (field < 0 or values[field] == value)
        chance, negative = random.random(rows), np.clip(negative, 0.02, 0.98)
        label = (chance > negative).astype(int) + (chance > negative + neutral * (1 - negative))
        everything = np.zeros(rows, np.int64)
        tallies = [
            np.bincount((number * VALUES + one) * 3 + label, minlength=len(hours) * VALUES * 3)
            for one in (*values, everything)
        ]
        return np.stack([one.reshape(len(hours), VALUES, 3) for one in tallies], axis=1)


def counts_of(counts: Array) -> Counts:
    """Return the rows per class, as plain numbers."""
    negative, neutral, positive = map(int, counts)
    return negative, neutral, positive


def by_slice(counts: Array, first: int) -> dict[str, dict[str, dict[int, Counts]]]:
    """Return counts, as drawn for hours from `first` on, by field, value and hour."""
    return {
        field: {
            f"v{value}": {
                first + int(hour): counts_of(counts[hour, place, value])
                for hour in np.flatnonzero(counts[:, place, value].sum(axis=1))
            }
            for value in range(VALUES)
            if counts[:, place, value].any()
        }
        for place, field in enumerate(FIELDS)
    }


@cache
def due(power: int, checks: int) -> tuple[Array, Array]:
    """Return the checks that test a look-back, and what each may spend of an alpha of 1."""
    ends = [end for end in range(1, checks + 1) if is_due(power, end)]
    whole = replace(SETTINGS, alpha=1.0)
    return np.array(ends, int), np.array([look_back_level(end, whole) for end in ends])


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of a slice, or of all, and which checks of all rows are checks of its own."""

    reference: Reference
    alpha: float
    counts: Array
    """Shape (checks, 3)."""
    ends: Array
    """Number of the check of all rows at which each of its own checks is made, with a 0 before."""

    @classmethod
    def of(cls, reference: Reference, alpha: float, counts: Array, least: int) -> Slice:
        """Return the slice with these rows at each check, which is tested once `least` of them are new."""
        ends, waiting = [0], 0
        for check, rows in enumerate(counts.sum(axis=1).tolist(), start=1):
            waiting += rows
            if waiting >= least:
                ends.append(check)
                waiting = 0
        return cls(reference, alpha, counts, np.array(ends))

    def near(self) -> list[int]:
        """Return the own checks, 1, 2, ..., at which the class mix may have moved by more than chance."""
        rows = self.counts.sum(axis=1)
        angles = 2 * math.pi * (HOURS + np.arange(len(rows))) / 24
        waves = np.array([(wave.cosine, wave.sine) for wave in self.reference.waves])
        swings = rows[:, None] * (np.stack([np.cos(angles), np.sin(angles)], axis=1) @ waves.T)
        known, m = np.array(self.reference.groups[0].reference.counts, float), self.reference.rows
        moved, expected = (
            np.concatenate([np.zeros((1, 3)), np.cumsum(one, axis=0)])[self.ends]
            for one in (self.counts, swings)
        )
        found: set[int] = set()
        for power in range(SETTINGS.look_backs):
            ends, levels = due(power, len(self.ends) - 1)
            starts = np.maximum(0, ends - (1 << power))
            after = moved[ends] - moved[starts]
            n = np.maximum(1, after.sum(axis=1, keepdims=True))
            new, old = after / n, known / m + (expected[ends] - expected[starts]) / n
            pooled = np.clip((new * n + old * m) / (n + m), 1e-9, 1 - 1e-9)
            scores = (np.abs(new - old) - SETTINGS.tau) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
            # A little is left out where all three classes are watched: they have a third of it each.
            limits = norm.isf(levels * self.alpha / 4)
            found |= set(map(int, ends[scores.max(axis=1) > limits - 0.6]))
        return sorted(found)

    def windows(self, own: int) -> list[EventWindow]:
        """Return its rows at each of the own checks that one of them looks back on."""
        borders = self.ends[max(0, own - (1 << (SETTINGS.look_backs - 1))) : own + 1].tolist()
        return [
            count_slice({HOURS + check: counts_of(self.counts[check]) for check in range(start, end)})
            for start, end in pairwise(borders)
        ]

    def first_alarm(self) -> int | None:
        """Return the number of the first check of all rows with an alarm on its class mix."""
        settings = replace(SETTINGS, alpha=self.alpha)
        for own in self.near():
            found = find_shifts(self.reference, self.windows(own), own, settings)
            if any(one.reaches_delta(SETTINGS.delta, confidence_level=0.95) for one in found):
                return int(self.ends[own])
        return None


@dataclass
class Stream:
    """A baseline, and the rows of hourly checks after it."""

    whole: Reference
    reference: SegmentReference
    counts: Array

    @classmethod
    def of(
        cls, random: np.random.Generator, traffic: Traffic, rows: int, n: int, checks: int, weights: Weights
    ) -> Stream:
        """Return a stream whose baseline has about so many rows."""
        known = replace_moved(traffic).draw(random, np.arange(HOURS), max(1, rows // HOURS), HOURS)
        counts = traffic.draw(random, HOURS + np.arange(checks), n, QUIET)
        hours = {hour: counts_of(known[hour, -1, 0]) for hour in range(HOURS)}
        group = EventGroup(
            name="class",
            events=("negative", "neutral", "positive"),
            reference=count_slice(hours).groups[0],
        )
        whole = Reference.from_hours((group,), hours, cuts=())
        reference = SegmentReference.of(by_slice(known, 0), whole)
        fields = []
        for field in reference.fields:
            parts = weights({value: one.reference.rows for value, one in field.slices.items()})
            slices = {value: replace(one, weight=parts[value]) for value, one in field.slices.items()}
            fields.append(replace(field, slices=slices))
        return cls(whole, replace(reference, fields=tuple(fields)), counts)

    def first_of_whole(self, settings: MonitorSettings) -> int | None:
        """Return the number of the first check with an alarm on all rows."""
        return Slice.of(self.whole, settings.alpha, self.counts[:, -1, 0], 1).first_alarm()

    def first_of_slice(self, only: tuple[int, int] | None = None) -> int | None:
        """Return the number of the first check with an alarm on the class mix of one slice, or of any."""
        found = []
        for place, field in enumerate(self.reference.fields):
            part = SETTINGS.alpha * (1 - WHOLE_PART) / len(self.reference.fields) * MIX_PART
            for value, one in field.slices.items():
                number = int(value[1:])
                if only is None or only == (place, number):
                    counts = self.counts[:, place, number]
                    own = Slice.of(one.reference, part * one.weight, counts, ROWS_OF_A_CHECK)
                    found.append(own.first_alarm())
        return min((one for one in found if one is not None), default=None)

    def first_presence(self) -> int | None:
        """Return the number of the first check at which a value is said to be new or to have vanished."""
        if not any(self._may_vanish(place) for place in range(len(FIELDS))):
            return None
        state, windows = SegmentState(), list[EventWindow]()
        settings = replace(SETTINGS, tau=1.0)
        for check in range(1, len(self.counts) + 1):
            hour = HOURS + check - 1
            windows = [*windows, count_slice({hour: counts_of(self.counts[check - 1, -1, 0])})][-256:]
            slices = {
                field: {value: count_slice(hours) for value, hours in values.items()}
                for field, values in by_slice(self.counts[check - 1 : check], hour).items()
            }
            state, _, found = check_slices(state, self.reference, windows, slices, check, settings)
            if found:
                return check
        return None

    def _may_vanish(self, place: int) -> bool:
        """Return whether a value of a field is ever silent for as long as it takes, or is not known."""
        field = self.reference.fields[place]
        for value in range(VALUES):
            rows, name = self.counts[:, place, value].sum(axis=1), f"v{value}"
            if rows.any() and name not in field.known:
                return True
            run = longest_run(rows == 0)
            if name in field.slices and run >= field.slices[name].longest_silence:
                # The least that any check asks for is what the first one does.
                silent = int(self.counts[:, -1, 0].sum(axis=1).max()) * run
                usual = field.slices[name].reference.rows, self.reference.rows
                limit = SETTINGS.alpha * alpha_share(1)
                if shift_p_value((0, silent), usual, tolerance=0.0, enough=limit) <= limit:
                    return True
        return False


def longest_run(flags: Array) -> int:
    """Return the length of the longest run of True."""
    longest = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def replace_moved(traffic: Traffic) -> Traffic:
    """Return the same traffic where nothing moves."""
    return Traffic(traffic.swing, traffic.waver, traffic.bursts)


QUIETS = {
    "even": Traffic(),
    "daily swing of 0.03, traffic of each value by half": Traffic(swing=0.03, waver=0.5),
    "daily swing of 0.06, traffic of each value by nine tenths": Traffic(swing=0.06, waver=0.9),
    "hours that differ by 0.05": Traffic(bursts=0.05),
}


def quiet(seeds: int) -> Iterator[str]:
    """Yield how many streams without a change ever raise an alarm."""
    yield f"| any alarm in {CHECKS:,} checks | rows a check | all rows | slices | new or vanished | any |"
    yield "|---|---|---|---|---|---|"
    for name, traffic in QUIETS.items():
        for n in (50, 200):
            # How much hours differ shows where they have as many rows as those of the checks.
            rows = n * HOURS if traffic.bursts else 5_000
            alarms = []
            for seed in range(seeds):
                random = np.random.default_rng([seed, n])
                stream = Stream.of(random, traffic, rows, n, CHECKS, slice_weights)
                firsts = (
                    stream.first_of_whole(whole_settings(SETTINGS, len(FIELDS))),
                    stream.first_of_slice(),
                    stream.first_presence(),
                )
                alarms.append([one is not None for one in firsts])
            whole, slices, presence = np.sum(alarms, axis=0)
            any_of_them = np.any(alarms, axis=1).sum()
            yield f"| {name} | {n} | {whole} | {slices} | {presence} | {any_of_them} of {seeds} |"


CHANGES = {
    "a tenth, moved by 0.2": (1, 3, 0.2),
    "a tenth, moved by 0.1": (1, 3, 0.1),
    "0.3, moved by 0.1": (1, 0, 0.1),
    "0.03, moved by 0.3": (1, 7, 0.3),
}


def delays(seeds: int) -> Iterator[str]:
    """Yield after how many of its own rows a slice that moved is found, for each way to weigh slices."""
    yield "| slice | baseline | weights | own rows, median | nine tenths of streams | within 600 |"
    yield "|---|---|---|---|---|---|"
    for name, (field, value, share) in CHANGES.items():
        for rows in (5_000, 10_000, MOST_KNOWN):
            for rule, weights in RULES.items() if rows == MOST_KNOWN else [("half and half", slice_weights)]:
                found = []
                for seed in range(seeds):
                    random = np.random.default_rng([seed, rows])
                    moved = Traffic(swing=0.03, waver=0.3, moved=(field, value, share))
                    stream = Stream.of(random, moved, rows, 200, QUIET + 400, weights)
                    alarm = stream.first_of_slice((field, value))
                    own = stream.counts[QUIET:alarm, field, value].sum()
                    found.append(int(own) if alarm and alarm > QUIET else 10**6)
                found.sort()
                most = found[math.ceil(0.9 * seeds) - 1]
                within = sum(one <= 600 for one in found) / seeds
                yield (
                    f"| {name} | {rows:,} | {rule} | {statistics.median(found):,.0f} | "
                    f"{most:,} | {within:.2f} |".replace("1,000,000", "not found")
                )


def of_whole(seeds: int) -> Iterator[str]:
    """Yield what watching slices costs: the delay of a move of all rows, with all of alpha and with half."""
    yield "| all rows moved by | rows, with all of alpha | with half of it |"
    yield "|---|---|---|"
    for share in (0.05, 0.1):
        cells = []
        for settings in (SETTINGS, whole_settings(SETTINGS, 3)):
            found = []
            for seed in range(seeds):
                moved = Traffic(swing=0.03, moved=(-1, 0, share))
                stream = Stream.of(np.random.default_rng(seed), moved, 5_000, 200, QUIET + 200, slice_weights)
                alarm = stream.first_of_whole(settings)
                # What is not found counts as the whole stream.
                found.append(200 * (200 if alarm is None else alarm - QUIET))
            cells.append(f"{statistics.median(found):,.0f} ({statistics.mean(found):,.0f})")
        yield f"| {share} | {cells[0]} | {cells[1]} |"


def searched(
    random: np.random.Generator, n: int, moved: Callable[[Array], Array], days: int, spread: float
) -> list[Cell]:
    """Return the cells of n rows with four fields, of which two mostly go together, on so many days."""
    sizes = (6, 5, 4, 3)
    values = np.stack([np.minimum(random.geometric(0.4, n) - 1, size - 1) for size in sizes], axis=1)
    values[:, 1] = np.where(random.random(n) < 0.8, values[:, 0] % sizes[1], values[:, 1])
    day = np.arange(n) * days // n
    negative = 0.3 + 0.1 * (values[:, 0] == 1) + moved(values) + random.normal(0, spread, days)[day]
    chance, negative = random.random(n), np.clip(negative, 0, 1)
    label = (chance > negative).astype(int) + (chance > negative + (1 - negative) / 2)
    known: dict[tuple[tuple[str, ...], int], list[int]] = {}
    for row, place, block in zip(values, label, day, strict=True):
        known.setdefault((tuple(map(str, row)), int(block)), [0, 0, 0])[place] += 1
    return [Cell(one, (a, b, c), block) for (one, block), (a, b, c) in known.items()]


def nothing(values: Array) -> Array:
    """Return that no row moved."""
    return np.zeros(len(values))


SEARCHES: dict[str, tuple[Callable[[Array], Array], int, float, tuple[tuple[str, str], ...]]] = {
    "nothing": (nothing, 1, 0.0, ()),
    "nothing, days that differ by 0.05": (nothing, 14, 0.05, ()),
    "one value, a seventh of the rows, by 0.25": (lambda v: 0.25 * (v[:, 2] == 2), 1, 0.0, (("2", "2"),)),
    "a pair, a tenth of the rows, by 0.3": (
        lambda v: 0.3 * ((v[:, 2] == 1) & (v[:, 3] == 0)),
        1,
        0.0,
        (("2", "1"), ("3", "0")),
    ),
    "one value, by 0.25, days that differ by 0.05": (
        lambda v: 0.25 * (v[:, 2] == 0),
        14,
        0.05,
        (("2", "0"),),
    ),
}


def search(seeds: int) -> Iterator[str]:
    """Yield what a search of four fields and their pairs finds in 3,000 rows before and 800 now."""
    yield "| moved | anything found | found exactly that | that and more | something else alone |"
    yield "|---|---|---|---|---|"
    for name, (moved, days, spread, where) in SEARCHES.items():
        exact, more, other, anything = 0, 0, 0, 0
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            before = searched(random, 3_000, nothing, days, spread)
            after = searched(random, 800, moved, max(1, days // 2), spread)
            found = [one.where for one in search_slices("0123", before, after, seed=seed).found]
            anything += bool(found)
            exact += bool(found) and found == [where]
            more += where in found and len(found) > 1
            other += bool(found) and where not in found
        yield f"| {name} | {anything} of {seeds} | {exact} | {more} | {other} |"


PARTS = {"quiet": quiet, "delays": delays, "whole": of_whole, "search": search}


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS))
    options = parser.parse_args()
    for name in options.only:
        for line in PARTS[name](options.seeds):
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
