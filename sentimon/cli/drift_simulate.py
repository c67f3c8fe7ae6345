"""`sentimon drift simulate`: what the monitor would do on traffic like that of the baseline."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli.opening import open_workspace
from sentimon.cli.options import BaselineOption, ConfigOption, JsonFlag, LogsOption
from sentimon.cli.output import show, show_json


def simulate(
    rate: Annotated[
        str, typer.Option("--rate", metavar="ROWS/TIME", help="Predictions that come: 200/h, 5000/d.")
    ] = "200/h",
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often to check: 15m, 1h, 1d.")
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
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the random numbers.", min=0)] = 0,
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
    from sentimon.workflows.simulation import SHIFTS, simulate_monitor

    workspace = open_workspace(config, {"logs.dir": logs})
    found = simulate_monitor(
        workspace,
        workspace.baseline_path(file),
        rate=rate,
        every=every,
        days=days,
        shifts=SHIFTS if shift is None else shift,
        runs=runs,
        seed=seed,
    )
    level, time = found.confidence_level, found.every
    if as_json:
        show_json(simulation_object(found.results, every=time, confidence_level=level, seed=found.seed))
    else:
        show(simulation_table(found.results, every=time, confidence_level=level))
