"""The same work on all cores: units shared out among processes, results in the order of the units."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sentimon.interrupts import SIGNALS, end_at_once

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

U = TypeVar("U")
R = TypeVar("R")

FEWEST_UNITS = 4
"""Fewer are done before processes are started."""


def run_units(function: Callable[[U], R], units: Sequence[U], *, workers: int) -> Iterator[R]:
    """Yield what `function` makes of each unit, in their order; `workers` is 0 for one per core.

    A process that ends early, killed or with an error, costs time: the rest of its work is done here,
    so that an exception of `function` comes out of here, too. Where none can be started all of it is.
    None outlives this generator. What `function` yields, another process gives as a list.
    """
    count = min(workers or cores(), len(units)) if len(units) >= FEWEST_UNITS else 1
    started: list[_Worker[U, R]] = []
    try:
        for number in range(count if count > 1 else 0):
            started.append(_Worker(function, units[number::count], started))
        for number, unit in enumerate(units):
            yield started[number % count].result(unit) if started else function(unit)
    finally:
        for worker in started:
            worker.end()


class _Worker(Generic[U, R]):
    """A process at work on some units, whose results are asked for in their order."""

    def __init__(
        self, function: Callable[[U], R], units: Sequence[U], others: Sequence[_Worker[U, R]]
    ) -> None:
        self._function = function
        self.pipe: Connection | None = None
        self._process: Any = None
        # Too many processes or open files: then the work is done here.
        with contextlib.suppress(OSError):
            self._start(units, others)

    def result(self, unit: U) -> R:
        """Return what the function makes of the next unit."""
        if self.pipe is not None:
            with contextlib.suppress(EOFError, OSError):
                result: R = self.pipe.recv()
                return result
            self.end()
        return self._function(unit)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        if self.pipe is not None:
            self.pipe.close()
            self.pipe = None
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self, units: Sequence[U], others: Sequence[_Worker[U, R]]) -> None:
        import multiprocessing

        if multiprocessing.current_process().daemon:
            # One of a pool, which may have no children.
            return
        # A copy of this process has everything loaded; where that is not safe, one is started afresh.
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        here, there = context.Pipe(duplex=False)
        known = [here, *(other.pipe for other in others if other.pipe)]
        inherited = known if context.get_start_method() == "fork" else []
        process = context.Process(target=_work, args=(there, inherited, self._function, units), daemon=True)
        with contextlib.closing(there), _uninterrupted():
            process.start()
            self.pipe, self._process = here, process


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put signals that end the program off to the end: a process that begins in here is never interrupted."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    pipe: Connection, inherited: Sequence[Connection], function: Callable[[U], R], units: Sequence[U]
) -> None:
    # An interrupt is the business of the process that was interrupted; the other two end this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_at_once()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGHUP])
    # With the reading ends held by readers only, a writer learns of their end.
    for other in inherited:
        other.close()
    with contextlib.suppress(BaseException):
        for unit in units:
            result = function(unit)
            pipe.send(list(result) if isinstance(result, Iterator) else result)
    pipe.close()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
