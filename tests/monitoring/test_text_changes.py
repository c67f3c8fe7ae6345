import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.text_changes import text_properties
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.text_features import has_emoji, has_link, is_non_latin
from sentimon.reporting.json_shapes import texts_object
from sentimon.reporting.verdict_sentences import explain_texts
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
