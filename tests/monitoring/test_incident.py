"""When an incident is over: the band about the share of the baseline, and how sure it must be."""

from __future__ import annotations

import pytest

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.incident import Incident, has_recovered
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import Counted, EventGroup, EventWindow

HALF = Counted(1000, (500, 500, 0))
REFERENCE = Reference.from_hours(
    (EventGroup(name="class", events=("negative", "neutral", "positive"), reference=HALF),),
    {0: (500, 500, 0)},
    cuts=(),
)
# A quarter and an eighth are exact in binary: the band about 0.5 is 0.375 .. 0.625, and 0.25 .. 0.75.
SETTINGS = MonitorSettings(delta=0.25, look_backs=2)


def incident(*places: int) -> Incident:
    return Incident(
        since="2026-09-07T08:00:00Z",
        check=1,
        findings=tuple(
            Finding(
                group="class", event=str(place), place=place, windows=1,
                before=(500, 1000), after=(900, 1000), p_value=0.0, limit=0.01,
            )
            for place in places
        ),
    )  # fmt: skip


def window(*counts: int) -> EventWindow:
    return EventWindow(groups=(Counted(sum(counts), counts),), hours={1: sum(counts)})


def recovered(*windows: EventWindow, places: tuple[int, ...] = (0,)) -> bool:
    return has_recovered(incident(*places), REFERENCE, windows, SETTINGS, confidence_level=0.95)


@pytest.mark.parametrize(
    ("count", "rows", "back"),
    [
        (500, 800, True),  # 0.625: half of delta above, sure within delta
        (501, 800, False),  # 0.62625
        (300, 800, True),  # 0.375: half of delta below
        (299, 800, False),  # 0.37375
        (5, 8, False),  # 0.625 again, but Wilson's limits are 0.31 and 0.86
        (3, 8, False),  # 0.375 again, but 0.14 and 0.69
        (4, 8, False),  # 0.5, but 0.2152 and 0.7848
        (6, 12, True),  # 0.5, and 0.2538 and 0.7462
    ],
)
def test_a_share_is_back_within_half_of_delta_and_surely_within_delta(
    count: int, rows: int, back: bool
) -> None:
    assert recovered(window(count, rows - count, 0)) is back


def test_every_share_that_alarmed_must_be_back() -> None:
    # The negative share is, the positive one went from 0 to 0.2; then that from 0 to 0.1, with 0.25 to spare.
    assert not recovered(window(400, 240, 160), places=(0, 2))
    assert recovered(window(400, 320, 80), places=(0, 2))


def test_some_of_the_newest_looks_together_are_enough_and_none_without_rows() -> None:
    far, back, nothing = window(700, 100, 0), window(400, 400, 0), window(0, 0, 0)
    assert recovered(far, back)
    assert not recovered(back, far)  # 0.875 alone, 0.6875 together
    assert not recovered(nothing)
    # Two windows are looked back on, not three.
    assert not recovered(back, far, far)
