"""The plan behind `--dry-run`: how much work there is, where it would run, and about how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from sentimon.reporting.plain_text import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An estimate of a job: its size, where it runs, and how long it takes."""

    amounts: Mapping[str, int]
    """The size of the job, by key in JSON: `texts` and `bad_lines`, or `bytes` and `files`."""
    work: str
    """The same for people: `110 texts`."""
    chunks: int
    """The number of pieces that are handed to workers."""
    chunk: tuple[str, int]
    """The largest size of a piece, as (key in JSON, number): `chunk_texts`, or `chunk_megabytes`."""
    engine: str
    """`local` or `ray`."""
    where: str
    """The same for people: this process, a cluster."""
    workers: int
    """Processes that work at the same time."""
    speed: tuple[str, float]
    """Measured speed of one worker, as (key in JSON, amount per second); 0 if there is no work."""
    seconds: float
    """How long it takes, without the start of a cluster or of the model."""


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return the keys that `--dry-run --json` documents."""
    (chunk, size), (speed, fast) = plan.chunk, plan.speed
    return {
        **plan.amounts,
        "chunks": plan.chunks,
        chunk: size,
        "engine": plan.engine,
        "where": plan.where,
        "workers": plan.workers,
        speed: round(fast, 1),
        "seconds": round(plan.seconds, 1),
    }


def plan_table(plan: Plan) -> Table:
    """Return the plan as a table with one line per fact."""
    name, size = plan.chunk
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row("work", visible(plan.work))
    table.add_row("chunks", f"{plan.chunks}, of {size} {name.removeprefix('chunk_')} at most")
    table.add_row("where", visible(plan.where))
    table.add_row("workers", f"{plan.workers}")
    table.add_row("time", f"about {_span(plan.seconds)}, without the start")
    return table


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
