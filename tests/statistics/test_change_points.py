import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.statistics.change_points import (
    LONGEST_GAP,
    ChangePoint,
    ClassMix,
    EventRate,
    Family,
    Sums,
    WeightedMean,
    change_point,
    mean_change_point,
    mix_change_point,
    rate_change_point,
)

Counts = tuple[int, int, int]
NORMAL, CHANGED, REFERENCE = (12, 4, 4), (2, 4, 14), (600, 200, 200)

cells = st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=1, max_size=12)
references = st.tuples(*[st.integers(1, 500)] * 3)


def drawn(generator: random.Random, shares: Sequence[float], rows: int) -> Counts:
    places = generator.choices(range(3), shares, k=rows)
    return places.count(0), places.count(1), places.count(2)


def found(counts: Sequence[Sums], reference: Sums = REFERENCE, *, start: int = 0) -> ChangePoint | None:
    hours = range(start, start + len(counts))
    return mix_change_point(hours, counts, reference, confidence_level=0.95)


def test_a_posterior_worked_by_hand() -> None:
    # Two hours of one row, a and then b, with Dirichlet (2, 1) before the step and (1, 2) after it. The
    # step at the begin of hour 0: a and b are 1/3 and 2/4 after it, 1/6. Between the hours: 2/3 and 2/3, 4/9.
    # At the end of hour 1: 2/3 and 1/4, 1/6. Within hour 0, with b after it, a is 2/3 before the step and 1/4
    # after it: after one quarter 1/4 * 2/3 + 3/4 * 1/4 = 17/48, after two 22/48, after three 27/48; each
    # times 2/3 for b.
    # Hour 1 is its mirror image. So both are alike, (1/6 / 2 + 2/3 * 66/48 + 4/9 / 2) / 4 = 0.3056.
    # The most probable moment lies between the hours: it belongs to the later one.
    def step(hours: list[int], level: float) -> ChangePoint | None:
        counts, before, after = ((1.0, 0.0), (0.0, 1.0)), (2.0, 1.0), (1.0, 2.0)
        return change_point(ClassMix(), hours, counts, before, after, confidence_level=level)

    few = step([0, 1], 0.49)
    assert few is not None
    assert few.hour == few.last == 1
    assert step([0, 1], 0.51) == ChangePoint(hour=1, first=0, last=1)
    # An hour without rows between them takes 0.4444 of 1.0556, 0.421.
    assert step([0, 2], 0.42) == ChangePoint(hour=2, first=1, last=2)
    assert step([0, 2], 0.72) == ChangePoint(hour=2, first=0, last=2)


def brute_force(counts: Sequence[Sums], before: Sums, vague: Sums) -> tuple[list[float], int]:
    """Return (the posterior of the hour of the step, row by row by the rule of succession; the best hour)."""

    def evidence(prior: Sums, rows: Sequence[int]) -> float:
        known, log = list(prior), 0.0
        for place in rows:
            log += math.log(known[place] / sum(known))
            known[place] += 1
        return log

    def rows_of(some: Sequence[Sums]) -> list[int]:
        return [place for one in some for place, count in enumerate(one) for _ in range(int(count))]

    def shares(prior: Sums, some: Sequence[Sums]) -> list[float]:
        total = [sum(one) for one in zip(prior, *some, strict=True)]
        return [one / sum(total) for one in total]

    weights, moments = [], {}
    for hour, cell in enumerate(counts):
        earlier, later = counts[:hour], counts[hour + 1 :]
        fixed = evidence(before, rows_of(earlier)) + evidence(vague, rows_of(later))
        total = 0.0
        for part in range(5):
            if part == 0:
                log = evidence(before, rows_of(earlier)) + evidence(vague, rows_of(counts[hour:]))
            elif part == 4:
                log = evidence(before, rows_of(counts[: hour + 1])) + evidence(vague, rows_of(later))
            else:
                was, now = shares(before, earlier), shares(vague, later)
                mixed = [part / 4 * p + (1 - part / 4) * q for p, q in zip(was, now, strict=True)]
                log = fixed + sum(n * math.log(p) for n, p in zip(cell, mixed, strict=True))
            total += math.exp(log) / (8 if part in (0, 4) else 4)
            moments[4 * hour + part] = log
        weights.append(total)
    moments.pop(4 * len(counts))
    return [one / sum(weights) for one in weights], max(moments, key=moments.__getitem__) // 4


def smallest_hull(posterior: Sequence[float], level: float) -> tuple[int, int]:
    order = sorted(range(len(posterior)), key=lambda hour: -posterior[hour])
    taken, held = [], 0.0
    for hour in order:
        if held >= level:
            break
        taken.append(hour)
        held += posterior[hour]
    return min(taken), max(taken)


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=2, max_size=6), references)
def test_the_interval_is_that_of_the_posterior_by_brute_force(
    counts: list[Counts], reference: Counts
) -> None:
    before = tuple(count + 0.5 for count in reference)
    posterior, hour = brute_force(counts, before, (0.5, 0.5, 0.5))
    one = found(counts, reference)
    # Two hours that are alike may come in either order.
    assume(one is not None and len({round(p, 9) for p in posterior}) == len(posterior))
    first, last = smallest_hull(posterior, 0.95)
    assert one == ChangePoint(hour=hour, first=min(first, hour), last=max(last, hour))


def test_a_step_is_found_in_its_hour() -> None:
    one = found([NORMAL] * 20 + [CHANGED] * 10)
    assert one is not None
    assert one.hour == 20
    assert 18 <= one.first <= 20 <= one.last <= 22


def test_a_step_within_an_hour_is_found_in_that_hour() -> None:
    normal, changed = (600, 200, 200), (100, 200, 700)
    one = found([normal] * 20 + [(350, 200, 450)] + [changed] * 10)
    assert one == ChangePoint(hour=20, first=20, last=20)


def test_a_step_with_the_first_hour_begins_there() -> None:
    one = found([CHANGED] * 8, start=1000)
    assert one is not None
    assert one.hour == one.first == 1000


def test_a_step_of_the_newest_hour_is_found() -> None:
    one = found([(120, 40, 40)] * 30 + [(20, 40, 140)])
    assert one is not None
    assert one.hour == 30


def test_a_change_that_nothing_tells_may_have_begun_anywhere() -> None:
    one = found([(6, 2, 2)] * 40)
    assert one is not None
    assert one.last - one.first > 20


def test_hours_without_rows_before_the_change_may_hold_it() -> None:
    hours = [*range(10), *range(60, 70)]
    one = mix_change_point(
        hours, [(120, 40, 40)] * 10 + [(20, 40, 140)] * 10, REFERENCE, confidence_level=0.95
    )
    assert one == ChangePoint(hour=60, first=10, last=60)


def test_a_silence_of_years_does_not_draw_the_onset_to_it() -> None:
    counts = [NORMAL] * 20 + [CHANGED] * 6
    for last in (26, 26 + LONGEST_GAP, 10_000_000):
        one = mix_change_point([*range(26), last], [*counts, (1, 0, 1)], REFERENCE, confidence_level=0.95)
        assert one is not None
        assert one.hour == 20
        assert one.last <= 22


def test_an_episode_that_is_over_is_left_out_and_what_came_later_counts() -> None:
    episode = [NORMAL] * 10 + [CHANGED] * 10 + [NORMAL] * 10
    assert found(episode) is None
    one = found([*episode, *[CHANGED] * 5])
    assert one is not None
    assert one.hour == 30
    assert one.first >= 28


def test_of_two_steps_the_one_with_more_evidence_is_found() -> None:
    one = found([(120, 40, 40)] * 20 + [(115, 40, 45)] * 5 + [(20, 40, 140)] * 20)
    assert one is not None
    assert one.hour == 25


def test_a_ramp_is_found_near_its_middle() -> None:
    ramp = [(120 - 5 * step, 40, 40 + 5 * step) for step in range(20)]
    one = found([(120, 40, 40)] * 20 + ramp + [ramp[-1]] * 20)
    assert one is not None
    assert 24 <= one.hour <= 36


@given(cells, references, st.integers(-400_000, 4_000_000))
def test_an_onset_is_as_much_later_as_all_hours_are(counts: list[Counts], reference: Counts, by: int) -> None:
    here, there = found(counts, reference), found(counts, reference, start=by)
    if here is None:
        assert there is None
    else:
        assert there == ChangePoint(hour=here.hour + by, first=here.first + by, last=here.last + by)


@given(cells, references, st.permutations(range(3)))
def test_the_order_of_the_classes_means_nothing(
    counts: list[Counts], reference: Counts, order: list[int]
) -> None:
    one = found(counts, reference)
    other = found(
        [tuple(cell[place] for place in order) for cell in counts], tuple(reference[p] for p in order)
    )
    # Sums in another order differ in their last digits, which decides between hours that are alike.
    if one is None or other is None:
        assert one is other
    else:
        assert abs((one.last - one.first) - (other.last - other.first)) <= len(counts)
        assert (one == other) or len(counts) > 1


@given(cells, references, st.sampled_from([0.5, 0.8, 0.95, 0.99]))
def test_the_interval_holds_the_onset_and_grows_with_its_level(
    counts: list[Counts], reference: Counts, level: float
) -> None:
    one = mix_change_point(range(len(counts)), counts, reference, confidence_level=level)
    wider = mix_change_point(range(len(counts)), counts, reference, confidence_level=0.995)
    assert (one is None) == (wider is None)
    if one is not None and wider is not None:
        assert 0 <= wider.first <= one.first <= one.hour <= one.last <= wider.last < len(counts)


@given(st.integers(3, 12), st.integers(1, 8))
def test_more_rows_of_the_same_shares_never_widen_the_interval(step: int, times: int) -> None:
    counts = [NORMAL] * step + [CHANGED] * (15 - step)
    few, many = found(counts), found([tuple(times * one for one in cell) for cell in counts])
    assert few is not None
    assert many is not None
    assert many.last - many.first <= few.last - few.first
    assert many.hour == few.hour == step


@given(cells, references)
def test_a_class_without_rows_changes_nothing(counts: list[Counts], reference: Counts) -> None:
    two = [(cell[0], cell[2]) for cell in counts]
    three = [(cell[0], 0, cell[2]) for cell in counts]
    hours = range(len(counts))
    assert mix_change_point(hours, two, (reference[0], reference[2]), confidence_level=0.95) == found(
        three, (reference[0], 0, reference[2])
    )


def test_two_classes_are_enough_for_a_change() -> None:
    one = found([(12, 0, 8)] * 20 + [(2, 0, 18)] * 10, (600, 0, 400))
    assert one is not None
    assert one.hour == 20


def test_hours_without_rows_up_to_a_week_are_as_likely_as_others() -> None:
    # One row that tells nothing on either side: the posterior is that of the hours alone.
    def first(gap: int, level: float) -> int:
        one = change_point(
            ClassMix(), [0, gap + 1], [(1.0, 1.0)] * 2, (1e9, 1e9), (1e9, 1e9), confidence_level=level
        )
        assert one is not None
        return one.last - one.first + 1

    # Two hours and 168 of the gap; of a gap of 338 hours as many count.
    assert first(168, 168 / 170 + 1e-4) > first(168, 168 / 170 - 1e-4)
    assert first(338, 168 / 170 + 1e-4) > first(338, 168 / 170 - 1e-4)


@pytest.mark.parametrize(("normal", "over"), [(19, True), (18, False)])
def test_hours_are_like_the_reference_again_from_odds_of_a_thousand_on(normal: int, over: bool) -> None:
    # Before the step events are as expected, after it there are e times as many: an hour with one event where
    # one is expected speaks for the former by e - 1 - 1 = 0.7183. Of 21 hours log(1000) + 2 log(21) = 12.997
    # are needed: 18 times that is 12.93, 19 times 13.65.
    e = math.e
    cells = [(1.0, 1.0)] * normal
    huge = 1e9
    again = change_point(
        EventRate(),
        range(21),
        [(e * huge, huge), *cells, *[(e * 100, 100.0)] * (20 - normal)],
        (huge, huge),
        (e * huge, huge),
        confidence_level=0.95,
    )
    assert again is not None
    assert (again.first > 0) == over


def test_rows_of_a_single_class_do_not_change() -> None:
    assert found([(5, 0, 0)] * 5, (100, 0, 0)) is None
    assert found([], REFERENCE) is None


def test_a_step_between_two_hours_may_have_been_in_either() -> None:
    # The moment between both is all that fits: by the trapezoidal rule each of the two hours has half of it.
    step = [(5_000, 0, 0)] * 3 + [(0, 0, 5_000)] * 3
    for level, first in ((0.49, 3), (0.51, 2), (0.85, 2), (0.99, 2)):
        seen = mix_change_point(list(range(6)), step, (5_000, 0, 0), confidence_level=level)
        assert seen == ChangePoint(hour=3, first=first, last=3)


def test_a_reference_counts_as_one_row_at_least() -> None:
    fall = [(1.0, 0.8)] * 3 + [(1.0, 0.5)] * 3

    def step(rows: float) -> ChangePoint | None:
        return mean_change_point(range(6), fall, (rows, 0.5), deviation=0.2, confidence_level=0.8)

    assert step(0.5) == step(1.0) == ChangePoint(hour=3, first=1, last=5)
    assert step(2.0) == ChangePoint(hour=3, first=0, last=5)


def test_a_mean_that_falls_is_found_in_its_hour() -> None:
    one = mean_change_point(
        range(20), [(50, 0.8)] * 12 + [(50, 0.7)] * 8, (1000, 0.8), deviation=0.15, confidence_level=0.95
    )
    assert one is not None
    assert one.hour == 12
    assert 10 <= one.first <= one.last <= 14


def test_the_unit_of_a_mean_makes_no_difference_to_when_it_changed() -> None:
    cells = [(50, 0.8 if hour < 12 else 0.74 + 0.02 * (hour % 3)) for hour in range(20)]
    found = [
        mean_change_point(
            range(20),
            [(size, unit * mean) for size, mean in cells],
            (1000, unit * 0.8),
            deviation=unit * 0.25,
            confidence_level=0.95,
        )
        for unit in (1, 8, 0.125)
    ]
    assert found[0] is not None
    assert found[1] == found[2] == found[0]
    assert found[0].last > found[0].first


def test_a_mean_whose_rows_are_all_alike_changes_in_its_hour() -> None:
    one = mean_change_point(
        range(6), [(5, 0.8)] * 3 + [(5, 0.7)] * 3, (100, 0.8), deviation=0.0, confidence_level=0.95
    )
    assert one is not None
    assert one.first <= 3 <= one.last
    assert one.last - one.first <= 1


def test_rows_that_stop_are_found_in_their_hour() -> None:
    one = rate_change_point(range(30), [(20, 20.0)] * 25 + [(0, 20.0)] * 5, 5_000, confidence_level=0.95)
    assert one is not None
    assert one.hour in (24, 25)
    assert 24 <= one.first <= one.last <= 25


def test_an_outage_that_is_over_is_no_onset() -> None:
    usual = (20, 20.0)
    gone = [usual] * 20 + [(0, 20.0)] * 10 + [usual] * 20
    assert rate_change_point(range(50), gone, 5_000, confidence_level=0.95) is None


@pytest.mark.parametrize(
    ("family", "sums", "parameters", "expected"),
    [
        # B(2, 3) = 1! 2! / 4! = 1/12; 2 log .4 + 3 log .6.
        (ClassMix(), (2.0, 3.0), (0.4, 0.6), (math.log(1 / 12), 2 * math.log(0.4) + 3 * math.log(0.6))),
        # Weight 4, mean 3: 12**2 / 8 - log(4) / 2; 12 * 3 - 4 * 9 / 2.
        (WeightedMean(), (4.0, 12.0), (3.0,), (18 - math.log(2), 18.0)),
        # Gamma(4) / 2**4 = 6 / 16; 4 log 2 - 2 * 2.
        (EventRate(), (4.0, 2.0), (2.0,), (math.log(6 / 16), 4 * math.log(2) - 4)),
    ],
)
def test_families_worked_by_hand(
    family: Family, sums: Sums, parameters: Sums, expected: tuple[float, float]
) -> None:
    assert family.estimate(sums) == pytest.approx(parameters)
    assert family.log_normaliser(sums) == pytest.approx(expected[0])
    assert family.log_likelihood(sums, parameters) == pytest.approx(expected[1])


def test_hours_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(DataError, match="ascend"):
        mix_change_point([2, 1], [NORMAL, NORMAL], REFERENCE, confidence_level=0.95)
    with pytest.raises(DataError, match="ascend"):
        mix_change_point([2, 2], [NORMAL, NORMAL], REFERENCE, confidence_level=0.95)
    with pytest.raises(DataError, match="fit"):
        change_point(ClassMix(), [1], [(1.0,)], (1.0, 2.0), (1.0, 2.0), confidence_level=0.95)


def test_the_interval_covers_in_about_its_share_of_simulated_steps() -> None:
    generator, covered, width = random.Random(7), 0, 0
    for _ in range(200):
        step, counts = generator.uniform(4, 36), []
        for hour in range(40):
            late = round(20 * min(1, max(0, hour + 1 - step)))
            old, new = drawn(generator, (0.3, 0.4, 0.3), 20 - late), drawn(generator, (0.1, 0.4, 0.5), late)
            counts.append((old[0] + new[0], old[1] + new[1], old[2] + new[2]))
        one = found(counts, drawn(generator, (0.3, 0.4, 0.3), 500))
        assert one is not None
        covered, width = (
            covered + (one.first <= math.floor(step) <= one.last),
            width + one.last - one.first + 1,
        )
    assert covered >= 188
    assert width / 200 < 5
