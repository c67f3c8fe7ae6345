"""What to do now: a few steps that follow from the conclusion of a report, each with the command to type."""

from __future__ import annotations

from sentimon.monitoring.drift_decision import Reason
from sentimon.reporting.command_steps import (
    Step,
    after_drift,
    label_and_retrain,
    new_baseline,
)
from sentimon.reporting.plain_text import counted
from sentimon.reporting.report.conclusion import Conclusion
from sentimon.reporting.report.report_value import Report


def next_steps(report: Report) -> list[Step]:
    """Return what to do now, the first thing first; never empty."""
    steps = {
        Conclusion.NO_ROWS: _log_rows,
        Conclusion.DRIFT: _after_drift,
        Conclusion.RETRAIN: _label_and_retrain,
        Conclusion.SILENT: _after_silence,
        Conclusion.FEWER: _after_other_traffic,
        Conclusion.MORE: _after_other_traffic,
        Conclusion.CHANGED: _after_small_change,
        Conclusion.STABLE: _keep_watching,
        Conclusion.NO_VERDICT: _without_verdict,
    }[report.conclusion](report)
    if report.summary.bad_count:
        text = "Find out what wrote the bad lines, which count for nothing:"
        steps.append(Step(text=text, command=report.options.command("logs", "verify")))
    return steps


def _log_rows(report: Report) -> list[Step]:
    text = "Log predictions, or ask for a period that has some:"
    return [Step(text=text, command=report.options.command("log", "--input", "predictions.jsonl"))]


def _after_drift(report: Report) -> list[Step]:
    return after_drift(report.options, risen=report.drift.risen_most, onset=report.onsets.first)


def _new_baseline(report: Report) -> str:
    return new_baseline(report.options, report.onsets.first)


def _label_and_retrain(report: Report) -> list[Step]:
    return label_and_retrain(report.options)


def _after_silence(report: Report) -> list[Step]:
    return [
        Step(
            text="Find out why no rows come: see whether the program that logs them still runs, and:",
            command=report.options.command("doctor"),
        ),
        Step(
            text="See when rows came, day by day:",
            command=report.options.command("metrics", "--every", "1d"),
        ),
    ]


def _after_other_traffic(report: Report) -> list[Step]:
    return [
        Step(
            text="See how many rows came, day by day, and ask who sends them:",
            command=report.options.command("metrics", "--every", "1d"),
        ),
        Step(
            text="If so many are usual from now on, make the rows of a few whole weeks the new baseline:",
            command=report.options.command("baseline", "create", "--force", baseline=True),
        ),
    ]


def _after_small_change(report: Report) -> list[Step]:
    return [
        Step(
            text="Nothing has to be done. To see the change that is below your threshold:",
            command=report.options.command("drift", baseline=True),
        ),
        Step(
            text="If it is here to stay, make the rows since then the new baseline:",
            command=_new_baseline(report),
        ),
    ]


def _keep_watching(report: Report) -> list[Step]:
    if report.watch.checks:
        text = "Nothing has to be done. The next check of the monitor:"
    else:
        text = "Nothing has to be done. To be told when something changes, run this from cron:"
    return [Step(text=text, command=report.options.command("drift", "--monitor", "-q", baseline=True))]


def _without_verdict(report: Report) -> list[Step]:
    drift, options = report.drift, report.options
    again = options.command("drift", baseline=True)
    if drift.collecting is not None:
        rows = drift.collecting.wanted.rows - drift.collecting.found
        return [Step(text=f"Wait for {counted(rows, 'more row')}; then:", command=again)]
    if drift.reason is Reason.NO_BASELINE:
        text = "Make the rows of a time that was as it should be the baseline (--since, --until choose it):"
        return [Step(text=text, command=options.command("baseline", "create", baseline=True))]
    if drift.baseline.total < drift.min_samples or (
        drift.power is not None and drift.power.more_rows is None
    ):
        text = f"Make a baseline of more rows than {drift.baseline.total}; no number of new rows is enough:"
        return [Step(text=text, command=options.command("baseline", "create", "--force", baseline=True))]
    more = _more_rows(report)
    wait = f"Wait for about {counted(more, 'more row')}" if more else "Wait for more rows"
    return [Step(text=f"{wait}; then look again:", command=again)]


def _more_rows(report: Report) -> int:
    """Return how many more rows it takes to say something; 0 where that is not known."""
    drift = report.drift
    if drift.reason is Reason.TOO_FEW_ROWS:
        return max(0, drift.min_samples - drift.current.total)
    return (drift.power.more_rows or 0) if drift.power is not None else 0
