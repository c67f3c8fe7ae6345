"""Have the predictions drifted: by a comparison with the baseline, or by the monitor where it judges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sentimon.files import is_there
from sentimon.labels import LABELS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.baseline_collection import BaselineProgress, PendingBaseline
    from sentimon.monitoring.class_mix_drift import DriftReport
    from sentimon.monitoring.drift_decision import Verdict
    from sentimon.monitoring.explained_change import ExplainedChange
    from sentimon.monitoring.onset import ConfidenceSums
    from sentimon.monitoring.slice_comparison import FieldComparison
    from sentimon.monitoring.traffic import TrafficReport
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.baseline import FirstBaseline
    from sentimon.workflows.monitor import MonitorLook
    from sentimon.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineComparison:
    """Some rows compared with a baseline."""

    made: datetime
    zone_name: str
    """The time zone of windows and of the hours of the week, by name."""
    baseline: Baseline | None
    """None where there is none, or one is still being collected: `report.collecting` says how far it is."""
    compared: Period
    """Which rows there were to be compared: those after the baseline, or those that were asked for."""
    summary: Summary
    """The sum over them, and over all bad lines."""
    report: DriftReport
    """The verdict with its score, interval, limit and sample sizes."""
    chosen: bool = False
    """Whether somebody chose the rows, so that they are judged as they are."""
    by: FieldComparison | None = None
    """The rows that were judged by the values of a field; None where that is not asked for."""
    explained: ExplainedChange | None = None
    """The slices that account for the change; None where that is not asked for."""
    labels: tuple[str, str, str] = LABELS
    """What the classes are called in JSON; "" for one that there is not."""
    traffic: TrafficReport | None = None
    """Whether rows still come, and as many as usual; None where nobody looked at it."""

    @property
    def judged(self) -> Period:
        """Return the part of the compared rows that the verdict is about."""
        since = self.report.window.since
        return self.compared if since is None else since_hour(self.compared, since)

    @property
    def is_news(self) -> bool:
        """Return whether there is something to report also where people asked for quiet."""
        return self.report.drifted

    @property
    def entry(self) -> Mapping[str, Any]:
        """Return the comparison as `--json` shows it and `--save` keeps it."""
        from sentimon.reporting.json_shapes import drift_object
        from sentimon.reporting.traffic_sentences import traffic_key

        found = drift_object(self.report, timestamp=self.made, names=self.labels, zone=self.zone_name)
        entry = {**found, **traffic_key(self.traffic)}
        if self.by is not None:
            from sentimon.reporting.slice_tables import comparison_object

            entry["by"] = comparison_object(self.by, self.labels)
        if self.explained is not None:
            from sentimon.reporting.search_tables import search_object

            entry["explained"] = search_object(self.explained, self.labels)
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCheck:
    """Whether the predictions have drifted from the baseline."""

    result: BaselineComparison | MonitorLook
    """What the monitor saw where it judges, else the comparison."""
    first: FirstBaseline | None = None
    """What became of a log that had no baseline; None where there was one."""
    traffic: TrafficReport | None = None
    """The traffic of the result, with a baseline where one was made since; None where nobody looked at it."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict: stable, drift, or none."""
        return self.result.report.verdict


def compare_with_baseline(
    workspace: Workspace,
    path: Path | None = None,
    period: Period | None = None,
    *,
    seen: datetime | None = None,
    whole: bool = False,
    season: bool = False,
    by: str | None = None,
    explain: bool = False,
) -> BaselineComparison:
    """Return the rows of `period` compared with the baseline at `path`; None is the one beside the log.

    Compared are the rows later than `seen`; unless `whole` or a period with a begin says otherwise, only
    those newer than the baseline, and where older ones are of another model these always. Of rows that
    nobody chose by `whole` or a period the newest that belong together are judged, so that a late change is
    not lost among the rows before it (`find_recent_rows`); chosen rows are judged as they are. With
    `season` like is compared with like: the baseline is weighted as the rows are spread over the hours of
    the week. With `by`, the name of a field such as "channel", the rows that were judged are also compared
    by its values (`compare_by`), and with `explain` the slices that account for the change are searched
    (`explain_change`). While a baseline is being collected there is none.

    Raises:
        UsageError: rows cannot be divided by that field.
        StoreError: the log or the baseline cannot be read.
        DataError: the rows are of another model than the baseline.
        NoVerdictError: the baseline is too short for a season.
    """
    from sentimon.monitoring.class_mix_drift import detect_drift
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.next_baseline import wanted_at
    from sentimon.workflows.slice_search import explain_change
    from sentimon.workflows.slices import compare_by, field_named, known_baseline

    if by is not None:
        # Told before the log is read, and both questions are answered of one reading.
        workspace = workspace.divided_by(field_named(by))
    path, period = path or workspace.baseline_path(None), period or Period()
    wanted = wanted_at(path)
    if wanted is not None:
        collecting = count_collected(workspace, wanted)
        compared = newer(workspace, period, wanted.since, seen)
        summary = workspace.summary(compared)
        report = detect_drift(None, summary, workspace.settings.drift, collecting=collecting)
        return _comparison(workspace, None, compared, summary, report)
    baseline = known_baseline(workspace, path) if is_there(path) else None
    compared, summary = _rows_to_compare(workspace, baseline, period, seen, whole=whole)
    chosen = whole or period.since is not None or period.until is not None
    report = _judge(workspace, baseline, compared, summary, search=not chosen, season=season)
    if baseline is not None:
        report = _with_onsets(workspace, baseline, compared, summary, report)
    found = _comparison(workspace, baseline, compared, summary, report, chosen=chosen)
    return replace(
        found,
        by=None if by is None else compare_by(workspace, found, by),
        explained=explain_change(workspace, found) if explain else None,
    )


def _rows_to_compare(
    workspace: Workspace, baseline: Baseline | None, period: Period, seen: datetime | None, *, whole: bool
) -> tuple[Period, Summary]:
    """Return (the period of the rows to compare, the sum over them)."""
    from sentimon.monitoring.class_mix_drift import foreign_models

    ended = None if baseline is None or whole or period.since else baseline.last
    compared = newer(workspace, period, ended, seen)
    summary = workspace.summary(compared)
    if baseline is not None and period.since and foreign_models(baseline, summary):
        # The period reaches back to the model before, which says nothing about this one.
        compared = newer(workspace, period, baseline.last, seen)
        summary = workspace.summary(compared)
    return compared, summary


def _judge(
    workspace: Workspace,
    baseline: Baseline | None,
    compared: Period,
    summary: Summary,
    *,
    search: bool,
    season: bool,
) -> DriftReport:
    """Return the comparison of the rows in `summary`, or with `search` of the newest that differ most."""
    from sentimon.monitoring.class_mix_drift import check_same_model, detect_drift
    from sentimon.monitoring.recent_rows import find_recent_rows
    from sentimon.monitoring.season_matching import match_season

    settings = workspace.settings.drift
    if baseline is None or not summary.count:
        return detect_drift(baseline, summary, settings)
    check_same_model(baseline, summary)
    known, zone = baseline.summary, workspace.zone
    if not search or min(known.count, summary.count) < settings.min_samples:
        matched = match_season(known, summary.hours, zone) if season else None
        return detect_drift(baseline, summary, settings, season=matched)
    window = find_recent_rows(
        baseline,
        summary.hours,
        fewest=settings.min_samples,
        threshold=settings.threshold,
        confidence_level=settings.confidence_level,
        expected=(lambda hours: match_season(known, hours, zone).counts) if season else None,
    )
    rows = summary if window.since is None else workspace.summary(since_hour(compared, window.since))
    return detect_drift(
        baseline,
        rows,
        settings,
        window=window,
        after_baseline=summary.count,
        season=match_season(known, rows.hours, zone) if season else None,
    )


def _with_onsets(
    workspace: Workspace, baseline: Baseline, compared: Period, summary: Summary, report: DriftReport
) -> DriftReport:
    """Return the report with when the class mix and the confidence changed, each where it did."""
    if not report.changed and not report.confidence_changed:
        return report
    # Only here: most looks find no change.
    from sentimon.monitoring.onset import ConfidenceSums
    from sentimon.monitoring.onset_search import class_mix_onset, confidence_onset

    level = workspace.settings.drift.confidence_level
    onset = unsure = None
    if report.changed:
        onset = class_mix_onset(baseline.summary.hours, summary.hours, confidence_level=level)
    if report.confidence_changed:
        known = ConfidenceSums.of(baseline.summary.classes)
        unsure = confidence_onset(known, confidences(workspace, compared), confidence_level=level)
    return replace(report, onset=onset, confidence_onset=unsure)


def confidences(workspace: Workspace, period: Period) -> dict[int, ConfidenceSums]:
    """Return the sum over the confidences of the rows of `period`, by hour since 1970."""
    from sentimon.monitoring.onset import ConfidenceSums

    def read(log: Workspace) -> dict[int, ConfidenceSums]:
        found: dict[int, ConfidenceSums] = {}
        for hour, sums in log.hours(period):
            some = ConfidenceSums.of_hour(sums)
            found[hour] = found[hour] + some if hour in found else some
        return found

    return workspace.ask(read)


def _comparison(
    workspace: Workspace,
    baseline: Baseline | None,
    compared: Period,
    summary: Summary,
    report: DriftReport,
    *,
    chosen: bool = False,
) -> BaselineComparison:
    return BaselineComparison(
        made=workspace.now,
        zone_name=workspace.settings.metrics.time_zone,
        baseline=baseline,
        compared=compared,
        summary=summary,
        report=report,
        chosen=chosen,
        labels=workspace.labels,
    )


def has_baseline(path: Path) -> bool:
    """Return whether there is a baseline at `path` to compare with: not while one is being collected."""
    from sentimon.workflows.next_baseline import wanted_at

    return is_there(path) and wanted_at(path) is None


def is_judged_by_monitor(workspace: Workspace, path: Path, period: Period | None = None) -> bool:
    """Return whether the monitor judges drift, which judges each row once and so no chosen `period`.

    Raises:
        StoreError: what lies at `path`, the place of the baseline, cannot be read.
    """
    chosen = period is not None and (period.since is not None or period.until is not None)
    return workspace.settings.drift.rule == "monitor" and not chosen and has_baseline(path)


def look_for_drift(
    workspace: Workspace, path: Path | None = None, period: Period | None = None, *, by: str | None = None
) -> DriftCheck:
    """Return whether the predictions have drifted from the baseline at `path`; nothing is remembered.

    A chosen `period` is compared, also `by` a field, else the monitor judges where `drift.rule` says so.

    Raises:
        StoreError: the log, the baseline or the memory of the monitor cannot be read.
        DataError: the rows are of another model than the baseline.
    """
    from sentimon.workflows.monitor import run_monitor

    path = path or workspace.baseline_path(None)
    if is_judged_by_monitor(workspace, path, period):
        return DriftCheck(result=run_monitor(workspace, path, keep=False))
    return DriftCheck(result=compare_with_baseline(workspace, path, period, by=by))


def check_drift(
    workspace: Workspace,
    path: Path | None = None,
    period: Period | None = None,
    *,
    whole: bool = False,
    season: bool = False,
    by: str | None = None,
    explain: bool = False,
    keep: bool = True,
    save: bool = False,
    show: Callable[[BaselineComparison | MonitorLook], None] | None = None,
) -> DriftCheck:
    """Return whether the predictions have drifted, have the monitor remember its look, and `save` the result.

    Where `drift.rule` says so, and there is a baseline, the monitor judges the rows that it has not judged;
    with `keep` false it forgets them again. Else the rows of `period` are compared, as `whole`, `season`,
    `by` and `explain` say (see `compare_with_baseline`), and where there is no baseline they may become it.
    The result holds the traffic. `show` is called before anything is remembered: a result that nobody could
    be told of is found again.

    Raises:
        StoreError: the log, the baseline or the memory of the monitor cannot be read or written.
        DataError: the rows are of another model than the baseline.
        NoVerdictError: the baseline is too short for a season.
    """
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.baseline import make_first_baseline
    from sentimon.workflows.monitor import run_monitor
    from sentimon.workflows.traffic import check_traffic

    def finish(result: BaselineComparison | MonitorLook) -> None:
        if show is not None:
            show(result)
        if save:
            _save(workspace, result)

    def finish_look(look: MonitorLook) -> None:
        look.traffic = check_traffic(workspace, path, baseline=look.report.baseline)
        finish(look)

    path = path or workspace.baseline_path(None)
    if is_judged_by_monitor(workspace, path):
        look = run_monitor(workspace, path, keep=keep, show=finish_look)
        return DriftCheck(result=look, traffic=look.traffic)
    period = period or Period()
    found = compare_with_baseline(workspace, path, period, whole=whole, season=season, by=by, explain=explain)
    traffic = check_traffic(workspace, path, compared=found)
    found = replace(found, traffic=traffic)
    finish(found)
    if found.baseline is not None or found.report.collecting is not None:
        return DriftCheck(result=found, traffic=traffic)
    first = make_first_baseline(workspace, path, period)
    return DriftCheck(result=found, first=first, traffic=replace(traffic, has_baseline=is_there(path)))


def _save(workspace: Workspace, result: BaselineComparison | MonitorLook) -> None:
    from sentimon.prediction_log.history import DRIFT_FILE, append_entry

    append_entry(workspace.folder / DRIFT_FILE, result.entry)


def count_collected(workspace: Workspace, wanted: PendingBaseline) -> BaselineProgress:
    """Return how many rows of the baseline to come are logged."""
    from sentimon.monitoring.baseline_collection import baseline_progress
    from sentimon.prediction_log.windows import Period

    return baseline_progress(wanted, workspace.summary(Period(after=wanted.since)).models)


def newer(workspace: Workspace, period: Period, *seen: datetime | None) -> Period:
    """Return the part of `period` that is later than all of `seen`.

    What is dated in the future hides nothing that comes until then.
    """
    from msgspec.structs import replace

    known = [min(moment, workspace.now) for moment in seen if moment is not None]
    return replace(period, after=max(known, default=None))


def since_hour(period: Period, hour: int) -> Period:
    """Return the part of `period` from an hour on, counted since 1970."""
    from msgspec.structs import replace

    from sentimon.timestamps import start_of_hour

    return replace(period, since=start_of_hour(hour))


def within_hours(period: Period, hours: Collection[int]) -> Period:
    """Return the part of `period` from the first to the last of some hours, counted since 1970."""
    from msgspec.structs import replace

    from sentimon.timestamps import start_of_hour

    begin, end = start_of_hour(min(hours)), start_of_hour(max(hours) + 1)
    return replace(period, since=begin, until=end)
