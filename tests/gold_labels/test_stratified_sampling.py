from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import UsageError
from sentimon.gold_labels.gold_label import Key
from sentimon.gold_labels.sampling import Draw, draw_rows
from sentimon.gold_labels.stratified_sampling import allocate, draw_from_slices
from sentimon.prediction_log.record import PredictionRecord
from tests.support.rows import record

Candidates = list[tuple[Key, PredictionRecord]]


def slice_of(row: PredictionRecord) -> str:
    return str(row.extra["channel"])


def weight_of(row: PredictionRecord) -> float:
    return 0.1 + (int(row.id or 0) * 7 % 11) / 11


def candidates(**sizes: int) -> Candidates:
    channels = [name for name, count in sizes.items() for _ in range(count)]
    rows = [
        record(number % 3, number, id=str(number), extra={"channel": name})
        for number, name in enumerate(channels)
    ]
    return [(("id", str(row.id)), row) for row in rows]


def drawn(rows: Candidates, seed: object, **sizes: int) -> Draw:
    draw, _ = draw_from_slices(lambda: rows, sizes=sizes, slice_of=slice_of, seed=str(seed), weigh=weight_of)
    return draw


@given(st.dictionaries(st.text(max_size=2), st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 200))
def test_all_rows_asked_for_are_shared_out_and_no_slice_gets_none_or_more_than_it_has(
    counts: dict[str, int], more: int
) -> None:
    n = len(counts) + more
    sizes = allocate(counts, n)
    assert sum(sizes.values()) == min(n, sum(counts.values()))
    assert all(1 <= sizes[value] <= counts[value] for value in counts)
    # A slice with more rows never gets fewer.
    ranked = sorted(counts, key=lambda value: counts[value])
    assert all(sizes[a] <= sizes[b] + 1 for a, b in pairwise(ranked))


def test_fewer_rows_than_slices_are_refused_for_then_some_row_could_not_be_drawn() -> None:
    with pytest.raises(UsageError, match="-n 2 is fewer than the 3 slices"):
        allocate({"a": 5, "b": 5, "c": 5}, 2)


def test_each_slice_gets_its_number_and_is_drawn_as_it_would_be_alone() -> None:
    rows = candidates(app=80, mail=9)
    draw, parts = draw_from_slices(
        lambda: rows, sizes={"app": 10, "mail": 4}, slice_of=slice_of, seed="5", weigh=weight_of
    )
    assert [(one.value, one.rows, one.drawn) for one in parts] == [("app", 80, 10), ("mail", 9, 4)]
    assert draw.frame == 89
    for name, n in (("app", 10), ("mail", 4)):
        own = [one for one in rows if slice_of(one[1]) == name]
        alone = draw_rows(own, n=n, seed="5", weigh=weight_of)
        assert [one for one in draw.rows if slice_of(one.record) == name] == list(alone.rows)


def test_weighted_sums_have_the_expectation_of_the_sums_over_all_rows_and_over_each_slice() -> None:
    rows = candidates(app=50, mail=10)
    values = {key: float(number % 5 == 0) + number / 100 for number, (key, _) in enumerate(rows)}
    totals: dict[str, list[float]] = {"app": [], "mail": []}
    for seed in range(500):
        sums = dict.fromkeys(totals, 0.0)
        for one in drawn(rows, seed, app=8, mail=4).rows:
            sums[slice_of(one.record)] += values[one.key] / one.probability
        for name, total in sums.items():
            totals[name].append(total)
    for name, found in totals.items():
        truth = sum(values[key] for key, row in rows if slice_of(row) == name)
        assert abs(np.mean(found) - truth) < 4 * np.std(found) / math.sqrt(len(found))


def test_a_key_in_two_slices_stands_once_in_the_sheet_with_the_probability_that_either_draws_it() -> None:
    shared = [
        (("text_hash", "same"), record(0, number, id="3", extra={"channel": name}))
        for number, name in ((100, "app"), (101, "mail"), (102, "mail"))
    ]
    rows = [*candidates(app=20, mail=6), *shared]
    times, weights = 0, []
    for seed in range(600):
        found = Counter({one.key: one.probability for one in drawn(rows, seed, app=4, mail=3).rows})
        chance = found[("text_hash", "same")]
        times += chance > 0
        weights.append(1 / chance if chance else 0.0)
    # Not always drawn, and where it is, it counts for the times that it is not.
    assert 0 < times < 600
    assert abs(np.mean(weights) - 1) < 4 * np.std(weights) / math.sqrt(len(weights))


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = candidates(app=30, mail=12)
    one, other = (drawn(given_rows, 1, app=5, mail=5) for given_rows in (rows, rows[::-1]))
    assert {row.key: row.probability for row in one.rows} == {row.key: row.probability for row in other.rows}
