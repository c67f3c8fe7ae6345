"""A progress bar on anything longer than a second: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_PATIENCE_SECONDS = 1.0
_STEP = 256


def watched(rows: Iterable[T], description: str, *, total: int | None = None) -> Iterator[T]:
    """Yield `rows`, and show how many (of how many) have passed once that takes longer than a second."""
    if not sys.stderr.isatty():
        yield from rows
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=total)
    begun, shown = time.monotonic(), False
    try:
        for number, row in enumerate(rows, start=1):
            yield row
            if number % _STEP == 0 or not shown or total:
                if not shown and time.monotonic() - begun > _PATIENCE_SECONDS:
                    bar.start()
                    shown = True
                bar.update(task, completed=number)
    finally:
        if shown:
            bar.stop()
