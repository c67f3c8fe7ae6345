"""How reading a log grows with the workers of a Ray cluster: measured on this machine, modelled beyond it.

    python benchmarks/scale.py [--rows N] [--rounds N]

One and two workers of a cluster of this machine, and one process without a cluster, read the same log in
turns, round by round; printed are medians, by the clock, without the start of the cluster. The model takes:

- how many megabytes a second a worker reads, with the tasks' own overhead: measured with one worker
- how long the program that asked takes for what a task hands it: measured with results that are there

Work is handed to the first free worker, and one program takes the results: that is played for 1 to 256
workers. The model is held against the two workers that were measured, and then asked for a billion rows a
day. What it leaves out: reads that share one disk or network.
"""

from __future__ import annotations

import argparse
import heapq
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from reading import FIRST, SPAN, make_log

from sentimon.config.settings import EngineSettings
from sentimon.engine.local_processes import run_units
from sentimon.engine.ray_cluster import Cluster, connected
from sentimon.engine.ray_reading import read_on
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.index.packed_sums import PartialSum
from sentimon.prediction_log.index.scan import ScanUnit, merge_partial_sums, read_unit, unit_bytes

Parts = Iterable[list[PartialSum]]
MEGABYTE = 1_000_000
CHUNK_MEGABYTES = 16
ROWS_A_DAY = 10**9
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def main() -> None:
    """Measure, check the model, and print what it says."""
    options = parsed_options()
    with tempfile.TemporaryDirectory(prefix="sentimon-scale-") as place:
        log = Path(place, "logs")
        make_log(log, options.data, options.rows, 0, FIRST, SPAN)
        units = units_of(log)
        size = sum(map(unit_bytes, units))
        print(
            f"{options.rows:,} rows, {size / MEGABYTE:,.0f} MB, tasks of {CHUNK_MEGABYTES} MiB: {len(units)}"
        )
        here, one, two = measured(log, units, options.rounds)
        asker = asking_seconds(log, units)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"one process without a cluster: {here:.2f} s; with one worker of it: {one:.2f} s")
    print(f"two workers: {two:.2f} s, {one / two:.2f} times as fast as one")
    task = one / len(units)
    print(f"a task takes {task * 1000:.0f} ms, and of the program that asked {asker * 1000:.2f} ms")
    print(f"peak memory of that program: {peak:.0f} MB")
    played = played_seconds(2, len(units), task, asker)
    print(f"the model says of two workers: {played:.2f} s, {played / two - 1:+.0%} against what was measured")
    show_model(size / options.rows, task, asker, size / len(units))


def parsed_options() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, help="folder of .jsonl files with texts")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def units_of(log: Path) -> list[ScanUnit]:
    """Return the units that the log is read in."""
    found: list[ScanUnit] = []

    def look(read: Callable[[ScanUnit], list[PartialSum]], units: Sequence[ScanUnit]) -> Parts:
        found.extend(units)
        return run_units(read, units, workers=0)

    ask(log, look)
    return found


def ask(log: Path, run: Callable[..., Parts]) -> float:
    """Ask for the sums of the whole log, and return the seconds it took."""
    begun = time.perf_counter()
    LogIndex(folder=log, zone=UTC, now=datetime.now(UTC), run=run).ask(lambda _: None)
    return time.perf_counter() - begun


def measured(log: Path, units: Sequence[ScanUnit], rounds: int) -> tuple[float, float, float]:
    """Return the median seconds of (one process here, one worker, two workers), taken in turns."""
    here, one, two = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        here.append(ask(log, lambda read, some: run_units(read, some, workers=1)))
        for workers, times in ((1, one), (2, two)):
            settings = EngineSettings(workers=workers, chunk_megabytes=CHUNK_MEGABYTES)
            with connected(settings) as cluster:
                warm_up(cluster, units)
                times.append(ask(log, lambda read, some, at=cluster: read_on(at, read, some, say=print)))
    return statistics.median(here), statistics.median(one), statistics.median(two)


def warm_up(cluster: Cluster, units: Sequence[ScanUnit]) -> None:
    """Let each worker start its process and load what it needs: all at once, so that each has a part."""

    def read_slowly(unit: ScanUnit) -> int:
        parts = list(read_unit(unit))
        time.sleep(2)
        return len(parts)

    task = cluster.ray.remote(num_cpus=1)(read_slowly)
    cluster.ray.get([task.remote(unit) for unit in units[: cluster.workers]])


def asking_seconds(log: Path, units: Sequence[ScanUnit]) -> float:
    """Return how long the program that asked takes for the results of a task, once they are there."""
    parts = [merge_partial_sums([read_unit(unit)]) for unit in units]
    return ask(log, lambda read, some: iter(parts)) / len(units)


def played_seconds(workers: int, tasks: int, task: float, asker: float) -> float:
    """Return how long it takes until all results are taken, one at a time in their order."""
    free = [0.0] * workers
    taken = 0.0
    for _ in range(tasks):
        done = heapq.heappop(free) + task
        heapq.heappush(free, done)
        taken = max(taken, done) + asker
    return taken


def show_model(row: float, task: float, asker: float, chunk: float) -> None:
    """Print efficiency, cost and time of a day of a billion rows for each number of workers."""
    tasks = round(ROWS_A_DAY * row / chunk)
    alone = played_seconds(1, tasks, task, asker)
    print(f"\n{ROWS_A_DAY:,} rows are {ROWS_A_DAY * row / 1e9:,.0f} GB, {tasks:,} tasks")
    print("workers   seconds   efficiency   CPU seconds per million rows")
    for workers in WORKERS:
        seconds = played_seconds(workers, tasks, task, asker)
        busy = (tasks * (task + asker)) / ROWS_A_DAY * 1e6
        print(f"{workers:7}   {seconds:7,.0f}   {alone / seconds / workers:10.2f}   {busy:28.2f}")
    print(f"more than {task / asker:,.0f} workers wait for the program that asked")


if __name__ == "__main__":
    main()
