"""The monitor's memory: each row judged once, incidents opened, told and closed."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.errors import StoreError
from sentimon.labels import Sentiment
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_check import MonitorCheck, advance
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_rows import new_rows
from sentimon.monitoring.monitor_state import (
    LATE_HOURS,
    MonitorState,
    decode_monitors,
    encode_monitors,
    fits,
    told,
)
from sentimon.monitoring.shift_tests import (
    find_shifts,
    look_backs,
    scaled_down,
)
from sentimon.monitoring.watched_events import Counted, EventWindow, sum_windows
from sentimon.prediction_log.summary import summarise
from sentimon.timestamps import hour_of
from tests.support.monitors import NOW, REFERENCE, baseline, window
from tests.support.rows import START, records

SETTINGS = MonitorSettings()


@dataclass
class Monitored:
    """A log whose monitor looks after each hour."""

    state: MonitorState = field(default_factory=MonitorState)
    hours: dict[int, EventWindow] = field(default_factory=dict)
    hour: int = hour_of(START) + 100

    def look(self, *counts: int) -> MonitorCheck:
        self.hour += 1
        self.hours[self.hour] = window(*counts, hour=self.hour)
        kept = {h: one for h, one in self.hours.items() if h >= (self.state.horizon(NOW) or 0)}
        self.state, look = advance(self.state, kept, REFERENCE, SETTINGS, now=NOW, confidence_level=0.95)
        return look


def test_a_move_opens_an_incident_that_lasts_until_the_shares_are_back() -> None:
    monitored = Monitored()
    assert not monitored.look(40, 60, 100).drifting
    opened = monitored.look(120, 60, 20)
    assert (opened.opened, opened.drifting, opened.check) == (True, True, 2)
    assert opened.incident is not None
    assert {one.event for one in opened.incident.findings} >= {"negative", "positive"}
    assert monitored.state.windows == ()
    going_on = monitored.look(120, 60, 20)
    assert (going_on.opened, going_on.drifting) == (False, True)
    assert going_on.incident is not None
    assert (going_on.incident.checks, going_on.incident.check) == (2, 2)
    looks = [monitored.look(200, 300, 500) for _ in range(6)]
    assert [one.closed for one in looks].count(True) == 1
    assert not looks[-1].drifting
    assert monitored.state.incident is None
    assert monitored.state.checks == 9


def test_what_wavers_between_half_of_delta_and_delta_does_not_close_an_incident() -> None:
    monitored = Monitored()
    monitored.look(600, 300, 100)
    for _ in range(20):
        # 0.04 from the baseline: too little to alarm, too much to be back.
        look = monitored.look(480, 600, 920)
        assert look.drifting
        assert not look.opened


def test_later_events_join_the_incident_that_is_open() -> None:
    monitored = Monitored()
    first = monitored.look(100, 60, 40)
    assert first.opened
    assert first.incident is not None
    known = {one.key for one in first.incident.findings}
    later = monitored.look(0, 400, 0)
    assert later.incident is not None
    assert ("class", 1, ("", "")) not in known
    assert ("class", 1, ("", "")) in {one.key for one in later.incident.findings}
    assert len({one.key for one in later.incident.findings}) == len(later.incident.findings)


def test_a_small_move_is_a_warning_however_sure_it_is() -> None:
    # 0.04 beyond a tolerance of 0.01, with a standard error of 0.002; its interval ends below 0.05.
    large = replace(REFERENCE.groups[0], reference=Counted(100_000, (20_000, 30_000, 50_000)))
    reference = replace(REFERENCE, groups=(large, *REFERENCE.groups[1:]))
    moved = Counted(100_000, (24_000, 30_000, 46_000))
    groups = (moved, *window(1, 1, 1).groups[1:])
    hours = {1: EventWindow(groups=groups, hours={1: 100_000})}
    _, look = advance(MonitorState(), hours, reference, SETTINGS, now=NOW, confidence_level=0.95)
    assert [one.event for one in look.warnings] == ["negative", "positive"]
    assert look.alarms == ()
    assert not look.drifting


def test_a_move_that_may_be_as_large_as_delta_is_an_alarm() -> None:
    # 0.045 [0.026, 0.063]: surely more than the tolerance, and not surely less than delta.
    found = Finding(
        group="class", event="negative", place=0, windows=1, before=(900, 5000), after=(450, 2000),
        p_value=0.0, limit=1.0,
    )  # fmt: skip
    assert found.difference == pytest.approx(0.045)
    assert found.reaches_delta(0.05, confidence_level=0.95)
    assert not found.reaches_delta(0.07, confidence_level=0.95)
    fell = replace(found, before=found.after, after=found.before)
    assert fell.reaches_delta(0.05, confidence_level=0.95)
    assert not fell.reaches_delta(0.07, confidence_level=0.95)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=8), max_size=12)
)
def test_each_row_is_judged_once_in_whatever_order_rows_come(arrivals: list[list[tuple[int, int]]]) -> None:
    """Rows of any of the last hours come before each look, late ones, too."""
    state, rows, judged = MonitorState(), Counter[tuple[int, int]](), []
    first = hour_of(START)
    for arrival in arrivals:
        rows.update((first + hour, place) for hour, place in arrival)
        hours = {
            hour: REFERENCE.window(summarise(records(*(rows[hour, place] for place in range(3)))))
            for hour in {hour for hour, _ in rows}
            if hour >= (state.horizon(NOW) or 0)
        }
        assert sum_windows(new_rows(state, hours).values()).rows == len(arrival)
        state, look = advance(state, hours, REFERENCE, SETTINGS, now=NOW, confidence_level=0.95)
        judged.append(look.window.groups[0])
        assert new_rows(state, hours) == {}
    assert sum(one.n for one in judged) == rows.total()
    for place in Sentiment:
        assert sum(one.counts[place] for one in judged) == sum(n for (_, p), n in rows.items() if p == place)


def test_an_hour_that_lost_rows_has_those_new_ones_that_show() -> None:
    monitored = Monitored()
    monitored.look(40, 60, 100)
    lost = monitored.hours | {monitored.hour: window(30, 60, 100)}
    assert new_rows(monitored.state, lost) == {}
    # Ten erased and thirty of another class come: these show, by class alone.
    both = monitored.hours | {monitored.hour: window(30, 60, 130, hour=monitored.hour)}
    (new,) = new_rows(monitored.state, both).values()
    assert (new.rows, new.groups[0].counts, new.hours) == (30, (0, 0, 30), {monitored.hour: 30})
    assert [one.n for one in new.groups[1:]] == [0]
    monitored.hours[monitored.hour] = window(30, 60, 100)
    monitored.look(10, 10, 10)
    monitored.hours[monitored.hour - 1] = window(31, 60, 100)
    assert sum_windows(new_rows(monitored.state, monitored.hours).values()).rows == 1


def test_a_clock_that_was_wrong_once_hides_nothing_later() -> None:
    state = MonitorState(checks=1, latest=hour_of(NOW) + 10_000)
    assert state.horizon(NOW) == hour_of(NOW) - LATE_HOURS
    hours = {hour_of(NOW): window(10, 10, 10)}
    after, _ = advance(state, hours, REFERENCE, SETTINGS, now=NOW, confidence_level=0.95)
    assert after.latest == hour_of(NOW)


def test_a_row_from_the_future_hides_nothing() -> None:
    now = START + timedelta(hours=1)
    hours = {hour_of(now): window(10, 10, 10), hour_of(now) + 10_000: window(1, 1, 1)}
    state, _ = advance(MonitorState(), hours, REFERENCE, SETTINGS, now=now, confidence_level=0.95)
    assert state.latest == hour_of(now)
    assert state.horizon(now) == hour_of(now) - LATE_HOURS
    hours[hour_of(now) + 1] = window(5, 0, 0)
    assert sum_windows(new_rows(state, hours).values()).rows == 5


def test_what_is_remembered_reads_back_as_it_was() -> None:
    monitored = Monitored()
    for counts in ((40, 60, 100), (120, 60, 20), (30, 30, 30)):
        monitored.look(*counts)
    state = told(monitored.state)
    assert state.incident is not None
    assert state.incident.told
    assert fits(state, REFERENCE)
    back = decode_monitors(encode_monitors({"a": MonitorState(), "b": state}), origin="x")
    assert back == {"a": MonitorState(), "b": state}
    assert not fits(MonitorState(windows=(EventWindow(groups=(Counted(1, (1,)),), hours={0: 1}),)), REFERENCE)
    assert told(MonitorState()) == MonitorState()


def test_only_the_monitors_used_last_are_remembered() -> None:
    many = {str(number): MonitorState(checks=number) for number in range(20)}
    assert list(decode_monitors(encode_monitors(many), origin="x")) == [str(one) for one in range(12, 20)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"format":2,"monitors":{}}',
        b'{"format":1,"monitors":{"a":{"checks":"x"}}}',
        b"\xff",
        b"[" * 5000,
    ],
)
def test_a_memory_that_is_none_is_refused_with_the_next_step(content: bytes) -> None:
    with pytest.raises(StoreError, match="is no state of a monitor") as error:
        decode_monitors(content, origin="monitor.json")
    assert "drift --reset" in str(error.value.hint)


def test_looks_go_back_over_powers_of_two_and_over_all_there_is() -> None:
    one = EventWindow(groups=(Counted(1, (1,)),), hours={0: 1})
    assert [count for count, _ in look_backs([one] * 11, 9)] == [1, 2, 4, 8, 11]
    assert [sums.rows for _, sums in look_backs([one] * 11, 9)] == [1, 2, 4, 8, 11]
    assert [count for count, _ in look_backs([one] * 300, 9)] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert [count for count, _ in look_backs([one] * 4, 9)] == [1, 2, 4]
    assert list(look_backs([], 9)) == []


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(1, 50))
def test_a_share_of_fewer_rows_is_about_the_same(share: tuple[int, int], divisor: float) -> None:
    count, n = scaled_down(share, divisor)
    assert 0 <= count <= n <= share[1]
    assert abs(count / n - share[0] / share[1]) <= 0.5 / n + 1e-9


@pytest.mark.parametrize("size", [50, 400])
def test_unchanged_traffic_seldom_finds_anything_in_all_its_looks(size: int) -> None:
    generator, ever = random.Random(7), 0
    shares = [0.2, 0.3, 0.5]
    for _ in range(20):
        places = generator.choices(range(3), shares, k=REFERENCE.rows)
        reference = Reference.of(baseline(*(places.count(place) for place in range(3))))
        windows: list[EventWindow] = []
        found = False
        for check in range(1, 101):
            places = generator.choices(range(3), shares, k=size)
            counted = Counted(size, (places.count(0), places.count(1), places.count(2)))
            groups = (counted, Counted(0, (0,) * len(reference.cuts)))
            windows = [*windows, EventWindow(groups=groups, hours={check: size})][-256:]
            found = found or any(find_shifts(reference, windows, check, SETTINGS))
        ever += found
    # At most 5 % of all monitors ever find something: 4 or more of 20 in 1.6 % of runs.
    assert ever <= 3


def bursty(generator: random.Random, sizes: list[int]) -> Iterator[tuple[int, int, int]]:
    """Class counts of hours whose rows are correlated by 0.05 (Dirichlet-multinomial)."""
    for size in sizes:
        mix = [generator.gammavariate(share * 19, 1) for share in (0.2, 0.3, 0.5)]
        places = generator.choices(range(3), mix, k=size)
        yield places.count(0), places.count(1), places.count(2)


BURSTS = {
    "as large as the baseline's": ([50] * 100, [50] * 120, 1),
    "four times as large": ([50] * 100, [200] * 120, 1),
    "each looked at four times": ([50] * 100, [200] * 60, 4),
    "by day, few by night": (([10] * 12 + [150] * 12) * 5, ([10] * 12 + [150] * 12) * 4, 1),
    "after a thin baseline": ([10] * 500, [200] * 100, 1),
}


@pytest.mark.parametrize("name", BURSTS)
def test_bursts_are_no_drift(name: str) -> None:
    before, now, looks = BURSTS[name]
    generator, alarms = random.Random(11), {True: 0, False: 0}
    nothing = Counted(0, (0,) * len(REFERENCE.cuts))
    for _ in range(12):
        hours = dict(enumerate(bursty(generator, before)))
        counts = tuple(map(sum, zip(*hours.values(), strict=True)))
        classes = replace(REFERENCE.groups[0], reference=Counted(sum(counts), counts))
        reference = Reference.from_hours((classes, *REFERENCE.groups[1:]), hours, cuts=REFERENCE.cuts)
        for divided_by in (True, False):
            used = reference if divided_by else replace(reference, correlation=0.0)
            windows: list[EventWindow] = []
            for hour, size in enumerate(now):
                for one in parted(generator, size, looks):
                    groups = (Counted(sum(one), one), nothing)
                    windows = [*windows, EventWindow(groups=groups, hours={hour: sum(one)})][-256:]
                    found = find_shifts(used, windows, hour * looks + 1, SETTINGS)
                    if any(finding.reaches_delta(0.05, confidence_level=0.95) for finding in found):
                        alarms[divided_by] += 1
                        break
                else:
                    continue
                break
    assert alarms[True] <= 1
    assert alarms[False] >= 7


def parted(generator: random.Random, size: int, parts: int) -> list[tuple[int, int, int]]:
    """The rows of one bursty hour, in so many looks."""
    (whole,) = bursty(generator, [size])
    places = [place for place, count in enumerate(whole) for _ in range(count)]
    generator.shuffle(places)
    each = [places[part::parts] for part in range(parts)]
    return [(one.count(0), one.count(1), one.count(2)) for one in each]
