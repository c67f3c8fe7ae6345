"""`sentimon drift`: have the predictions moved away from the baseline."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.asking import YesFlag, ask_before
from sentimon.cli.drift_simulate import simulate
from sentimon.cli.engine import EngineOption
from sentimon.cli.opening import command_options, open_workspace
from sentimon.cli.options import (
    BaselineOption,
    ByOption,
    ConfigOption,
    ExitZeroFlag,
    ExplainFlag,
    JsonFlag,
    LogsOption,
    QuietFlag,
    SaveFlag,
    SinceOption,
    ThresholdOption,
    TimeZoneOption,
    UntilOption,
    WhereOption,
    flag,
    grouped,
    plain_help,
    refuse_narrowed,
)
from sentimon.cli.output import counted, leave, note, show, show_json, show_sentences, show_steps
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.recording import PrometheusOption, recorded
from sentimon.errors import ExitCode, UsageError
from sentimon.workflows.log_rows import say_trouble

_EXIT_CODES = {"stable": ExitCode.OK, "drift": ExitCode.FINDING, "no verdict": ExitCode.NO_VERDICT}

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.reporting.command_steps import CommandOptions
    from sentimon.workflows.drift import BaselineComparison, DriftCheck
    from sentimon.workflows.monitor import MonitorLook
    from sentimon.workflows.workspace import Workspace


class Matching(enum.StrEnum):
    """What the baseline is made like."""

    SEASON = "season"


MatchOption = Annotated[
    Matching | None,
    typer.Option(
        "--match",
        metavar="season",
        help="Compare with the baseline's own hours of the week (needs two whole weeks), in --tz.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRows:
    """Which rows are compared, and by what."""

    since: SinceOption = None
    until: UntilOption = None
    whole: Annotated[
        bool, flag("--all", help="Compare all rows, not only those newer than the baseline.")
    ] = False
    match: MatchOption = None
    by: ByOption = None
    where: WhereOption = None
    explain: ExplainFlag = False
    tz: TimeZoneOption = None
    threshold: ThresholdOption = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorOptions:
    """Whether the monitor judges, and what it remembers."""

    monitor: Annotated[
        bool,
        flag("--monitor", help="Judge the rows that no earlier check judged, sure under repeated checks."),
    ] = False
    reset: Annotated[bool, flag("--reset", help="Let the monitor forget all checks and incidents.")] = False
    yes: YesFlag = False
    dry_run: Annotated[
        bool, flag("--dry-run", help="Only say what would be read; with --monitor: let it look, and forget.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How the result is shown, and where else it goes."""

    save: SaveFlag = False
    prometheus: PrometheusOption = None
    as_json: JsonFlag = False
    quiet: QuietFlag = False
    exit_zero: ExitZeroFlag = False


NoCreateFlag = Annotated[bool, flag("--no-create", help="Without a baseline refuse, do not make one.")]
app = typer.Typer(
    name="drift",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(short_help="Simulate false alarms and time to find drift.", help=plain_help(simulate))(simulate)


@recorded
@grouped
def drift(
    context: typer.Context,
    *,
    logs: LogsOption = None,
    file: BaselineOption = None,
    rows: ComparedRows,
    no_create: NoCreateFlag = False,
    monitor: MonitorOptions,
    shown: Shown,
    engine: EngineOption = None,
    config: ConfigOption = None,
) -> None:
    """Tell whether the predictions have drifted from the baseline.

    Compares the rows newer than the baseline with it. With --monitor only those that no earlier check has
    judged, so that it may run from cron as often as you like. After a `promote` that asked for a baseline
    it makes it once its rows are logged. Exit code: 0 stable, 3 drift, 4 no verdict.

    Example: sentimon drift --logs logs/ --since 24h
    """
    from sentimon.workflows.drift import check_drift, is_judged_by_monitor
    from sentimon.workflows.next_baseline import collect_baseline

    if context.invoked_subcommand:
        return
    _check_options(rows, monitor, shown)
    flags = {
        "logs.dir": logs,
        "drift.create_baseline": False if no_create else None,
        "engine.name": engine,
        **_judging_flags(rows, monitor),
    }
    workspace = open_workspace(config, flags, objects=True, where=rows.where)
    path = workspace.baseline_path(file)
    _check_new_baseline(workspace, file)
    if monitor.dry_run and workspace.settings.drift.rule != "monitor":
        show_reading_plan(workspace, as_json=shown.as_json)
    if monitor.reset:
        _reset(workspace, yes=monitor.yes)
        if not monitor.monitor:
            return
    if not monitor.dry_run and not rows.where:
        collect_baseline(workspace, path)
    if is_judged_by_monitor(workspace, path):
        _refuse_chosen(rows)
    check = check_drift(
        workspace,
        path,
        workspace.period(rows.since, rows.until),
        whole=rows.whole,
        season=rows.match is not None,
        by=rows.by,
        explain=rows.explain,
        keep=not monitor.dry_run,
        save=shown.save,
        show=partial(_show, workspace, shown, command_options(workspace, config, file)),
    )
    _say_notes(workspace, path, check, quiet=shown.quiet, keep=not monitor.dry_run)
    leave(_EXIT_CODES[check.verdict.value], exit_zero=shown.exit_zero)


def _judging_flags(rows: ComparedRows, monitor: MonitorOptions) -> dict[str, Any]:
    """Return the settings that the options give for how the rows are judged, None where they give none."""
    # To look into slices is a look at the newest rows, whoever judges them.
    rule = "monitor" if monitor.monitor else "threshold" if rows.by or rows.explain else None
    return {"drift.threshold": rows.threshold, "drift.rule": rule, "metrics.time_zone": rows.tz}


def _check_options(rows: ComparedRows, monitor: MonitorOptions, shown: Shown) -> None:
    """Raise UsageError where options do not go together, whatever the settings are."""
    if rows.match is not None:
        _refuse({"--by": rows.by}, "--match, which weights the baseline by the hour")
    if monitor.dry_run:
        _refuse({"--save": shown.save, "--reset": monitor.reset}, "--dry-run")
    about_all = {"--monitor": monitor.monitor, "--reset": monitor.reset}
    refuse_narrowed(rows.where, about_all | {"--save": shown.save, "--prometheus": shown.prometheus})


def _say_notes(workspace: Workspace, path: Path, check: DriftCheck, *, quiet: bool, keep: bool) -> None:
    """Say what is news of the traffic, and what became of a log without a baseline, on stderr."""
    from sentimon.workflows.traffic_notes import tell_of_traffic

    first = check.first
    if quiet and check.traffic is not None:
        tell_of_traffic(workspace, path, check.traffic, keep=keep)
    if first is not None and (first.urgent or not quiet):
        for line in first.notes:
            note(line)


def _check_new_baseline(workspace: Workspace, file: Path | None) -> None:
    """Raise UsageError where the user named a baseline that is not there, and may not be made there."""
    from sentimon.prediction_log.output_files import BASELINE

    make = workspace.settings.drift.create_baseline
    if file is not None and make and not workspace.baseline_path(file).exists():
        workspace.output(file, BASELINE)


def _show(
    workspace: Workspace,
    shown: Shown,
    options: CommandOptions,
    result: BaselineComparison | MonitorLook,
) -> None:
    from sentimon.workflows.drift import BaselineComparison
    from sentimon.workflows.slices import say_lacking_fields

    told = result.is_news or not shown.quiet
    if told:
        say_trouble(workspace, result.summary)
        say_lacking_fields(
            workspace, result.baseline if isinstance(result, BaselineComparison) else result.report.baseline
        )
    if isinstance(result, BaselineComparison):
        if told:
            _show_comparison(workspace, shown, options, result)
        if shown.prometheus:
            shown.prometheus.keep_drift(workspace, result.report, result.by)
            shown.prometheus.keep_traffic(result.traffic)
        return
    if told:
        _show_look(workspace, shown, options, result)
    sys.stdout.flush()
    if shown.prometheus:
        shown.prometheus.keep_monitor(workspace, result.report)
        shown.prometheus.keep_traffic(result.traffic)


def _show_comparison(
    workspace: Workspace, shown: Shown, options: CommandOptions, found: BaselineComparison
) -> None:
    if shown.as_json:
        show_json(found.entry)
    else:
        from sentimon.reporting.command_steps import first_steps
        from sentimon.reporting.decision_tables import drift_table
        from sentimon.reporting.traffic_sentences import explain_trouble

        level = workspace.settings.drift.confidence_level
        show(drift_table(found.report, workspace.names, zone=found.zone_name, confidence_level=level))
        if found.by is not None:
            from sentimon.reporting.slice_tables import comparison_table

            show(comparison_table(found.by, workspace.names))
        if found.explained is not None:
            from sentimon.reporting.search_tables import search_table

            show(search_table(found.explained, workspace.names))
        if found.compared.until is None:
            show_sentences(explain_trouble(found.traffic))
        if found.report.drifted:
            show_steps(first_steps(options, risen=found.report.risen_most, onset=found.report.onset))


def _show_look(workspace: Workspace, shown: Shown, options: CommandOptions, seen: MonitorLook) -> None:
    from sentimon.workflows.monitor import find_examples

    words, examples = find_examples(workspace, seen) if seen.report.drifting else ([], [])
    if shown.as_json:
        show_json(seen.to_dict(words, examples))
    else:
        from sentimon.reporting.command_steps import first_steps
        from sentimon.reporting.monitor_tables import monitor_table
        from sentimon.reporting.traffic_sentences import explain_trouble

        show(monitor_table(seen.report, workspace.names, words=words, examples=examples))
        show_sentences(explain_trouble(seen.traffic))
        if seen.report.incident is not None and seen.report.drifting:
            onset = seen.report.incident.onset
            risen, moved = seen.report.risen_most, seen.report.moved_slice
            show_steps(first_steps(options, risen=risen, onset=onset, moved=moved))


def _reset(workspace: Workspace, *, yes: bool) -> None:
    from sentimon.workflows.monitor_file import count_memory, forget_monitors

    memory = count_memory(workspace.folder)
    if memory is not None:
        checks, incidents = memory
        known = f"{counted(checks, 'check')} and {counted(incidents, 'open incident')}"
        ask_before(f"{known} of the monitor of {workspace.folder} forgotten", yes=yes)

    forget_monitors(workspace.folder)
    note(f"the monitor of {workspace.folder} starts anew")


def _refuse_chosen(rows: ComparedRows) -> None:
    """Raise UsageError where the user chose rows, or how they are compared: the monitor cannot."""
    chosen = {"--since": rows.since, "--until": rows.until, "--all": rows.whole, "--match": rows.match}
    given = {
        **chosen,
        "--threshold": rows.threshold,
        "--tz": rows.tz,
        "--by": rows.by,
        "--explain": rows.explain,
    }
    _refuse(given, "the monitor, which judges each row once")


def _refuse(options: Mapping[str, object], other: str) -> None:
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        raise UsageError(f"{given[0]} does not go with {other}", hint="leave one of them out")


app.callback(help=plain_help(drift))(drift)
