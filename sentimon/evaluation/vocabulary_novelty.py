"""Are new texts written in the words of the labelled ones: if not, what those taught does not carry over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_PLACEHOLDERS = re.compile(r"@\w+|https?://\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """Mean share of a text's words that no (other) labelled text has, 0..1."""

    usual: float
    """Among the labelled texts, each against all others."""
    now: float
    """Among the new texts."""
    labelled: int
    """Labelled texts with words."""
    n: int
    """New texts with words."""

    @property
    def excess(self) -> float:
        """Return by how much more is new now than usual, -1 .. 1."""
        return self.now - self.usual


def compare_words(labelled: Sequence[str | None], texts: Iterable[str | None]) -> Novelty | None:
    """Return how new the words of `texts` are to who knows those that are `labelled`; None without texts.

    Names of users and links are left out.

    >>> compare_words(["the parcel came", "the parcel is late"], ["il pacco late"]).now
    0.6666666666666666
    """
    own = [words for text in labelled if (words := words_of(text))]
    known = Counter(word for words in own for word in words)
    usual = [sum(known[word] == 1 for word in words) / len(words) for words in own]
    now = [
        sum(word not in known for word in words) / len(words) for text in texts if (words := words_of(text))
    ]
    if not usual or not now:
        return None
    return Novelty(usual=sum(usual) / len(usual), now=sum(now) / len(now), labelled=len(usual), n=len(now))


def words_of(text: str | None) -> set[str]:
    """Return the words of a text in lower case."""
    return set(_WORD.findall(_PLACEHOLDERS.sub(" ", text.lower()))) if text else set()
