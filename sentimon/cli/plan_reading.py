"""`--dry-run` of the commands that read the log: what is new in it, counted and timed, and nothing done."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from sentimon.cli.output import counted, leave, show, show_json
from sentimon.errors import ExitCode
from sentimon.workflows.unit_reading import is_for_cluster
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.prediction_log.index.scan import ScanUnit, UnitReader
    from sentimon.reporting.dry_run import Plan


class _PlannedError(Exception):
    """There is a plan; nothing is to be read."""


def show_reading_plan(workspace: Workspace, *, as_json: bool) -> NoReturn:
    """Print what a command would read of the log, and end it; the index stays as it is.

    A part is read, to see how fast that is.
    """
    from sentimon.reporting.dry_run import plan_object, plan_table

    plan = _plan(workspace)
    show_json(plan_object(plan)) if as_json else show(plan_table(plan))
    leave(ExitCode.OK)


def _plan(workspace: Workspace) -> Plan:
    from sentimon.engine.scoring_engine import place_of_work
    from sentimon.prediction_log.index.scan import UNIT_BYTES, unit_bytes
    from sentimon.reporting.dry_run import Plan

    units, speed = _new_units(workspace)
    settings = workspace.settings.engine
    on_cluster = is_for_cluster(settings, units)
    where, engine, workers = place_of_work(settings, on_cluster=on_cluster)
    size, files = sum(map(unit_bytes, units)), Counter(unit.path for unit in units)
    per_chunk = max(1, (settings.chunk_megabytes << 20) // UNIT_BYTES) if on_cluster else 1
    chunks = sum(-(-count // per_chunk) for count in files.values())
    at_once = max(1, min(workers, chunks))
    return Plan(
        amounts={"bytes": size, "files": len(files)},
        work=f"{size / 1e6:,.1f} MB of the log, in {counted(len(files), 'file')}",
        chunks=chunks,
        chunk=("chunk_megabytes", per_chunk * UNIT_BYTES >> 20),
        engine=engine,
        where=where,
        workers=workers,
        speed=("bytes_per_second", speed),
        seconds=size / (speed * at_once) if size else 0.0,
    )


def _new_units(workspace: Workspace) -> tuple[list[ScanUnit], float]:
    """Return (what is not in the index yet, the bytes a second that one process reads)."""
    from sentimon.prediction_log.index.scan import unit_bytes

    units: list[ScanUnit] = []
    speed = 0.0

    def look(read: UnitReader, found: Sequence[ScanUnit]) -> NoReturn:
        nonlocal speed
        units.extend(found)
        if units:
            smallest = min(units, key=unit_bytes)
            begun = time.perf_counter()
            list(read(smallest))
            speed = max(1, unit_bytes(smallest)) / max(time.perf_counter() - begun, 1e-9)
        raise _PlannedError

    with contextlib.suppress(_PlannedError):
        workspace.index_read_by(look).ask(lambda _: None)
    return units, speed
