"""The three classes, in the one order that everything uses, and the names the world has for them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import TypeAlias, TypeVar

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
Classes: TypeAlias = tuple[Sentiment, ...]
"""The classes that a classifier tells apart, in Sentiment order."""
THREE: Classes = tuple(Sentiment)
TWO: Classes = (Sentiment.NEGATIVE, Sentiment.POSITIVE)
TWO_CLASSES = '[labels] classes = "two"'
"""The setting of a classifier without a neutral class, as messages name it."""
V = TypeVar("V")
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


def places_named(names: Sequence[str]) -> Classes:
    """Return the classes that there are: those that have a name in `names`, which are in Sentiment order.

    >>> places_named(("bad", "", "good"))
    (<Sentiment.NEGATIVE: 0>, <Sentiment.POSITIVE: 2>)
    """
    return tuple(place for place in Sentiment if names[place])


def by_name(names: Sequence[str], values: Iterable[V]) -> Iterator[tuple[str, V]]:
    """Yield the name and the value of each class that there is; both come in Sentiment order."""
    return ((name, value) for name, value in zip(names, values, strict=True) if name)


def names_of(classes: Classes) -> tuple[str, str, str]:
    """Return the canonical names in Sentiment order; "" for a class that there is not.

    >>> names_of(TWO)
    ('negative', '', 'positive')
    """
    negative, neutral, positive = (place.label if place in classes else "" for place in Sentiment)
    return negative, neutral, positive
