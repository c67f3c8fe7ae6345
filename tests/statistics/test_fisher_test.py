import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, fisher_exact, hypergeom

from sentimon.statistics.fisher_test import alpha_share, shift_p_value

shares = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares, shares)
def test_without_a_tolerance_it_is_twice_fisher_s_smaller_tail(
    after: tuple[int, int], before: tuple[int, int]
) -> None:
    (x, n), (b, m) = after, before
    tails = [fisher_exact([[x, n - x], [b, m - b]], alternative=side).pvalue for side in ("greater", "less")]
    p = shift_p_value(after, before, tolerance=0.0)
    assert p == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-6, abs=1e-290) or (p == 1 and min(tails) > 0.4)


@given(shares, shares, st.sampled_from([0.0, 0.01, 0.02, 0.1]))
def test_one_count_is_moved_towards_the_other_away_from_the_nearer_edge(
    after: tuple[int, int], before: tuple[int, int], tolerance: float
) -> None:
    (x, n), (b, m) = after, before
    if x * m < b * n:
        x, b = n - x, m - b
    low = x * m + b * n <= n * m
    known = min(m, math.ceil(b + tolerance * m - 1e-9)) if low else b
    seen = x if low else max(0, math.floor(x - tolerance * n + 1e-9))
    p = shift_p_value(after, before, tolerance=tolerance)
    if seen * m <= known * n:
        assert p == 1
    else:
        exact = min(1.0, 2 * hypergeom.sf(seen - 1, n + m, seen + known, n))
        assert p == pytest.approx(exact, rel=1e-6, abs=1e-290)


@given(shares, shares, st.sampled_from([0.0, 0.01, 0.05]))
def test_a_share_and_its_complement_say_the_same(
    after: tuple[int, int], before: tuple[int, int], tolerance: float
) -> None:
    def complement(share: tuple[int, int]) -> tuple[int, int]:
        return share[1] - share[0], share[1]

    assert shift_p_value(after, before, tolerance=tolerance) == pytest.approx(
        shift_p_value(complement(after), complement(before), tolerance=tolerance), rel=1e-9
    )


def test_a_larger_tolerance_never_makes_it_surer() -> None:
    values = [shift_p_value((60, 200), (900, 5000), tolerance=one / 1000) for one in range(0, 200, 5)]
    assert values == sorted(values)
    assert values[0] < 1e-3
    assert values[-1] == 1.0


@pytest.mark.parametrize(
    ("share", "n", "m"),
    [(0.2, 50, 200), (0.5, 200, 300), (0.02, 400, 400), (0.98, 400, 400), (0.78, 200, 200), (0.0, 300, 200)],
)
def test_it_is_no_smaller_than_it_should_be_where_the_share_moved_by_the_tolerance(
    share: float, n: int, m: int
) -> None:
    tolerance, level = 0.02, 0.02
    before = binom.pmf(range(m + 1), m, share)
    after = binom.pmf(range(n + 1), n, share + tolerance)
    rejected = sum(
        before[b] * after[x]
        for b in range(m + 1)
        if before[b] > 1e-9
        for x in range(n + 1)
        if after[x] > 1e-9 and shift_p_value((x, n), (b, m), tolerance=tolerance) <= level
    )
    assert 0 < rejected <= level


def test_all_checks_together_spend_no_more_than_everything() -> None:
    spent = [alpha_share(check) for check in range(1, 100_001)]
    assert all(one > other > 0 for one, other in pairwise(spent))
    assert sum(spent) == pytest.approx(1 - 1 / (1 + math.log(1001)), rel=1e-9)


@given(shares, shares, st.floats(1e-12, 0.1))
def test_what_is_not_carried_on_is_surely_above_enough(
    after: tuple[int, int], before: tuple[int, int], enough: float
) -> None:
    p = shift_p_value(after, before, tolerance=0.01)
    short = shift_p_value(after, before, tolerance=0.01, enough=enough)
    assert short == p if p <= enough else enough < short <= p * (1 + 1e-12)


def test_the_sum_stops_as_soon_as_twice_the_tail_exceeds_enough() -> None:
    # Of eight rows four are successes: three or four of them are among four rows in 16 and in 1 of 70 ways.
    whole, first = 34 / 70, 32 / 70
    assert shift_p_value((3, 4), (1, 4), tolerance=0.0) == pytest.approx(whole)
    assert shift_p_value((3, 4), (1, 4), tolerance=0.0, enough=0.46) == pytest.approx(whole)
    assert shift_p_value((3, 4), (1, 4), tolerance=0.0, enough=0.45) == pytest.approx(first)
    assert shift_p_value((3, 4), (1, 4), tolerance=0.0, enough=0.12) == pytest.approx(first)


def test_a_shift_within_the_tolerance_needs_no_sum() -> None:
    assert shift_p_value((5, 10), (5, 10), tolerance=0.0, enough=0.01) == 1.0
    assert shift_p_value((52, 100), (50, 100), tolerance=0.02, enough=0.01) == 1.0
    # A tolerance of 0.05 of 100 rows is five rows, though in floats it is a little more.
    assert shift_p_value((30, 100), (25, 100), tolerance=0.05, enough=0.01) == 1.0
    assert shift_p_value((75, 100), (70, 100), tolerance=0.05, enough=0.01) == 1.0
    assert shift_p_value((31, 100), (25, 100), tolerance=0.05, enough=0.01) < 1.0
