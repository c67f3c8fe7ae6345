"""`sentimon drift`: has the class mix moved away from the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    UntilOption,
    flag,
)
from sentimon.cli.output import leave, note, show, show_json
from sentimon.cli.reading import compare, note_trouble
from sentimon.cli.recording import PrometheusOption, recorded
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode, NoVerdictError

_EXIT_CODES = {"stable": ExitCode.OK, "drift": ExitCode.FINDING, "no verdict": ExitCode.NO_VERDICT}

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.logbook.summary import Summary


@recorded
def drift(
    logs: LogsOption = None,
    file: BaselineOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    whole: Annotated[
        bool,
        flag("--all", help="Compare all rows, not only those newer than the baseline."),
    ] = False,
    threshold: ThresholdOption = None,
    no_create: Annotated[
        bool, flag("--no-create", help="Without a baseline refuse, do not make one.")
    ] = False,
    save: SaveFlag = False,
    prometheus: PrometheusOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    exit_zero: ExitZeroFlag = False,
    config: ConfigOption = None,
) -> None:
    """Tell whether the class mix has drifted from the baseline.

    Compares the rows newer than the baseline with it. Exit code: 0 stable, 3 drift, 4 no verdict.

    Example: sentimon drift --logs logs/ --since 24h
    """
    from sentimon.logbook.history import DRIFT_FILE, append_entry
    from sentimon.reporting.json_shapes import drift_object

    flags = {"drift.threshold": threshold, "drift.create_baseline": False if no_create else None}
    session = start(config, {"logs.dir": logs, **flags})
    path = session.baseline_path(file)
    baseline, summary, report = compare(session, path, session.period(since, until), whole=whole)
    if report.drifted or not quiet:
        note_trouble(session, summary)
        if as_json:
            show_json(drift_object(report, timestamp=session.now))
        else:
            from sentimon.reporting.tables import drift_table

            show(drift_table(report, session.names))
    if save:
        append_entry(session.folder / DRIFT_FILE, drift_object(report, timestamp=session.now))
    if prometheus:
        prometheus.keep_drift(session, report)
    if baseline is None:
        _without_baseline(session, summary, path, quiet=quiet)
    leave(_EXIT_CODES[report.verdict.value], exit_zero=exit_zero)


def _without_baseline(session: Session, summary: Summary, path: Path, *, quiet: bool) -> None:
    from sentimon.api.stores import save_baseline
    from sentimon.monitoring.baseline import create_baseline

    if not session.settings.drift.create_baseline:
        if not quiet:
            note(f"{path}: there is no baseline; make one with `sentimon baseline create`")
        return
    try:
        made = create_baseline(
            summary,
            name="baseline",
            source=session.source,
            created=session.now,
            min_samples=session.settings.drift.min_samples,
        )
    except NoVerdictError as error:
        if not quiet:
            note(f"{path}: there is no baseline, and none was made: {error.message}")
        return
    save_baseline(path, made)
    # Said even where quiet is asked for: from now on these rows are what is normal.
    note(f"THERE WAS NO BASELINE: the {made.summary.count} rows at hand are it from now on, in {path}.")
    note("Nothing was compared. If these rows are not normal, run `sentimon baseline create --force`.")
