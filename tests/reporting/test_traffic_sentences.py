"""What is said of the traffic of a log."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sentimon.monitoring.freshness import AgeSource, judge_freshness
from sentimon.monitoring.traffic import TrafficVerdict, Unjudged
from sentimon.reporting.prometheus_text import render, traffic_families
from sentimon.reporting.traffic_sentences import explain_return, explain_traffic, length, traffic_object
from tests.support.traffic import HOUR, NOW, traffic_report


def test_a_log_that_is_well_says_how_old_its_newest_row_is_and_how_many_come() -> None:
    assert traffic_report().verdict is TrafficVerdict.STABLE
    assert explain_traffic(traffic_report()) == [
        "The newest row is 5 minutes old; the longest pause in the baseline was 14 hours, and up to 28 hours "
        "would still be usual (monitor.max_age sets that).",
        "Over the last 7 days 1.00 times as many (0.91 to 1.10) as in the baseline on the same days of the "
        "week: no sure change.",
    ]


def test_a_silent_log_says_only_that() -> None:
    silent = traffic_report(0.0, age=7 * 24 * HOUR)
    assert silent.verdict is TrafficVerdict.SILENT
    assert explain_traffic(silent) == [
        "No row has come for 7 days; the longest pause in the baseline was 14 hours, and up to 28 hours "
        "would still be usual (monitor.max_age sets that)."
    ]


@pytest.mark.parametrize(
    ("factor", "verdict", "begin"),
    [
        (0.5, TrafficVerdict.FEWER, "Since 2026-10-12 fewer rows come than in the baseline"),
        (2.0, TrafficVerdict.MORE, "Since 2026-10-12 more rows come than in the baseline"),
    ],
)
def test_a_change_is_told_with_its_begin_and_its_size(
    factor: float, verdict: TrafficVerdict, begin: str
) -> None:
    changed = traffic_report(factor)
    assert changed.verdict is verdict
    (said,) = explain_traffic(changed)
    assert said.startswith(f"{begin} on the same days of the week: {factor:.2f} times as many (")
    assert said.endswith(f"), {30_000 * factor:,.0f} instead of 30,000 over 30 days.")
    assert traffic_object(changed)["since"] == "2026-10-12T00:00:00Z"


def test_what_is_not_known_is_said_with_its_reason() -> None:
    unknown = replace(traffic_report(), volume=None, unjudged=Unjudged.SHORT_BASELINE)
    assert unknown.verdict is TrafficVerdict.NO_VERDICT
    assert explain_traffic(unknown)[1] == (
        "Whether fewer or more rows come than usual is not known: the baseline has fewer than 7 whole days."
    )
    nothing = replace(unknown, freshness=judge_freshness(None, {}, source=AgeSource.LOG))
    assert explain_traffic(nothing) == ["There are no rows yet."]
    assert traffic_object(nothing)["silent"] is None


def test_a_limit_that_was_set_is_told_as_one_and_one_without_history_as_a_guess() -> None:
    known = replace(traffic_report(), freshness=judge_freshness(NOW, {}, source=AgeSource.LOG, setting="12h"))
    assert explain_traffic(known)[0] == (
        "The newest row is less than a minute old; pauses of up to 12 hours are usual, as monitor.max_age "
        "says."
    )
    guessed = replace(traffic_report(), freshness=judge_freshness(NOW, {}, source=AgeSource.LOG))
    assert "pauses of up to 7 days are taken as usual until more is known" in explain_traffic(guessed)[0]


def test_a_return_tells_the_latest_factor() -> None:
    said = explain_return(traffic_report())
    assert said == (
        "The number of rows no longer differs surely from that of the baseline: 1.00 times as many (0.91 to "
        "1.10) over 7 days."
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (59, "less than a minute"),
        (60, "1 minute"),
        (119, "1 minute"),
        (7_199, "119 minutes"),
        (172_800, "2 days"),
    ],
)
def test_a_length_of_time_is_in_the_largest_unit_that_it_holds_twice(seconds: int, said: str) -> None:
    assert length(timedelta(seconds=seconds)) == said


def test_prometheus_gets_the_age_and_its_limit_and_the_factor() -> None:
    text = render(traffic_families(traffic_report(0.5, age=48 * HOUR)), {})
    values = dict(line.split(" ") for line in text.splitlines() if not line.startswith("#"))
    assert values["sentimon_latest_prediction_timestamp_seconds{}"] == f"{(NOW - 48 * HOUR).timestamp():.0f}"
    assert values["sentimon_log_max_age_seconds{}"] == str(28 * 3600)
    assert values["sentimon_log_silent{}"] == values["sentimon_traffic_changed{}"] == "1"
    assert (
        float(values["sentimon_traffic_low_ratio{}"]) < 0.5 < float(values["sentimon_traffic_high_ratio{}"])
    )
    unknown = render(traffic_families(replace(traffic_report(), volume=None)), {})
    assert "traffic" not in unknown
