"""The command line in the process of the test, and work that several processes do at once."""

from __future__ import annotations

import io
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sentimon.cli.app import app
from sentimon.errors import SentimonError


@contextmanager
def captured() -> Iterator[io.BytesIO]:
    before, bytes_out = (sys.stdout, sys.stderr), io.BytesIO()
    sys.stdout, sys.stderr = io.TextIOWrapper(bytes_out, encoding="utf-8"), io.StringIO()
    try:
        yield bytes_out
        sys.stdout.flush()
    finally:
        sys.stdout, sys.stderr = before


def said(*arguments: str) -> tuple[int, str]:
    """The exit code of the command line and its stdout, in this process."""
    with captured() as out:
        code = app(args=list(arguments), prog_name="sentimon", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0), out.getvalue().decode()


def said_with_notes(*arguments: str) -> tuple[int, str, str]:
    """The exit code of the command line, its stdout and its stderr, in this process."""
    with captured() as out:
        code = app(args=list(arguments), prog_name="sentimon", standalone_mode=False)
        sys.stdout.flush()
        notes = sys.stderr
        assert isinstance(notes, io.StringIO)
        return int(code or 0), out.getvalue().decode(), notes.getvalue()


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work` returns in each of so many processes at once; an error of ours is a result."""
    context: Any = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(count), context.SimpleQueue()

    def begin(number: int) -> None:
        barrier.wait()
        try:
            results.put(work(number))
        except SentimonError as error:
            results.put(error.message)

    processes = [context.Process(target=begin, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return found
