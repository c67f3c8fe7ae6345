"""A progress bar on anything longer than a second: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class Measured(Protocol):
    """Rows of a file, which knows how far it was read."""

    def bytes_read(self) -> tuple[int, int] | None:
        """Return (bytes read so far, bytes of the file); None where that is not known."""


_PATIENCE_SECONDS = 1.0
_STEP = 256


def watched(rows: Iterable[T], description: str, *, total: int | None = None) -> Iterator[T]:
    """Yield `rows`, and show how many (of how many) have passed once that takes longer than a second.

    Of a file the bar shows the part that was read.
    """
    if not sys.stderr.isatty():
        yield from rows
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    measured = rows if isinstance(rows, Measured) and rows.bytes_read() is not None else None
    amount = (BarColumn(), DownloadColumn(), TextColumn("{task.fields[rows]} rows"))
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        *((MofNCompleteColumn(),) if measured is None else amount),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=total, rows=0)
    begun, shown = time.monotonic(), False
    try:
        for number, row in enumerate(rows, start=1):
            yield row
            if number % _STEP == 0 or not shown or total:
                if not shown and time.monotonic() - begun > _PATIENCE_SECONDS:
                    bar.start()
                    shown = True
                done = None if measured is None else measured.bytes_read()
                if done is None:
                    bar.update(task, completed=number)
                else:
                    bar.update(task, completed=done[0], total=done[1], rows=number)
    finally:
        if shown:
            bar.stop()
