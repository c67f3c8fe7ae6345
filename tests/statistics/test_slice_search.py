"""The slices that account for a change: what is found, what is not, and how often chance alone finds one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.statistics import slice_candidates, slice_search
from sentimon.statistics.slice_candidates import Cell
from sentimon.statistics.slice_search import SliceSearch, search_slices

FIELDS = ["channel", "language"]
Row = tuple[int, int]


def shares(moved: Callable[[int, int], float] = lambda _a, _b: 0.0) -> np.ndarray:
    """The share of each class in each of 4 x 4 combinations; `moved` is added to the negative one."""
    added = np.array([[moved(a, b) for b in range(4)] for a in range(4)])
    usual = np.array([0.3, 0.4, 0.3]) + np.zeros((4, 4, 3))
    return usual + added[..., None] * np.array([1, -0.5, -0.5])


WEIGHTS = np.outer([0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1])
ALIKE = np.diag([0.37, 0.27, 0.17, 0.07]) + 0.0075
"""Weights of two fields that nearly always go together."""


def cells(
    random: np.random.Generator, rows: int, mixes: np.ndarray, weights: np.ndarray = WEIGHTS, block: int = 0
) -> list[Cell]:
    counts = random.multinomial(rows, (weights[..., None] * mixes).ravel() / weights.sum()).reshape(4, 4, 3)
    return [
        Cell((f"c{a}", f"l{b}"), tuple(map(int, counts[a, b])), block) for a in range(4) for b in range(4)
    ]


def names(found: SliceSearch) -> list[tuple[str, ...]]:
    return [tuple(value for _, value in one.where) for one in found.found]


@pytest.fixture(autouse=True)
def _few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slice_search, "PERMUTATIONS", 99)


@pytest.mark.parametrize("weights", [WEIGHTS, ALIKE])
def test_unchanged_traffic_seldom_yields_a_slice(weights: np.ndarray) -> None:
    random, runs = np.random.default_rng(1), 80
    any_found = sum(
        bool(
            search_slices(
                FIELDS,
                cells(random, 1500, shares(), weights),
                cells(random, 500, shares(), weights),
                seed=run,
            ).found
        )
        for run in range(runs)
    )
    # 0.05 and twice the standard error of 80 runs.
    assert any_found / runs <= 0.1


def test_the_one_value_that_moved_is_found_and_no_pair_of_it() -> None:
    random, right = np.random.default_rng(2), Counter[tuple[str, ...]]()
    for run in range(20):
        after = cells(random, 1000, shares(lambda a, _: 0.25 * (a == 2)))
        right.update(names(search_slices(FIELDS, cells(random, 3000, shares()), after, seed=run)))
    assert right["c2",] >= 18
    assert right.total() <= 22


def test_the_one_pair_that_moved_is_found_and_neither_value_alone() -> None:
    random, right = np.random.default_rng(3), Counter[tuple[str, ...]]()
    for run in range(20):
        after = cells(random, 1500, shares(lambda a, b: 0.3 * (a == b == 0)))
        right.update(names(search_slices(FIELDS, cells(random, 3000, shares()), after, seed=run)))
    assert right["c0", "l0"] >= 18
    assert right.total() <= 22


def test_of_two_values_that_go_together_only_one_is_returned() -> None:
    random, sizes = np.random.default_rng(4), []
    for run in range(10):
        before = cells(random, 3000, shares(), ALIKE)
        after = cells(random, 1000, shares(lambda a, _: 0.3 * (a == 1)), ALIKE)
        found = search_slices(FIELDS, before, after, seed=run)
        sizes.append(len(found.found))
        assert {value for where in names(found)[:1] for value in where} <= {"c1", "l1"}
    assert sizes.count(1) >= 8


def test_a_value_that_brings_more_rows_accounts_for_the_change() -> None:
    # Nothing changed within: app grew from half to three quarters, and is negative more often.
    before = [Cell(("app",), (600, 200, 200)), Cell(("mail",), (200, 400, 400))]
    after = [Cell(("app",), (900, 300, 300)), Cell(("mail",), (100, 200, 200))]
    found = search_slices(["channel"], before, after, seed=0)
    (one,) = found.found
    assert found.change == pytest.approx((0.1, -0.05, -0.05))
    # Of a field with two values either one accounts for all of it: outside nothing changed.
    assert [part.value for part in one.contribution] == pytest.approx([0.1, -0.05, -0.05])
    assert found.left == pytest.approx((0, 0, 0), abs=1e-12)
    assert one.size == pytest.approx(0.075)


def test_a_contribution_worked_by_hand() -> None:
    # App: from .4 to .5 of the rows and from .3 to .6 negative; outside it from .1 to .2.
    before = [Cell(("app",), (120, 280)), Cell(("mail",), (30, 270)), Cell(("web",), (30, 270))]
    after = [Cell(("app",), (300, 200)), Cell(("mail",), (50, 200)), Cell(("web",), (50, 200))]
    found = search_slices(["channel"], before, after, seed=0)
    first = next(one for one in found.found if one.step == 1)
    assert first.where == (("channel", "app"),)
    assert first.rows == (400, 500)
    assert first.shares == ((0.3, 0.7), (0.6, 0.4))
    assert first.contribution[0].value == pytest.approx(0.5 * (0.6 - 0.15) - 0.4 * (0.3 - 0.15))
    assert first.contribution[0].low < first.contribution[0].value < first.contribution[0].high


def test_a_new_value_and_one_that_vanished_are_slices_like_others() -> None:
    before = [Cell(("mail",), (100, 400, 400)), Cell(("fax",), (90, 5, 5))]
    after = [Cell(("mail",), (100, 400, 400)), Cell(("chat",), (5, 5, 90))]
    found = search_slices(["channel"], before, after, seed=0)
    assert {one.where[0][1] for one in found.found} == {"fax", "chat"}
    rows = {one.where[0][1]: (one.rows, one.shares[0] is None, one.shares[1] is None) for one in found.found}
    assert rows == {"fax": ((100, 0), False, True), "chat": ((0, 100), True, False)}
    assert found.left == pytest.approx((0, 0, 0), abs=1e-12)


tables = st.lists(
    st.builds(
        Cell,
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")),
        st.tuples(*[st.integers(0, 200)] * 3),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
).filter(lambda cells: any(any(cell.counts) for cell in cells))


@given(tables, tables)
@settings(max_examples=30)
def test_what_is_found_and_what_is_left_add_up_to_the_change(before: list[Cell], after: list[Cell]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slice_search, "PERMUTATIONS", 19)
        found = search_slices(FIELDS, before, after, seed=5)
        assert search_slices(FIELDS, before[::-1], after[::-1], seed=5) == found
    sums = [np.sum([cell.counts for cell in side], axis=0) for side in (before, after)]
    change = sums[1] / sums[1].sum() - sums[0] / sums[0].sum()
    parts = np.sum([[part.value for part in one.contribution] for one in found.found] or [[0, 0, 0]], axis=0)
    assert found.change == pytest.approx(change)
    assert parts + np.array(found.left) == pytest.approx(change, abs=1e-9)
    assert len(found.found) <= 5
    assert [one.size for one in found.found] == sorted((one.size for one in found.found), reverse=True)


def days(random: np.random.Generator, number: int, swing: float, moved: float = 0.0) -> list[Cell]:
    """Days that differ from each other in one channel."""
    drawn = []
    for day in range(number):
        by_chance = random.normal(0, swing)
        mixes = shares(lambda a, _, added=by_chance + moved: float(np.clip(added, -0.25, 0.6)) * (a == 0))
        drawn += cells(random, 300, mixes, block=day)
    return drawn


def test_days_that_differ_are_no_change_where_days_are_permuted() -> None:
    random, runs = np.random.default_rng(6), 40
    found = [
        search_slices(FIELDS, days(random, 10, 0.2), days(random, 4, 0.2), seed=run) for run in range(runs)
    ]
    assert all(one.by_blocks for one in found)
    assert sum(bool(one.found) for one in found) / runs <= 0.1
    # The same rows without their days look independent, and are not.
    loose = [
        search_slices(
            FIELDS,
            *([cell._replace(block=0) for cell in days(random, size, 0.2)] for size in (10, 4)),
            seed=run,
        )
        for run in range(20)
    ]
    assert not any(one.by_blocks for one in loose)
    assert sum(bool(one.found) for one in loose) >= 6


def test_a_change_is_found_where_days_are_permuted() -> None:
    random = np.random.default_rng(7)
    found = [
        names(search_slices(FIELDS, days(random, 10, 0.04), days(random, 4, 0.04, 0.3), seed=run))
        for run in range(10)
    ]
    assert found.count([("c0",)]) >= 8


def test_few_days_are_not_permuted() -> None:
    random = np.random.default_rng(8)
    assert not search_slices(FIELDS, days(random, 7, 0.0), days(random, 1, 0.0), seed=0).by_blocks
    assert search_slices(FIELDS, days(random, 7, 0.0), days(random, 3, 0.0), seed=0).by_blocks


def test_two_names_of_the_same_rows_are_one_candidate() -> None:
    twice = [Cell((one, one.upper()), (40, 30, 30)) for one in "abc"]
    assert search_slices(FIELDS, twice, twice, seed=0).candidates == 3


def test_what_is_searched_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(9)
    before, after = cells(random, 3000, shares()), cells(random, 1000, shares())
    # 4 values of each field, and 16 pairs.
    assert search_slices(FIELDS, before, after, seed=0).candidates == 24
    monkeypatch.setattr(slice_candidates, "MOST_CANDIDATES", 10)
    assert search_slices(FIELDS, before, after, seed=0).candidates == 10
    monkeypatch.setattr(slice_candidates, "MOST_COMBINATIONS", 15)
    narrowed = search_slices(FIELDS, before, after, seed=0)
    assert (narrowed.fields_left_out, narrowed.candidates) == (("language",), 4)


def test_slices_with_too_few_rows_are_no_candidates() -> None:
    side = [Cell(("a",), (200, 0, 0)), Cell(("b",), (7, 7, 0)), Cell(("c",), (8, 7, 0))]
    # b has 28 rows on both sides together, c has 30, and outside a there are 58.
    assert search_slices(["f"], side, side, seed=0).candidates == 2
    assert search_slices(["f"], side[:1], side[:1], seed=0).found == ()


def test_a_log_of_billions_of_rows_is_searched() -> None:
    before = [Cell((name,), (10**9, 10**9, 10**9)) for name in "abc"]
    after = [Cell(("a",), (10**9, 10**9, 10**9 + 10**7)), *before[1:]]
    assert names(search_slices(["f"], before, after, seed=0)) == [("a",)]
    assert names(search_slices(["f"], before, before, seed=0)) == []


def test_what_cannot_be_searched_is_refused() -> None:
    row = [Cell(("a",), (1, 0, 0))]
    for before, after in (([], row), (row, []), (row, [Cell(("a",), (0, 0, 0))])):
        with pytest.raises(DataError, match="both sides"):
            search_slices(["f"], before, after, seed=0)
    with pytest.raises(DataError, match="one value of each field"):
        search_slices(FIELDS, row, row, seed=0)
