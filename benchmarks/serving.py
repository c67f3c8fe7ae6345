"""What logging a prediction adds to a request: in the request, or handed to a thread that appends.

    python benchmarks/serving.py [--requests N] [--rounds N]

A request here does nothing else. Both ways and one without a log take turns, round by round, with a pause
of a millisecond between requests, as in a service that is not overloaded. Printed are the median and the
99th percentile of all requests, and how many times as long as handing a row over each way takes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from sentimon import PredictionLogger

TEXT = "The parcel came two days late, and the courier was friendly"
SCORES = {"negative": 0.2, "neutral": 0.5, "positive": 0.3}
PAUSE = 0.001
Put = Callable[[], object]


def main() -> None:
    """Time the three ways in turn and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for name, way in (("no log", no_log), ("a thread", thread), ("in the request", in_the_request)):
            with tempfile.TemporaryDirectory() as folder:
                found.setdefault(name, []).extend(way(PredictionLogger(log_dir=folder), options.requests))
    print(f"{options.rounds} rounds of {options.requests:,} requests; microseconds a request")
    print(f"{'':<16}{'median':>10}{'99 %':>10}{'median / a thread':>20}")
    base = statistics.median(found["a thread"])
    for name, seconds in found.items():
        middle = statistics.median(seconds)
        last = statistics.quantiles(seconds, n=100)[98]
        print(f"{name:<16}{middle * 1e6:>10.1f}{last * 1e6:>10.1f}{middle / base:>20.2f}")


def no_log(logger: PredictionLogger, requests: int) -> list[float]:
    """Return the seconds of each request that logs nothing."""
    return timed(lambda: None, requests)


def in_the_request(logger: PredictionLogger, requests: int) -> list[float]:
    """Return the seconds of each request that appends its own row."""
    return timed(lambda: logger.log_prediction(text=TEXT, sentiment_scores=SCORES), requests)


def thread(logger: PredictionLogger, requests: int) -> list[float]:
    """Return the seconds of each request that hands its row to a thread; all rows are written."""
    rows = SimpleQueue[str | None]()

    def append() -> None:
        while (text := rows.get()) is not None:
            logger.log_prediction(text=text, sentiment_scores=SCORES)

    appending = Thread(target=append)
    appending.start()
    found = timed(lambda: rows.put(TEXT), requests)
    rows.put(None)
    appending.join()
    assert logger.get_logs_count() == requests
    return found


def timed(put: Put, requests: int) -> list[float]:
    """Return the seconds of each call, with a pause after each."""
    found = []
    for _ in range(requests):
        started = time.perf_counter()
        put()
        found.append(time.perf_counter() - started)
        time.sleep(PAUSE)
    return found


if __name__ == "__main__":
    main()
