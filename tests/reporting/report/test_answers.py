"""The headline of a report and the answers below it: one story, whatever the look, the monitor and the
rules say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import msgspec
import pytest

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import DriftReport, detect_drift
from sentimon.monitoring.drift_decision import VERDICTS, Reason, Verdict
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.retraining_rules import LastTrigger, evaluate_retraining, score_rule
from sentimon.monitoring.traffic import TrafficVerdict
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.report.answers import answers, without_verdict
from sentimon.reporting.report.blocks import Paragraph, Status, Tone
from sentimon.reporting.report.conclusion import Conclusion, Evidence, conclude
from sentimon.reporting.report.headline import facts, headline
from sentimon.reporting.report.next_steps import next_steps
from sentimon.reporting.report.rendering import to_html, to_markdown
from sentimon.reporting.report.report_value import Report, Watch
from sentimon.reporting.report.story import tell
from sentimon.timestamps import hour_of
from tests.support.reports import INCIDENT, NOW, report
from tests.support.rows import summary
from tests.support.traffic import traffic_report

USUAL = Baseline(name="usual", created=NOW, source="logs", summary=summary(200, 300, 500))
ROWS = {
    Reason.NO_BASELINE: summary(20, 30, 50),
    Reason.TOO_FEW_ROWS: summary(2, 3, 5),
    Reason.CHANGED: summary(600, 300, 100),
    Reason.MAY_BE_CHANCE: summary(14, 17, 20),
    Reason.CHANGED_BELOW_THRESHOLD: summary(200, 400, 400),
    Reason.UNCHANGED: summary(200, 300, 500),
    Reason.TOO_FEW_TO_TELL: summary(11, 16, 25),
}
QUIET, FOUND = Watch(checks=5, incident=None), Watch(checks=5, incident=INCIDENT)
WATCHES = {"not used": Watch(checks=0, incident=None), "quiet": QUIET, "incident": FOUND}
FIRED = LastTrigger(timestamp=NOW - timedelta(hours=3), rows_until=NOW - timedelta(hours=4))
TRIGGERS = ("by the look", "by the monitor", "low confidence", "fired", "fired and unmet", "undecided")


def look(reason: Reason) -> DriftReport:
    known = None if reason is Reason.NO_BASELINE else USUAL
    threshold = {Reason.TOO_FEW_TO_TELL: 0.05, Reason.MAY_BE_CHANCE: 0.05}.get(reason, 0.15)
    found = detect_drift(known, ROWS[reason], DriftSettings(threshold=threshold))
    assert found.reason is reason
    return found


def judged(reason: Reason, watch: str, trigger: str) -> Report:
    """A report of that look, that monitor and those rules."""
    drift = look(reason)
    rows = Summary() if trigger == "fired" else ROWS[reason]
    rule = score_rule(drift)
    if trigger in ("by the monitor", "fired"):
        rule = replace(rule, met=watch == "incident")
    if trigger == "undecided":
        rule = replace(rule, met=None)
    if trigger == "fired and unmet":
        rule = replace(rule, met=False)
    low = RetrainingSettings(confidence_threshold=0.999 if trigger == "low confidence" else 0.1)
    last = FIRED if trigger.startswith("fired") else None
    decided = evaluate_retraining(rows, rule, low, last=last, now=NOW, confidence_level=0.95)
    return replace(report(), drift=drift, watch=WATCHES[watch], trigger=decided, last_trigger=last)


EVERY = list(product(Reason, WATCHES, TRIGGERS))
USUAL_TRAFFIC, FEWER_ROWS = traffic_report(), traffic_report(0.5)
TRAFFIC_OF = {
    "as usual": USUAL_TRAFFIC,
    "fewer": FEWER_ROWS,
    "more": traffic_report(2.0),
    "silent": traffic_report(age=timedelta(days=9)),
}


@pytest.mark.parametrize(("reason", "watch", "trigger"), EVERY)
def test_no_answer_contradicts_the_headline(reason: Reason, watch: str, trigger: str) -> None:
    made = judged(reason, watch, trigger)
    check_agreement(made, reason, watch)
    for traffic in TRAFFIC_OF.values():
        check_agreement(replace(made, traffic=traffic), reason, watch)


def check_agreement(made: Report, reason: Reason, watch: str) -> None:
    """No answer, sentence or colour of the report says other than its headline."""
    conclusion, top = made.conclusion, headline(made)
    tiles = {one.about: one for one in answers(made)}
    change = [tiles["Class mix"], tiles["Monitor"], tiles["Retraining"]]
    traffic = [tiles["Traffic"]] if made.traffic is not None else []
    found = [one for one in (*change, *traffic) if one.tone is Tone.FINDING]
    green = [one for one in change if one.tone is Tone.WELL]
    assert top.tone is conclusion.tone
    if top.tone is Tone.FINDING:
        assert found
    else:
        assert not found
    if top.tone is not Tone.WELL:
        assert not green
    words = [one.word for one in change]
    assert ("Stable" in words) <= (conclusion is Conclusion.STABLE)
    assert ("Drift" in words) <= (conclusion is Conclusion.DRIFT)
    if watch == "incident" or reason is Reason.CHANGED:
        assert top.word == "Drift"
    if conclusion is Conclusion.DRIFT:
        said = [
            one.text
            for section in tell(made).sections
            for one in section.blocks
            if isinstance(one, Paragraph)
        ]
        for text in [top.detail, *(one.detail for one in change), *said]:
            assert not text.startswith(("Stable", "No verdict", "No retraining"))
            assert "has not drifted" not in text
    assert conclusion.is_finding is (top.tone is Tone.FINDING)
    for one in traffic:
        assert (one.tone is Tone.FINDING) <= conclusion.is_finding
    if not conclusion.is_finding:
        assert conclusion.is_decided is (VERDICTS[reason].verdict is not Verdict.NO_VERDICT)


@pytest.mark.parametrize(("reason", "watch", "trigger"), EVERY)
def test_there_is_always_something_to_do_with_a_command(reason: Reason, watch: str, trigger: str) -> None:
    made = judged(reason, watch, trigger)
    steps = next_steps(made)
    assert steps
    assert all(one.startswith("sentimon ") for step in steps for one in step.commands)
    content = to_markdown(tell(made))
    for step in steps:
        assert all(f"    {one}\n" in content for one in step.commands)


def test_what_the_monitor_alone_found_is_no_green_tile_of_the_look() -> None:
    made = judged(Reason.CHANGED_BELOW_THRESHOLD, "incident", "by the monitor")
    top, mix, monitor = headline(made), *answers(made)[:2]
    assert (top.word, top.tone) == ("Drift", Tone.FINDING)
    assert (mix.word, mix.tone) == ("Changed, below your threshold", Tone.PLAIN)
    assert "It asks that any share moves by 0.05" in monitor.detail
    assert "a single look asks for a score above 0.15" in monitor.detail
    assert "the share of negative rose from 0.200 to 0.600" in top.detail


@pytest.mark.parametrize(
    ("traffic", "word"), [("silent", "No new rows"), ("fewer", "Fewer rows"), ("more", "More rows")]
)
def test_traffic_that_is_not_what_it_was_is_the_headline_of_a_log_that_is_else_stable(
    traffic: str, word: str
) -> None:
    made = replace(judged(Reason.UNCHANGED, "quiet", "by the look"), traffic=TRAFFIC_OF[traffic])
    top, tile = headline(made), answers(made)[3]
    assert (top.word, tile.word, tile.tone) == (word, word, Tone.FINDING)
    assert top.detail == tile.detail
    drifting = replace(judged(Reason.CHANGED, "quiet", "by the look"), traffic=TRAFFIC_OF[traffic])
    assert (headline(drifting).word, answers(drifting)[3].word) == ("Drift", word)
    assert headline(replace(made, traffic=USUAL_TRAFFIC)).word == "Stable"


def test_a_trigger_that_fired_is_told_with_its_time_and_its_cooldown_and_drift_stays_drift() -> None:
    made = judged(Reason.CHANGED, "not used", "fired")
    retraining = answers(made)[2]
    assert headline(made).word == "Drift"
    assert (retraining.word, retraining.tone) == ("Trigger fired", Tone.FINDING)
    assert retraining.detail == (
        "A trigger fired on 2026-09-09 05:00 UTC; no other fires before 2026-09-10 05:00 "
        "(retraining.cooldown). Since then there are 0 new predictions; at least 50 are needed to decide "
        "anew."
    )
    stands = judged(Reason.UNCHANGED, "quiet", "fired")
    assert headline(stands).word == "Retraining recommended"


def test_no_rule_for_retraining_under_drift_is_told_by_rule_and_rows() -> None:
    made = judged(Reason.CHANGED, "quiet", "fired and unmet")
    tile = answers(made)[2]
    assert (tile.word, tile.tone) == ("No rule is met", Tone.PLAIN)
    assert tile.detail.startswith("No rule is met by the 1000 rows after the last trigger: mean confidence")


def onset(**given: object) -> Onset:
    hour = hour_of(NOW)
    made = Onset(
        hour=hour - 20,
        first_hour=hour - 30,
        last_hour=hour - 11,
        rows=321,
        confidence_level=0.95,
        from_the_start=False,
    )
    return replace(made, **given)  # type: ignore[arg-type]


def test_since_when_is_the_onset_and_not_the_time_of_the_check() -> None:
    made = replace(
        judged(Reason.CHANGED, "incident", "by the look"), drift=replace(look(Reason.CHANGED), onset=onset())
    )
    told = {one.name: one.text for one in facts(made)}
    assert told["Began"] == (
        "About 2026-09-08 12:00 UTC, between 2026-09-08 02:00 and 2026-09-08 22:00; 321 rows since."
    )
    assert told["Found by"].startswith("The monitor (on 2026-09-07 13:00 UTC, check 4)")
    early = replace(made, drift=replace(made.drift, onset=onset(from_the_start=True)))
    assert facts(early)[0].text == (
        "With the first rows after the baseline, or by 2026-09-08 22:00 UTC; 321 rows since."
    )
    assert (
        facts(replace(made, drift=look(Reason.CHANGED)))[0].text
        == "The rows do not tell when: no hour stands out."
    )


def test_an_onset_is_that_of_the_look_else_of_the_monitor_else_of_the_rule() -> None:
    look_says, monitor_says, rule_says = (onset(rows=rows) for rows in (1, 2, 3))
    made = judged(Reason.UNCHANGED, "incident", "by the monitor")
    seen = msgspec.structs.replace(INCIDENT, onset=monitor_says)
    made = replace(made, watch=Watch(checks=5, incident=seen), trigger=replace(made.trigger, onset=rule_says))
    assert made.onsets.mix == monitor_says
    assert replace(made, drift=replace(made.drift, onset=look_says)).onsets.mix == look_says
    assert replace(made, watch=QUIET).onsets.mix == rule_says
    words = msgspec.structs.replace(INCIDENT.findings[0], group="words", event="at most 0% new words")
    of_words = msgspec.structs.replace(seen, findings=(words,))
    told = replace(made, watch=Watch(checks=5, incident=of_words)).onsets
    assert (told.mix, told.texts, told.first) == (None, monitor_says, monitor_says)


def test_the_commands_name_the_log_the_configuration_and_the_baseline_of_the_report() -> None:
    options = CommandOptions(logs="my logs", config="shop.toml", baseline="b.json")
    made = replace(
        judged(Reason.CHANGED, "quiet", "by the look"),
        options=options,
        drift=replace(look(Reason.CHANGED), onset=onset()),
    )
    said = [one for step in next_steps(made) for one in step.commands]
    assert said[-1] == (
        "sentimon baseline create --force --since 2026-09-08T12:00:00Z --logs 'my logs' --baseline b.json "
        "--config shop.toml"
    )
    assert "sentimon retrain --output models/new --labels-from 'my logs' --config shop.toml" in said
    assert said[0].startswith("sentimon logs query --newest --limit 20 --sentiment negative")


def test_a_conclusion_is_the_strongest_finding() -> None:
    nothing = Evidence(
        rows=9, reason=Reason.UNCHANGED, incident=False, drift_rule_met=False, retraining=False
    )
    assert conclude(nothing) is Conclusion.STABLE
    empty = msgspec.structs.replace(nothing, rows=0, incident=True)
    assert conclude(empty) is Conclusion.NO_ROWS
    assert conclude(msgspec.structs.replace(empty, traffic=TrafficVerdict.SILENT)) is Conclusion.SILENT
    for name in ("incident", "drift_rule_met"):
        assert conclude(msgspec.structs.replace(nothing, retraining=True, **{name: True})) is Conclusion.DRIFT
    assert conclude(msgspec.structs.replace(nothing, retraining=True)) is Conclusion.RETRAIN
    assert conclude(msgspec.structs.replace(nothing, reason=Reason.MAY_BE_CHANCE)) is Conclusion.NO_VERDICT


def test_a_verdict_is_taken_off_a_sentence_and_a_name_with_a_colon_is_not() -> None:
    assert without_verdict(["a: b"]) == ["a: b"]
    assert without_verdict(["Stable: the mix is close."]) == ["The mix is close."]


def test_a_tile_leads_to_the_section_that_says_more() -> None:
    page = to_html(tell(judged(Reason.CHANGED, "incident", "by the look")))
    links = [one.link for one in answers(report()) if isinstance(one, Status)]
    for link in links:
        assert f'<a href="#{link}">' in page
        assert f'<section id="{link}"' in page
