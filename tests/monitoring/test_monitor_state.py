"""What the monitor remembers: which hours may bring new rows, and whether a memory is of this monitor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sentimon.monitoring.finding import Finding
from sentimon.monitoring.incident import Incident, update_incident
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_rows import new_rows
from sentimon.monitoring.monitor_state import LATE_HOURS, MonitorState, fits, told
from sentimon.monitoring.watched_events import Counted, EventGroup, EventWindow
from sentimon.timestamps import hour_of

NOW = datetime(2026, 9, 7, 8, 30, tzinfo=UTC)
REFERENCE = Reference.from_hours(
    (
        EventGroup(name="class", events=("negative", "neutral", "positive"), reference=Counted(9, (3, 3, 3))),
        EventGroup(name="confidence", events=("below 0.60",), reference=Counted(9, (4,))),
    ),
    {0: (3, 3, 3)},
    cuts=(60,),
)


def window(classes: tuple[int, ...], sure: Counted, hours: dict[int, int] | None = None) -> EventWindow:
    return EventWindow(groups=(Counted(sum(classes), classes), sure), hours=hours or {5: sum(classes)})


def found(event: str = "neutral", place: int = 1, **changes: object) -> Finding:
    given = {"before": (3, 9), "after": (5, 6)} | changes
    return Finding(group="class", event=event, place=place, windows=1, p_value=0.0, limit=0.1, **given)  # type: ignore[arg-type]


def incident(*findings: Finding) -> Incident:
    return Incident(since="2026-09-07T08:00:00Z", check=3, findings=findings)


GOOD = window((1, 2, 3), Counted(6, (2,)))


def test_rows_may_be_two_days_late_whatever_a_wrong_clock_once_wrote() -> None:
    present = hour_of(NOW)
    assert LATE_HOURS == 48
    assert MonitorState().horizon(NOW) is None
    assert MonitorState(latest=present - 5).horizon(NOW) == present - 53
    assert MonitorState(latest=present + 1000).horizon(NOW) == present - 48
    assert MonitorState(latest=0).horizon(NOW) == -48


def test_a_memory_of_the_same_events_with_possible_counts_fits() -> None:
    assert fits(MonitorState(), REFERENCE)
    assert fits(MonitorState(windows=(GOOD,), seen={5: GOOD}, incident=incident(found())), REFERENCE)
    # The edges of what is possible.
    assert fits(MonitorState(windows=(window((0, 0, 6), Counted(6, (6,))),)), REFERENCE)
    assert fits(MonitorState(windows=(window((0, 0, 6), Counted(0, (0,))),)), REFERENCE)
    assert fits(MonitorState(incident=incident(found(before=(0, 1), after=(1, 1)))), REFERENCE)


@pytest.mark.parametrize(
    "bad",
    [
        EventWindow(groups=(Counted(6, (1, 2, 3)),), hours={5: 6}),
        window((1, 2, 3), Counted(6, (2, 3))),
        window((1, 2, 3), Counted(6, (7,))),
        window((1, 2, 3), Counted(6, (-1,))),
        window((1, 2, 3), Counted(6, (2,)), {5: 5}),
        EventWindow(groups=(Counted(7, (1, 2, 3)), Counted(6, (2,))), hours={5: 7}),
    ],
    ids=["a group less", "an event more", "more than all", "fewer than none", "hours", "classes"],
)
def test_a_memory_of_other_events_or_of_impossible_counts_does_not_fit(bad: EventWindow) -> None:
    assert not fits(MonitorState(windows=(GOOD, bad)), REFERENCE)
    assert not fits(MonitorState(seen={4: GOOD, 5: bad}), REFERENCE)


@pytest.mark.parametrize(
    "bad",
    [
        found("positive", 1),
        found("neutral", 2),
        found("unknown", 1),
        found(before=(10, 9)),
        found(after=(-1, 6)),
        found(after=(0, 0)),
    ],
)
def test_an_incident_of_other_events_or_of_impossible_shares_does_not_fit(bad: Finding) -> None:
    assert not fits(MonitorState(incident=incident(found(), bad)), REFERENCE)


def test_a_trigger_marks_the_incident_it_has_fired_on() -> None:
    assert told(MonitorState(checks=3)) == MonitorState(checks=3)
    state = MonitorState(checks=3, incident=incident(found()))
    assert told(state) == replace(state, incident=replace(incident(found()), told=True))


def test_an_incident_is_opened_by_an_alarm_and_counts_its_checks_and_its_events_once() -> None:
    assert update_incident(None, (), 7, NOW) is None
    opened = update_incident(None, (found(),), 7, NOW)
    assert opened == Incident(
        since="2026-09-07T08:30:00Z", check=7, checks=1, findings=(found(),), told=False
    )
    assert opened is not None
    later = NOW + timedelta(hours=1)
    other, again = found("negative", 0), found(after=(1, 6))
    assert update_incident(opened, (), 8, later) == replace(opened, checks=2)
    assert update_incident(opened, (again, other), 8, later) == replace(
        opened, checks=2, findings=(found(), other)
    )


def test_rows_beyond_those_of_an_hour_that_was_checked_are_new() -> None:
    state = MonitorState(seen={5: GOOD})
    more = window((2, 2, 4), Counted(8, (3,)))
    assert new_rows(state, {5: more, 6: GOOD}) == {
        5: EventWindow(groups=(Counted(2, (1, 0, 1)), Counted(2, (1,))), hours={5: 2}),
        6: GOOD,
    }
    assert new_rows(state, {5: GOOD}) == {}


def test_of_an_hour_that_lost_rows_only_a_class_that_grew_is_new() -> None:
    state = MonitorState(seen={5: GOOD})
    # One negative row is gone, two positive ones came: their confidence cannot be told from the rest.
    assert new_rows(state, {5: window((0, 2, 5), Counted(7, (3,)))}) == {
        5: EventWindow(groups=(Counted(2, (0, 0, 2)), Counted(0, (0,))), hours={5: 2})
    }
    assert new_rows(state, {5: window((0, 2, 3), Counted(5, (2,)))}) == {}
    # The classes only grew, but fewer rows have a low confidence than before.
    assert new_rows(state, {5: window((1, 2, 5), Counted(8, (1,)))}) == {
        5: EventWindow(groups=(Counted(2, (0, 0, 2)), Counted(0, (0,))), hours={5: 2})
    }
