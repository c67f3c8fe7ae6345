"""What a text is made of, without a model: links, emoji, the script of its letters.

This is asked of every row that is read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_EMOJI = "[\U0001f000-\U0001faff\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\u231a\u231b\u23e9-\u23f3\u3297\u3299]"
"""The blocks of pictographs, and the older symbols that are shown as such."""
_BEYOND_LATIN = (
    "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\ua71f\ua800-\ufaff\ufb07-\U0001efff\U00020000-\U0003ffff]+"
)
"""Where letters of other scripts are; Latin ones with their marks are below and between."""


def has_link(text: str) -> bool:
    """Return whether a text holds a link, or one that was masked.

    >>> has_link("vedi www.example.org"), has_link("vedi [url]"), has_link("niente")
    (True, True, False)
    """
    # Plain searches, one after the other: a regular expression takes several times as long.
    return "://" in text or "www." in text or "WWW." in text or "[url]" in text


def has_emoji(text: str) -> bool:
    """Return whether a text holds an emoji or another pictograph; those typed as `:-)` are none.

    >>> has_emoji("bello 😀"), has_emoji("bello :-)")
    (True, False)
    """
    return not text.isascii() and _compiled(_EMOJI).search(text) is not None


def is_non_latin(text: str) -> bool:
    """Return whether more than half of the letters of a text are not Latin.

    >>> is_non_latin("Привет, world"), is_non_latin("però"), is_non_latin("123")
    (True, False, False)
    """
    if text.isascii():
        return False
    other = sum(map(_letters, _compiled(_BEYOND_LATIN).findall(text)))
    if not other:
        return False
    composed = unicodedata.normalize("NFC", text)
    # Letters are no more than characters, which are counted at once.
    return 2 * other > len(composed) or 2 * other > _letters(composed)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Not while the program loads: of such wide ranges that takes milliseconds.
    return re.compile(pattern)


def _letters(text: str) -> int:
    return len(text) if text.isalpha() else sum(map(str.isalpha, text))
