"""The monitor on simulated traffic: how often it would cry wolf, what it would find, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sentimon.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.simulation import Result, Scenario
    from sentimon.workflows.workspace import Workspace

SHIFTS = (0.05, 0.1, 0.2)
_MOST_CHECKS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSimulation:
    """What the monitor did in many runs of each scenario, the first of which has no shift."""

    results: Sequence[Result]
    every: timedelta
    """The time between two checks."""
    confidence_level: float
    seed: int


def simulate_monitor(
    workspace: Workspace,
    path: Path | None = None,
    *,
    rate: str = "200/h",
    every: str = "1h",
    days: int = 30,
    shifts: Sequence[float] = SHIFTS,
    runs: int = 100,
    seed: int = 0,
) -> MonitorSimulation:
    """Return how the monitor does on traffic like that of the baseline at `path`.

    So many rows come as `rate` says, and it looks `every` so often; half-way a share of the rows moves to
    another class, one of `shifts` in each scenario. Nothing is read of the log, nothing is remembered.

    Raises:
        UsageError: there are no rows at a look, too few looks, or too many.
        StoreError: the baseline cannot be read.
    """
    from sentimon.workflows.state_files import read_baseline

    baseline = read_baseline(path or workspace.baseline_path(None), workspace.classes)
    rows, time, checks = _schedule(rate, every, days)
    results = [
        _run(workspace, baseline, _scenario(rows, time, checks, one), runs, seed) for one in (0.0, *shifts)
    ]
    level = workspace.settings.drift.confidence_level
    return MonitorSimulation(results=results, every=time, confidence_level=level, seed=seed)


def _schedule(rate: str, every: str, days: int) -> tuple[int, timedelta, int]:
    """Return (rows at each look, the time between two, how many there are)."""
    from sentimon.config.durations import parse_duration, parse_rate

    try:
        per_second, length = parse_rate(rate), parse_duration(every)
    except DataError as error:
        raise UsageError(error.message, hint=error.hint) from error
    rows = round(per_second * length.total_seconds())
    checks = timedelta(days=days) // length if length else 0
    if rows < 1 or checks < 2:
        raise UsageError(
            f"--rate {rate} --every {every} --days {days}: {rows} rows at each of {checks} looks",
            hint="there must be at least one row at each look, and two looks",
        )
    if checks > _MOST_CHECKS:
        raise UsageError(f"{checks} looks a run are too many", hint=f"at most {_MOST_CHECKS}: fewer --days")
    return rows, length, checks


def _scenario(rows: int, every: timedelta, checks: int, shift: float) -> Scenario:
    from sentimon.monitoring.simulation import Scenario

    return Scenario(rows=rows, hours=every.total_seconds() / 3600, checks=checks, shift=shift)


def _run(workspace: Workspace, baseline: Baseline, scenario: Scenario, runs: int, seed: int) -> Result:
    from sentimon.engine.local_processes import run_units
    from sentimon.monitoring.monitor_reference import Reference
    from sentimon.monitoring.simulation import Result
    from sentimon.monitoring.simulation import simulate as run

    one_run = partial(run, baseline, Reference.of(baseline), workspace.settings, scenario)
    seeds = [seed + number for number in range(runs)]
    outcomes = run_units(one_run, seeds, workers=workspace.settings.engine.workers)
    shown = workspace.progress(outcomes, f"runs with a shift of {scenario.shift:g}", total=runs)
    return Result(scenario=scenario, outcomes=tuple(shown))
