"""How much faster two workers of a Ray cluster score than one, on this machine.

    python benchmarks/scale_scoring.py [DATA_DIR] [--texts 50000] [--rounds 3]

DATA_DIR holds .jsonl files with texts; without it texts are made. One cluster is started for all rounds;
in each round one worker and then two score all texts. Only the work is timed: from the first batch that
comes back, when the models are loaded, to the last. The bar is 1.6 on two cores. Also printed: the highest
memory of this process, which is the driver; its bar is 200 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sentimon.config.settings import EngineSettings, ModelSettings
from sentimon.engine.local_processes import cores
from sentimon.engine.ray_cluster import Cluster, connected
from sentimon.engine.ray_scoring import score_on

BAR = 1.6
MADE = "Spedizione numero {} arrivata in ritardo, ma il prodotto è davvero bello e funziona bene."


def main() -> None:
    """Run the rounds and print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with connected(EngineSettings(workers=2)) as cluster:
        for _ in range(options.rounds):
            for workers, times in seconds.items():
                times.append(timed(replace(cluster, workers=workers), options.data, options.texts))
                print(f"{workers} workers: {options.texts / times[-1]:.0f} texts/s", flush=True)
    one, two = statistics.median(seconds[1]), statistics.median(seconds[2])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    load = os.getloadavg()[0]
    print(f"{cores()} cores, load {load:.1f}, {options.texts} texts, medians of {options.rounds}")
    print(f"1 worker {one:.1f} s, 2 workers {two:.1f} s: {one / two:.2f} times as fast (bar {BAR})")
    print(f"driver: {peak:.0f} MB at most")


def timed(cluster: Cluster, data: Path | None, count: int) -> float:
    """Return the seconds that the work takes once the first batch has come back, for all texts."""
    size = cluster.settings.chunk_texts
    answered, first = 0, 0
    begun = time.perf_counter()
    stream = score_on(cluster, ModelSettings(), batches(data, count, size), list, say=_say)
    for batch, _ in stream:
        if not answered:
            begun, first = time.perf_counter(), len(batch)
        answered += len(batch)
    return (time.perf_counter() - begun) * count / (answered - first)


def batches(data: Path | None, count: int, size: int) -> Iterator[list[str]]:
    """Yield so many texts, as they are read."""
    batch: list[str] = []
    for _, text in zip(range(count), texts(data), strict=False):
        batch.append(text)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def texts(data: Path | None) -> Iterator[str]:
    """Yield texts without an end."""
    number = 0
    while True:
        for path in sorted(data.glob("*.jsonl")) if data else ():
            with path.open(encoding="utf-8") as file:
                yield from (json.loads(line)["text"] for line in file)
        number += 1
        if not data:
            yield MADE.format(number)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    main()
