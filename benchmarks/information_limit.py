"""The fewest rows after which any rule could find the changes of benchmarks/monitoring.py, half of the time.

    python benchmarks/information_limit.py DATA_DIR [--scores FOLDER]

By the lemma of Neyman and Pearson no rule that gives a false alarm in at most a share `a` of quiet streams
finds a change more often than the likelihood-ratio test at level `a` does, which knows the change. Here `a`
is what the monitor may spend between the change, after 20 quiet checks, and the alarm. The limits, in rows:

- with the usual shares known exactly;
- with a baseline of 5,000 rows instead (2,500 texts for words);
- where shares that differ by up to `monitor.tau` do not count as changed either, for the one group of events
  that shows the change best: the null distribution is then the least favourable one of those allowed;
- and where it is not known which of the events changes, nor in which direction, nor over how many of the
  newest checks: `a` is shared out among them.

Sources: Neyman & Pearson (1933), Phil. Trans. R. Soc. A 231, 289-337; Huber & Strassen (1973), Ann. Stat. 1,
251-263 (least favourable distributions).
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from monitoring import BASELINE_ROWS, QUIET, SETTINGS, World, bins_of, read_pool
from scipy.optimize import minimize
from scipy.special import log_ndtr

from sentimon.statistics.fisher_test import alpha_share

Array = np.ndarray[Any, Any]
SHARE = 0.2
"""Of the rows that are of another language."""
ROWS = 200
"""At each check."""
LOOK_BACKS = 4
"""That a check tests."""
_MOST = 20_000
Cells = Array
"""Shape (classes, parts of the confidence, parts of the share of new words)."""


def spent(rows: float) -> float:
    """Return the part of alpha for the checks of so many rows that follow the quiet ones."""
    checks, part = int(rows // ROWS), rows % ROWS / ROWS
    whole = sum(alpha_share(QUIET + check) for check in range(1, checks + 1))
    return SETTINGS.alpha * (whole + part * alpha_share(QUIET + checks + 1))


def log_level(after: Array, new: Array, n: float, before: Array, old: Array, m: float) -> float:
    """Return the log of the level at which the likelihood-ratio test finds a change half the time.

    The change is to `after`, seen in n rows, from `before`, seen in m; under the null hypothesis they have
    the shares `new` and `old`. The log-likelihood ratio of so many rows is taken to be normal.
    """
    mean = variance = 0.0
    for rows, true, null in ((n, after, new), (m, before, old)):
        ratio = np.log(true / null)
        mean += rows * float(true @ ratio)
        variance += rows * float(true @ ratio**2 - (true @ ratio) ** 2)
    # E[exp(-ratio)] over the half of the normal law above its mean.
    return -mean + variance / 2 + float(log_ndtr(-(variance**0.5)))


def fewest_rows(level_at: Callable[[float], float], parts: float = 1) -> float:
    """Return the fewest rows at which the log of a level is no more than a part of what may be spent."""
    low, high = 1.0, float(_MOST)
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if level_at(middle) <= np.log(spent(middle) / parts) else (middle, high)
    return high


def known(before: Array, after: Array) -> float:
    """Return the limit where the usual shares are known."""
    return fewest_rows(lambda n: log_level(after, before, n, before, before, 0))


def against_rows(before: Array, after: Array, m: float) -> float:
    """Return the limit against a baseline of m rows."""

    def level_at(n: float) -> float:
        same = (n * after + m * before) / (n + m)
        return log_level(after, same, n, before, same, m)

    return fewest_rows(level_at)


def beyond_tolerance(before: Array, after: Array, m: float, events: Array, parts: float) -> float:
    """Return the limit where shares of `events`, shape (events, cells), may differ by tau.

    What may be spent is shared out in so many parts.
    """
    cells = len(before)

    def level_at(n: float) -> float:
        def misfit(x: Array) -> float:
            new, old = np.exp(x[:cells]), np.exp(x[cells:])
            return float(n * after @ (np.log(after) - np.log(new / new.sum()))
                         + m * before @ (np.log(before) - np.log(old / old.sum()))) / n  # fmt: skip

        def room(x: Array) -> Array:
            new, old = np.exp(x[:cells]), np.exp(x[cells:])
            moved = events @ (new / new.sum() - old / old.sum())
            return np.concatenate([SETTINGS.tau - moved, SETTINGS.tau + moved])

        same = np.log((n * after + m * before) / (n + m))
        found = minimize(
            misfit,
            np.concatenate([same, same]),
            method="SLSQP",
            constraints={"type": "ineq", "fun": room},
            options={"maxiter": 300, "ftol": 1e-12},
        )
        new, old = np.exp(found.x[:cells]), np.exp(found.x[cells:])
        return log_level(after, new / new.sum(), n, before, old / old.sum(), m)

    return fewest_rows(level_at, parts)


def cells_of(world: World, labels: Array, bins: Array, shares: Array) -> Cells:
    """Return the share of some rows in each cell that the monitor can tell from the others."""
    sizes = 3, len(world.cuts) + 1, len(world.word_cuts) + 1
    parts = np.searchsorted(world.cuts, bins, side="right"), np.searchsorted(world.word_cuts, shares)
    flat = np.ravel_multi_index((labels, *parts), sizes)
    counted = np.bincount(flat, minlength=int(np.prod(sizes))) + 0.01
    cells: Cells = (counted / counted.sum()).reshape(sizes)
    return cells


def streams(world: World) -> Iterator[tuple[str, Cells, list[Cells]]]:
    """Yield (name, shares of the cells before, after it in each direction) of each change."""
    pool, rest = world.pool, world.rest
    labels = pool.labels
    usual = cells_of(world, labels[rest], world.bins[rest], world.shares[rest])
    by_class = [usual[place] / usual[place].sum() for place in range(3)]

    def mixed(mix: Array) -> Cells:
        return np.stack([share * part for share, part in zip(mix, by_class, strict=True)])

    for moved in (0.05, 0.1, 0.2):
        after = []
        for world.pair in ((0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)):
            after.append(mixed(world.shifted(moved)))
        yield f"class mix moved by {moved}", usual, after
    yield "positive and negative swapped", usual, [mixed(world.mix[::-1])]
    logits = np.log(np.maximum(pool.scores[rest], 1e-6)) / 1.25
    softened = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    flat = cells_of(world, labels[rest], bins_of(softened.max(axis=1)), world.shares[rest])
    yield "confidence flattened, T = 1.25", usual, [flat]
    foreign, shares = world.foreign, world.foreign_shares()
    for language in ("italian", "spanish", "german", "arabic"):
        rows = foreign.languages == language
        other = cells_of(world, foreign.labels[rows], bins_of(foreign.scores[rows].max(axis=1)), shares[rows])
        other *= (usual.sum(axis=(1, 2)) / other.sum(axis=(1, 2)))[:, None, None]
        yield f"a fifth in {language.title()}", usual, [(1 - SHARE) * usual + SHARE * other]


def limits(before: Cells, after: Cells) -> tuple[float, float, float, float]:
    """Return the four limits of a change, in rows."""
    watched = 3 + before.shape[1] - 1 + before.shape[2] - 1
    found = []
    for group, axes in enumerate(((1, 2), (0, 2), (0, 1))):
        old, new = before.sum(axis=axes), after.sum(axis=axes)
        # Shares of words are known of the second half of a baseline's texts only.
        rows = BASELINE_ROWS / 2 if group == 2 else BASELINE_ROWS
        events = np.eye(3) if group == 0 else np.tril(np.ones((len(old), len(old))))[:-1]
        found.append((against_rows(old, new, rows), old, new, rows, events))
    _, old, new, rows, events = min(found, key=lambda one: one[0])
    return (
        known(before.ravel(), after.ravel()),
        against_rows(before.ravel(), after.ravel(), BASELINE_ROWS),
        beyond_tolerance(old, new, rows, events, 1),
        beyond_tolerance(old, new, rows, events, 2 * watched * LOOK_BACKS),
    )


def main() -> None:
    """Print the table of limits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of tweets")
    parser.add_argument("--scores", type=Path, help="folder that keeps the scores between runs")
    options = parser.parse_args()
    pool = read_pool(options.data / "tweets_en_train.jsonl", options.scores)
    foreign = read_pool(options.data / "tweets_multilingual_train.jsonl", options.scores)
    print("| change | shares known | baseline of 5,000 rows | tolerance of tau | change not known |")
    print("|---|---|---|---|---|")
    for name, before, directions in streams(World(pool, foreign, 0)):
        each = zip(*(limits(before, after) for after in directions), strict=True)
        print(f"| {name} | " + " | ".join(f"{statistics.median(one):,.0f}" for one in each) + " |")


if __name__ == "__main__":
    main()
