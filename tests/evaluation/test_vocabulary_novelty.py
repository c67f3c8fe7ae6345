from __future__ import annotations

import pytest

from sentimon.evaluation.vocabulary_novelty import compare_words, words_of


def test_new_words_are_counted_per_text_and_each_labelled_text_against_the_others() -> None:
    labelled = ["the parcel came", "the parcel is late", "late again"]
    found = compare_words(labelled, ["the pacco", "late late", "nuovo"])
    # Only in one labelled text: came; is; again.
    assert found.usual == pytest.approx((1 / 3 + 1 / 4 + 1 / 2) / 3)
    assert found.now == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert found.excess == pytest.approx(found.now - found.usual)
    assert (found.labelled, found.n) == (3, 3)


def test_names_links_and_case_say_nothing() -> None:
    assert words_of("@anna GOOD https://t.co/x news") == {"good", "news"}
    assert words_of("") == words_of(None) == set()


def test_without_texts_there_is_nothing_to_compare() -> None:
    assert compare_words([None, None], ["a"]) is None
    assert compare_words(["a"], [None]) is None
