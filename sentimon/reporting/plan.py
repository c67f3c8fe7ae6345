"""What there is to score, where that would happen, and about how long it would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from sentimon.reporting.text import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A look ahead at a scoring job."""

    texts: int
    bad_lines: int
    chunk_texts: int
    where: str
    """For people: this process, a cluster."""
    engine: str
    """`local` or `ray`."""
    workers: int
    """Processes that score."""
    texts_per_second: float
    """Of one worker, measured on a sample; 0 where there are no texts."""

    @property
    def chunks(self) -> int:
        """Return how many times texts are handed to a worker, long texts apart."""
        return -(-self.texts // self.chunk_texts)

    @property
    def seconds(self) -> float:
        """Return how long scoring would take, the start of a cluster and of the model apart."""
        return self.texts / (self.texts_per_second * self.workers) if self.texts else 0.0


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return the keys that `--dry-run --json` documents."""
    return {
        "texts": plan.texts,
        "bad_lines": plan.bad_lines,
        "chunks": plan.chunks,
        "chunk_texts": plan.chunk_texts,
        "engine": plan.engine,
        "where": plan.where,
        "workers": plan.workers,
        "texts_per_second": round(plan.texts_per_second, 1),
        "seconds": round(plan.seconds, 1),
    }


def plan_table(plan: Plan) -> Table:
    """Return the plan, a line for each fact."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row("texts", f"{plan.texts}")
    if plan.bad_lines:
        table.add_row("bad lines", f"{plan.bad_lines}")
    table.add_row("chunks", f"{plan.chunks} of {plan.chunk_texts} texts at most")
    table.add_row("where", visible(plan.where))
    table.add_row("workers", f"{plan.workers}")
    table.add_row("time", f"about {_span(plan.seconds)}, without the start")
    return table


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
