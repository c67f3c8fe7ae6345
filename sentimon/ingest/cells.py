"""What a cell says, in whatever type a file gives it: nothing, a number, a word; how an error shows it."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal

# Not `none`, a class of some corpora, nor `-`, which may mean negative.
_MISSING = frozenset(("", "nan", "nat", "null", "na", "n/a", "#n/a", "#na", "<na>", "<null>", "nil", "\\n"))
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,25}(?:\.[0-9]{0,25})?|\.[0-9]{1,25})(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_SHOWN = 60
_MOST_BITS = 200


def is_missing(value: object) -> bool:
    """Return whether a cell of a label, a time or an id says nothing: None, NaN, `""`, `nan`, `NA`, `null`.

    Not for texts: somebody may have written `null`.

    >>> [is_missing(one) for one in (None, float("nan"), " N/A ", 0, "0")]
    [True, True, True, False, False]
    """
    if isinstance(value, str):
        return len(value) < _LONGEST_SHOWN and value.strip().lower() in _MISSING
    if isinstance(value, Decimal):
        return value.is_nan()
    # NaN, and the NaT of pandas, which is a datetime, are unlike themselves.
    return value is None or (isinstance(value, float | datetime) and value != value)


def number_of(value: object) -> Decimal | None:
    """Return the number that a cell holds, also as text, exactly as it is written; None for anything else.

    Truth values are no numbers, and only ASCII digits are digits.

    >>> number_of(" 1.70e9 ") == number_of(1_700_000_000.0) == number_of(1_700_000_000)
    True
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip() if len(value) < _LONGEST_SHOWN else ""
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() < _MOST_BITS else None
    if isinstance(value, float):
        value = Decimal(repr(float(value)))
    return value if isinstance(value, Decimal) and value.is_finite() else None


def plain_letters(text: str) -> str:
    """Return `text` in lower case, without accents and surrounding blanks.

    >>> plain_letters(" Négatif ")
    'negatif'
    """
    parts = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))


def shown(value: object) -> str:
    r"""Return a cell as an error shows it: quoted, its control characters escaped, at most 60 characters.

    >>> shown("red\x1b[31m")
    "'red\\x1b[31m'"
    """
    if isinstance(value, str):
        value = value[:_LONGEST_SHOWN]
    try:
        return f"{value!r:.60}"
    except ValueError:
        # A number of more than 4,300 digits, which Python refuses to print, or something with one in it.
        return f"a value of type {type(value).__name__} that is too long to print"
