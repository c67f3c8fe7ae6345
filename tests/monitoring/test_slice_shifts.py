"""What is found in the slices of declared fields, and what all their tests together may spend."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.labels import TWO
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import event_limits, is_due, look_back_level
from sentimon.monitoring.slice_shifts import (
    FEWEST_ROWS,
    MIX_PART,
    MOST_NEW,
    NEW_PART,
    VANISHED_PART,
    WHOLE_PART,
    SegmentReference,
    SegmentWindow,
    SliceChange,
    SliceFinding,
    count_slice,
    find_slice_shifts,
    most_significant_slices,
    slice_weights,
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


def found(
    reference: SegmentReference, checks: Sequence[dict[str, Counts]], check: int | None = None
) -> list[SliceFinding]:
    """Return what a check finds; each check had one hour, with these rows of each value."""
    windows: list[EventWindow] = []
    slices: list[SegmentWindow] = []
    for hour, values in enumerate(checks, start=WEEK):
        windows.append(count_slice({hour: tuple(map(sum, zip(*values.values(), strict=True)))}))  # type: ignore[arg-type]
        slices.append({"channel": {value: count_slice({hour: counts}) for value, counts in values.items()}})
    return list(find_slice_shifts(reference, windows, slices, check or len(checks), SETTINGS))


def test_nothing_is_found_in_rows_as_usual() -> None:
    assert found(REFERENCE, [{"app": APP, "mail": MAIL}] * 40) == []


def test_a_value_whose_mix_moved_is_found_by_its_name() -> None:
    # A third of 9 rows an hour moves from positive to negative.
    seen = found(REFERENCE, [{"app": (5, 3, 1), "mail": MAIL}] * 32)
    assert {(one.field, one.value, one.change) for one in seen} == {("channel", "app", SliceChange.MIX)}
    first = most_significant_slices(seen)[0]
    assert first.event in ("negative", "positive")
    assert first.before == (2 * WEEK if first.place == 0 else 4 * WEEK, 9 * WEEK)
    assert first.windows == 32
    assert first.after == ((5 if first.place == 0 else 1) * 32, 9 * 32)
    assert first.baseline_share == pytest.approx((2, 3, 4)[first.place] / 9)
    share = first.current_share(confidence_level=0.95)
    assert (share.value, share.n) == (pytest.approx(first.baseline_share + first.difference), 288)
    assert first.p_value <= first.limit
    assert first.evidence > 0
    assert first.reaches_delta(0.05, confidence_level=0.95)


def test_the_largest_evidence_comes_first_and_each_change_once() -> None:
    seen = found(REFERENCE, [{"app": (5, 3, 1), "mail": (9, 9, 3)}] * 64)
    ranked = most_significant_slices(seen)
    assert len({one.key for one in ranked}) == len(ranked) < len(seen)
    assert [one.evidence for one in ranked] == sorted((one.evidence for one in ranked), reverse=True)
    assert {one.value for one in ranked} == {"app", "mail"}


def test_a_small_move_of_a_slice_is_more_than_chance_and_below_delta() -> None:
    moved = SliceFinding(
        field="channel",
        value="app",
        change=SliceChange.MIX,
        event="negative",
        place=0,
        windows=1,
        before=(20_000, 100_000),
        after=(21_000, 100_000),
        p_value=1e-9,
        limit=1e-6,
    )
    assert not moved.reaches_delta(0.05, confidence_level=0.95)
    assert replace(moved, change=SliceChange.NEW).reaches_delta(0.05, confidence_level=0.95)
    assert moved.evidence == pytest.approx(3)
    assert replace(moved, p_value=0.0).evidence == pytest.approx(294)


def test_a_value_that_the_baseline_does_not_have_is_new() -> None:
    seen = found(REFERENCE, [{"app": APP, "mail": MAIL, "chat": (1, 1, 1)}] * 8)
    assert {(one.value, one.change, one.event) for one in seen} == {("chat", SliceChange.NEW, "")}
    last = seen[-1]
    assert (last.before, last.after) == ((0, 30 * WEEK), (24, 33 * 8))
    assert last.baseline_share == 0
    assert last.reaches_delta(0.5, confidence_level=0.95)


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
    seen = found(REFERENCE, [{"app": APP}] * 8)
    assert {(one.value, one.change) for one in seen} == {("mail", SliceChange.VANISHED)}
    assert seen[-1].before == (21 * WEEK, 30 * WEEK)
    assert seen[-1].after == (0, 72)


def test_silence_that_is_normal_for_a_value_does_not_make_it_vanish() -> None:
    # Mail comes from eight to sixteen o'clock alone, for more than a week.
    office = {hour: (60, 90, 60) for hour in range(2 * WEEK) if 8 <= hour % 24 < 16}
    reference = reference_of(app=each_hour((20, 30, 40), range(2 * WEEK)), mail=office)
    longest = reference.fields[0].slices["mail"].longest_silence
    assert 17 <= longest < 40
    silent = [{"app": (20, 30, 40)}] * 64
    assert found(reference, silent[: longest - longest % 4]) == []
    assert {one.value for one in found(reference, silent)} == {"mail"}


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
                own = replace(part, alpha=part.alpha * MIX_PART * watched.weight)
                level += sum(event_limits(watched.reference, check, own)) * 3
            level += look_back_level(check, part) * (NEW_PART + VANISHED_PART)
        spent += due * level
        most += SETTINGS.alpha * alpha_share(check)
    assert 0.95 * most < spent <= most * (1 + 1e-9)


def test_the_limits_of_a_finding_worked_by_hand() -> None:
    # Half of alpha for the one field, over 3.984375 look-backs; 8 of 24 checks are looked back on.
    level = 0.05 / 2 * alpha_share(8) / 3.984375
    new = found(REFERENCE, [{"app": APP, "mail": MAIL, "chat": (1, 1, 1)}] * 8)[-1]
    assert new.limit == pytest.approx(level * NEW_PART / MOST_NEW)
    gone = found(REFERENCE, [{"app": APP}] * 8)[-1]
    assert gone.limit == pytest.approx(level * VANISHED_PART / 2)
    mix = found(REFERENCE, [{"app": (9, 0, 0), "mail": MAIL}] * 8)[-1]
    assert mix.limit == pytest.approx(level * MIX_PART * (1 / 2 + 9 / 30) / 2 / 3)


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


def test_two_classes_are_watched_as_two() -> None:
    hours = each_hour((3, 0, 6))
    reference = SegmentReference.of({"channel": {"app": hours}}, whole_of(hours), TWO)
    group = reference.fields[0].slices["app"].reference.groups[0]
    assert [event for _, event in group.watched] == ["negative", "positive"]


def test_findings_and_references_can_be_stored() -> None:
    seen = found(REFERENCE, [{"app": (9, 0, 0), "mail": MAIL}] * 8)
    content = msgspec.json.encode(seen)
    assert msgspec.json.decode(content, type=list[SliceFinding]) == seen
    content = msgspec.json.encode(REFERENCE)
    assert msgspec.json.decode(content, type=SegmentReference) == REFERENCE
