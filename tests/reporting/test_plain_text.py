import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.reporting.plain_text import bar, number, sparkline, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain è 好 😀", "plain è 好 😀"),
        ("👩‍💻 नमस्ते", "👩‍💻 नमस्ते"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("two\nlines\r\tand", "two\\nlines\\r\\tand"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u2028\u2029\x85\x00", "\\u2028\\u2029\\x85\\x00"),
        ("\ud800", "\\ud800"),
        ("[red]no[/red] <script>", "[red]no[/red] <script>"),
    ],
)
def test_a_text_prints_as_itself_and_acts_on_nothing(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    for character in visible(text):
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert character not in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069"


def test_bars_and_sparklines_have_a_fixed_scale() -> None:
    assert bar(0.5, 4) == "██"
    assert bar(1.0, 4) == "████"
    assert bar(0.03125, 4) == "▏"
    assert bar(None, 4) == ""
    assert sparkline([0.0, 0.5, 1.0, None]) == "▁▅█ "
    assert number(None) == "-"
