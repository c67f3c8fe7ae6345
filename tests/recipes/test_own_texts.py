"""Our own texts: enough of every kind, no name that means a class, and a test that training never sees."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
import pytest

from recipes.default_model.adaptation import with_prior
from recipes.default_model.data import LANGUAGES, Example
from recipes.default_model.own_texts import VALIDATION_BLOCK, OwnCorpus, OwnText, group_by
from recipes.default_model.student import PRIOR_SHARE
from sentimon.finetuning.targets import prior_offsets
from sentimon.labels import Sentiment

NEAR = 0.6
"""Share of common words from which two texts are near copies."""
FEWEST = {"english": 2_500, "italian": 2_500, "spanish": 750, "french": 750, "german": 750, "portuguese": 750}
NAME = re.compile(r"(?<=[a-zà-ù,;] )[A-Z]\w{3,}")
"""A word with a capital letter inside a sentence; German writes every noun so."""


@pytest.fixture(scope="module")
def corpus() -> OwnCorpus:
    return OwnCorpus.read()


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower())) or frozenset([text])


def near_copies(texts: Iterable[OwnText], others: Iterable[OwnText]) -> list[tuple[str, str]]:
    """Return the pairs that share most of their words; an index of words finds the candidates."""
    held, by_word = list(others), defaultdict(list)
    sets = [words(one.text) for one in held]
    for place, found in enumerate(sets):
        for word in found:
            by_word[word].append(place)
    near = []
    for one in texts:
        mine = words(one.text)
        common = Counter(place for word in mine for place in by_word[word])
        near += [
            (one.text, held[place].text)
            for place, shared in common.items()
            if shared / len(mine | sets[place]) >= NEAR
        ]
    return near


def test_there_are_enough_texts_of_every_language_domain_register_and_class(corpus: OwnCorpus) -> None:
    trained = [*corpus.train, *corpus.validation]
    assert len(corpus.test) >= 1_200
    found = {language: len(places) for language, places in group_by(trained, "language").items()}
    assert [language for language, fewest in FEWEST.items() if found[language] < fewest] == []
    for texts in (trained, corpus.test):
        assert set(group_by(texts, "language")) == set(LANGUAGES)
        assert len(group_by(texts, "domain")) == 13
        assert len(group_by(texts, "register")) == 8
        for places in group_by(texts, "domain").values():
            classes = Counter(texts[place].label for place in places)
            assert min(classes[one] for one in Sentiment) / len(places) >= 0.2


def test_no_text_is_a_near_copy_of_one_of_the_test(corpus: OwnCorpus) -> None:
    assert near_copies([*corpus.train, *corpus.validation], corpus.test) == []


def test_the_texts_held_back_are_whole_blocks_and_a_twelfth(corpus: OwnCorpus) -> None:
    whole = len(corpus.train) + len(corpus.validation)
    assert len(corpus.validation) == pytest.approx(whole / 12, abs=VALIDATION_BLOCK)
    assert not {one.text for one in corpus.validation} & {one.text for one in corpus.train}


def test_no_name_means_a_class(corpus: OwnCorpus) -> None:
    names: dict[str, Counter[Sentiment]] = defaultdict(Counter)
    for one in corpus.train:
        if one.language != "german":
            for name in set(NAME.findall(one.text)):
                names[name][one.label] += 1
    often = {name: classes for name, classes in names.items() if classes.total() >= 12}
    assert len(often) > 5
    assert [name for name, classes in often.items() if max(classes.values()) / classes.total() > 0.85] == []


def test_the_class_mix_is_put_back_into_the_answers_for_english_tweets_alone() -> None:
    tweets = [Example(text="a", label=Sentiment.NEUTRAL, language=one) for one in ("english", "italian")]
    answers = with_prior(tweets, np.zeros((2, 3)), english_counts=[1, 2, 1])
    assert answers[0].tolist() == list(prior_offsets([1, 2, 1], share=PRIOR_SHARE))
    assert answers[1].tolist() == [0.0, 0.0, 0.0]
