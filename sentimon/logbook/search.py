"""Texts found whatever their case, and however their accents are written."""

from __future__ import annotations

import unicodedata


def foldings(text: str) -> set[str]:
    """Return the forms of `text` to compare with those of another: one is in the other if any form is."""
    folded = text.casefold()
    # An accented letter may be one character or two, and nobody sees which.
    return {folded} if folded.isascii() else {folded, unicodedata.normalize("NFC", folded)}
