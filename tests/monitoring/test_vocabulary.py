import math
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
    Growth,
    Vocabulary,
    WordCounter,
    grown_words,
    learn_vocabulary,
    log_likelihood_ratio,
    new_share,
    vocabulary_of,
)
from sentimon.monitoring.watched_events import Counted
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
    # Texts may be kept and empty, as emoji alone are.
    assert learn_vocabulary([set()] * 500, keyed=False) is None
    assert learn_vocabulary([*[set()] * 250, *[{1}] * 250], keyed=False) is None
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


def grown(
    found: dict[str, tuple[int, int]], texts_now: int, vocabulary: Vocabulary, *, most: int
) -> list[Growth]:
    """The words that grew, of words given with their hash and the number of texts that contain them."""
    counts = {word: count for word, (_, count) in found.items()}
    return grown_words(counts, texts_now, vocabulary, most=most, hash_of=lambda word: found[word][0])


def test_words_that_grew_by_more_than_chance_come_first_the_surest() -> None:
    vocabulary = learn_vocabulary(texts(400), keyed=False)
    assert vocabulary is not None
    found = {"new": (77, 90), "most": (78, 60), "old": (0, 100), "rare": (79, 2), "a few": (80, 3)}
    found |= {f"once {number}": (9_000 + number, 1) for number in range(45)}
    words = grown(found, 100, vocabulary, most=5)
    # Three of 100 against none of 200 has p of about 0.01, and there are 50 words.
    assert [one.word for one in words] == ["new", "most"]
    assert (words[0].before, words[0].after) == (0.0, 0.9)
    assert grown({}, 0, vocabulary, most=5) == []
    assert [one.word for one in grown(found, 100, vocabulary, most=1)] == ["new"]


FOUR = Vocabulary(
    keyed=False,
    hashes=(1, 2, 3),
    frequencies=(4, 1, 2),
    texts=4,
    cuts=(0, 333_333),
    reference=Counted(5, (2, 3)),
)


def encoded(vocabulary: Vocabulary, **change: object) -> bytes:
    made = Baseline(name="b", created=START, source="logs", summary=summary(3, 2, 1), vocabulary=vocabulary)
    document = msgspec.json.decode(encode_baseline(made))
    document["words"] |= change
    return msgspec.json.encode(document)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, False),
        # A word may be in all four texts, but not in more.
        ({"texts": 3}, True),
        ({"frequencies": msgspec.to_builtins(b"\x00\0\0\0\x01\0\0\0\x02\0\0\0")}, True),
        ({"reference_counts": [3, 3]}, True),
        ({"reference_counts": [0, 3]}, True),
        ({"reference_counts": [1, 5]}, False),
        ({"reference_counts": [1, 6]}, True),
        ({"reference_counts": [1, 2, 3]}, True),
        ({"reference_texts": 1 << 53}, False),
        ({"reference_texts": (1 << 53) + 1}, True),
        ({"cuts_millionths": [0, 999_999]}, False),
        ({"cuts_millionths": [0, 1_000_000]}, True),
        ({"cuts_millionths": [7, 7]}, True),
        ({"cuts_millionths": [0, 5, 5], "reference_counts": [1, 2, 3]}, True),
        ({"cuts_millionths": [0, 5, 6], "reference_counts": [1, 2, 2]}, True),
        ({"cuts_millionths": [5], "reference_counts": [2]}, False),
        ({"cuts_millionths": [-1, 7]}, True),
        ({"hashes": "", "frequencies": ""}, True),
        ({"hashes": "AQA="}, True),
    ],
)
def test_words_are_refused_exactly_where_they_cannot_be(change: dict[str, object], refused: bool) -> None:
    content = encoded(FOUR, **change)
    if refused:
        with pytest.raises(StoreError, match="is no baseline"):
            decode_baseline(content, origin="x")
    else:
        found = decode_baseline(content, origin="x").vocabulary
        assert found is not None
        assert (found.hashes, found.frequencies) == ((1, 2, 3), (4, 1, 2))


def test_one_text_of_one_word_is_enough_for_a_file() -> None:
    least = msgspec.structs.replace(FOUR, hashes=(7,), frequencies=(1,), texts=1)
    assert decode_baseline(encoded(least), origin="x").vocabulary == least


def test_the_events_of_words_are_named_by_their_share_and_counted_text_by_text() -> None:
    assert FOUR.group.events == ("at most 0% new words", "at most 33% new words")
    assert FOUR.group.reference == FOUR.reference
    counter = WordCounter(FOUR)
    assert counter.nothing == Counted(0, (0, 0))
    assert counter.count({1, 2, 9}) == Counted(1, (0, 1))
    assert counter.count({1, 8, 9}) == Counted(1, (0, 0))
    assert counter.count({1, 3}) == Counted(1, (1, 1))
    assert counter.share({1, 9}) == 500_000


def test_quintiles_are_of_the_second_half_and_all_new_words_are_no_limit() -> None:
    # Of 100 texts of the second half 20 have no new word, 20 one of four, and so on to all of them.
    first = [{1, 2, 3, 4}] * 100
    second = [{*range(1, 5 - number % 5), *range(100, 100 + number % 5)} for number in range(100)]
    vocabulary = learn_vocabulary([*first, *second], keyed=True)
    assert vocabulary is not None
    assert vocabulary.cuts == (0, 250_000, 500_000, 750_000)
    assert vocabulary.reference == Counted(100, (20, 40, 60, 80))
    assert (vocabulary.keyed, vocabulary.texts, vocabulary.frequencies) == (True, 100, (100,) * 4)
    # A quintile is the least share that a fifth of the texts do not exceed, rounded up to whole texts.
    uneven = learn_vocabulary([*first, *[{1}] * 21, *[{1, 2, 3, 9}] * 20, *[{9}] * 60], keyed=False)
    assert uneven is not None
    assert (uneven.texts, uneven.cuts, uneven.reference) == (100, (0, 250_000), Counted(101, (21, 41)))


def test_each_cut_is_the_least_share_that_so_many_texts_do_not_exceed() -> None:
    # The second half has 200 texts of 400 words, of which none, one, two ... to 199 are new: 2,500 millionths
    # each. A fifth of them, 40 texts, have 39 new words or fewer.
    known = set(range(400))
    second = [{*range(400 - number), *range(1_000, 1_000 + number)} for number in range(200)]
    vocabulary = learn_vocabulary([*[known] * 200, *second], keyed=False)
    assert vocabulary is not None
    assert vocabulary.cuts == tuple(2_500 * number for number in (39, 79, 119, 159, 189))
    assert vocabulary.reference == Counted(200, (40, 80, 120, 160, 190))


def test_two_hundred_texts_are_enough_and_of_more_than_twenty_thousand_the_latest_count() -> None:
    assert (FEWEST_TEXTS, MOST_TEXTS) == (200, 20_000)
    enough = learn_vocabulary([{1}] * 200, keyed=False)
    assert enough is not None
    assert enough.texts == 100
    many = learn_vocabulary([*[{7}] * 10, *[{1}] * 20_000], keyed=False)
    assert many is not None
    assert (many.hashes, many.texts, many.reference.n) == ((1,), 10_000, 10_000)


def test_texts_teach_before_keyed_hashes_do() -> None:
    kept = [record(0, n, text="uno due") for n in range(200)]
    gone = [record(0, n, text=None, token_hashes=[5, 6]) for n in range(300)]
    both = vocabulary_of([*kept, *gone])
    assert both is not None
    assert (both.keyed, both.texts) == (False, 100)
    only = vocabulary_of([*kept[:199], *gone])
    assert only is not None
    assert (only.keyed, only.texts, only.hashes) == (True, 150, (5, 6))


@pytest.mark.parametrize(
    ("found", "texts_now", "words"),
    [
        # Word 1 is in 4 of 4 texts, word 2 in one of four.
        ({"one": (1, 40)}, 40, []),
        # A word that became rarer did not grow, however sure that is.
        ({"one": (1, 10)}, 40, []),
        ({"two": (2, 40)}, 40, ["two"]),
        ({"two": (2, 10)}, 40, []),
        # Three texts are enough, if they are all there are: G squared is 9.56, p is 0.002.
        ({"new": (9, 3)}, 3, ["new"]),
        ({"new": (9, 2)}, 2, []),
        # Of three words that is still less than 0.05 / 3, of thirty it is more than 0.05 / 30.
        ({"new": (9, 3), "x": (8, 0), "y": (7, 0)}, 3, ["new"]),
        ({f"{number}": (9, 3 * (number == 0)) for number in range(30)}, 3, []),
    ],
)
def test_a_word_grew_where_more_than_chance_among_so_many_words(
    found: dict[str, tuple[int, int]], texts_now: int, words: list[str]
) -> None:
    assert [one.word for one in grown(found, texts_now, FOUR, most=5)] == words


def test_words_that_grew_alike_come_in_alphabetical_order_with_their_shares() -> None:
    found = {"b": (9, 8), "a": (10, 8), "two": (2, 10)}
    words = grown(found, 10, FOUR, most=5)
    assert [(one.word, one.before, one.after) for one in words] == [
        ("two", 0.25, 1.0), ("a", 0.0, 0.8), ("b", 0.0, 0.8),
    ]  # fmt: skip
    # Observed against expected: 8 with the word to 80/14, without it 4 to 24/14 and 2 to 60/14.
    assert log_likelihood_ratio((0, 4), (8, 10)) == pytest.approx(
        2
        * (8 * math.log(8 * 14 / (10 * 8)) + 4 * math.log(4 * 14 / (4 * 6)) + 2 * math.log(2 * 14 / (10 * 6)))
    )
