import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.text_changes import TextProperty, text_properties
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.text_features import has_emoji, has_link, is_non_latin
from sentimon.reporting.json_shapes import texts_object
from sentimon.reporting.verdict_sentences import explain_texts
from sentimon.statistics.intervals import Difference, Estimate, difference_of_shares, wilson
from tests.support.rows import record, records


def of_texts(*texts: str | None) -> Summary:
    return summarise(record(0, number, text=text) for number, text in enumerate(texts))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vedi http://example.org", True),
        ("HTTPS://EXAMPLE.ORG", True),
        ("www.example.org", True),
        ("[url] è giù", True),
        ("http senza indirizzo", False),
        ("niente: qui", False),
    ],
)
def test_a_link_is_told(text: str, found: bool) -> None:
    assert has_link(text) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("😀", True),
        ("a ❤️ b", True),
        ("⭐", True),
        ("🇮🇹", True),
        (":-)", False),
        ("è – „", False),
        ("日本", False),
    ],
)
def test_an_emoji_is_told(text: str, found: bool) -> None:
    assert has_emoji(text) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("perché no", False),
        ("perche\u0301 no", False),
        ("Żółć ſ ạ ﬁ", False),
        ("Привет", True),
        ("안녕", True),
        ("日本語", True),
        ("مرحبا", True),
        ("नमस्ते", True),
        ("hello мир", False),
        ("hi мир!", True),
        ("😀 123", False),
        ("𠮷𠮷", True),
    ],
)
def test_the_script_of_most_letters_is_told(text: str, found: bool) -> None:
    assert is_non_latin(text) is found


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert has_link(text) in (True, False)
    assert has_emoji(text) in (True, False)
    assert is_non_latin(text) in (True, False)


def test_shares_and_lengths_worked_by_hand() -> None:
    before = of_texts("aaaa", "bb", "https://x", "  ", None)
    now = of_texts("aaaaaa", "😀😀", "Привет", "c", "", "")
    found = {one.name: one for one in text_properties(before, now, confidence_level=0.95)}
    assert list(found) == ["characters", "links", "emoji", "non_latin", "empty", "truncated"]
    length = found["characters"]
    assert (length.before.value, length.before.n) == (5.0, 3)
    assert (length.now.value, length.now.n) == (15 / 4, 4)
    errors = [statistics.stdev(one) / math.sqrt(len(one)) for one in ([4, 2, 9], [6, 2, 6, 1])]
    assert length.change is not None
    assert length.change.high - length.change.low == pytest.approx(
        2 * 1.959964 * math.hypot(*errors), rel=1e-6
    )
    assert (found["links"].before.value, found["links"].now.value) == (1 / 3, 0.0)
    assert (found["emoji"].now.value, found["non_latin"].now.value) == (0.25, 0.25)
    assert (found["empty"].before.value, found["empty"].before.n) == (0.25, 4)
    assert (found["empty"].now.value, found["truncated"].now.n) == (2 / 6, 6)


def test_what_moved_by_more_than_chance_is_said() -> None:
    before = summarise(records(0, 0, 300, text="un testo"))
    now = summarise(records(0, 0, 300, text="un testo molto più lungo con https://a.org"))
    found = text_properties(before, now, confidence_level=0.95)
    said = explain_texts(found)
    assert said[0] == "The mean length of a text rose from 8.0 to 42.0 characters."
    assert said[1:] == ["The share of texts with a link rose from 0.000 to 1.000."]
    assert explain_texts(text_properties(before, before, confidence_level=0.95)) == []


def test_nothing_is_said_of_texts_that_are_not_kept_or_were_not_looked_at() -> None:
    kept, gone = of_texts("a", "b"), of_texts(None, None)
    assert text_properties(kept, gone, confidence_level=0.95) == ()
    old = Summary(classes=kept.classes, properties={"characters": 2})
    assert text_properties(old, kept, confidence_level=0.95) == ()
    assert texts_object(()) is None
    single = text_properties(of_texts("a"), kept, confidence_level=0.95)[0]
    assert (single.before.value, single.change, single.moved) == (None, None, False)


def of_sums(count: int, **properties: int) -> Summary:
    return Summary(classes=summarise(records(count, 0, 0)).classes, properties=properties)


def test_each_share_is_of_the_texts_that_could_have_it() -> None:
    # Of 20 rows four have no text and six an empty one: ten are left, but 16 could have been empty.
    before = of_sums(20, without_text=4, empty=6, links=5, characters=30, squared_characters=100, truncated=2)
    now = of_sums(10, links=8, characters=30, squared_characters=100)
    found = {one.name: one for one in text_properties(before, now, confidence_level=0.9)}
    for name, known, new in (
        ("links", (5, 10), (8, 10)),
        ("emoji", (0, 10), (0, 10)),
        ("empty", (6, 16), (0, 10)),
        ("truncated", (2, 20), (0, 10)),
    ):
        assert found[name].before == wilson(*known, confidence_level=0.9)
        assert found[name].now == wilson(*new, confidence_level=0.9)
        value, low, high = difference_of_shares(known, new, z=1.6448536269514722)
        assert found[name].change == Difference(
            value=pytest.approx(value), low=pytest.approx(low), high=pytest.approx(high)
        )


def test_a_mean_length_has_student_s_interval_and_is_no_less_than_nothing() -> None:
    # Lengths 4, 2 and 9: their mean is 5 with an error of sqrt(13 / 3); Student's quantile is 4.302653.
    texts = of_texts("aaaa", "bb", "ccccccccc")
    length = text_properties(texts, texts, confidence_level=0.95)[0]
    error = math.sqrt(13 / 3)
    assert length.before == length.now
    assert (length.before.low, length.before.high) == (0.0, pytest.approx(5 + 4.302653 * error, abs=1e-5))
    assert length.change is not None
    half = 1.959964 * error * math.sqrt(2)
    assert (length.change.value, length.change.low, length.change.high) == (
        0.0, pytest.approx(-half, abs=1e-5), pytest.approx(half, abs=1e-5),
    )  # fmt: skip
    sure = of_texts(*["a" * (40 + number % 2) for number in range(50)])
    length = text_properties(texts, sure, confidence_level=0.95)[0]
    assert length.now.low == pytest.approx(40.5 - 2.0096 * math.sqrt(0.25 / 49), abs=1e-4)
    assert length.change is not None
    assert length.change.value == 35.5


def test_two_texts_have_a_mean_length_and_one_has_none() -> None:
    two, one = of_texts("a", "abc"), of_texts("abcd")
    lengths = text_properties(two, one, confidence_level=0.95)[0]
    assert (lengths.before.value, lengths.before.n) == (2.0, 2)
    assert lengths.now == Estimate(value=None, low=None, high=None, n=1)
    assert lengths.change is None
    both = text_properties(two, two, confidence_level=0.95)[0]
    assert both.change is not None
    assert text_properties(of_texts(""), two, confidence_level=0.95) == ()
    assert text_properties(two, of_texts("", None), confidence_level=0.95) == ()


@pytest.mark.parametrize(
    ("low", "high", "moved"),
    [(-0.1, 0.1, False), (0.0, 0.1, False), (-0.1, 0.0, False), (0.01, 0.1, True), (-0.1, -0.01, True)],
)
def test_what_moved_has_an_interval_without_zero(low: float, high: float, moved: bool) -> None:
    nothing = Estimate(value=None, low=None, high=None, n=0)
    change = Difference(value=0.0, low=low, high=high)
    assert TextProperty(name="links", before=nothing, now=nothing, change=change).moved is moved
