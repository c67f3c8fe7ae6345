"""Verdicts on drift, retraining and baselines in sentences: what moved, by how much, how sure, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.labels import LABELS, Sentiment
from sentimon.monitoring.baseline import BaselineCheck
from sentimon.monitoring.baseline_collection import BaselineProgress
from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Reason, Verdict
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.prediction_metrics import Metrics
from sentimon.monitoring.retraining_rules import RetrainingTrigger, RuleResult
from sentimon.monitoring.text_changes import LENGTH, TextProperty
from sentimon.reporting.plain_text import (
    change,
    counted,
    estimate,
    limit_text,
    number,
    number_against,
    visible,
)
from sentimon.reporting.share_sentences import moved
from sentimon.statistics.intervals import Difference
from sentimon.timestamps import HOUR_MICROSECONDS, from_microseconds

_SAYS = {
    "links": "texts with a link",
    "emoji": "texts with an emoji",
    "non_latin": "texts mostly of non-Latin letters",
    "empty": "empty texts",
    "truncated": "texts too long for the model",
}


def explain_drift(report: DriftReport, names: Sequence[str]) -> list[str]:
    """Return the verdict as sentences, the most important first; `names` are the class names to show."""
    if report.reason in (Reason.NO_BASELINE, Reason.TOO_FEW_ROWS):
        return [_too_few(report)]
    sentences = [_what_moved(report, names), *explain_onset("The change", report.onset)]
    sentences += [*_which_rows(report), _how_far(report)]
    sentences += [*_what_could_be_seen(report), *_doubt(report)]
    if report.reason is Reason.CHANGED_BELOW_THRESHOLD:
        sentences += _dilution(report)
        sentences.append(
            "The monitor has a lower limit, monitor.delta, for each share: `sentimon drift --monitor` shows "
            "its verdict."
        )
    if report.season is not None and report.season.matched < 1:
        sentences.append(
            f"{1 - report.season.matched:.0%} of the rows come from hours of the week of which the baseline "
            "has too few rows: these are compared with all its hours."
        )
    sentences += explain_texts(report.texts)
    if report.confidence_changed and report.confidence_change is not None:
        sentences.append(_confidence(report, report.confidence_change))
        sentences += explain_onset("That change", report.confidence_onset)
    return sentences + _whose_confidence(report)


def _dilution(report: DriftReport) -> list[str]:
    """Return that rows from before the change are among the compared ones, where they are."""
    if report.onset is None or report.onset.from_the_start or report.onset.rows >= report.current.total:
        return []
    before = counted(report.current.total - report.onset.rows, "row")
    return [f"Of the compared rows, {before} are from before the change, and hide a part of it."]


def explain_onset(what: str, onset: Onset | None) -> list[str]:
    """Return when `what` began, as a sentence; none where that is not known."""
    if onset is None or onset.began is None or onset.earliest is None or onset.latest is None:
        return []
    if onset.from_the_start:
        by = f"{what} began by {onset.latest:%Y-%m-%d %H:%M} UTC, perhaps"
        if onset.looked_back:
            return [f"{by} with the first of these rows."]
        return [f"{by} before {onset.earliest:%Y-%m-%d %H:%M}: only the texts since then were looked at."]
    return [
        f"{what} began about {onset.began:%Y-%m-%d %H:%M} UTC, between {onset.earliest:%Y-%m-%d %H:%M} and "
        f"{onset.latest:%Y-%m-%d %H:%M}."
    ]


def _doubt(report: DriftReport) -> list[str]:
    """Return on which side of the limit the true change may lie, too."""
    low, high = report.score.low, report.score.high
    if report.drifted and low is not None and low <= report.threshold:
        return [
            f"That the mix changed is sure; how far is not: it may have moved by {number(low)}, which is "
            "within the limit."
        ]
    if report.verdict is Verdict.STABLE and high is not None and high > report.threshold:
        return [f"It may have moved by up to {number(high)}, above the limit: more rows would tell."]
    return []


def explain_lacking(metrics: Metrics) -> list[str]:
    """Return how many rows have a confidence, all scores, and a text that the model can read, as sentences.

    None if all have.
    """
    total, sure, full = metrics.total, metrics.confidence.n, metrics.with_scores
    said = []
    if sure < total:
        means = "nothing is known of it" if not sure else "means are over these"
        said.append(f"{_part(sure, total)} a confidence: {means}.")
    if full < total:
        said.append(f"{_part(full, total)} the scores of all classes.")
    if metrics.unreadable.value:
        said.append(
            f"Share of unreadable rows, mostly in letters that the model does not know: "
            f"{estimate(metrics.unreadable)}. Their scores say nothing; another model may read them."
        )
    return said


def _part(some: int, rows: int) -> str:
    if not some:
        return f"None of {rows} rows has"
    return f"{some} of {rows} rows {'has' if some == 1 else 'have'}"


def explain_check(check: BaselineCheck) -> list[str]:
    """Return whether a baseline is stable on its own data, as sentences."""
    if not check.windows:
        return [
            f"No verdict: none of its {check.skipped} windows has enough rows to be judged against the rest.",
            "Longer windows have more: --every 1d, --every 1w.",
        ]
    if check.quiet:
        skipped = f"; {check.skipped} with too few rows to be judged" if check.skipped else ""
        return [f"Quiet: none of {len(check.windows)} windows departs from the rest{skipped}."]
    return ["Not quiet: the marked windows differ from the rest by more than the limit and more than chance."]


def explain_trigger(trigger: RetrainingTrigger, names: Sequence[str] = LABELS) -> list[str]:
    """Return the decision as sentences, the most important first; `names` are the class names to show."""
    if trigger.collecting is not None:
        return [explain_collecting(trigger.collecting)]
    causes = [_cause(rule, trigger, names) for rule in trigger.causes]
    if trigger.triggered:
        began = explain_onset("The drift", trigger.onset)
        return [f"Retraining is recommended: {' and '.join(causes)}.", *began, *_whose_rule(trigger)]
    if trigger.due and trigger.cooldown_until is not None:
        return [
            f"Retraining stays recommended ({' and '.join(causes)}), but a trigger has fired already; "
            f"the next one can fire after {trigger.cooldown_until:%Y-%m-%d %H:%M} UTC."
        ]
    if trigger.due:
        return [f"Retraining stays recommended ({' and '.join(causes)}); a trigger has fired on it."]
    if not trigger.samples.met:
        needed = limit_text(trigger.samples.limit)
        new = counted(trigger.samples.n, "new prediction")
        if trigger.cooldown_until is not None:
            return [f"The trigger that fired stands: {new} since then, at least {needed} decide anew."]
        return [f"No verdict: {new}, at least {needed} are needed."]
    if not trigger.decided:
        open_rules = [rule.name for rule in trigger.unjudged]
        return [f"No verdict: {' and '.join(open_rules)} cannot be judged.", *_whose_rule(trigger)]
    holds = "the mean confidence holds and " if trigger.confidence.applies else ""
    return [f"No retraining needed: {holds}the class mix has not drifted.", *_whose_rule(trigger)]


def _whose_rule(trigger: RetrainingTrigger) -> list[str]:
    """Return whose confidence is judged, or why none is, where some rows have none."""
    sure, rows = trigger.confidence.n, trigger.samples.n
    if sure == rows or trigger.confidence.newest:
        return []
    if trigger.confidence.applies:
        return [f"The mean confidence is that of {sure} of {rows} rows: the others have none."]
    least = f", at least {limit_text(trigger.samples.limit)} are needed" if sure else ""
    return [f"The rule of the mean confidence does not apply: {_part(sure, rows).lower()} one{least}."]


def recommended_action(trigger: RetrainingTrigger) -> str:
    """Return `retrain`, `wait` (cooldown), `collect more predictions`, or `continue monitoring`."""
    if trigger.triggered:
        return "retrain"
    if trigger.due:
        return "wait"
    return "continue monitoring" if trigger.decided else "collect more predictions"


def _too_few(report: DriftReport) -> str:
    if report.collecting is not None:
        return explain_collecting(report.collecting)
    if report.baseline_name is None:
        return "No verdict: there is no baseline to compare with."
    if report.current.total < report.min_samples:
        return (
            f"No verdict: {report.current.total} rows to compare with baseline {report.baseline_name!r}, "
            f"at least {report.min_samples} are needed."
        )
    return (
        f"No verdict: baseline {report.baseline_name!r} has {report.baseline.total} rows, "
        f"at least {report.min_samples} are needed."
    )


def tell_change(report: DriftReport, names: Sequence[str]) -> str:
    """Return which shares differ from the baseline, from where to where, without a verdict; "" without rows.

    Where something changed these are the two that moved most, else the one that differs most.
    """
    if report.share_changes is None:
        return ""
    if report.reason in (Reason.UNCHANGED, Reason.TOO_FEW_TO_TELL, Reason.TOO_FEW_ROWS):
        place = report.moved_most or Sentiment.NEGATIVE
        before, now = report.baseline.shares[place].value, report.current.shares[place].value
        return (
            f"the share that differs most is that of {names[place]}, {number(before)} in the baseline and "
            f"{number(now)} now"
        )
    return _both_moved(report, names, interval=False)


def _what_moved(report: DriftReport, names: Sequence[str]) -> str:
    """Return the verdict, and which share moved from where to where."""
    against = f"baseline {report.baseline_name!r}"
    rows, limit = counted(report.current.total, "row"), f"{report.threshold:g}"
    if report.reason is Reason.UNCHANGED:
        return (
            f"Stable: the class mix is close to {against}; the largest change is {_largest(report, names)}."
        )
    if report.reason is Reason.TOO_FEW_TO_TELL:
        return (
            f"No verdict: {rows} show no change against {against}, but they could hide one as large as your "
            f"threshold {limit}; the largest change is {_largest(report, names)}."
        )
    moved = _both_moved(report, names)
    if report.reason is Reason.CHANGED:
        return f"Drift: {moved}."
    if report.reason is Reason.MAY_BE_CHANCE:
        return f"No verdict: {moved}, but {rows} may differ so much by chance."
    return f"Stable, changed below your threshold {limit}: {moved}."


def _largest(report: DriftReport, names: Sequence[str]) -> str:
    place = report.moved_most or Sentiment.NEGATIVE
    return f"{names[place]}, {_from_to(report, place)}"


def _both_moved(report: DriftReport, names: Sequence[str], *, interval: bool = True) -> str:
    """Return what happened to the two shares that moved most; of the first with the `interval`."""
    changes, place = report.share_changes, report.moved_most
    if changes is None or place is None:
        return ""
    other = max((one for one in Sentiment if one != place), key=lambda one: abs(changes[one].value))
    how_sure = f" ({change(changes[place])})" if interval else ""
    return (
        f"the share of {names[place]} {_verb(changes[place])} from {_from_to(report, place)}{how_sure}, "
        f"that of {names[other]} {_verb(changes[other])} from {_from_to(report, other)}"
    )


def _verb(moved: Difference) -> str:
    return "rose" if moved.value > 0 else "fell"


def _from_to(report: DriftReport, place: Sentiment) -> str:
    return f"{number(report.baseline.shares[place].value)} to {number(report.current.shares[place].value)}"


def _which_rows(report: DriftReport) -> list[str]:
    """Return which of the rows after the baseline were judged, where not all were."""
    since = report.window.since
    if since is None:
        return []
    hour = from_microseconds(since * HOUR_MICROSECONDS)
    return [
        f"Compared are the newest {report.current.total} of {report.after_baseline} rows, since "
        f"{hour:%Y-%m-%d %H:%M} UTC: of {report.window.searched} lengths of time, these differ most from the "
        "baseline, and the intervals allow for that choice."
    ]


def _what_could_be_seen(report: DriftReport) -> list[str]:
    """Return what so few rows can show, or how many it takes, where that matters to the verdict."""
    power = report.power
    if power is None or report.verdict is Verdict.DRIFT or report.reason is Reason.CHANGED_BELOW_THRESHOLD:
        return []
    if report.reason is Reason.UNCHANGED:
        return [f"A mix that had moved by {number(power.smallest)} or more would have been found."]
    if power.more_rows is None:
        return [
            f"No number of new rows is enough, as the baseline has only {report.baseline.total} rows: make "
            "one of more with `sentimon baseline create --force`."
        ]
    about = counted(power.more_rows, "more row")
    return [f"About {about} would show a change of {report.threshold:g}."] if power.more_rows else []


def _how_far(report: DriftReport) -> str:
    return (
        f"The mix moved by {estimate(report.score)} on a scale from 0 (the same) to 1 (all negative "
        f"against all positive); the limit is {report.threshold:g}."
    )


def _confidence(report: DriftReport, moved: Difference) -> str:
    before, now = report.baseline.confidence.value, report.current.confidence.value
    return f"The mean confidence {_verb(moved)} from {number(before)} to {number(now)}."


def _whose_confidence(report: DriftReport) -> list[str]:
    before, now = report.baseline, report.current
    compared = "is not compared" if report.confidence_change is None else "is that of the rows that have one"
    return explain_sides(compared, (before.confidence.n, before.total), (now.confidence.n, now.total))


def explain_sides(treated: str, before: tuple[int, int], now: tuple[int, int]) -> list[str]:
    """Return how the confidence is `treated`, where some rows have none, in a sentence; else nothing.

    Both sides are (rows with a confidence, rows).
    """
    if before[0] == before[1] and now[0] == now[1]:
        return []
    sides = f"in the baseline {_part(*before).lower()} one, now {_part(*now).lower()} one"
    return [f"The confidence {treated}: {sides}."]


def _cause(rule: RuleResult, trigger: RetrainingTrigger, names: Sequence[str]) -> str:
    if rule is trigger.drift and trigger.moved_most is not None:
        return f"{moved(trigger.moved_most, names)}, {rule.side} {limit_text(rule.limit, rule.value)}"
    whose = f" of the newest {counted(rule.n, 'row')}" if rule.newest else ""
    return (
        f"the {visible(rule.name)}{whose} is {number_against(rule.value, rule.limit)}, {rule.side} its limit "
        f"{limit_text(rule.limit, rule.value)}"
    )


def explain_texts(properties: Sequence[TextProperty]) -> list[str]:
    """Return a sentence for each property that moved by more than chance."""
    return [_sentence(one) for one in properties if one.moved]


def _sentence(one: TextProperty) -> str:
    before, now = one.before.value or 0.0, one.now.value or 0.0
    verb = "rose" if now > before else "fell"
    if one.name == LENGTH:
        return f"The mean length of a text {verb} from {before:.1f} to {now:.1f} characters."
    return f"The share of {_SAYS[one.name]} {verb} from {before:.3f} to {now:.3f}."


def explain_collecting(collecting: BaselineProgress) -> str:
    """Return why there is no baseline yet and how many rows it needs."""
    wanted, since = collecting.wanted, f"{collecting.wanted.since:%Y-%m-%d %H:%M} UTC"
    end = "its baseline is taken up again" if wanted.again else "they are its baseline"
    sentence = (
        f"No verdict yet: {collecting.found} of {wanted.rows} rows of {wanted.name}, which serves since "
        f"{since}; then {end}."
    )
    if collecting.others:
        sentence += f" {collecting.others} rows since are of another model, or name none, and do not count."
    return sentence


def name_collecting(collecting: BaselineProgress) -> str:
    """Return the progress of a baseline that is being collected, in one line."""
    wanted = collecting.wanted
    return (
        f"No baseline yet: {collecting.found} of {wanted.rows} rows of {wanted.name} "
        f"since {wanted.since:%Y-%m-%d %H:%M} UTC"
    )
