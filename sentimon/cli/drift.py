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
from sentimon.cli.collecting import collect_baseline
from sentimon.cli.drift_simulate import simulate
from sentimon.cli.engine import EngineOption
from sentimon.cli.options import (
    BaselineOption,
    ConfigOption,
    ExitZeroFlag,
    JsonFlag,
    LogsOption,
    QuietFlag,
    SaveFlag,
    SinceOption,
    ThresholdOption,
    TimeZoneOption,
    UntilOption,
    flag,
    plain_help,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.reading import note_not_kept, note_trouble
from sentimon.cli.recording import PrometheusOption, Recording, recorded
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode, NoVerdictError, ReadOnlyError, UsageError
from sentimon.workflows.drift import has_baseline

NoCreateFlag = Annotated[bool, flag("--no-create", help="Without a baseline refuse, do not make one.")]
_EXIT_CODES = {"stable": ExitCode.OK, "drift": ExitCode.FINDING, "no verdict": ExitCode.NO_VERDICT}

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.monitor import MonitorLook


class Matching(enum.StrEnum):
    """What the baseline is made like."""

    SEASON = "season"


MatchOption = Annotated[
    Matching | None,
    typer.Option(
        "--match", help="Compare with the baseline's own hours of the week (needs two whole weeks), in --tz."
    ),
]
WholeFlag = Annotated[bool, flag("--all", help="Compare all rows, not only those newer than the baseline.")]
DryLookFlag = Annotated[
    bool, flag("--dry-run", help="Say what would be read; with --monitor: let it look, and forget.")
]
app = typer.Typer(invoke_without_command=True)
app.command(help=plain_help(simulate))(simulate)


@recorded
def drift(
    context: typer.Context,
    logs: LogsOption = None,
    file: BaselineOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    whole: WholeFlag = False,
    match: MatchOption = None,
    tz: TimeZoneOption = None,
    threshold: ThresholdOption = None,
    no_create: NoCreateFlag = False,
    monitor: Annotated[
        bool,
        flag("--monitor", help="Judge the rows that no earlier check judged, sure under repeated checks."),
    ] = False,
    reset: Annotated[bool, flag("--reset", help="Let the monitor forget all checks and incidents.")] = False,
    yes: YesFlag = False,
    dry_run: DryLookFlag = False,
    save: SaveFlag = False,
    prometheus: PrometheusOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    exit_zero: ExitZeroFlag = False,
    engine: EngineOption = None,
    config: ConfigOption = None,
) -> None:
    """Tell whether the predictions have drifted from the baseline.

    Compares the rows newer than the baseline with it. With --monitor only those that no earlier check has
    judged, so that it may run from cron as often as you like. After a `promote` that asked for a baseline
    it makes it once its rows are logged. Exit code: 0 stable, 3 drift, 4 no verdict.

    Example: sentimon drift --logs logs/ --since 24h
    """
    if context.invoked_subcommand:
        return
    flags = {
        "drift.threshold": threshold,
        "drift.create_baseline": False if no_create else None,
        "drift.rule": "monitor" if monitor else None,
        "metrics.time_zone": tz,
        "engine.name": engine,
    }
    session = start(config, {"logs.dir": logs, **flags}, objects=True)
    path = session.baseline_path(file)
    _check_new_baseline(session, file)
    monitored = session.settings.drift.rule == "monitor"
    if dry_run:
        _refuse({"--save": save, "--reset": reset}, "--dry-run")
        if not monitored:
            show_reading_plan(session, as_json=as_json)
    if reset:
        _reset(session, yes=yes)
        if not monitor:
            return
    if not dry_run:
        collect_baseline(session, path)
    shown = Shown(as_json=as_json, quiet=quiet, save=save, prometheus=prometheus)
    if monitored and has_baseline(path):
        chosen = {"--since": since, "--until": until, "--all": whole, "--match": match}
        _refuse({**chosen, "--threshold": threshold, "--tz": tz}, "the monitor, which judges each row once")
        verdict = _monitor(session, path, shown, keep=not dry_run)
    else:
        verdict = _compare(session, path, session.period(since, until), shown, whole=whole, match=match)
    leave(_EXIT_CODES[verdict], exit_zero=exit_zero)


def _check_new_baseline(session: Session, file: Path | None) -> None:
    """Raise UsageError where the user named a baseline that is not there, and may not be made there."""
    from sentimon.prediction_log.output_files import BASELINE

    make = session.settings.drift.create_baseline
    if file is not None and make and not session.baseline_path(file).exists():
        session.output(file, BASELINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a result is shown."""

    as_json: bool
    quiet: bool
    save: bool
    prometheus: Recording | None


def _compare(
    session: Session, path: Path, period: Period, shown: Shown, *, whole: bool, match: Matching | None
) -> str:
    """Judge by the score of one look, and return the verdict."""
    from sentimon.reporting.json_shapes import drift_object
    from sentimon.workflows.drift import compare_with_baseline

    compared = compare_with_baseline(session, path, period, whole=whole, season=match is not None)
    report = compared.report
    content = drift_object(report, timestamp=session.now, zone=session.settings.metrics.time_zone)
    if report.drifted or not shown.quiet:
        note_trouble(session, compared.summary)
        if shown.as_json:
            show_json(content)
        else:
            from sentimon.reporting.decision_tables import drift_table

            show(drift_table(report, session.names, zone=session.settings.metrics.time_zone))
    _save(session, content, shown)
    if shown.prometheus:
        shown.prometheus.keep_drift(session, report)
    if compared.baseline is None and report.collecting is None:
        _without_baseline(session, period, path, quiet=shown.quiet)
    return report.verdict.value


def _monitor(session: Session, path: Path, shown: Shown, *, keep: bool) -> str:
    """Judge the rows that no earlier look has judged, and return the verdict."""
    from sentimon.workflows.monitor import run_monitor

    seen = run_monitor(session, path, keep=keep, show=partial(_show_look, session, shown))
    note_not_kept(seen.not_kept)
    return seen.report.verdict.value


def _show_look(session: Session, shown: Shown, seen: MonitorLook) -> None:
    from sentimon.reporting.monitor_findings import monitor_object
    from sentimon.workflows.monitor import find_examples

    report = seen.report
    news = report.opened or report.closed
    shows = report.drifting and (news or not shown.quiet)
    words, examples = find_examples(session, seen) if shows else ([], [])
    content = monitor_object(report, timestamp=session.now, words=words, examples=examples)
    if news or not shown.quiet:
        note_trouble(session, seen.summary)
        if shown.as_json:
            show_json(content)
        else:
            from sentimon.reporting.monitor_tables import monitor_table

            show(monitor_table(report, session.names, words=words, examples=examples))
    sys.stdout.flush()
    _save(session, content, shown)
    if shown.prometheus:
        shown.prometheus.keep_monitor(session, report)


def _save(session: Session, content: Mapping[str, Any], shown: Shown) -> None:
    from sentimon.prediction_log.history import DRIFT_FILE, append_entry

    if shown.save:
        # Texts stay in the log alone, where they can be erased.
        kept = {name: value for name, value in content.items() if name not in ("examples", "grown_words")}
        append_entry(session.folder / DRIFT_FILE, kept)


def _reset(session: Session, *, yes: bool) -> None:
    from sentimon.workflows.monitor_file import count_memory, forget_monitors

    memory = count_memory(session.folder)
    if memory is not None:
        checks, incidents = memory
        known = f"{counted(checks, 'check')} and {counted(incidents, 'open incident')}"
        ask_before(f"{known} of the monitor of {session.folder} forgotten", yes=yes)

    forget_monitors(session.folder)
    note(f"the monitor of {session.folder} starts anew")


def _refuse(options: Mapping[str, object], other: str) -> None:
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        raise UsageError(f"{given[0]} does not go with {other}", hint="leave one of them out")


def _without_baseline(session: Session, period: Period, path: Path, *, quiet: bool) -> None:
    from sentimon.monitoring.baseline import create_baseline
    from sentimon.workflows.drift import read_baseline_rows
    from sentimon.workflows.state_files import add_baseline

    if not session.settings.drift.create_baseline:
        if not quiet:
            note(f"{path}: there is no baseline; make one with `sentimon baseline create`")
        return
    summary, vocabulary = read_baseline_rows(session, period)
    try:
        made = create_baseline(
            summary,
            vocabulary,
            name="baseline",
            source=session.source,
            created=session.now,
            min_samples=session.settings.drift.min_samples,
        )
    except NoVerdictError as error:
        if not quiet:
            note(f"{path}: there is no baseline, and none was made: {error.message}")
        return
    try:
        alone = add_baseline(path, made)
    except ReadOnlyError as error:
        note(f"there is no baseline, and none was made: {error.message}")
        return
    if not alone:
        note(f"{path}: another program made a baseline meanwhile; nothing was compared with it yet")
        return
    # Said even where quiet is asked for: from now on these rows are what is normal.
    note(f"THERE WAS NO BASELINE: the {made.summary.count} rows at hand are it from now on, in {path}.")
    note("Nothing was compared. If these rows are not normal, run `sentimon baseline create --force`.")
