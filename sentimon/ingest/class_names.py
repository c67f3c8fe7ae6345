"""What a label means by itself: the name of a class in six languages, or a rating that says its scale.

Names of a file's labels are read here and those of log rows by `parse_label`, which knows fewer and takes
`LABEL_0` for negative: a log keeps its meaning, whatever is learnt about foreign files.
"""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType

from sentimon.ingest.cells import plain_letters
from sentimon.labels import Sentiment

_NEGATIVE, _NEUTRAL, _POSITIVE = Sentiment
_NAMES = MappingProxyType(
    {
        name: sentiment
        for sentiment, names in (
            (
                _NEGATIVE,
                "negative neg negativo negativa negativi negative negatif negativ negativos negativas",
            ),
            (_NEUTRAL, "neutral neu neutro neutra neutri neutrale neutrali neutre neutros neutras"),
            (_POSITIVE, "positive pos positivo positiva positivi positif positiv positivos positivas"),
        )
        for name in names.split()
    }
)
_STRENGTH = re.compile(r"(?:very|strongly|extremely|molto|muy|tres|sehr|muito)[ _-]+")
_RATING = r"(?P<rating>[0-9]{1,2}(?:[.,][0-9])?)"
_STAR_WORD = r"(?:stars?|stell[ae]|etoiles?|estrellas?|estrelas?|sterne?n?)"
_RATED = (
    re.compile(rf"{_RATING}[ -]?{_STAR_WORD}"),
    re.compile(rf"{_RATING} ?(?:/|out of|of|su|de|sobre|sur|von) ?(?P<most>5|10)(?: {_STAR_WORD})?"),
)
_DRAWN = re.compile("(?P<full>[★⭐]{1,5})(?P<empty>☆{0,4})")
_VARIANT = "\ufe0f"
_LONGEST = 40

MOST_STARS = MappingProxyType({"stars": 5, "stars10": 10})
"""The best rating, by the name that `--labels` has for the scale."""


def named_class(text: str) -> Sentiment | None:
    """Return the class that a name means beyond doubt; None for any other text, such as `mixed`.

    >>> named_class(" Négatif "), named_class("very positive"), named_class("LABEL_0")
    (<Sentiment.NEGATIVE: 0>, <Sentiment.POSITIVE: 2>, None)
    """
    plain = plain_letters(text) if len(text) <= _LONGEST else ""
    strong = _STRENGTH.match(plain)
    found = _NAMES.get(plain[strong.end() :] if strong else plain)
    return None if strong and found is _NEUTRAL else found


def rated_class(text: str) -> Sentiment | None:
    """Return the class of a rating that names its scale: `4 stars`, `4,5 stelle`, `★★★★☆`, `4/5`, `7/10`.

    >>> rated_class("2 stars"), rated_class("7/10"), rated_class("4")
    (<Sentiment.NEGATIVE: 0>, <Sentiment.POSITIVE: 2>, None)
    """
    if len(text) > _LONGEST:
        return None
    drawn = _DRAWN.fullmatch(text.strip().replace(_VARIANT, ""))
    if drawn is not None:
        stars = len(drawn["full"])
        return class_of_rating(Decimal(stars), 5) if stars + len(drawn["empty"]) in (stars, 5) else None
    for expression in _RATED:
        found = expression.fullmatch(plain_letters(text))
        if found is not None:
            most = int(found.groupdict().get("most") or 5)
            return class_of_rating(Decimal(found["rating"].replace(",", ".")), most)
    return None


def class_of_rating(rating: Decimal, most: int) -> Sentiment | None:
    """Return the class of a rating from 1 to `most`, 5 or 10, halves included; None outside of the scale.

    Of five, 1 and 2 are negative, 3 is neutral, 4 and 5 are positive; of ten, 1 to 4 are negative, 5 and 6
    neutral, 7 to 10 positive. A half between two classes is neutral: 2.5 and 3.5, 4.5 and 6.5. Half a star
    is negative.

    >>> class_of_rating(Decimal("4.5"), 5)
    <Sentiment.POSITIVE: 2>
    """
    if not Decimal("0.5") <= rating <= most or rating * 2 != (rating * 2).to_integral_value():
        return None
    middle = Decimal(1 + most) / 2
    half = Decimal("0.5") if most == MOST_STARS["stars"] else Decimal(1)
    if abs(rating - middle) <= half:
        return _NEUTRAL
    return _POSITIVE if rating > middle else _NEGATIVE
