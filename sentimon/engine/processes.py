"""The same work on all cores: units shared out among processes, results in the order of the units."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

U = TypeVar("U")
R = TypeVar("R")

FEWEST_UNITS = 4
"""Fewer are done before processes are started."""


def run_units(function: Callable[[U], R], units: Sequence[U], *, workers: int) -> Iterator[R]:
    """Yield what `function` makes of each unit, in their order; `workers` is 0 for one per core.

    A process that ends early, killed or with an error, costs time: the rest of its work is done here,
    so that an exception of `function` comes out of here, too.
    """
    count = min(workers or _cores(), len(units)) if len(units) >= FEWEST_UNITS else 1
    pipes: list[Connection | None] = []
    try:
        for number in range(count if count > 1 else 0):
            pipes.append(_start(function, units[number::count], pipes))
        for number, unit in enumerate(units):
            yield _result(pipes, number % count, function, unit)
    finally:
        # Who is still at work finds nobody to tell, and ends.
        for pipe in filter(None, pipes):
            pipe.close()


def _result(pipes: list[Connection | None], place: int, function: Callable[[U], R], unit: U) -> R:
    pipe = pipes[place] if pipes else None
    if pipe is not None:
        with contextlib.suppress(EOFError, OSError):
            result: R = pipe.recv()
            return result
        pipe.close()
        pipes[place] = None
    return function(unit)


def _start(function: Callable[[U], R], units: Sequence[U], others: Sequence[Connection | None]) -> Connection:
    import multiprocessing

    # A copy of this process has everything loaded; where that is not safe, one is started afresh.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    here, there = context.Pipe(duplex=False)
    inherited = [here, *filter(None, others)] if context.get_start_method() == "fork" else []
    context.Process(target=_work, args=(there, inherited, function, units), daemon=True).start()
    there.close()
    received: Connection = here
    return received


def _work(
    pipe: Connection, inherited: Sequence[Connection], function: Callable[[U], R], units: Sequence[U]
) -> None:
    # An interrupt is the business of the process that was interrupted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # With the reading ends held by readers only, a writer learns of their end.
    for other in inherited:
        other.close()
    with contextlib.suppress(BaseException):
        for unit in units:
            pipe.send(function(unit))
    pipe.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
