"""How much of a text a model has no pieces for: the share of its letters that the tokenizer does not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sentimon.config.settings import ModelSettings

MAX_UNKNOWN = ModelSettings().max_unknown
"""Default of the share above which a text is unreadable; benchmarks/README.md says how it was chosen."""
_MASKS = ("@user", "http")
"""What mentions and links are read as: every tweet has some, and they say nothing of its language."""


def unknown_share(text: str, spans: Iterable[tuple[int, int]]) -> float:
    """Return the share, 0 .. 1, of the letters of `text` that lie in `spans` (first, after the last).

    A run of unknown letters is one piece, however long, so letters are counted and not pieces. Mentions
    and links, as the normaliser leaves them, count for nothing. Of a text without other letters all
    visible characters count.

    >>> round(unknown_share("@user iPhone жжжж!", [(13, 17)]), 2)
    0.4
    >>> unknown_share("good жжжж", [])
    0.0
    """
    unknown = "".join(text[first:after] for first, after in spans)
    if not unknown:
        return 0.0
    for mask in _MASKS:
        text = text.replace(mask, " ")
    for counts in (str.isalpha, _is_visible):
        whole = sum(map(counts, text))
        if whole:
            return min(sum(map(counts, unknown)) / whole, 1.0)
    return 0.0


def unknown_spans(
    ids: Sequence[int], offsets: Sequence[tuple[int, int]], unknown: int
) -> list[tuple[int, int]]:
    """Return where the unknown pieces of an encoded text lie in it."""
    return [span for one, span in zip(ids, offsets, strict=True) if one == unknown]


def _is_visible(character: str) -> bool:
    return not character.isspace()
