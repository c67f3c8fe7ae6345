"""What is found in the slices of declared fields, and what all their tests together may spend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import (
    Finding,
    ValueChange,
    ValueFinding,
    most_significant,
    most_significant_values,
)
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import event_limits, is_due, look_back_level
from sentimon.monitoring.slice_reference import (
    FEWEST_ROWS,
    SegmentReference,
    SegmentWindow,
    count_slice,
    slice_weights,
)
from sentimon.monitoring.slice_shifts import (
    MIX_PART,
    MOST_NEW,
    NEW_PART,
    ROWS_OF_A_CHECK,
    VANISHED_PART,
    WHOLE_PART,
    SegmentState,
    SliceState,
    check_slices,
    whole_settings,
)
from sentimon.monitoring.watched_events import EventGroup, EventWindow
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.fisher_test import alpha_share

SETTINGS = MonitorSettings()
WEEK = 168
APP: Counts = (2, 3, 4)
MAIL: Counts = (6, 9, 6)
Hours = dict[int, Counts]


def each_hour(counts: Counts, hours: range = range(WEEK)) -> Hours:
    return dict.fromkeys(hours, counts)


def whole_of(*slices: Hours) -> Reference:
    hours: Hours = {}
    for one in slices:
        for hour, counts in one.items():
            known = hours.get(hour, (0, 0, 0))
            hours[hour] = (known[0] + counts[0], known[1] + counts[1], known[2] + counts[2])
    group = EventGroup(
        name="class",
        events=("negative", "neutral", "positive"),
        reference=count_slice(hours).groups[0],
    )
    return Reference.from_hours((group,), hours, cuts=())


def reference_of(**values: Hours) -> SegmentReference:
    return SegmentReference.of({"channel": values}, whole_of(*values.values()))


REFERENCE = reference_of(app=each_hour(APP), mail=each_hour(MAIL))


Rows = Mapping[str, Counts]


class Monitor:
    """Checks of one hour each, as a monitor makes them."""

    def __init__(self, reference: SegmentReference) -> None:
        self.reference, self.state = reference, SegmentState()
        self.windows: list[EventWindow] = []
        self.checks = 0

    def check(self, values: Rows) -> tuple[list[Finding], list[ValueFinding]]:
        """Return the class mixes and the values that a check of these rows of each value finds."""
        hour, self.checks = WEEK + self.checks, self.checks + 1
        whole = [sum(counts[place] for counts in values.values()) for place in range(3)]
        self.windows.append(count_slice({hour: (whole[0], whole[1], whole[2])}))
        slices: SegmentWindow = {
            "channel": {value: count_slice({hour: counts}) for value, counts in values.items()}
        }
        self.state, mixes, seen = check_slices(
            self.state, self.reference, self.windows, slices, self.checks, SETTINGS
        )
        return mixes, seen


def moved(reference: SegmentReference, checks: Sequence[Rows]) -> list[Finding]:
    """Return the class mixes that checks with these rows of each value find, all of them together."""
    monitor = Monitor(reference)
    return [one for values in checks for one in monitor.check(values)[0]]


def changed(reference: SegmentReference, checks: Sequence[Rows]) -> list[ValueFinding]:
    """Return the new and vanished values that checks with these rows find, all of them together."""
    monitor = Monitor(reference)
    return [one for values in checks for one in monitor.check(values)[1]]


def found(reference: SegmentReference, checks: Sequence[Rows]) -> list[Finding | ValueFinding]:
    """Return all that checks with these rows of each value find."""
    return [*moved(reference, checks), *changed(reference, checks)]


def test_nothing_is_found_in_rows_as_usual() -> None:
    assert found(REFERENCE, [{"app": APP, "mail": MAIL}] * 40) == []


def test_a_value_whose_mix_moved_is_found_by_its_name() -> None:
    # A third of 9 rows an hour moves from positive to negative.
    seen = moved(REFERENCE, [{"app": (5, 3, 1), "mail": MAIL}] * 32)
    assert {(one.group, one.where) for one in seen} == {("class", ("channel", "app"))}
    first = most_significant(seen)[0]
    assert first.event in ("negative", "positive")
    usual, now = (2, 5) if first.place == 0 else (4, 1)
    assert first.before == (usual * WEEK, 9 * WEEK)
    # Six hours make 54 rows, and so a check of the slice; 30 of 32 hours are tested.
    assert first.after == (now * 6 * first.windows, 54 * first.windows)
    assert first.p_value <= first.limit
    assert first.reaches_delta(0.05, confidence_level=0.95)


def test_a_slice_has_a_check_of_its_own_once_enough_rows_of_it_came() -> None:
    monitor = Monitor(REFERENCE)
    for _ in range(5):
        monitor.check({"app": APP, "mail": MAIL})
    app, mail = monitor.state.slices["channel"]["app"], monitor.state.slices["channel"]["mail"]
    assert (app.checks, app.waiting and app.waiting.rows) == (0, 45)
    # Three hours make 63 rows of mail.
    assert (mail.checks, [one.rows for one in mail.windows], mail.waiting and mail.waiting.rows) == (
        1,
        [63],
        42,
    )
    monitor.check({"app": APP})
    app = monitor.state.slices["channel"]["app"]
    assert (app.checks, [one.rows for one in app.windows], app.waiting) == (1, [54], None)
    assert ROWS_OF_A_CHECK == 50


def test_after_an_alarm_nothing_is_looked_back_on_and_the_checks_still_count() -> None:
    monitor = Monitor(REFERENCE)
    for _ in range(8):
        monitor.check({"app": APP, "chat": (1, 1, 1)})
    state = monitor.state.restarted()
    assert state == SegmentState(
        slices={"channel": {"app": SliceState(checks=1), "mail": SliceState()}}, unknown=()
    )


def test_no_more_windows_are_kept_than_are_looked_back_on() -> None:
    monitor, few = Monitor(REFERENCE), replace(SETTINGS, look_backs=3)
    for check in range(1, 40):
        hour = WEEK + check
        rows = {"app": count_slice({hour: (12, 18, 24)}), "chat": count_slice({hour: (0, 0, 1)})}
        windows = [count_slice({hour: (12, 18, 25)})] * min(check, 4)
        monitor.state, _, _ = check_slices(monitor.state, REFERENCE, windows, {"channel": rows}, check, few)
    app = monitor.state.slices["channel"]["app"]
    assert (app.checks, len(app.windows), len(monitor.state.unknown)) == (39, 4, 4)


def test_the_surest_value_comes_first_and_each_once() -> None:
    seen = changed(REFERENCE, [{"app": APP, "chat": (1, 1, 1), "fax": (3, 3, 3)}] * 16)
    ranked = most_significant_values(seen)
    assert {(one.value, one.change) for one in ranked} == {
        ("chat", ValueChange.NEW), ("fax", ValueChange.NEW), ("mail", ValueChange.VANISHED),
    }  # fmt: skip
    assert len(ranked) == 3 < len(seen)
    odds = [one.p_value / one.limit for one in ranked]
    assert odds == sorted(odds)
    assert all(
        min(o.p_value / o.limit for o in seen if o.key == one.key) == odd
        for one, odd in zip(ranked, odds, strict=True)
    )


def test_a_value_that_the_baseline_does_not_have_is_new() -> None:
    seen = changed(REFERENCE, [{"app": APP, "mail": MAIL, "chat": (1, 1, 1)}] * 8)
    assert {(one.value, one.change) for one in seen} == {("chat", ValueChange.NEW)}
    last = seen[-1]
    assert (last.before, last.after) == ((0, 30 * WEEK), (24, 33 * 8))
    assert (last.baseline_share, last.share) == (0, 24 / (33 * 8))


def test_a_new_value_is_news_once_its_share_is_surely_more_than_a_hundredth() -> None:
    # Twice the tail of the binomial law, at a share of 0.01.
    seen = changed(REFERENCE, [{"app": APP, "mail": MAIL, "chat": (1, 1, 1)}] * 8)
    rows = seen[-1].after[1]
    tail = sum(
        math.comb(rows, x) * 0.01**x * 0.99 ** (rows - x) for x in range(int(seen[-1].after[0]), rows + 1)
    )
    assert seen[-1].p_value == pytest.approx(2 * tail, rel=1e-3)


def test_a_value_is_known_to_be_silent_before_its_first_row() -> None:
    # A week with mail from noon of the first day on: a week of it is known, and its gap of 13 hours.
    late = {hour: one for hour, one in each_hour(MAIL, range(WEEK)).items() if hour >= 12}
    reference = reference_of(app=each_hour(APP), mail=late)
    assert reference.fields[0].slices["mail"].longest_silence == 26
    assert reference.fields[0].slices["app"].longest_silence == 6


def test_a_new_value_of_less_than_a_hundredth_of_the_rows_is_no_news() -> None:
    quiet, rare = {"app": APP, "mail": MAIL}, {"app": APP, "mail": MAIL, "chat": (0, 0, 1)}
    assert found(REFERENCE, ([quiet] * 4 + [rare]) * 25 + [rare] * 3) == []


def test_a_value_with_too_few_rows_is_known_but_not_watched() -> None:
    few = {WEEK - 1 - hour: (0, 0, 1) for hour in range(FEWEST_ROWS - 1)}
    reference = reference_of(app=each_hour(APP), mail=each_hour(MAIL), fax=few, none={3: (0, 0, 0)})
    (field,) = reference.fields
    assert set(field.slices) == {"app", "mail"}
    assert field.known == {"app", "mail", "fax"}
    assert found(reference, [{"app": APP, "mail": MAIL, "fax": (5, 0, 0)}] * 40) == []
    enough = reference_of(app=each_hour(APP), fax=few | {0: (0, 0, 1)})
    assert set(enough.fields[0].slices) == {"app", "fax"}


def test_a_value_that_comes_no_more_has_vanished() -> None:
    monitor = Monitor(REFERENCE)
    monitor.check({"app": APP, "mail": MAIL})
    seen = [monitor.check({"app": APP})[1] for _ in range(8)]
    # Six hours of silence are never news.
    assert seen[:6] == [[]] * 6
    ((one,), (other,)) = seen[6:]
    assert (one.value, one.change, one.before) == ("mail", ValueChange.VANISHED, (21 * WEEK, 30 * WEEK))
    assert (one.after, other.after) == ((0, 63), (0, 72))
    assert monitor.check({"app": APP, "mail": (0, 1, 0)}) == ([], [])


def test_silence_that_is_normal_for_a_value_does_not_make_it_vanish() -> None:
    # Mail comes from eight to sixteen o'clock alone, for more than a week.
    office = {hour: (60, 90, 60) for hour in range(2 * WEEK) if 8 <= hour % 24 < 16}
    reference = reference_of(app=each_hour((20, 30, 40), range(2 * WEEK)), mail=office)
    longest = reference.fields[0].slices["mail"].longest_silence
    assert 17 <= longest < 40
    monitor = Monitor(reference)
    assert not any(monitor.check({"app": (20, 30, 40)})[1] for _ in range(longest))
    assert {one.value for one in monitor.check({"app": (20, 30, 40)})[1]} == {"mail"}


def test_hours_without_a_row_of_a_value_are_silent_even_where_they_are_listed() -> None:
    seldom = {hour: (20, 20, 20) if hour % 24 == 0 else (0, 0, 0) for hour in range(2 * WEEK)}
    listed = reference_of(app=each_hour(APP), batch=seldom)
    bare = reference_of(app=each_hour(APP), batch={hour: one for hour, one in seldom.items() if any(one)})
    assert listed == bare
    assert listed.fields[0].slices["batch"].longest_silence == 50


def test_without_any_row_nothing_has_vanished() -> None:
    assert found(REFERENCE, [{"app": (0, 0, 0)}] * 16) == []


def test_without_declared_fields_nothing_is_tested_and_all_of_alpha_is_for_the_whole() -> None:
    assert found(SegmentReference(rows=10, fields=()), [{"app": APP}] * 8) == []
    assert whole_settings(SETTINGS, 0) == SETTINGS
    assert whole_settings(SETTINGS, 2) == replace(SETTINGS, alpha=0.05 * WHOLE_PART)


def test_all_tests_of_all_slices_and_of_the_whole_spend_no_more_than_alpha() -> None:
    tens = {f"v{value}": each_hour((1, 1, value + 1)) for value in range(10)}
    whole = whole_of(*tens.values())
    reference = SegmentReference.of({"a": tens, "b": tens, "c": dict(list(tens.items())[:2])}, whole)
    spent = most = 0.0
    for check in range(1, 1_001):
        due = sum(is_due(power, check) for power in range(SETTINGS.look_backs))
        level = sum(event_limits(whole, check, whole_settings(SETTINGS, 3))) * 3
        for field in reference.fields:
            part = replace(SETTINGS, alpha=SETTINGS.alpha * (1 - WHOLE_PART) / 3)
            for watched in field.slices.values():
                # At most one check of a slice to each check of all rows.
                own = replace(part, alpha=part.alpha * MIX_PART * watched.weight)
                level += sum(event_limits(watched.reference, check, own)) * 2
            level += look_back_level(check, part) * NEW_PART
            spent += part.alpha * alpha_share(check) * VANISHED_PART
        spent += due * level
        most += SETTINGS.alpha * alpha_share(check)
    assert 0.95 * most < spent <= most * (1 + 1e-9)


def test_the_limits_of_a_finding_worked_by_hand() -> None:
    # Half of alpha is for the one field.
    field = 0.05 / 2
    new = changed(REFERENCE, [{"app": APP, "mail": MAIL, "chat": (1, 1, 1)}] * 8)[-1]
    assert new.limit == pytest.approx(field * alpha_share(8) / 3.984375 * NEW_PART / MOST_NEW)
    gone = changed(REFERENCE, [{"app": APP}] * 8)[-1]
    assert gone.limit == pytest.approx(field * alpha_share(8) * VANISHED_PART / 2)
    # The second check of the slice, after 108 rows of it; its weight is by 9 of 30 rows.
    mix = moved(REFERENCE, [{"app": (9, 0, 0), "mail": MAIL}] * 12)[-1]
    weight = (1 / 2 + 9 / 30) / 2
    assert mix.limit == pytest.approx(field * alpha_share(2) / 3.984375 * MIX_PART * weight / 2)


@given(st.dictionaries(st.text(max_size=3), st.integers(FEWEST_ROWS, 10**6), min_size=1, max_size=5))
def test_the_weights_of_a_field_add_up_to_one_and_grow_with_the_rows(rows: dict[str, int]) -> None:
    weights = slice_weights(rows)
    assert sum(weights.values()) == pytest.approx(1)
    assert sorted(rows, key=lambda one: (rows[one], one)) == sorted(rows, key=lambda one: (weights[one], one))
    assert min(weights.values()) > 0.5 / len(rows)


def test_rows_of_a_slice_are_taken_to_be_as_much_alike_as_those_of_all() -> None:
    bursts = {hour: (20, 5, 5) if hour % 3 else (2, 5, 23) for hour in range(WEEK)}
    even = each_hour((1, 1, 1))
    reference = SegmentReference.of({"channel": {"even": even}}, whole_of(bursts, even))
    assert whole_of(bursts, even).correlation > 0.1
    assert reference.fields[0].slices["even"].reference.correlation == whole_of(bursts, even).correlation


def test_two_shares_of_a_slice_are_watched_as_in_the_drift_score() -> None:
    group = REFERENCE.fields[0].slices["app"].reference.groups[0]
    assert group.watched == [(0, "negative"), (2, "positive")]
    # Whatever moves between neutral and another class moves one of them.
    assert {one.event for one in moved(REFERENCE, [{"app": (5, 0, 4), "mail": MAIL}] * 32)} == {"negative"}


def test_findings_and_states_can_be_stored() -> None:
    monitor = Monitor(REFERENCE)
    checks = [monitor.check({"app": (9, 0, 0), "chat": MAIL}) for _ in range(8)]
    mixes, seen = ([one for check in checks for one in check[place]] for place in (0, 1))
    assert mixes
    assert msgspec.json.decode(msgspec.json.encode(mixes), type=list[Finding]) == mixes
    assert {one.change for one in seen} == set(ValueChange)
    assert msgspec.json.decode(msgspec.json.encode(seen), type=list[ValueFinding]) == seen
    content = msgspec.json.encode(monitor.state)
    assert msgspec.json.decode(content, type=SegmentState) == monitor.state
    content = msgspec.json.encode(REFERENCE)
    assert msgspec.json.decode(content, type=SegmentReference) == REFERENCE


def test_a_slice_that_is_small_spends_as_little_as_it_has_rows() -> None:
    monitor = Monitor(REFERENCE)
    for _ in range(60):
        monitor.check({"app": APP, "mail": MAIL})
    states = monitor.state.slices["channel"]
    assert (states["app"].checks, states["mail"].checks) == (10, 20)
