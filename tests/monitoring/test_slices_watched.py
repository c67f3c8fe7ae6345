"""The monitor with slices, check by check: what opens, names and closes an incident, and what is told."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from msgspec.structs import replace

from sentimon.config.settings import Settings
from sentimon.labels import Sentiment
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.finding import ValueChange
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.monitor_check import MonitorCheck, advance
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_report import monitor_report
from sentimon.monitoring.monitor_state import MonitorState, decode_monitors, encode_monitors, fits
from sentimon.monitoring.slice_history import field_history
from sentimon.monitoring.slice_rows import (
    MOST_UNKNOWN,
    SegmentRows,
    new_slices,
    segment_reference,
    segment_rows,
)
from sentimon.monitoring.slice_shifts import WHOLE_PART, SegmentState, SliceState
from sentimon.monitoring.watched_events import Counted, EventWindow
from sentimon.prediction_log.slices import MOST_VALUES, OTHER, GrowingSlices, Slices, SliceTally
from sentimon.reporting.monitor_findings import explain_monitor, monitor_object
from sentimon.timestamps import EPOCH
from tests.support.monitors import by_hour

NAMES = ("negative", "neutral", "positive")
USUAL = {"app": (0.3, 0.5), "mail": (0.6, 0.2), "web": (0.1, 0.2)}
"""For each channel (its share of the traffic, its share of negatives)."""


Mixes = dict[str, tuple[float, float]]


def hour_of_rows(count: int, seed: int, mixes: Mixes = USUAL) -> Slices:
    """So many rows of one hour."""
    chance, found = random.Random(seed), GrowingSlices()
    for channel in chance.choices(list(mixes), [share for share, _ in mixes.values()], k=count):
        place = 0 if chance.random() < mixes[channel][1] else chance.choice([1, 2])
        found.add(channel, Sentiment(place), None)
    return found.slices()


def usual_hours(rows: int = 5000, hours: int = 400) -> dict[int, Slices]:
    return {hour: hour_of_rows(rows // hours, hour) for hour in range(hours)}


def baseline_of(hours: dict[int, Slices], most: int = 50) -> Baseline:
    return Baseline(
        name="b",
        created=EPOCH + timedelta(hours=1000),
        source="logs",
        summary=by_hour({hour: one.total.counts for hour, one in hours.items()}),
        fields={"channel": field_history(hours, most=most)},
    )


@cache
def usual_baseline() -> Baseline:
    return baseline_of(usual_hours())


@dataclass
class Watching:
    """A monitor of a log that looks after each piece of it."""

    baseline: Baseline = field(default_factory=usual_baseline)
    settings: Settings = field(default_factory=Settings)
    state: MonitorState = field(default_factory=MonitorState)
    log: dict[int, Slices] = field(default_factory=dict)
    hour: int = 1000

    def check(self, count: int, mixes: Mixes = USUAL) -> MonitorCheck:
        self.hour += 1
        self.log[self.hour] = hour_of_rows(count, self.hour, mixes)
        return self.look()

    def look(self) -> MonitorCheck:
        whole = Reference.of(self.baseline)
        recent = {hour: one for hour, one in self.log.items() if hour > self.hour - 48}
        self.state, found = advance(
            self.state,
            windows_of(recent, whole),
            whole,
            self.settings.monitor,
            now=EPOCH + timedelta(hours=self.hour + 1),
            confidence_level=0.95,
            slices=segment_rows(self.baseline, segment_reference(self.baseline, whole), {"channel": recent}),
        )
        # As it is kept between two checks.
        self.state = decode_monitors(encode_monitors({"b": self.state}), origin="m")["b"]
        assert fits(self.state, whole)
        return found


def windows_of(log: dict[int, Slices], whole: Reference) -> dict[int, EventWindow]:
    return {hour: whole.window(by_hour({hour: one.total.counts})) for hour, one in log.items()}


def moved_mail(share: float) -> dict[str, tuple[float, float]]:
    return USUAL | {"web": (0.1, share)}


def test_a_slice_that_moved_opens_an_incident_that_names_it() -> None:
    watching = Watching()
    for _ in range(3):
        assert not watching.check(200).alarms
    checks = [watching.check(200, moved_mail(0.75)) for _ in range(8)]
    opened = next(one for one in checks if one.opened)
    incident = opened.incident
    assert isinstance(incident, Incident)
    assert {one.where for one in incident.findings} == {("channel", "web")}
    assert {one.event for one in incident.findings} >= {"negative"}
    report = monitor_report(
        watching.baseline, Reference.of(watching.baseline), opened, watching.settings, new=200,
        before=MonitorState(),
    )  # fmt: skip
    assert "in channel=web the share of negative rose from 0.2" in explain_monitor(report, NAMES)[0]
    found = monitor_object(report, timestamp=datetime(2026, 12, 1, tzinfo=UTC))
    assert found["incident"]["findings"][0]["where"] == {"channel": "web"}
    assert found["verdict"] == "drift"
    assert report.moved_slice == ("channel", "web")
    assert report.risen_most is Sentiment.NEGATIVE


def test_an_incident_of_a_slice_closes_when_the_slice_is_back() -> None:
    watching = Watching()
    for _ in range(8):
        watching.check(200, moved_mail(0.75))
    assert watching.state.incident is not None
    checks = [watching.check(2000) for _ in range(12)]
    assert any(one.closed for one in checks)
    assert watching.state.incident is None


def test_no_row_is_judged_twice() -> None:
    watching = Watching()
    watching.check(200)
    state = watching.state
    counted = state.segments.slices["channel"]
    # The hours lie within reach of the next check, which finds just the new rows.
    watching.check(60)
    now = watching.state.segments.slices["channel"]
    grown = sum(
        sum(window.rows for window in one.windows) + (one.waiting.rows if one.waiting else 0)
        for one in now.values()
    )
    before = sum(
        sum(window.rows for window in one.windows) + (one.waiting.rows if one.waiting else 0)
        for one in counted.values()
    )
    assert grown - before == 60


def test_a_new_value_is_told_once() -> None:
    watching = Watching()
    checks = [watching.check(200, USUAL | {"chat": (0.1, 0.3)}) for _ in range(8)]
    told = [one for check in checks for one in check.values]
    assert [(one.value, one.change) for one in told] == [("chat", ValueChange.NEW)]
    assert not any(check.opened for check in checks)
    report = monitor_report(
        watching.baseline,
        Reference.of(watching.baseline),
        next(one for one in checks if one.values),
        watching.settings,
        new=200,
        before=MonitorState(),
    )
    assert any(
        line.startswith("New: channel=chat is not in the baseline") for line in explain_monitor(report, NAMES)
    )


def test_a_vanished_value_is_told_once_and_again_when_it_came_back_between() -> None:
    watching = Watching()
    gone = {"app": (0.4, 0.5), "mail": (0.6, 0.2)}

    def until_told() -> list[str]:
        told: list[str] = []
        for _ in range(40):
            told += [one.value for one in watching.check(200, gone).values]
        return told

    assert until_told() == ["web"]
    watching.check(200)
    assert until_told() == ["web"]


def test_the_whole_has_its_part_of_alpha_beside_slices() -> None:
    watching = Watching()
    one = watching.check(400, {"app": (0.3, 0.9), "mail": (0.6, 0.8), "web": (0.1, 0.8)})
    whole = Reference.of(watching.baseline)
    _, alone = advance(
        MonitorState(), windows_of(watching.log, whole), whole, watching.settings.monitor,
        now=EPOCH + timedelta(hours=2000), confidence_level=0.95,
    )  # fmt: skip
    limits = {each.key: each.limit for each in alone.alarms}
    shared = {each.key: each.limit for each in one.alarms if each.where is None}
    assert shared
    for key, limit in shared.items():
        assert limit == WHOLE_PART * limits[key]


def test_rows_that_an_erasure_took_are_not_new() -> None:
    seen = {"channel": {5: {"app": (5, 5, 5)}}}
    watching = Watching()
    reference = segment_reference(watching.baseline, Reference.of(watching.baseline))
    now = SegmentRows(reference=reference, hours={"channel": {5: {"app": (7, 2, 5)}, 6: {"web": (1, 0, 0)}}})
    found = new_slices(seen, now, [5, 6])
    assert found["channel"]["app"].groups[0].counts == (2, 0, 0)
    assert found["channel"]["web"].groups[0].counts == (1, 0, 0)


def test_values_that_are_not_watched_are_other_and_known() -> None:
    baseline = baseline_of(usual_hours(), most=1)
    reference = segment_reference(baseline, Reference.of(baseline))
    assert set(reference.fields[0].slices) == {"mail", OTHER}
    assert reference.fields[0].known == {"app", "mail", "web", OTHER}
    hours = {
        7: Slices(
            tallies={
                "web": SliceTally(negative=2),
                "app": SliceTally(neutral=1),
                "chat": SliceTally(positive=1),
            }
        )
    }
    found = segment_rows(baseline, reference, {"channel": hours})
    assert found.hours["channel"][7] == {OTHER: (2, 1, 0), "chat": (0, 0, 1)}


def test_of_an_hour_with_too_many_values_nothing_is_known_and_nothing_is_forgotten() -> None:
    watching = Watching()
    for _ in range(8):
        watching.check(200, moved_mail(0.75))
    incident = watching.state.incident
    assert incident is not None
    known = watching.state.segments.slices["channel"]["web"]
    many = GrowingSlices()
    for number in range(MOST_VALUES + 1):
        many.add(f"user {number}", Sentiment(number % 3), None)
    watching.hour += 1
    watching.log[watching.hour] = many.slices()
    found = watching.look()
    assert not found.closed
    assert watching.state.incident is not None
    assert watching.state.segments.slices["channel"]["web"] == known
    # The rows before and after it are counted once, as ever.
    watching.check(60)
    values = watching.state.segments.slices["channel"].values()
    waiting = sum(one.waiting.rows for one in values if one.waiting is not None)
    assert waiting <= 200 + 60


def test_the_rest_of_a_field_is_no_new_value() -> None:
    watching = Watching(baseline=baseline_of(usual_hours(), most=1))
    told = [one for _ in range(6) for one in watching.check(200).values]
    assert told == []


def test_of_values_that_the_baseline_does_not_have_few_are_kept() -> None:
    watching = Watching()
    tallies = {f"user {n:03}": SliceTally(negative=1 + (n == 7)) for n in range(MOST_UNKNOWN + 50)}
    reference = segment_reference(watching.baseline, Reference.of(watching.baseline))
    found = segment_rows(watching.baseline, reference, {"channel": {5: Slices(tallies=tallies)}})
    assert len(found.hours["channel"][5]) == MOST_UNKNOWN
    assert "user 007" in found.hours["channel"][5]


def test_a_vanished_value_stays_told_when_an_incident_opens() -> None:
    watching = Watching()
    gone = {"app": (0.4, 0.5), "mail": (0.6, 0.2)}
    told = [one.value for _ in range(40) for one in watching.check(200, gone).values]
    assert told == ["web"]
    moved = {"app": (0.4, 0.9), "mail": (0.6, 0.8)}
    checks = [watching.check(200, moved) for _ in range(6)]
    assert any(one.opened for one in checks)
    later = [watching.check(200, moved) for _ in range(30)]
    assert not [one for check in (*checks, *later) for one in check.values]


def test_a_state_of_other_slices_does_not_fit() -> None:
    watching = Watching()
    watching.check(400)
    slices = watching.state.segments.slices["channel"]
    windows = [EventWindow(groups=(), hours={}), EventWindow(groups=(Counted(3, (1, 1)),), hours={1: 3})]
    for one in windows:
        spoilt = {"channel": {**slices, "web": SliceState(windows=(one,))}}
        state = replace(watching.state, segments=SegmentState(slices=spoilt))
        assert not fits(state, Reference.of(watching.baseline))
