"""What a monitor says, look by look."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sentimon.labels import LABELS
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_report import MonitorReport
from sentimon.monitoring.vocabulary import Growth
from sentimon.reporting.monitor_findings import explain_monitor, monitor_object
from tests.support.monitor_looks import Looks
from tests.support.monitors import NOW
from tests.support.rows import record


def said(report: MonitorReport) -> list[str]:
    return explain_monitor(report, LABELS)


def test_each_state_of_an_incident_has_its_sentence() -> None:
    looks = Looks()
    assert said(looks.look())[0] == (
        "No verdict: 12 new rows, at least 50 are needed; they wait for the next check."
    )
    few = looks.look(40, 60, 100)
    assert few.needed is not None
    assert said(few)[0] == (
        "No verdict: no share has moved by more than chance (check 1), but so few rows could hide a change "
        f"as large as your threshold 0.15. About {few.needed - 200} more rows would show it."
    )
    assert few.verdict == "no verdict"
    assert said(few)[2].startswith("To be seen in the newest 200 rows, a class share has to move by 0.1")
    two = said(looks.look(40, 60, 100))
    assert two[0] == "Stable: no share has moved by 0.05 and more than chance (check 2)."
    assert "; in the 400 rows that the monitor looked back on, by 0.1" in two[2]
    opened = said(looks.look(100, 60, 40))
    assert opened[0].startswith("Drift: the share of negative rose from 0.200 to ")
    going_on = said(looks.look(100, 60, 40))
    assert going_on[0].startswith(
        "Still drifting, found on 2026-12-01 04:00 UTC at check 3: the share of negative "
    )
    assert not any("To be seen" in sentence for sentence in going_on)
    waiting = looks.look()
    assert waiting.verdict == "drift"
    assert said(waiting)[0].startswith("Still drifting")
    closed = next(report for report in (looks.look(200, 300, 500) for _ in range(9)) if report.closed)
    assert said(closed)[0].startswith("Recovered: the drift found on 2026-12-01 04:00 UTC is over, after ")
    assert closed.verdict == "stable"


def test_a_warning_bursts_and_a_small_baseline_are_said() -> None:
    looks = Looks()
    report = looks.look(40, 60, 100)
    bursts = replace(report.reference, design_effect=3.456, correlation=0.05, rows=1999)
    sentences = explain_monitor(
        MonitorReport(**{name: getattr(report, name) for name in report.__slots__} | {"reference": bursts}),
        LABELS,
    )
    assert any("waver 3.46 times as much" in one for one in sentences)
    assert any("The baseline has 1999 rows: with 5000 or more" in one for one in sentences)


def test_the_object_has_every_number_and_nothing_that_is_no_number() -> None:
    looks = Looks()
    looks.look(40, 60, 100)
    report = looks.look(100, 60, 40)
    content = monitor_object(
        report,
        timestamp=datetime(2026, 12, 1, tzinfo=UTC),
        words=[Growth(word="new", before=0.0, after=0.5)],
        examples=[record(0, 1)],
    )
    assert (content["rule"], content["verdict"], content["opened"]) == ("monitor", "drift", True)
    assert content["current_distribution"]["negative"] == content["shares"]["negative"]["value"]
    (finding, *_) = content["alarms"]
    assert finding["event"] == "negative"
    assert finding["before"]["value"] == 0.2
    assert finding["difference"]["low"] < finding["difference"]["value"] < finding["difference"]["high"]
    assert finding["p_value"] <= finding["p_limit"] < 1e-4
    assert content["incident"]["findings"] == content["alarms"]
    assert content["grown_words"] == [{"word": "new", "before": 0.0, "after": 0.5}]
    assert content["examples"][0]["sentiment"] == "negative"
    none = monitor_object(looks.look(), timestamp=NOW)
    assert (none["check"], none["score"]["value"], none["detectable_shift"]["this_check"]) == (
        None,
        None,
        None,
    )


def test_an_hour_is_held_against_its_time_of_day() -> None:
    looks = Looks()
    reference = Reference.of(looks.baseline)
    wave = replace(reference.waves[0], cosine=0.1)
    daily = replace(reference, waves=(wave, *reference.waves[1:]))
    midnight, noon = [20, *[0] * 23], [0] * 12 + [20] + [0] * 11
    assert daily.expected(0, 0, midnight) == pytest.approx((600 + 300, 3000))
    assert daily.expected(0, 0, noon)[0] == pytest.approx(600 - 300)
    assert daily.expected(0, 0, [20, *[0] * 11, 20, *[0] * 11])[0] == pytest.approx(600)
    assert daily.expected(0, 1, midnight) == (900, 3000)
    assert daily.expected(1, 0, midnight)[0] == reference.groups[1].reference.counts[0]
    assert reference.expected(0, 0, midnight) == (600, 3000)
