"""Properties of a text that need no model: links, emoji, the script of its letters.

They are computed for every row that is read, so speed matters here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

Ranges = tuple[tuple[int, int], ...]
"""Ranges of characters, (first, last), in order."""

LINK_MARKS = ("://", "www.", "WWW.", "[url]")
EMOJI: Ranges = (
    (0x231A, 0x231B),
    (0x23E9, 0x23F3),
    (0x2600, 0x27BF),
    (0x2B1B, 0x2B1C),
    (0x2B50, 0x2B50),
    (0x2B55, 0x2B55),
    (0x3297, 0x3297),
    (0x3299, 0x3299),
    (0x1F000, 0x1FAFF),
)
"""The blocks of pictographs, and older symbols that are displayed as pictographs."""
BEYOND_LATIN: Ranges = (
    (0x0370, 0x1DFF),
    (0x1F00, 0x1FFF),
    (0x2C00, 0xA71F),
    (0xA800, 0xFAFF),
    (0xFB07, 0x1EFFF),
    (0x20000, 0x3FFFF),
)
"""The ranges with letters of other scripts; Latin letters and their marks lie outside."""


def has_link(text: str) -> bool:
    """Return whether a text holds a link, or one that was masked.

    >>> has_link("vedi www.example.org"), has_link("vedi [url]"), has_link("niente")
    (True, True, False)
    """
    # The LINK_MARKS; a loop or a regular expression over them would take several times as long.
    return "://" in text or "www." in text or "WWW." in text or "[url]" in text


def has_emoji(text: str) -> bool:
    """Return whether a text holds an emoji or another pictograph; `:-)` does not count.

    >>> has_emoji("bello 😀"), has_emoji("bello :-)")
    (True, False)
    """
    return not text.isascii() and _pattern(EMOJI).search(text) is not None


def is_non_latin(text: str) -> bool:
    """Return whether more than half of the letters of a text are not Latin.

    >>> is_non_latin("Привет, world"), is_non_latin("però"), is_non_latin("123")
    (True, False, False)
    """
    if text.isascii():
        return False
    other = _letters("".join(_pattern(BEYOND_LATIN).findall(text)))
    if not other:
        return False
    composed = unicodedata.normalize("NFC", text)
    # Quick first: a text has at most as many letters as characters.
    return 2 * other > len(composed) or 2 * other > _letters(composed)


@cache
def _pattern(ranges: Ranges) -> re.Pattern[str]:
    # Compiled at first use: for such wide ranges that takes milliseconds.
    return re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]+")


def _letters(text: str) -> int:
    return len(text) if text.isalpha() else sum(map(str.isalpha, text))
