"""`sentimon drift simulate`: what the monitor would do on traffic like that of the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.opening import open_workspace
from sentimon.cli.options import BaselineOption, ConfigOption, JsonFlag, LogsOption
from sentimon.cli.output import show, show_json
from sentimon.config.durations import parse_rate
from sentimon.errors import DataError, UsageError
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from datetime import timedelta

    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.simulation import Result, Scenario

_SHIFTS = (0.05, 0.1, 0.2)
_MOST_CHECKS = 20_000


def simulate(
    rate: Annotated[
        str, typer.Option("--rate", metavar="ROWS/TIME", help="Predictions that come: 200/h, 5000/d.")
    ] = "200/h",
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often the monitor looks: 15m, 1h, 1d.")
    ] = "1h",
    days: Annotated[
        int, typer.Option("--days", metavar="N", help="Days that are simulated.", min=1, max=3660)
    ] = 30,
    shift: Annotated[
        list[float] | None,
        typer.Option(
            "--shift",
            metavar="SHARE",
            help="Share of rows that move to another class half-way; may be given again. "
            "(default: 0.05, 0.1, 0.2)",
            min=0,
            max=1,
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", help="Runs of each.", min=10, max=100_000)
    ] = 100,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the random numbers.", min=0)] = 0,
    logs: LogsOption = None,
    file: BaselineOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Simulate the monitor: how often it would cry wolf, what it would find, and how soon.

    Traffic like that of your baseline, with its swing over the day and its bursts, is judged by your
    settings. Nothing is read of the log and nothing is remembered.

    Example: sentimon drift simulate --rate 200/h --every 1h --days 30 --shift 0.1
    """
    from sentimon.reporting.monitor_tables import simulation_object, simulation_table
    from sentimon.workflows.state_files import read_baseline

    workspace = open_workspace(config, {"logs.dir": logs})
    baseline = read_baseline(workspace.baseline_path(file))
    rows, time, checks = _schedule(rate, every, days)
    results = [
        _run(workspace, baseline, _scenario(rows, time, checks, one), runs, seed)
        for one in (0.0, *(_SHIFTS if shift is None else shift))
    ]
    level = workspace.settings.drift.confidence_level
    if as_json:
        show_json(simulation_object(results, every=time, confidence_level=level, seed=seed))
    else:
        show(simulation_table(results, every=time, confidence_level=level))


def _schedule(rate: str, every: str, days: int) -> tuple[int, timedelta, int]:
    """Return (rows at each look, the time between two, how many there are)."""
    from datetime import timedelta

    from sentimon.config.durations import parse_duration

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
    from functools import partial

    from sentimon.cli.progress import watched
    from sentimon.engine.local_processes import run_units
    from sentimon.monitoring.monitor_reference import Reference
    from sentimon.monitoring.simulation import Result
    from sentimon.monitoring.simulation import simulate as run

    one_run = partial(run, baseline, Reference.of(baseline), workspace.settings, scenario)
    seeds = [seed + number for number in range(runs)]
    outcomes = run_units(one_run, seeds, workers=workspace.settings.engine.workers)
    shown = watched(outcomes, f"runs with a shift of {scenario.shift:g}", total=runs)
    return Result(scenario=scenario, outcomes=tuple(shown))
