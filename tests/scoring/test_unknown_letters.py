"""The share of a text's letters that a tokenizer does not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.scoring.unknown_letters import unknown_share, unknown_spans


@pytest.mark.parametrize(
    ("text", "spans", "share"),
    [
        ("жжж", [(0, 3)], 1.0),
        ("good жжжж", [(5, 9)], 0.5),
        ("good жжжж", [], 0.0),
        ("", [], 0.0),
        # Digits, marks and emoji count for nothing beside letters.
        ("12 %: ж 🫨🫨🫨", [(6, 7), (8, 11)], 1.0),
        ("so 🫨🫨🫨", [(3, 6)], 0.0),
        ("❤ 🫨🫨🫨", [(2, 5)], 0.75),
        # Nor do mentions and links.
        ("@user @user жж good http", [(12, 14)], 2 / 6),
        ("@user 🫨 http", [(6, 7)], 1.0),
        # An unknown piece that holds a space, or one within another.
        ("ж ж ok", [(0, 3)], 0.5),
        ("@user", [(0, 5)], 0.0),
    ],
)
def test_shares_worked_by_hand(text: str, spans: list[tuple[int, int]], share: float) -> None:
    assert unknown_share(text, spans) == pytest.approx(share)


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_a_share_is_between_none_and_all(text: str, spans: list[tuple[int, int]]) -> None:
    assert 0 <= unknown_share(text, spans) <= 1


def test_the_spans_are_those_of_the_unknown_pieces_alone() -> None:
    assert unknown_spans([0, 7, 3, 3, 2], [(0, 0), (0, 2), (3, 5), (6, 9), (0, 0)], 3) == [(3, 5), (6, 9)]
