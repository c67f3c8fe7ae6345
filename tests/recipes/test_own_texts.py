"""Our own texts: enough of every kind, no name that means a class, and a test that training never sees."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import cast

import numpy as np
import pytest

from recipes.default_model.adaptation import with_prior
from recipes.default_model.corpus import Corpus
from recipes.default_model.data import LANGUAGES, Example
from recipes.default_model.figures import own_figures, own_line, validation_groups
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


def own(language: str, label: Sentiment, domain: str) -> OwnText:
    return OwnText(text="a", label=label, language=language, domain=domain, register="plain")


def test_the_figures_of_our_own_texts_are_by_language_domain_and_register_and_of_mails() -> None:
    texts = [
        own("english", Sentiment.NEGATIVE, "ticket"),
        own("english", Sentiment.NEGATIVE, "letter"),
        own("italian", Sentiment.POSITIVE, "film"),
    ]
    answers = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    assert own_line(texts, answers) == "english 50.0, italian 100.0"
    found = cast("dict[str, dict[str, dict[str, float]]]", own_figures(texts, answers))
    assert {name: one["accuracy"] for name, one in found["language"].items()} == {
        "english": 0.5,
        "italian": 1,
    }
    assert {name: one["rows"] for name, one in found["domain"].items()} == {
        "ticket": 1,
        "letter": 1,
        "film": 1,
    }
    assert found["register"]["plain"]["rows"] == 3
    # Of two complaints in mails one is found; the film is no mail.
    mails = cast("dict[str, list[float]]", found["complaints"])
    assert (mails["rows"], mails["recalls"][0]) == (2, 0.5)


def test_the_groups_of_the_validation_are_the_files_in_their_order() -> None:
    tweet, foreign = (
        Example(text="a", label=Sentiment.NEUTRAL, language=one) for one in ("english", "italian")
    )
    corpus = Corpus(
        english=[],
        multilingual=[],
        english_validation=[tweet, tweet],
        multilingual_validation=[foreign, tweet, foreign],
        own=OwnCorpus(train=[], validation=[own("italian", Sentiment.NEUTRAL, "app")], test=[]),
    )
    assert validation_groups(corpus) == {
        "tweeteval_english": [0, 1],
        "umsab_italian": [2, 4],
        "umsab_english": [3],
        "own_italian": [5],
    }
    assert [one.language for one in corpus.validation] == ["english"] * 2 + [
        "italian",
        "english",
        "italian",
        "italian",
    ]
