"""User text made safe to show: it prints as itself, and nothing in it acts on the terminal."""

from __future__ import annotations

import unicodedata

_KEPT = "‌‍"
"""Zero width joiners: emoji and several scripts are built with them."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    r"""Return `text` with control characters, line breaks and direction overrides as visible escapes.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(one if _is_plain(one) else _escaped(one) for one in text)


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _KEPT or (category[0] != "C" and category not in ("Zl", "Zp")) or category == "Co"


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
