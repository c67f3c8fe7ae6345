"""The texts of many rows, at once, are what they are one by one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.prediction_log.index.text_sums import sum_texts
from sentimon.prediction_log.summary import GrowingSummary
from sentimon.prediction_log.text_features import BEYOND_LATIN, EMOJI, LINK_MARKS

EDGES = [
    chr(edge + step)
    for ranges in (EMOJI, BEYOND_LATIN)
    for one in ranges
    for edge in one
    for step in (-1, 0, 1)
]
PIECES = st.sampled_from(
    [*LINK_MARKS, *(mark[:-1] for mark in LINK_MARKS), *EDGES, "wWw.", "www", ".", "/", "]", "\n", " ",
     "\u3000", "\xa0", "a", "è", "e\u0301", "м", "й", "ह", "ि",
     "\u1112", "\u1161", "日", "😀", "❤️", "…", "𠮷", "\ud800"]
)  # fmt: skip
TEXTS = st.lists(
    st.none() | st.text(max_size=4) | st.lists(PIECES, max_size=6).map("".join), min_size=1, max_size=12
)


def one_by_one(texts: Sequence[str | None]) -> dict[str, int]:
    sums = GrowingSummary()
    for text in texts:
        sums.add_texts([text])
    return sums.properties


@given(texts=TEXTS, data=st.data())
@settings(deadline=None, max_examples=400)
def test_runs_of_texts_are_summed_as_texts_one_by_one_are(
    texts: list[str | None], data: st.DataObject
) -> None:
    firsts = sorted({0, *data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=4))})
    found = [{name: amount for name, amount in sums.items() if amount} for sums in sum_texts(texts, firsts)]
    assert found == [one_by_one(texts[first:end]) for first, end in pairwise([*firsts, len(texts)])]


def test_a_mark_does_not_go_on_in_the_next_text() -> None:
    [sums] = sum_texts(["http:", "//", "ww", "w.", "[ur", "l]", "è:", "//", "è[url", "]"], [0])
    assert sums["links"] == 0
    [sums] = sum_texts(["://", "a www.", "WWW.", "è[url]", "è ://"], [0])
    assert sums["links"] == 5
