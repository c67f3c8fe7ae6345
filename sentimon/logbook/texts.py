"""What a text is made of, without a model: links, emoji, the script of its letters."""

from __future__ import annotations

import re
import unicodedata

_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\u231a\u231b\u23e9-\u23f3\u3297\u3299]"
)
"""The blocks of pictographs, and the older symbols that are shown as such."""
_BEYOND_LATIN = re.compile(
    "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\ua71f\ua800-\ufaff\ufb07-\U0001efff\U00020000-\U0003ffff]"
)
"""Where letters of other scripts are; Latin ones with their marks are below and between."""


def has_link(text: str) -> bool:
    """Return whether a text holds a link, or one that was masked.

    >>> has_link("vedi www.example.org"), has_link("vedi [url]"), has_link("niente")
    (True, True, False)
    """
    # One after the other: this is asked of every row that is read.
    return "://" in text or "www." in text or "WWW." in text or "[url]" in text


def has_emoji(text: str) -> bool:
    """Return whether a text holds an emoji or another pictograph; those typed as `:-)` are none.

    >>> has_emoji("bello 😀"), has_emoji("bello :-)")
    (True, False)
    """
    return not text.isascii() and _EMOJI.search(text) is not None


def is_non_latin(text: str) -> bool:
    """Return whether more than half of the letters of a text are not Latin.

    >>> is_non_latin("Привет, world"), is_non_latin("però"), is_non_latin("123")
    (True, False, False)
    """
    if text.isascii():
        return False
    other = sum(map(str.isalpha, _BEYOND_LATIN.findall(text)))
    return other > 0 and 2 * other > sum(map(str.isalpha, unicodedata.normalize("NFC", text)))
