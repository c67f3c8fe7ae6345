"""What work there is, how it is cut, who does it, and how long that takes, about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentimon.config.engine import EngineSettings
from sentimon.engine.processes import cores
from sentimon.logbook.rollup.units import UNIT, Unit, size_of

START_SECONDS = 5.0
"""Of a cluster of this machine, until its workers are at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How some work would be done."""

    work: str
    """What there is: `8.2 GB of the log in 34 files`."""
    amount: int
    """Bytes to read, or texts to score."""
    chunks: int
    """Pieces that are handed out one by one."""
    engine: str
    """`local` or `ray`."""
    address: str
    """Of the cluster; empty where the work stays on this machine."""
    workers: int
    """How many work at once; 0 for as many as the cluster has CPUs."""
    estimated_seconds: float | None
    """Until all is done; None where the number of workers is not known."""


def plan_reading(
    settings: EngineSettings, units: Sequence[Unit], seconds: float, *, on_cluster: bool
) -> Plan:
    """Return how some units of the log would be read; the smallest of them took so many `seconds`."""
    sizes = [size_of(unit) for unit in units]
    per_chunk = max(1, (settings.chunk_megabytes << 20) // UNIT) if on_cluster else 1
    files = {unit.path: 0 for unit in units}
    for unit in units:
        files[unit.path] += 1
    chunks = sum(-(-count // per_chunk) for count in files.values())
    workers = settings.workers or (0 if on_cluster and settings.address else cores())
    start = START_SECONDS if on_cluster else 0.0
    at_once = min(workers, chunks) or 1
    total = seconds * sum(sizes) / max(1, min(sizes, default=1)) / at_once
    noun = "file" if len(files) == 1 else "files"
    return Plan(
        work=f"{sum(sizes) / 1e6:,.1f} MB of the log in {len(files)} {noun}",
        amount=sum(sizes),
        chunks=chunks,
        engine="ray" if on_cluster else "local",
        address=settings.address if on_cluster else "",
        workers=workers,
        estimated_seconds=round(start + total, 1) if workers else None,
    )
