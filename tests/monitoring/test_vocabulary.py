from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import StoreError
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.baseline_codec import decode_baseline, encode_baseline
from sentimon.monitoring.vocabulary import (
    FEWEST_TEXTS,
    MOST_TEXTS,
    WordCounter,
    grown_words,
    learn_vocabulary,
    log_likelihood_ratio,
    new_share,
    vocabulary_of,
)
from sentimon.prediction_log.word_hashes import (
    hash_word,
    keyed_token_hashes,
    logged_token_hashes,
    token_hashes,
    words_of,
)
from tests.support.rows import START, record, records, summary

KEY = b"k" * 32


def texts(count: int, *, new: int = 0) -> list[set[int]]:
    """Texts of ten words each, the later ones with more and more that no earlier text has."""
    return [
        {*range(10 - number % 5), *(1000 * number + one for one in range(new + number % 5))}
        for number in range(count)
    ]


def test_words_are_folded_and_mentions_and_links_are_one_word_each() -> None:
    assert list(words_of("Perché? PERCHE\u0301 @anna @bruno https://a.org/x")) == [
        "perché", "perché", "user", "user", "http",
    ]  # fmt: skip
    assert list(words_of("  !? \u200b")) == []
    assert token_hashes("ciao Ciao") == {hash_word("ciao")}


def test_keyed_hashes_say_nothing_without_the_key_and_not_the_order() -> None:
    one, other = (
        keyed_token_hashes("buon giorno a tutti", KEY),
        keyed_token_hashes("tutti a buon giorno", KEY),
    )
    assert one == other == sorted(one)
    assert set(one).isdisjoint(keyed_token_hashes("buon giorno a tutti", b"x" * 32))
    assert set(one).isdisjoint(token_hashes("buon giorno a tutti"))


def test_a_row_has_the_words_of_its_text_or_their_keyed_hashes() -> None:
    assert set(logged_token_hashes(record(0, text="a b"), keyed=False) or ()) == token_hashes("a b")
    assert logged_token_hashes(record(0, text=None), keyed=False) is None
    assert list(logged_token_hashes(record(0, text=None, token_hashes=[1, 2]), keyed=True) or ()) == [1, 2]
    assert logged_token_hashes(record(0, text="a b"), keyed=True) is None


def test_the_first_half_gives_the_words_and_the_second_what_new_ones_are_usual() -> None:
    known = texts(200)
    vocabulary = learn_vocabulary(known, keyed=False)
    assert vocabulary is not None
    assert vocabulary.texts == 100
    seen = Counter(word for text in known[:100] for word in text)
    assert dict(zip(vocabulary.hashes, vocabulary.frequencies, strict=True)) == seen
    # A fifth of the second half has none, one, two, three and four new words of ten each.
    assert vocabulary.cuts == (0, 100_000, 200_000, 300_000, 400_000)
    assert vocabulary.reference.n == 100
    assert vocabulary.reference.counts == (20, 40, 60, 80, 100)
    counter = WordCounter(vocabulary)
    assert counter.count({0, 1, 2}).counts[0] == 1
    assert counter.count({99_999_999}).counts[-1] == 0
    assert counter.count(set()).counts[-1] == 1


def test_texts_without_a_new_word_teach_that_one_would_be_new() -> None:
    vocabulary = learn_vocabulary([{1, 2}] * 500, keyed=False)
    assert vocabulary is not None
    assert (vocabulary.cuts, vocabulary.reference.counts) == ((0,), (250,))


def test_too_few_texts_or_texts_with_nothing_in_common_teach_nothing() -> None:
    assert learn_vocabulary(texts(FEWEST_TEXTS - 1), keyed=False) is None
    assert learn_vocabulary([{number} for number in range(500)], keyed=False) is None
    assert vocabulary_of(records(300, 0, 0, text=None)) is None


def test_of_many_texts_the_latest_teach() -> None:
    early = [{10_000_000 + number} for number in range(50)]
    vocabulary = learn_vocabulary([*early, *texts(MOST_TEXTS)], keyed=False)
    assert vocabulary is not None
    assert vocabulary.texts == MOST_TEXTS // 2
    assert not {10_000_000, 10_000_049} & set(vocabulary.hashes)


def test_rows_without_text_teach_by_their_keyed_hashes() -> None:
    rows = [record(0, n, text=None, token_hashes=sorted(words)) for n, words in enumerate(texts(200))]
    vocabulary = vocabulary_of(rows)
    assert vocabulary is not None
    assert vocabulary.keyed
    assert vocabulary.texts == 100


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_the_share_of_new_words_is_what_it_says(text: set[int], known: set[int]) -> None:
    share = new_share(text, known)
    assert share == (1_000_000 * len(text - known) // len(text) if text else 0)


def test_a_baseline_reads_back_with_its_words() -> None:
    vocabulary = learn_vocabulary(texts(300), keyed=True)
    made = Baseline(name="b", created=START, source="logs", summary=summary(3, 2, 1), vocabulary=vocabulary)
    assert decode_baseline(encode_baseline(made), origin="x") == made


@pytest.mark.parametrize(
    "change",
    [
        {"hashes": "AAAA"},
        {"frequencies": ""},
        {"texts": 0},
        {"cuts_millionths": [5, 5, 5]},
        {"cuts_millionths": []},
        {"reference_counts": [5, 4, 3]},
        {"reference_texts": 1},
        {"cuts_millionths": [-1, 0, 1]},
        {"hashes": "AgAAAAEAAAA="},
    ],
)
def test_words_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    vocabulary = learn_vocabulary(texts(300), keyed=False)
    made = Baseline(name="b", created=START, source="logs", summary=summary(3, 2, 1), vocabulary=vocabulary)
    document = msgspec.json.decode(encode_baseline(made))
    document["words"] |= change
    with pytest.raises(StoreError, match="is no baseline"):
        decode_baseline(msgspec.json.encode(document), origin="x")


def test_g_squared_worked_by_hand() -> None:
    # 10 of 100 and 20 of 100: 2 (10 ln(10/15) + 20 ln(20/15) + 90 ln(90/85) + 80 ln(80/85)).
    assert log_likelihood_ratio((10, 100), (20, 100)) == pytest.approx(3.98656, abs=1e-5)
    assert log_likelihood_ratio((0, 10), (0, 10)) == 0
    assert log_likelihood_ratio((3, 10), (30, 100)) == pytest.approx(0)


def test_words_that_grew_by_more_than_chance_come_first_the_surest() -> None:
    vocabulary = learn_vocabulary(texts(400), keyed=False)
    assert vocabulary is not None
    found = {"new": (77, 90), "most": (78, 60), "old": (0, 100), "rare": (79, 2), "a few": (80, 3)}
    found |= {f"once {number}": (9_000 + number, 1) for number in range(45)}
    grown = grown_words(found, 100, vocabulary, most=5)
    # Three of 100 against none of 200 has p of about 0.01, and there are 50 words.
    assert [one.word for one in grown] == ["new", "most"]
    assert (grown[0].before, grown[0].after) == (0.0, 0.9)
    assert grown_words({}, 0, vocabulary, most=5) == []
    assert [one.word for one in grown_words(found, 100, vocabulary, most=1)] == ["new"]
