"""The three classes, in the one order that everything uses, and the names the world has for them."""

from __future__ import annotations

import enum
from types import MappingProxyType

from sentimon.errors import DataError


class Sentiment(enum.IntEnum):
    """A class of sentiment; the integer is its place in every vector of scores, counts and shares."""

    NEGATIVE = 0
    NEUTRAL = 1
    POSITIVE = 2

    @property
    def label(self) -> str:
        """Return the canonical name, as files and JSON hold it: `negative`, `neutral`, `positive`."""
        return LABELS[self]


LABELS = ("negative", "neutral", "positive")
SUPPORT = (0.0, 0.5, 1.0)
"""Where each class lies on the ordered scale from negative to positive, for distances."""

ALIASES = MappingProxyType(
    {
        alias: sentiment
        for sentiment, aliases in (
            (Sentiment.NEGATIVE, "negative neg negativo negativa label_0"),
            (Sentiment.NEUTRAL, "neutral neu neutro neutra neutrale label_1"),
            (Sentiment.POSITIVE, "positive pos positivo positiva label_2"),
        )
        for alias in aliases.split()
    }
)


def parse_label(text: str) -> Sentiment:
    """Return the class that `text` names, in any case: canonical, Italian, short, or `LABEL_0..2`.

    >>> parse_label("Negativo")
    <Sentiment.NEGATIVE: 0>

    Raises:
        DataError: no class has that name.
    """
    found = ALIASES.get(text)
    if found is None:
        found = ALIASES.get(text.strip().lower())
    if found is None:
        raise DataError(
            f"unknown label {text!r:.60}",
            hint=f"use one of: {', '.join(LABELS)} (or Negativo, Neutro, Positivo)",
        )
    return found
