"""A check for drift, as `sentimon drift` makes it: by the monitor, or by the score of one comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentimon.workflows.drift import compare_with_baseline, has_baseline

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.monitoring.class_mix_drift import Verdict
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.baseline import FirstBaseline
    from sentimon.workflows.drift import BaselineComparison
    from sentimon.workflows.monitor import MonitorLook
    from sentimon.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCheck:
    """Whether the predictions have drifted from the baseline."""

    result: BaselineComparison | MonitorLook
    """What the monitor saw where it judges, else the comparison."""
    first: FirstBaseline | None = None
    """What became of a log that had no baseline; None where there was one."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict: stable, drift, or none."""
        return self.result.report.verdict


def is_judged_by_monitor(workspace: Workspace, path: Path, period: Period | None = None) -> bool:
    """Return whether the monitor judges drift, which judges each row once and so no chosen `period`.

    Raises:
        StoreError: what lies at `path`, the place of the baseline, cannot be read.
    """
    chosen = period is not None and (period.since is not None or period.until is not None)
    return workspace.settings.drift.rule == "monitor" and not chosen and has_baseline(path)


def look_for_drift(
    workspace: Workspace, path: Path | None = None, period: Period | None = None
) -> DriftCheck:
    """Return whether the predictions have drifted from the baseline at `path`; nothing is remembered.

    A chosen `period` is compared, else the monitor judges where `drift.rule` says so.

    Raises:
        StoreError: the log, the baseline or the memory of the monitor cannot be read.
        DataError: the rows are of another model than the baseline.
    """
    from sentimon.workflows.monitor import run_monitor

    path = path or workspace.baseline_path(None)
    if is_judged_by_monitor(workspace, path, period):
        return DriftCheck(result=run_monitor(workspace, path, keep=False))
    return DriftCheck(result=compare_with_baseline(workspace, path, period))


def check_drift(
    workspace: Workspace,
    path: Path | None = None,
    period: Period | None = None,
    *,
    whole: bool = False,
    season: bool = False,
    keep: bool = True,
    save: bool = False,
    show: Callable[[BaselineComparison | MonitorLook], None] | None = None,
) -> DriftCheck:
    """Return whether the predictions have drifted, have the monitor remember its look, and `save` the result.

    Where `drift.rule` says so, and there is a baseline, the monitor judges the rows that it has not judged;
    with `keep` false it forgets them again. Else the rows of `period` are compared, as `whole` and `season`
    say (see `compare_with_baseline`), and where there is no baseline they may become it. `show` is called
    before anything is remembered: a result that nobody could be told of is found again.

    Raises:
        StoreError: the log, the baseline or the memory of the monitor cannot be read or written.
        DataError: the rows are of another model than the baseline.
        NoVerdictError: the baseline is too short for a season.
    """
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.baseline import make_first_baseline
    from sentimon.workflows.monitor import run_monitor

    def finish(result: BaselineComparison | MonitorLook) -> None:
        if show is not None:
            show(result)
        if save:
            _save(workspace, result)

    path = path or workspace.baseline_path(None)
    if is_judged_by_monitor(workspace, path):
        return DriftCheck(result=run_monitor(workspace, path, keep=keep, show=finish))
    period = period or Period()
    found = compare_with_baseline(workspace, path, period, whole=whole, season=season)
    finish(found)
    if found.baseline is not None or found.report.collecting is not None:
        return DriftCheck(result=found)
    return DriftCheck(result=found, first=make_first_baseline(workspace, path, period))


def _save(workspace: Workspace, result: BaselineComparison | MonitorLook) -> None:
    from sentimon.prediction_log.history import DRIFT_FILE, append_entry

    append_entry(workspace.folder / DRIFT_FILE, result.entry)
