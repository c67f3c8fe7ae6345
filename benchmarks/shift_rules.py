"""Rules that could find the changes of benchmarks/monitoring.py, compared on the same streams.

    python benchmarks/shift_rules.py DATA_DIR [--seeds 60] [--quiet 60] [--scores FOLDER] [--rules "A;B"]

The streams are drawn as in benchmarks/monitoring.py, and every rule sees the same ones: the seeds are paired.
For each rule: the median and the mean delay of each change in rows (a change that is not found counts as the
whole stream), and in how many of the quiet streams of 1,000 checks it ever raises an alarm.

- `fisher`: each event by Fisher's exact test, at a part of alpha for each test, as the monitor does it. It
  comes with other tolerances and look-backs, and with or without the error of the daily wave.
- `multinomial`: one chi-square test for each group of events, of how far the shares of its cells are from any
  within the tolerance.
- `mixture`: e-processes of Dirichlet-multinomial mixtures against the baseline, one started at each check,
  and summed (Shiryaev & Roberts): an alarm where the sum reaches 1 / alpha. Valid by Ville's inequality, for
  usual shares distributed as the baseline's posterior.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from monitoring import SETTINGS, Pool, read_pool
from scipy.special import gammaln, logsumexp
from scipy.stats import chi2, norm
from shift_streams import CHANGES, MOST_ROWS, QUIETS, Array, Change, Sums, drawn

from sentimon.monitoring.finding import reaches_delta
from sentimon.monitoring.shift_tests import scaled_down
from sentimon.statistics.dispersion import clustered_effect
from sentimon.statistics.fisher_test import alpha_share, shift_p_value

CHECKS = 1_000
DYADIC = tuple(1 << power for power in range(9))
HALF_OCTAVES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)


class Rule(Protocol):
    """A rule that raises alarms."""

    def first_alarm(self, sums: Sums, before: int) -> int | None:
        """Return the number of the first check with an alarm; `before` checks came earlier."""


Schedule = Sequence[tuple[int, int]]
"""(checks that are looked back on, checks between two such looks)."""


def each_check(lengths: Sequence[int]) -> Schedule:
    """Return the schedule that tests all look-backs at each check."""
    return [(length, 1) for length in lengths]


def when_new(lengths: Sequence[int]) -> Schedule:
    """Return the schedule that tests a look-back once a quarter of it is new."""
    return [(length, max(1, length // 4)) for length in lengths]


@dataclass(frozen=True, kw_only=True)
class Tests:
    """A test of each event, or of each group, at its part of alpha."""

    tau: float = 0.0075
    schedule: Schedule = field(default_factory=lambda: each_check(DYADIC))
    wave_errs: bool = False
    """Whether the error of the daily wave counts."""
    most_words: int = 4
    multinomial: bool = False

    def first_alarm(self, sums: Sums, before: int) -> int | None:
        """Return the number of the first check with an alarm."""
        tested, shorter, found = sum(1 / between for _, between in self.schedule), 0, []
        for length, between in self.schedule:
            ends = np.arange(shorter + 1, len(sums.counts) + 1)
            ends, shorter = ends[(ends + before) % between == 0], length
            levels = np.array([SETTINGS.alpha * alpha_share(int(end + before)) / tested for end in ends])
            test = self._by_group if self.multinomial else self._by_event
            found += list(test(sums, np.maximum(ends - length, 0), ends, levels))
        return min(found, default=None)

    def _divisors(self, sums: Sums, turns: Array) -> tuple[Array, float]:
        reference = sums.reference
        kept = np.zeros(sums.counts.shape[1])
        kept[:3] = [wave.kept * self.wave_errs for wave in reference.waves]
        effect = clustered_effect(reference.correlation, reference.mean_cluster_size)
        return effect * (1 + 2 * kept * turns[:, None]), clustered_effect(reference.correlation, sums.n)

    def _by_event(self, sums: Sums, starts: Array, ends: Array, levels: Array) -> Iterator[int]:
        if not len(ends):
            return
        after, n, before, turns = sums.over(starts, ends)
        (_, m), (thinner, thin) = sums.known, self._divisors(sums, turns)
        new, old = after / n[:, None], before / m
        rows, known = n[:, None] / thin, m / thinner
        pooled = (new * rows + old * known) / (rows + known)
        error = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-9) * (1 / rows + 1 / known))
        scores = (np.abs(new - old) - self.tau) / error
        for columns, part in zip(sums.groups(self.most_words), (0.6, 0.2, 0.2), strict=True):
            limits = levels * part / len(columns)
            # The exact test is made where the normal one is not far from its limit.
            near = scores[:, columns] > norm.isf(limits / 2)[:, None] - 0.8
            for look, place in zip(*np.nonzero(near), strict=True):
                column = columns[place]
                p = shift_p_value(
                    scaled_down((int(after[look, column]), int(n[look])), thin),
                    scaled_down((before[look, column], int(m[column])), thinner[look, column]),
                    tolerance=self.tau,
                    enough=limits[look],
                )
                if p <= limits[look] and _matters(before, m, after, n, look, column):
                    yield int(ends[look])
                    break

    def _by_group(self, sums: Sums, starts: Array, ends: Array, levels: Array) -> Iterator[int]:
        if not len(ends):
            return
        after, n, before, turns = sums.over(starts, ends)
        (_, m), (thinner, thin) = sums.known, self._divisors(sums, turns)
        new, old = after / n[:, None], before / m
        beyond = np.sign(new - old) * np.maximum(np.abs(new - old) - self.tau, 0)
        for group, (columns, part) in enumerate(
            zip(sums.groups(self.most_words), (0.6, 0.2, 0.2), strict=True)
        ):
            rows, known = n / thin, m[columns[0]] / thinner[:, columns[0]]
            share = (new[:, columns].T * rows + old[:, columns].T * known).T / (rows + known)[:, None]
            moved = beyond[:, columns]
            if group:
                share = np.diff(share, prepend=0, append=1, axis=1)
                moved = np.diff(moved, prepend=0, append=0, axis=1)
            else:
                moved = moved - moved.mean(axis=1, keepdims=True)
            square = (moved**2 / np.maximum(share, 1e-9)).sum(axis=1) / (1 / rows + 1 / known)
            for look in np.flatnonzero(chi2.sf(square, share.shape[1] - 1) <= levels * part):
                if any(_matters(before, m, after, n, look, column) for column in columns):
                    yield int(ends[look])
                    break


def _matters(before: Array, m: Array, after: Array, n: Array, look: Any, column: int) -> bool:
    usual, seen = (before[look, column], m[column]), (after[look, column], n[look])
    return reaches_delta(usual, seen, SETTINGS.delta, confidence_level=0.95)


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """The sum of e-processes, one started at each of the newest checks."""

    tau: float = 0.0075
    moves: tuple[float, ...] = (0.05, 0.1, 0.2)
    newest: int = 64
    most_words: int = 5

    def first_alarm(self, sums: Sums, before: int) -> int | None:
        """Return the number of the first check with an alarm."""
        groups = [self._group(sums, columns) for columns in sums.groups(self.most_words)]
        thin = clustered_effect(sums.reference.correlation, sums.n)
        parts = np.log([0.6, 0.2, 0.2])
        for end in range(1, len(sums.counts) + 1):
            starts = np.arange(max(0, end - self.newest), end)
            weights = np.log([alpha_share(int(start) + 1 + before) for start in starts])
            after, n, expected, _ = sums.over(starts, np.full(len(starts), end))
            evidence = [
                part + weights + group(after / thin, n / thin)
                for part, group in zip(parts, groups, strict=True)
            ]
            if logsumexp(evidence) >= -math.log(SETTINGS.alpha):
                look = int(np.argmax(np.max(evidence, axis=0)))
                _, m = sums.known
                if any(_matters(expected, m, after, n, look, column) for column in range(after.shape[1])):
                    return end
        return None

    def _group(self, sums: Sums, columns: list[int]) -> Callable[[Array, Array], Array]:
        """Return a function of counts, shape (starts, events), that gives the log of each e-value."""
        known, rows = sums.known
        reference, ordered = sums.reference, columns[0] > 0
        thin = clustered_effect(reference.correlation, reference.mean_cluster_size)
        known, m = known / thin, rows[columns[0]] / thin

        def cells(counts: Array, total: Array) -> Array:
            return np.diff(counts, prepend=0, append=total, axis=-1) if ordered else counts

        usual = cells(known[columns], m)
        directions = np.zeros((2 * len(columns), len(usual)))
        for place in range(len(columns)):
            inside = np.arange(len(usual)) <= place if ordered else np.arange(len(usual)) == place
            rise = np.where(inside, usual / usual[inside].sum(), -usual / usual[~inside].sum())
            directions[2 * place], directions[2 * place + 1] = rise, -rise
        null = np.concatenate([usual[None], usual + self.tau * m * directions])
        other = np.concatenate([usual + move * m * directions for move in self.moves])
        null, other = np.maximum(null, 1) + 0.5, np.maximum(other, 1) + 0.5
        null, other = (one * (m / one.sum(axis=1, keepdims=True)) for one in (null, other))

        def log_e(after: Array, total: Array) -> Array:
            seen = cells(after[:, columns], total[:, None])[:, None, :]
            low, high = ((gammaln(seen + one) - gammaln(one)).sum(axis=2) for one in (null, other))
            found: Array = logsumexp(high, axis=1) - math.log(len(other)) - low.max(axis=1)
            return found

        return log_e


_NOW: dict[str, Any] = {"tau": 0.0025, "schedule": when_new(DYADIC), "wave_errs": True, "most_words": 5}
RULES: dict[str, Rule] = {
    "fisher, as it was": Tests(),
    "tau 0.0025": Tests(tau=0.0025),
    "a look-back once a quarter is new": Tests(schedule=when_new(DYADIC)),
    "half octaves": Tests(schedule=each_check(HALF_OCTAVES)),
    "the wave errs": Tests(wave_errs=True),
    "multinomial": Tests(multinomial=True),
    "mixture": Mixture(tau=0.0075, most_words=4),
    "fisher, as it is": Tests(**_NOW),
    "the wave does not err": Tests(**{**_NOW, "wave_errs": False}),
    "tau 0.005": Tests(**{**_NOW, "tau": 0.005}),
    "now half octaves": Tests(**{**_NOW, "schedule": when_new(HALF_OCTAVES)}),
    "now multinomial": Tests(**{**_NOW, "multinomial": True}),
    "now mixture": Mixture(tau=0.0025),
}
"""The first rule, with what differs; then the one that the monitor has, with what differs."""


def one_seed(
    pool: Pool, foreign: Pool, folder: Path | None, rules: list[str], quiet: int, seed: int
) -> dict[tuple[str, str], int | None]:
    """Return, by rule and scenario, the delay in rows (0: an alarm came before) or the check of an alarm."""
    found: dict[tuple[str, str], int | None] = {}
    usual = drawn(pool, foreign, folder, seed, 0.0)
    for number, (name, (n, change)) in enumerate(CHANGES.items()):
        checks = change.after + min(300, MOST_ROWS // n)
        counts = usual.counts(change, n, checks, np.random.default_rng([seed, number]))
        sums = Sums(reference=usual.reference, counts=counts, n=n)
        for rule in rules:
            alarm = RULES[rule].first_alarm(sums, change.before)
            found[rule, name] = None if alarm is None else max(0, alarm - change.after) * n
    for n, swing in QUIETS if seed < quiet else []:
        world = drawn(pool, foreign, folder, seed, swing) if swing else usual
        counts = world.counts(Change("quiet"), n, CHECKS, np.random.default_rng([seed, n]))
        sums = Sums(reference=world.reference, counts=counts, n=n)
        for rule in rules:
            # A mixture is valid by its construction; a thousand checks of it take minutes.
            if not isinstance(RULES[rule], Mixture):
                found[rule, f"quiet {n} {swing}"] = RULES[rule].first_alarm(sums, 0)
    return found


def report(results: list[dict[tuple[str, str], int | None]], rules: list[str]) -> Iterator[str]:
    """Yield the table, a line each."""
    yield "| rule | " + " | ".join(CHANGES) + " | alarms in quiet streams |"
    yield "|---" * (len(CHANGES) + 2) + "|"
    for rule in rules:
        cells = []
        for name in CHANGES:
            delays = [one[rule, name] for one in results]
            rows = [MOST_ROWS if delay is None else delay for delay in delays if delay != 0]
            cells.append(f"{statistics.median(rows):,.0f} ({statistics.mean(rows):,.0f})")
        alarms = [
            [one[rule, key] is not None for one in results if (rule, key) in one]
            for key in (f"quiet {n} {swing}" for n, swing in QUIETS)
        ]
        shown = ", ".join(f"{sum(one)}" for one in alarms) + f" of {len(alarms[0])}" if alarms[0] else "-"
        yield f"| {rule} | " + " | ".join(cells) + f" | {shown} |"


def main() -> None:
    """Run all rules and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of tweets")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--quiet", type=int, default=60, help="seeds with quiet streams, too")
    parser.add_argument("--scores", type=Path, help="folder that keeps scores and baselines between runs")
    parser.add_argument("--rules", type=lambda text: text.split(";"), default=list(RULES))
    options = parser.parse_args()
    pool = read_pool(options.data / "tweets_en_train.jsonl", options.scores)
    foreign = read_pool(options.data / "tweets_multilingual_train.jsonl", options.scores)
    run = partial(one_seed, pool, foreign, options.scores, options.rules, options.quiet)
    results = [run(seed) for seed in range(options.seeds)]
    for line in report(results, options.rules):
        print(line)


if __name__ == "__main__":
    main()
