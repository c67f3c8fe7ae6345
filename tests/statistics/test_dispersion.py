import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.monitoring.watched_events import Counted, EventWindow, sum_windows
from sentimon.statistics.dispersion import (
    Wave,
    clustered_effect,
    correlation_of_means,
    correlation_of_mixes,
    daily_wave_of_means,
    daily_waves,
    design_effect,
    design_effect_of_means,
    exceeds_chance,
    intraclass_correlation,
    mean_cluster_size,
    persistence,
    rate_dispersion,
)

Counts = tuple[int, int, int]
FLAT = (Wave(0.2), Wave(0.5), Wave(0.3))


def drawn(generator: random.Random, shares: list[float], size: int) -> Counts:
    places = generator.choices(range(3), shares, k=size)
    return places.count(0), places.count(1), places.count(2)


def dirichlet(generator: random.Random, shares: list[float], concentration: float) -> list[float]:
    parts = [generator.gammavariate(share * concentration, 1) for share in shares]
    return [part / sum(parts) for part in parts]


def test_a_design_effect_worked_by_hand() -> None:
    # Shares .5 and .5; two hours of 10: (2 - 5)**2 / 5 four times is 7.2, over one degree of freedom.
    waves = (Wave(0.5), Wave(0.0), Wave(0.5))
    assert design_effect({0: (2, 0, 8), 1: (8, 0, 2)}, waves) == (pytest.approx(7.2), 1)
    assert design_effect({0: (5, 0, 5), 1: (5, 0, 5)}, waves) == (1.0, 1)
    assert design_effect({0: (5, 0, 5)}, waves) == (1.0, 0)
    assert design_effect({0: (0, 0, 0), 1: (5, 0, 5), 2: (5, 0, 5)}, waves)[0] == 1.0


def test_a_design_effect_around_waves_worked_by_hand() -> None:
    # At 0 o'clock the shares are -0.1, of which 0.01 is made, 0.5 and 0.6; at 12 o'clock 0.3, 0.5 and 0.2.
    waves = (Wave(0.1, cosine=-0.2), Wave(0.5), Wave(0.4, cosine=0.2))
    hours = {0: (1, 5, 4), 12: (3, 4, 3), 24: (4, 4, 2), 36: (0, 0, 0)}
    square = 0.9**2 / 0.1 + 2**2 / 6 + 1 / 5 + 1 / 2 + 3.9**2 / 0.1 + 1 / 5 + 4**2 / 6
    # Four hours and three classes have six degrees of freedom, of which two waves take two each.
    assert design_effect(hours, waves) == (pytest.approx(square / 2), 2)
    # The third wave follows from two others, and a class without rows from nothing.
    three = (Wave(0.1, sine=0.01), Wave(0.5, sine=0.01), Wave(0.4, sine=-0.02))
    assert design_effect(hours, three)[1] == 2
    assert design_effect(hours, (Wave(0.1), Wave(0.5, sine=0.1), Wave(0.4)))[1] == 4
    assert design_effect(dict.fromkeys(range(3), (1, 0, 1)), (Wave(0.5), Wave(0.0), Wave(0.5)))[1] == 2
    # Less than chance is chance.
    assert design_effect(dict.fromkeys(range(9), (2, 5, 3)), FLAT) == (1.0, 16)


def test_a_correlation_worked_by_hand() -> None:
    # Hours of 2 and 4 rows, and one without: (1.5 - 1) / (3 - 1).
    hours = {0: (2, 0, 0), 1: (0, 1, 3), 2: (0, 0, 0)}
    assert intraclass_correlation(1.5, hours) == 0.25
    assert intraclass_correlation(50.0, hours) == 1.0
    assert intraclass_correlation(1.0, hours) == 0.0
    # Of one row an hour there are no two.
    assert intraclass_correlation(2.0, {0: (1, 0, 0), 1: (0, 1, 0)}) == 0.0
    assert intraclass_correlation(2.0, {}) == 0.0
    assert intraclass_correlation(1.25, {0: (1, 1, 0), 1: (0, 1, 0)}) == 0.5


def test_a_design_effect_below_a_fifth_more_is_ignored() -> None:
    assert clustered_effect(0.25, 2.0) == 1.25
    assert clustered_effect(0.1875, 2.0) == 1.0
    # At 1.2 exactly, as floats have it, too.
    assert clustered_effect(1.2 - 1, 2.0) == 1.0
    assert clustered_effect(0.25, 1.0) == 1.0


def test_the_mean_size_of_a_cluster_is_that_over_its_rows() -> None:
    assert mean_cluster_size([3, 1, 0]) == 2.5
    assert mean_cluster_size([]) == mean_cluster_size([0, 0]) == 1.0


def test_a_small_number_of_degrees_has_its_own_quantile() -> None:
    # ((7 / 9) + 1.6449 * sqrt(2 / 9)) ** 3 = 3.7468 for one degree of freedom.
    assert not exceeds_chance(3.74, 1)
    assert exceeds_chance(3.75, 1)


def test_eighteen_hours_of_the_day_with_rows_make_a_wave() -> None:
    hours = {hour: (0, 0, 10) if hour < 9 else (10, 0, 0) for hour in range(18)}
    assert daily_waves(hours)[2].amplitude > 0
    # An hour without rows covers nothing, and 24 hours later it is the same one.
    assert (
        daily_waves({hour: counts if hour else (0, 0, 0) for hour, counts in hours.items()})[2].amplitude == 0
    )
    again = {hour + 24 * (hour == 17) - 17 * (hour == 17): counts for hour, counts in hours.items()}
    assert (len(again), daily_waves(again)[2].amplitude) == (18, 0.0)
    assert daily_waves({5: (1, 2, 1), 6: (0, 2, 2)}) == (Wave(0.125), Wave(0.5), Wave(0.375))


@pytest.mark.parametrize("correlation", [0.02, 0.05, 0.1])
def test_rows_that_come_in_bursts_are_told_from_independent_ones(correlation: float) -> None:
    generator, shares, size = random.Random(1), [0.2, 0.5, 0.3], 50
    effects = []
    for _ in range(40):
        hours = {}
        for hour in range(40):
            hours[hour] = drawn(generator, dirichlet(generator, shares, 1 / correlation - 1), size)
        effects.append(design_effect(hours, FLAT)[0])
    assert sum(effects) / len(effects) == pytest.approx(1 + (size - 1) * correlation, rel=0.1)


def test_independent_rows_are_seldom_taken_for_bursts() -> None:
    generator, taken = random.Random(5), 0
    for _ in range(100):
        hours = {hour: drawn(generator, [0.2, 0.5, 0.3], 50) for hour in range(40)}
        taken += exceeds_chance(*design_effect(hours, daily_waves(hours)))
    assert taken <= 12


def test_a_design_effect_is_told_from_chance() -> None:
    # The 95 % quantile of chi-square with 8 degrees of freedom is 15.507.
    assert not exceeds_chance(15.4 / 8, 8)
    assert exceeds_chance(15.7 / 8, 8)
    assert exceeds_chance(1.05, 10_000)
    assert exceeds_chance(9.9, 0) is False


@pytest.mark.parametrize("sizes", [[50] * 60, [5] * 30 + [200] * 30, [2] * 200 + [500] * 10])
def test_the_correlation_is_that_of_the_rows_whatever_the_sizes_of_the_hours(sizes: list[int]) -> None:
    generator, correlation, found = random.Random(8), 0.05, []
    for _ in range(60):
        hours = {
            hour: drawn(generator, dirichlet(generator, [0.2, 0.5, 0.3], 1 / correlation - 1), size)
            for hour, size in enumerate(sizes)
        }
        effect, _ = design_effect(hours, FLAT)
        found.append(intraclass_correlation(effect, hours))
    assert sum(found) / len(found) == pytest.approx(correlation, rel=0.25)


def test_rows_count_for_less_the_more_of_them_share_an_hour() -> None:
    assert clustered_effect(0.05, 200) == pytest.approx(1 + 199 * 0.05)
    # What is hardly more than chance is left alone.
    assert clustered_effect(0.05, 5) == 1.0
    assert clustered_effect(0.0, 1000) == 1.0
    assert clustered_effect(0.5, 0.0) == 1.0
    one = EventWindow(groups=(Counted(30, (30,)),), hours={1: 30})
    other = EventWindow(groups=(Counted(10, (10,)),), hours={1: 10})
    # Two looks at one hour are one burst.
    assert sum_windows([one, other]).mean_cluster_size == 40
    assert (
        sum_windows([one, EventWindow(groups=(Counted(10, (10,)),), hours={2: 10})]).mean_cluster_size
        == (900 + 100) / 40
    )


def test_a_swing_over_the_day_is_found_and_nothing_is_found_where_there_is_none() -> None:
    generator = random.Random(2)
    found, false = [], []
    for _ in range(60):
        hours = {}
        for hour in range(24 * 7):
            swing = 0.1 * math.cos(2 * math.pi * (hour - 15) / 24)
            hours[hour] = drawn(generator, [0.3 + swing, 0.5, 0.2 - swing], 60)
        negative, neutral, positive = daily_waves(hours)
        found.append(negative)
        assert positive.amplitude > 0.05
        false.append(neutral.amplitude)
    assert sum(wave.amplitude for wave in found) / len(found) == pytest.approx(0.1, abs=0.01)
    assert max(range(24), key=found[0].at) in (14, 15, 16)
    # The neutral share does not swing: chance alone makes a wave of 0.007, and most of that is taken back.
    assert sum(one == 0 for one in false) > 20
    assert sum(false) / len(false) < 0.004


def test_bursts_make_no_wave() -> None:
    """Where the rows of an hour are alike, chance makes a larger wave, and more of it is taken back."""
    generator = random.Random(5)
    kept = []
    for _ in range(80):
        hours = {}
        for hour in range(24 * 7):
            # A beta distribution whose hours have a correlation of 1 / 20: of 60 rows a design effect of 4.
            share = generator.betavariate(0.4 * 19, 0.6 * 19)
            hours[hour] = drawn(generator, [share, 0.0, 1 - share], 60)
        kept.append(daily_waves(hours)[0].kept)
    # As of independent rows: chance explains more than two in exp(-1) of all, and half of that is kept.
    assert 15 < sum(one > 0 for one in kept) < 45
    assert sum(kept) / len(kept) < 0.25


def test_a_wave_of_means_that_bursts_explain_is_flat() -> None:
    # Two levels in turn, by the parity of the hour of a day of 24 hours and of the day: no wave of 24 hours.
    cells = {hour: (100, 0.8 + 0.1 * (-1) ** (hour + hour // 24)) for hour in range(23 * 48)}
    cells |= {hour: (100, mean + 0.02 * math.cos(math.pi * hour / 12)) for hour, (_, mean) in cells.items()}
    # The wave explains 1,104 hours * 100 rows * .02**2 / 2 = 22; of a variance of .5 that is 44. But hours
    # vary by .1: 100 rows * .01 / .5 is a design effect of 2, and chance explains 4.
    wave = daily_wave_of_means(cells, 0.5)
    assert wave.kept == pytest.approx(1 - 4 / 44.16, abs=0.002)
    assert wave.cosine == pytest.approx(0.02 * wave.kept, abs=0.0002)


def test_hours_that_do_not_cover_a_day_have_no_wave() -> None:
    generator = random.Random(3)
    hours = {hour: drawn(generator, [hour / 17, 0.0, 1 - hour / 17], 200) for hour in range(17)}
    assert [wave.amplitude for wave in daily_waves(hours)] == [0.0, 0.0, 0.0]


def test_a_swing_over_the_day_is_no_burst() -> None:
    generator = random.Random(4)
    hours = {}
    for hour in range(24 * 4):
        swing = 0.1 * math.sin(2 * math.pi * hour / 24)
        hours[hour] = drawn(generator, [0.3 + swing, 0.4, 0.3 - swing], 400)
    flat = tuple(Wave(wave.share) for wave in daily_waves(hours))
    assert design_effect(hours, flat)[0] > 3
    assert design_effect(hours, daily_waves(hours))[0] < 1.3


def test_a_wave_worked_by_hand() -> None:
    # Class 2 alone at 0 .. 11 o'clock, class 0 alone later; ten rows an hour, share 1/2. The sums over the
    # first half of the day are 1 for the cosine and 1 / tan(pi / 24) for the sine, the squares sum to 12.
    hours = {hour: (0, 0, 10) if hour < 12 else (10, 0, 0) for hour in range(24)}
    cosine, sine = 1 / 12, 1 / math.tan(math.pi / 24) / 12
    explained = 10 * 12 * (cosine**2 + sine**2) / 0.25
    assert explained == pytest.approx(195.66, abs=0.01)
    # Half a day is no wave: what hours vary around it is chi-square over 23 - 4 degrees of freedom, so many
    # times what chance makes of ten rows, and chance explains as many times two.
    square = 0.0
    for hour in range(24):
        angle = math.pi * hour / 12
        p = 0.5 + cosine * math.cos(angle) + sine * math.sin(angle)
        # A share is taken to be a tenth of the mean one at least.
        usual = 10 * max(p, 0.05), 10 * max(1 - p, 0.05)
        seen = (10, 0) if hour < 12 else (0, 10)
        square += sum((one - rows) ** 2 / rows for one, rows in zip(seen, usual, strict=True))
    kept = 1 - 2 * (square / 19) / explained
    negative, neutral, positive = daily_waves(hours)
    assert positive.share == 0.5
    assert (positive.cosine, positive.sine) == (pytest.approx(kept * cosine), pytest.approx(kept * sine))
    assert (negative.cosine, negative.sine) == (pytest.approx(-kept * cosine), pytest.approx(-kept * sine))
    assert neutral == Wave(0.0)
    assert positive.kept == pytest.approx(kept)
    assert positive.at(0) == pytest.approx(0.5 + kept * cosine)
    assert positive.at(6) == pytest.approx(0.5 + kept * sine)
    assert positive.amplitude == pytest.approx(kept * math.hypot(cosine, sine))


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_wave_is_weighted_least_squares_beside_a_constant_less_what_chance_explains(seed: int) -> None:
    generator = random.Random(seed)
    shares = [generator.random() for _ in range(24)]
    # Sizes that differ over the day: sine, cosine and constant are far from orthogonal.
    hours: dict[int, Counts] = {}
    for hour in range(40):
        size = generator.choice([1, 2, 3, 60]) if hour % 24 < 9 else 5
        count = sum(generator.random() < shares[hour % 24] for _ in range(size))
        hours[hour] = (size - count, 0, count)
    sizes = np.array([sum(counts) for counts in hours.values()])
    counts = np.array([one[2] for one in hours.values()])
    angles = 2 * np.pi * np.array(list(hours)) / 24
    design = np.stack([np.ones(len(hours)), np.cos(angles), np.sin(angles)], axis=1)
    root = np.sqrt(sizes)
    fit, *_ = np.linalg.lstsq(design * root[:, None], counts / sizes * root, rcond=None)
    share = counts.sum() / sizes.sum()
    wave = design[:, 1:] @ fit[1:]
    explained = sizes @ (wave - sizes @ wave / sizes.sum()) ** 2 / (share * (1 - share))
    whole = [Wave(1 - share, -fit[1], -fit[2]), Wave(0.0), Wave(share, fit[1], fit[2])]
    effect, degrees = design_effect(hours, whole)
    alike = 1.0
    if exceeds_chance(effect, degrees):
        alike = clustered_effect(intraclass_correlation(effect, hours), mean_cluster_size(sizes.tolist()))
    kept = max(0.0, 1 - 2 * alike / explained)
    found = daily_waves(hours)[2]
    assert found.share == pytest.approx(share)
    assert (found.cosine, found.sine) == (
        pytest.approx(kept * fit[1], abs=1e-9),
        pytest.approx(kept * fit[2], abs=1e-9),
    )


def test_a_design_effect_of_means_worked_by_hand() -> None:
    # Around the mean .5 lie 10 rows at .4 and 30 rows at .5333...: 10 * .01 + 30 / 900 is 2/15, over one
    # degree of freedom; independent rows with a variance of .02 would have .02.
    cells = [(10, 0.4), (30, 8 / 15)]
    assert design_effect_of_means(cells, 0.02) == (pytest.approx(20 / 3), 1)
    assert design_effect_of_means(cells, 0.5) == (1.0, 1)
    assert design_effect_of_means([(10, 0.4)] * 3, 0.02) == (1.0, 2)
    assert design_effect_of_means([(10, 0.4)], 0.02) == (1.0, 0)
    assert design_effect_of_means(cells, 0.0) == (1.0, 0)


def test_a_wave_of_means_is_found_and_one_that_is_chance_is_flat() -> None:
    angles = [2 * math.pi * hour / 24 for hour in range(48)]
    cells = {
        hour: (100, 0.8 + 0.1 * math.cos(angle) - 0.05 * math.sin(angle)) for hour, angle in enumerate(angles)
    }
    # The wave explains 4,800 rows * (.1**2 + .05**2) / 2 = 30; of a variance of .5 that is 60, and chance
    # alone would explain 2.
    wave = daily_wave_of_means(cells, 0.5)
    assert wave.share == pytest.approx(0.8)
    assert wave.cosine == pytest.approx(0.1 * 58 / 60)
    assert wave.sine == pytest.approx(-0.05 * 58 / 60)
    assert daily_wave_of_means(cells, 16.0) == Wave(wave.share)
    assert daily_wave_of_means(cells, 0.0) == Wave(wave.share)
    days = {hour: cell for hour, cell in cells.items() if hour % 24 < 17}
    assert daily_wave_of_means(days, 0.5).amplitude == 0
    days = {hour: cell for hour, cell in cells.items() if hour % 24 < 18}
    assert daily_wave_of_means(days, 0.5).amplitude > 0


def test_the_dispersion_of_a_rate_worked_by_hand() -> None:
    # 100 hours of 10 expected rows with 5, 5, 15, 15 ... of them: chi-square is 100 * 25 / 10 = 250 over 99,
    # more than chance; 25 - 10 = 15 beyond a Poisson variance, over 10**2. Neighbours go together in 50 of
    # 99 pairs, and apart in 49.
    spread, persistence = rate_dispersion([(5, 10.0), (5, 10.0), (15, 10.0), (15, 10.0)] * 25)
    assert spread == pytest.approx(0.15)
    assert persistence == 1.0
    # Ten in a row each: 90 pairs go together, 9 do not, r = 81 / 100.
    spread, persistence = rate_dispersion([*[(5, 10.0)] * 10, *[(15, 10.0)] * 10] * 5)
    assert spread == pytest.approx(0.15)
    assert persistence == pytest.approx(1.81 / 0.19)
    # A factor that is common to all hours is no dispersion.
    assert rate_dispersion([(5, 10.0), (15, 30.0), (20, 40.0)]) == (0.0, 1.0)
    assert rate_dispersion([(5, 10.0)]) == (0.0, 1.0)
    assert rate_dispersion([(0, 10.0), (0, 10.0)]) == (0.0, 1.0)
    assert rate_dispersion([(0, 0.0), (5, 10.0), (5, 10.0)]) == (0.0, 1.0)


def test_rates_that_stay_astray_for_days_are_believed_up_to_a_limit() -> None:
    _, persistence = rate_dispersion([*[(50, 100.0)] * 500, *[(150, 100.0)] * 500])
    assert persistence == pytest.approx(1.9 / 0.1)


def test_poisson_counts_are_seldom_taken_for_dispersed_ones() -> None:
    generator, taken = np.random.default_rng(2), 0
    for _ in range(100):
        expected = generator.uniform(1, 30, 100)
        spread, persistence = rate_dispersion(
            zip(generator.poisson(2 * expected).tolist(), expected, strict=True)
        )
        taken += spread > 0 or persistence > 1
    assert taken <= 20


def test_persistence_worked_by_hand() -> None:
    # 100 distances of 1 in blocks of 5: 19 of 99 pairs of neighbours go apart, r = (80 - 19) / 100.
    blocks = [1.0] * 5 + [-1.0] * 5
    assert persistence([blocks * 10]) == pytest.approx(1.61 / 0.39)
    # Where four fifths of the variance may persist these have r = .61 / .8. The first of one series does not
    # follow the last of another: of two of 50, 9 pairs of 49 go apart in each.
    assert persistence([blocks * 10], part=0.8) == pytest.approx(1.7625 / 0.2375)
    assert persistence([blocks * 5, blocks * 5]) == pytest.approx(1.62 / 0.38)
    # r = .16 of 100 is less than 1.645 / 10, .17 is more.
    assert persistence([[1.0] * 17 + [0.0] * 83]) == pytest.approx(1.9 / 0.1)
    assert persistence([[1.0, -1.0] * 50]) == 1.0
    assert persistence([[0.0, 0.0], []]) == 1.0


def test_the_correlation_of_parts_is_that_around_the_mix_of_each() -> None:
    # Hours of 10 rows, 2 or 8 of the first class, in turn: chi-square is 7.2 of two hours. Of 40 hours it is
    # 144, over 39 degrees of freedom; (144 / 39 - 1) / 9.
    uneven = {hour: ((2, 0, 8), (8, 0, 2))[hour % 2] for hour in range(40)}
    half = (Wave(0.5), Wave(0.0), Wave(0.5))
    assert correlation_of_mixes([(uneven, half)]) == pytest.approx((144 / 39 - 1) / 9)
    # As many hours of another mix, without any variance, halve it: 1 is the least effect of a part.
    even = dict.fromkeys(range(100, 140), (9, 0, 1))
    other = (Wave(0.9), Wave(0.0), Wave(0.1))
    assert correlation_of_mixes([(uneven, half), (even, other)]) == pytest.approx(
        ((144 / 39 + 1) / 2 - 1) / 9
    )
    assert correlation_of_mixes([(even, other)]) == 0.0
    assert correlation_of_mixes([]) == 0.0


def test_hours_in_a_row_that_go_astray_together_count_as_a_larger_correlation() -> None:
    # The same hours in blocks of ten: of 39 pairs 3 go apart, 33 / 40. Beyond chance is 1 - 39 / 144 of the
    # variance, so that r is more than is believed, .9.
    uneven = {hour: ((2, 0, 8), (8, 0, 2))[hour // 10 % 2] for hour in range(40)}
    half = (Wave(0.5), Wave(0.0), Wave(0.5))
    assert correlation_of_mixes([(uneven, half)]) == 1.0
    rows = {hour: ((200, 0, 300), (300, 0, 200))[hour // 10 % 2] for hour in range(40)}
    # Chi-square of two hours is 40, of 40 hours 800, 761 of it beyond chance: r = 33 / 40 * 800 / 761.
    together = 33 / 40 * 800 / 761
    expected = (1 + together) / (1 - together) * (800 / 39 - 1) / 499
    assert correlation_of_mixes([(rows, half)]) == pytest.approx(expected)


def test_the_correlation_of_means_worked_by_hand() -> None:
    # 40 hours of 10 rows, .1 above and below in turn: 4 / 39 over a variance of .02 is 5.128.
    means = {hour: (10, 0.1 - 0.2 * (hour % 2)) for hour in range(40)}
    assert correlation_of_means([means], Wave(0.0), 0.02) == pytest.approx((200 / 39 - 1) / 9)
    assert correlation_of_means([means], Wave(0.0), 0.2) == 0.0
    # In blocks of ten they stay astray, up to the limit: all rows of an hour are one.
    blocks = {hour: (10, 0.1 - 0.2 * (hour // 10 % 2)) for hour in range(40)}
    assert correlation_of_means([blocks], Wave(0.0), 0.02) == 1.0
    # What the wave of the day explains is no correlation.
    wave = Wave(0.5, 0.1, 0.0)
    day = {hour: (10, 0.1 * math.cos(2 * math.pi * hour / 24)) for hour in range(48)}
    assert correlation_of_means([day], wave, 0.002) == 0.0
    assert correlation_of_means([day], Wave(0.0), 0.002) > 0.5


def test_the_variance_of_an_expected_share_worked_by_hand() -> None:
    def clock(**hours: int) -> list[int]:
        return [hours.get(f"h{hour}", 0) for hour in range(24)]

    # cos**2 + sin**2 is 1 in a single hour, so that both coefficients add 2 * kept.
    assert Wave(0.3, 0.1, 0.0, 0.5).variance_at(clock(h5=40)) == pytest.approx(2.0)
    # At 0 and 6 o'clock the means of cosine and sine are both 1/2.
    assert Wave(0.3, 0.1, 0.0, 0.5).variance_at(clock(h0=40, h6=40)) == pytest.approx(1.5)
    assert Wave(0.3, 0.1, 0.0, 0.5).variance_at(clock(h0=40, h12=40)) == pytest.approx(1.0)
    assert Wave(0.3, 0.1, 0.0, 0.5).variance_at([7] * 24) == pytest.approx(1.0)
    assert Wave(0.3).variance_at(clock(h5=40)) == 1.0
    assert Wave(0.3, 0.1, 0.0, 0.5).variance_at([0] * 24) == 1.0


def test_the_share_expected_in_an_hour_errs_as_much_as_its_variance_says() -> None:
    generator, size, share, swing = np.random.default_rng(6), 30, 0.3, 0.1
    errors, said = [], []
    for _ in range(200):
        usual = [share + swing * math.cos(2 * math.pi * hour / 24) for hour in range(24 * 7)]
        counts = generator.binomial(size, usual)
        hours = {hour: (int(count), 0, size - int(count)) for hour, count in enumerate(counts)}
        wave = daily_waves(hours)[0]
        errors.append((wave.at(3) - usual[3]) ** 2)
        said.append(wave.variance_at([0, 0, 0, 1]) * share * (1 - share) / (size * len(usual)))
    assert 0.75 < sum(errors) / sum(said) < 1.25


def test_two_hours_are_enough_to_tell_that_rows_come_in_bursts() -> None:
    # 50 and 50 rows are expected: (50**2 - 50) twice over 50**2 twice.
    assert rate_dispersion([(100, 10.0), (0, 10.0)])[0] == pytest.approx(0.98)
    assert rate_dispersion([(100, 10.0)]) == (0.0, 1.0)
