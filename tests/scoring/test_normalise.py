from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.jsonl import well_formed
from sentimon.scoring.normalise import normalise
from tests.conftest import ROOT, clean_environment

any_text = st.text(st.characters(exclude_categories=[]))
tricky = st.lists(
    st.sampled_from(
        ["@", "@anna", "http://", "https://t.co/x", "HTTP://A", " ", "(", ")", ".", "\t", "\n", "a", "…"]
    )
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@anna ciao", "@user ciao"),
        ("(@bob) and,@eve", "(@user) and,@user"),
        ("see\thttps://example.org/a?b=1\nok", "see\thttp\nok"),
        ("HTTP://EXAMPLE.ORG!", "http!"),
        ("(https://example.org/x).", "(http)."),
        ("«http://example.org»", "«http»"),
        ("mail me: anna@example.org", "mail me: anna@example.org"),
        ("ciao.@b", "ciao.@user"),
        ("@ nobody", "@ nobody"),
        ("@perché è bello", "@user è bello"),
        ("http is a word, https too", "http is a word, https too"),
        ("", ""),
        ("😀 👍🏽", "😀 👍🏽"),
        ("two\u2028lines\x85more", "two\u2028lines\x85more"),
    ],
)
def test_mentions_and_links_become_one_word_wherever_they_stand(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(any_text | tricky)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(any_text | tricky)
def test_what_comes_out_is_valid_unicode(text: str) -> None:
    assert normalise(text).encode("utf-8").decode("utf-8") == normalise(text)


@given(st.text())
def test_valid_unicode_is_left_as_it_is(text: str) -> None:
    assert well_formed(text) == text


def test_a_split_surrogate_pair_is_joined_and_a_lone_half_replaced() -> None:
    assert well_formed("a\ud83d\ude00b") == "a😀b"
    assert well_formed("a\ud83db\ude00") == "a\ufffdb\ufffd"


@given(any_text | tricky)
def test_no_link_and_no_mention_but_user_is_left(text: str) -> None:
    words = normalise(text).split()
    assert not any(word.lower().startswith(("http://", "https://")) and len(word) > 8 for word in words)
    assert all(word == "@user" or not word[1:].isalnum() for word in words if word.startswith("@"))


HOSTILE = ["@", "http://", "https://)", "))))", "@a@", "a.", "_", "http://a ", "(@", "\ud800", "…", "@user"]


def test_a_hostile_text_takes_no_more_than_time_in_proportion_to_its_length() -> None:
    # In quadratic time each of these would take hours.
    program = (
        "from sentimon.scoring.normalise import normalise\n"
        f"for piece in {HOSTILE!a}: normalise(piece * (1_000_000 // len(piece)))"
    )
    subprocess.run([sys.executable, "-c", program], timeout=300, check=True, env=clean_environment(ROOT))
