"""Rounding weights to few bits."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.finetuning.quantise import LayerRanges, smoothing, to_bytes, to_nibbles

seeds = st.integers(0, 2**16)


@given(seeds, st.sampled_from([63, 127]))
@settings(max_examples=30, deadline=None)
def test_bytes_are_within_half_a_step_or_clipped(seed: int, largest: int) -> None:
    weight = np.random.default_rng(seed).normal(size=(5, 32)).astype(np.float32)
    columns = to_bytes(weight, largest=largest)
    assert columns.values.shape == (32, 5)
    assert np.abs(columns.values).max() <= largest
    back = (columns.values * columns.scales).T
    clipped = np.abs(columns.values.T) == largest
    assert np.all((np.abs(back - weight) <= columns.scales[:, None] * 0.501) | clipped)


def test_seven_bits_never_saturate_a_pair_of_products() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    assert 2 * 255 * int(np.abs(to_bytes(weight).values).max()) <= 2**15 - 1


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_values_that_lie_on_a_four_bit_grid_come_back_exactly(seed: int) -> None:
    generator = np.random.default_rng(seed)
    steps = generator.integers(-8, 8, size=(4, 64)).astype(np.float32)
    steps[:, ::32] = -8
    table = steps * np.float32(0.03125)
    values, scales = to_nibbles(table)
    assert scales.shape == (4, 2)
    back = values.reshape(4, 2, 32) * scales[:, :, None].astype(np.float32)
    assert np.abs(back.reshape(4, 64) - table).max() < 0.02 * 0.25


def test_smoothing_evens_out_a_loud_channel() -> None:
    weight = np.ones((2, 3), dtype=np.float32)
    peaks = np.array([16.0, 1.0, 4.0], dtype=np.float32)
    assert smoothing(weight, peaks).tolist() == [4.0, 1.0, 2.0]


def test_the_two_loudest_neurons_are_the_outliers() -> None:
    quiet = np.zeros(4, dtype=np.float32)
    ranges = LayerRanges(
        attention=quiet, feed_forward=quiet, inner=np.array([1.0, 60.0, 2.0, 7.0], dtype=np.float32)
    )
    assert ranges.outliers == [1, 3]
