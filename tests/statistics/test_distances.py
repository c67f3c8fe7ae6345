import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from sentimon.errors import DataError
from sentimon.statistics.distances import total_variation, wasserstein_distance, wasserstein_interval
from sentimon.statistics.intervals import difference_of_shares
from tests.support.strategies import counts

Counts = tuple[int, int, int]


@given(counts, counts)
def test_it_is_scipy_s_distance_on_the_ordered_support(before: Counts, after: Counts) -> None:
    theirs = stats.wasserstein_distance([0, 0.5, 1], [0, 0.5, 1], before, after)
    assert wasserstein_distance(before, after) == pytest.approx(theirs, abs=1e-12)


@given(counts)
def test_a_mix_is_at_distance_zero_from_itself_at_any_size(mix: Counts) -> None:
    assert wasserstein_distance(mix, mix) == 0
    assert wasserstein_distance(mix, [7 * count for count in mix]) == 0


@given(counts, counts, counts)
def test_it_is_a_metric_within_0_and_1(a: Counts, b: Counts, c: Counts) -> None:
    assert 0 <= wasserstein_distance(a, b) <= 1
    assert wasserstein_distance(a, b) == wasserstein_distance(b, a)
    assert wasserstein_distance(a, c) <= wasserstein_distance(a, b) + wasserstein_distance(b, c) + 1e-12


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ((10, 20, 70), (70, 20, 10), 0.6),
        ((1, 0, 0), (0, 0, 1), 1.0),
        ((1, 0, 0), (0, 1, 0), 0.5),
        ((90, 5, 5), (5, 90, 5), 0.425),
        # The class priors of TweetEval's training and test splits.
        ((0.155, 0.453, 0.391), (0.323, 0.483, 0.193), 0.183),
    ],
)
def test_distances_worked_by_hand(before: list[float], after: list[float], distance: float) -> None:
    assert wasserstein_distance(before, after) == pytest.approx(distance, abs=1e-3)


def test_counts_give_the_correctly_rounded_value_so_that_a_limit_means_what_it_says() -> None:
    for n in (10, 30, 70, 170, 1230):
        assert wasserstein_distance((10 * n, 0, 0), (7 * n, 3 * n, 0)) == 0.15


@pytest.mark.parametrize(
    ("before", "after"), [((0, 0, 0), (1, 2, 3)), ((1, 1), (1, 1)), ((1, 2, 3), (0, 0, 0))]
)
def test_what_is_no_mix_is_refused(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    with pytest.raises(DataError):
        wasserstein_distance(before, after)


@given(counts, counts)
def test_total_variation_is_half_the_absolute_differences(before: Counts, after: Counts) -> None:
    p, q = np.array(before) / sum(before), np.array(after) / sum(after)
    assert total_variation(before, after) == pytest.approx(abs(p - q).sum() / 2, abs=1e-12)


@given(counts, counts)
def test_the_distance_lies_in_its_interval(before: Counts, after: Counts) -> None:
    low, high = wasserstein_interval(before, after, confidence_level=0.95)
    assert 0 <= low <= wasserstein_distance(before, after) + 1e-12
    assert wasserstein_distance(before, after) - 1e-12 <= high <= 1


@pytest.mark.parametrize("after", [(0.3, 0.5, 0.2), (0.35, 0.5, 0.15), (0.5, 0.3, 0.2), (0.2, 0.5, 0.3)])
@pytest.mark.parametrize("n", [50, 500])
def test_the_interval_covers_also_where_nothing_changed(after: tuple[float, ...], n: int) -> None:
    source = np.random.default_rng(3)
    mix = (0.3, 0.5, 0.2)
    truth = wasserstein_distance(mix, after)
    draws = zip(source.multinomial(2 * n, mix, 1000), source.multinomial(n, after, 1000), strict=True)
    covered = 0
    for before, now in draws:
        low, high = wasserstein_interval(before.tolist(), now.tolist(), confidence_level=0.95)
        covered += low <= truth <= high
    # At least 950 expected; three standard deviations below.
    assert covered >= 930


@given(counts, counts)
def test_the_interval_is_half_of_that_of_each_end_of_the_support(before: Counts, after: Counts) -> None:
    low = high = 0.0
    for place in (0, 2):
        # 97.5 % each, so that the two hold together at 95 %.
        z = stats.norm.ppf(1 - 0.025 / 2)
        _, least, most = difference_of_shares((before[place], sum(before)), (after[place], sum(after)), z=z)
        low += 0.0 if least <= 0 <= most else min(abs(least), abs(most)) / 2
        high += max(-least, most) / 2
    found = wasserstein_interval(before, after, confidence_level=0.95)
    assert found == (pytest.approx(low, abs=1e-9), pytest.approx(min(1.0, high), abs=1e-9))


def test_an_interval_worked_by_hand() -> None:
    # Newcombe's 9/10 - 3/10 at z = 1.96 is 0.1705 .. 0.8090; here both ends of the support moved by that.
    low, high = wasserstein_interval((3, 6, 1), (9, 0, 1), confidence_level=1 - 2 * 0.05)
    _, same_low, same_high = difference_of_shares((1, 10), (1, 10), z=stats.norm.ppf(0.975))
    assert low == pytest.approx(0.1705 / 2, abs=5e-5)
    assert high == pytest.approx(0.8090 / 2 + max(-same_low, same_high) / 2, abs=5e-5)
