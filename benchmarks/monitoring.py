"""How often the monitor cries wolf, what it finds, and how soon: streams of real model outputs.

    python benchmarks/monitoring.py DATA_DIR [--seeds 100] [--scores FOLDER]

DATA_DIR holds tweets_en_train.jsonl and tweets_multilingual_train.jsonl (text; language). They are scored by
the model that ships, once, and drawn from at random: 5,000 rows are the baseline, the others the stream.
Each scenario is run with many seeds; shares are printed with their numbers, delays as medians in rows.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sentimon.config.settings import MonitorSettings
from sentimon.labels import Sentiment
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import find_shifts
from sentimon.monitoring.vocabulary import WordCounter, vocabulary_of
from sentimon.monitoring.watched_events import Counted, EventWindow
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.word_hashes import token_hashes
from sentimon.scoring.scorer import load_scorer
from sentimon.scoring.scores import Scores

BASELINE_ROWS = 5_000
HOURS = 7 * 24
"""Of the baseline."""
CHECKS = 1_000
QUIET = 20
"""Checks before a change."""
START = datetime(2026, 1, 5, tzinfo=UTC)
SETTINGS = MonitorSettings()
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Pool:
    """Scored texts."""

    texts: list[str]
    tokens: list[frozenset[int]]
    scores: Array
    """Shape (texts, 3)."""
    languages: Array

    @property
    def labels(self) -> Array:
        """Return the place of the highest score of each text."""
        found: Array = self.scores.argmax(axis=1)
        return found


def read_pool(path: Path, folder: Path | None) -> Pool:
    """Return the texts of a file, scored; scores are kept in `folder` if there is one."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = [row["text"] for row in rows]
    kept = None if folder is None else folder / f"{path.stem}.npy"
    if kept is not None and kept.exists():
        scores = np.load(kept)
    else:
        scores = np.array([one.scores.vector for one in load_scorer().score(texts)])
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, scores)
    languages = np.array([row.get("language", "english") for row in rows])
    return Pool(texts, [token_hashes(text) for text in texts], scores, languages)


def bins_of(confidences: Array) -> Array:
    """Return the hundredth that each confidence lies in."""
    return np.minimum(np.round(confidences * 1e6).astype(np.int64) * 100 // 1_000_000, 99)


class World:
    """A baseline drawn from the pool, and streams from the rest of it."""

    def __init__(self, pool: Pool, foreign: Pool, seed: int, *, swing: float = 0.0) -> None:
        self.generator = np.random.default_rng(seed)
        self.pool, self.foreign, self.labels = pool, foreign, pool.labels
        order = self.generator.permutation(len(pool.texts))
        shares = np.bincount(self.labels, minlength=3) / len(order)
        # Each direction of a shift as often as the others.
        self.pair = [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)][seed % 6]
        known = self._in_hours(order, shares, swing) if swing else order[:BASELINE_ROWS]
        self.rest = order[~np.isin(order, known)]
        self.by_class = [self.rest[self.labels[self.rest] == place] for place in range(3)]
        self.mix = np.array([len(rows) for rows in self.by_class]) / len(self.rest)
        self.baseline = self._baseline(known)
        self.reference = Reference.of(self.baseline)
        assert self.baseline.vocabulary is not None
        self._counter = WordCounter(self.baseline.vocabulary)
        self.cuts, self.word_cuts = np.array(self.reference.cuts), np.array(self.baseline.vocabulary.cuts)
        self.bins = bins_of(pool.scores.max(axis=1))
        self.shares = np.array([self._counter.share(tokens) for tokens in pool.tokens])

    def _in_hours(self, order: Array, mix: Array, swing: float) -> Array:
        """Return the rows of a baseline, each once, about as many in each hour, with the mix of that hour."""
        self.mix, rows = mix, []
        left = [list(order[self.labels[order] == place]) for place in range(3)]
        for hour, size in enumerate(np.diff(np.linspace(0, BASELINE_ROWS, HOURS + 1).astype(int))):
            counts = self.generator.multinomial(size, self.at(hour, swing))
            taken = [left[place].pop() for place, count in enumerate(counts) for _ in range(count)]
            rows += list(self.generator.permutation(taken))
        return np.array(rows)

    def _baseline(self, rows: Array) -> Baseline:
        step = timedelta(hours=HOURS) / BASELINE_ROWS
        records = [self._record(row, START + number * step) for number, row in enumerate(rows)]
        return Baseline(
            name="b",
            created=START,
            source="tweets",
            summary=summarise(records),
            vocabulary=vocabulary_of(records),
        )

    def _record(self, row: int, moment: datetime) -> PredictionRecord:
        scores = Scores.from_probabilities(self.pool.scores[row].tolist())
        return PredictionRecord(
            timestamp=moment,
            text=self.pool.texts[row],
            sentiment=Sentiment(int(self.labels[row])),
            confidence=scores.vector[int(self.labels[row])],
            scores=scores,
        )

    def at(self, hour: int, swing: float) -> Array:
        """Return the mix in an hour of a day that swings."""
        moved = swing * math.sin(2 * math.pi * hour / 24)
        return self.shifted(moved)

    def shifted(self, share: float) -> Array:
        """Return the mix with so much moved from one class, drawn once, to another."""
        source, target = self.pair
        share = min(share, self.mix[source] - 0.01)
        moved = self.mix.copy()
        moved[source] -= share
        moved[target] += share
        return moved

    def _draw(self, by_class: list[Array], n: int, mix: Array) -> Array:
        sizes = self.generator.multinomial(n, mix)
        return np.concatenate(
            [
                rows[self.generator.integers(0, len(rows), size)]
                for rows, size in zip(by_class, sizes, strict=True)
            ]
        )

    def rows(self, n: int, mix: Array | None = None) -> Array:
        """Return so many rows of the stream."""
        if mix is None:
            return self.rest[self.generator.integers(0, len(self.rest), n)]
        return self._draw(self.by_class, n, mix)

    def window(
        self, rows: Array, hour: int, *, bins: Array | None = None, shares: Array | None = None
    ) -> EventWindow:
        """Return rows of an hour counted by event; what is given takes the place of theirs."""
        bins = self.bins[rows] if bins is None else bins
        shares = self.shares[rows] if shares is None else shares
        below = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=100))])
        n = len(rows)
        groups = (
            Counted(n, tuple(np.bincount(self.labels[rows], minlength=3).tolist())),
            Counted(n, tuple(below[self.cuts].tolist())),
            Counted(n, tuple((shares[:, None] <= self.word_cuts).sum(axis=0).tolist())),
        )
        return EventWindow(groups=groups, hours={hour: n})

    def foreign_shares(self) -> Array:
        """Return the share of new words of each foreign text."""
        return np.array([self._counter.share(tokens) for tokens in self.foreign.tokens])


Stream = Callable[[int], EventWindow]


def first_alarm(world: World, stream: Stream, checks: int, *, before: int = 0) -> int | None:
    """Return the number of the first check with an alarm; `before` checks were there already."""
    windows: list[EventWindow] = []
    for check in range(1, checks + 1):
        windows.append(stream(check))
        del windows[: -(1 << (SETTINGS.look_backs - 1))]
        found = find_shifts(world.reference, windows, before + check, SETTINGS)
        if any(one.reaches_delta(SETTINGS.delta, confidence_level=0.95) for one in found):
            return check
    return None


def mix_stream(world: World, n: int, share: float) -> Stream:
    """Return a stream whose mix has moved."""
    return lambda check: world.window(world.rows(n, world.shifted(share)), check)


def swinging_stream(world: World, n: int, swing: float) -> Stream:
    """Return a stream of hours whose mix swings over the day."""
    return lambda check: world.window(world.rows(n, world.at(check, swing)), check)


def swapped(world: World, n: int) -> Stream:
    """Return a stream in which positive and negative are exchanged."""
    return lambda check: world.window(world.rows(n, world.mix[::-1]), check)


def flattened(world: World, n: int) -> Stream:
    """Return a stream of the same labels, less sure (temperature 1.25)."""
    logits = np.log(np.maximum(world.pool.scores, 1e-6)) / 1.25
    softened = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    bins = bins_of(softened.max(axis=1))

    def stream(check: int) -> EventWindow:
        rows = world.rows(n)
        return world.window(rows, check, bins=bins[rows])

    return stream


def mixed_language(world: World, n: int, language: str) -> Stream:
    """Return a stream of which a fifth is of another language, with the same labels."""
    shares, labels = world.foreign_shares(), world.foreign.labels
    bins = bins_of(world.foreign.scores.max(axis=1))
    pools = [np.flatnonzero((world.foreign.languages == language) & (labels == place)) for place in range(3)]

    def stream(check: int) -> EventWindow:
        rows = world.rows(n)
        own_bins, own_shares = world.bins[rows].copy(), world.shares[rows].copy()
        for place in np.flatnonzero(world.generator.random(n) < 0.2):
            other = world.generator.choice(pools[world.labels[rows[place]]])
            own_bins[place], own_shares[place] = bins[other], shares[other]
        return world.window(rows, check, bins=own_bins, shares=own_shares)

    return stream


def after_quiet(world: World, n: int, changed: Stream) -> Stream:
    """Return a stream that is as usual for some checks."""
    return lambda check: world.window(world.rows(n), check) if check <= QUIET else changed(check)


CHANGES: dict[str, tuple[int, Callable[[World, int], Stream], str]] = {
    "class mix moved by 0.05": (200, partial(mix_stream, share=0.05), ">= 0.95, <= 2,400 rows"),
    "class mix moved by 0.1": (200, partial(mix_stream, share=0.1), "1.00, <= 500 rows"),
    "class mix moved by 0.2": (200, partial(mix_stream, share=0.2), "1.00, first check"),
    "class mix moved by 0.2, n = 1,000": (1000, partial(mix_stream, share=0.2), "1.00, first check"),
    "positive and negative swapped": (200, swapped, "1.00, <= 400 rows"),
    "confidence flattened, T = 1.25": (200, flattened, "1.00, <= 500 rows"),
    **{
        f"a fifth in {name}": (200, partial(mixed_language, language=name.lower()), ">= 0.95, <= 200 rows")
        for name in ("Italian", "Spanish", "German", "Arabic")
    },
}
QUIETS = [(n, 0.0) for n in (50, 200, 1000)] + [(n, 0.03) for n in (50, 200, 1000)]


def one_seed(pool: Pool, foreign: Pool, seed: int) -> dict[str, int | None]:
    """Return the first alarm of each scenario: its check where nothing happens, else the delay in rows."""
    found: dict[str, int | None] = {}
    for swing in (0.0, 0.03):
        world = World(pool, foreign, seed, swing=swing)
        for n in (50, 200, 1000):
            stream = swinging_stream(world, n, swing) if swing else mix_stream(world, n, 0.0)
            found[f"quiet {n} {swing}"] = first_alarm(world, stream, CHECKS)
    world = World(pool, foreign, seed)
    for name, (n, change, _) in CHANGES.items():
        alarm = first_alarm(world, after_quiet(world, n, change(world, n)), QUIET + 60_000 // n)
        found[name] = None if alarm is None or alarm <= QUIET else (alarm - QUIET) * n
    late = first_alarm(world, mix_stream(world, 200, 0.1), 300, before=10_000)
    found["moved by 0.1 after 10,000 checks"] = None if late is None else late * 200
    return found


def cost(pool: Pool, foreign: Pool) -> tuple[float, float]:
    """Return the median milliseconds of one look over 256 windows of 10,000 rows, quiet and drifting."""
    world = World(pool, foreign, 0)
    result = []
    for share in (0.0, 0.1):
        stream = mix_stream(world, 10_000, share)
        windows, taken = [stream(check) for check in range(256)], []
        for check in range(50):
            begun = time.process_time()
            list(find_shifts(world.reference, windows, 300 + check, SETTINGS))
            taken.append(time.process_time() - begun)
        result.append(1000 * statistics.median(taken))
    return result[0], result[1]


def main() -> None:
    """Run all scenarios and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of tweets")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--scores", type=Path, help="folder that keeps the scores between runs")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    pool = read_pool(options.data / "tweets_en_train.jsonl", options.scores)
    foreign = read_pool(options.data / "tweets_multilingual_train.jsonl", options.scores)
    run, seeds = partial(one_seed, pool, foreign), range(options.seeds)
    if options.workers == 1:
        results = list(map(run, seeds))
    else:
        with ProcessPoolExecutor(options.workers) as workers:
            results = list(workers.map(run, seeds))
    for line in report(results):
        print(line)
    quiet, drifting = cost(pool, foreign)
    print(
        f"| one look, n = 10,000, 256 windows | {quiet:.2f} ms quiet, {drifting:.2f} ms drifting | <= 2 ms |"
    )


def report(results: list[dict[str, int | None]]) -> Iterator[str]:
    """Yield the table, a line each."""
    seeds = len(results)
    yield "| scenario | seen | target |"
    yield "|---|---|---|"
    for n, swing in QUIETS:
        alarms = sum(one[f"quiet {n} {swing}"] is not None for one in results)
        season = f", daily swing of {swing}" if swing else ""
        yield f"| any alarm in {CHECKS:,} checks, n = {n:,}{season} | {alarms} of {seeds} | <= 5 % |"
    targets = {name: target for name, (_, _, target) in CHANGES.items()}
    for name, target in {**targets, "moved by 0.1 after 10,000 checks": "1.00, <= 1,000 rows"}.items():
        delays = [delay for one in results if (delay := one[name]) is not None]
        median = f"{statistics.median(delays):,.0f} rows" if delays else "-"
        yield f"| {name} | found {len(delays)} of {seeds}, median {median} | {target} |"


if __name__ == "__main__":
    main()
