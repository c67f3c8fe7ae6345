"""What a simulated monitor did, as a table and as the object behind `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.monitoring.simulation import Result
from sentimon.reporting.numbers import MISSING, estimate
from sentimon.reporting.style import Fitting, new_table, sentences_of

_QUANTILES = (0.5, 0.9)


def simulation_object(
    results: Sequence[Result], *, every: timedelta, confidence_level: float, seed: int
) -> dict[str, Any]:
    """Return each scenario with the shares of runs that alarmed, falsely or rightly, and after how long."""
    return {
        "every_seconds": int(every.total_seconds()),
        "seed": seed,
        "scenarios": [_scenario(result, confidence_level) for result in results],
    }


def _scenario(result: Result, confidence_level: float) -> dict[str, Any]:
    scenario = result.scenario
    content: dict[str, Any] = {
        "shift": scenario.shift,
        "rows_a_check": scenario.rows,
        "checks": scenario.checks,
        "runs": len(result.outcomes),
        "quiet_checks": scenario.change,
        "false_alarm": result.false_alarms(confidence_level).to_dict(),
    }
    if not scenario.shift:
        return content
    median, most = (result.delay(quantile) for quantile in _QUANTILES)
    return content | {
        "found": result.found(confidence_level).to_dict(),
        "median_delay_checks": median,
        "median_delay_rows": None if median is None else median * scenario.rows,
        "delay_90_checks": most,
        "delay_90_rows": None if most is None else most * scenario.rows,
    }


def simulation_table(
    results: Sequence[Result], *, every: timedelta, confidence_level: float
) -> RenderableType:
    """Return a line for each scenario, and what the lines say."""
    table = Fitting(partial(_scenarios, results, every, confidence_level))
    return Group(table, Text(), sentences_of(_sentences(results)))


def _scenarios(results: Sequence[Result], every: timedelta, level: float, narrow: bool) -> Table:
    first = results[0].scenario
    table = new_table(
        f"The monitor on {first.checks} checks of {first.rows} rows, {len(results[0].outcomes)} runs of each",
        ("Shift", "right"),
        ("Any false alarm", "left"),
        ("Found", "left"),
        ("Half after", "left"),
        ("90 % after", "left"),
        narrow=narrow,
    )
    for result in results:
        shift = result.scenario.shift
        table.add_row(
            f"{shift:g}" if shift else "none",
            estimate(result.false_alarms(level), below=narrow),
            estimate(result.found(level), below=narrow) if shift else "",
            *(_delay(result.delay(quantile), first.rows, every) if shift else "" for quantile in _QUANTILES),
        )
    return table


def _delay(checks: int | None, rows: int, every: timedelta) -> str:
    if checks is None:
        return MISSING
    hours = checks * every.total_seconds() / 3600
    return f"{checks * rows}, {hours:.1f} h" if hours < 48 else f"{checks * rows}, {hours / 24:.1f} d"


def _sentences(results: Sequence[Result]) -> list[str]:
    false = sum(one.false for one in results[0].outcomes)
    runs = len(results[0].outcomes)
    return [
        f"Where nothing happens, {false} of {runs} runs raise an alarm.",
        "A shift moves that share of the rows from one class to another, half-way through a run; rows and "
        "time until it is found count from there.",
    ]
