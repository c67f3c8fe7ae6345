"""What is kept of the words of a baseline: hashes, frequencies, and how new the words of its texts were."""

from __future__ import annotations

import msgspec

from sentimon.monitoring.events import Counted, Group

SHARE = 1_000_000
"""Shares of new words are kept in millionths, rounded down: integers compare alike everywhere."""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What the texts of a baseline looked like: words of its first half, new words in its second.

    Eight bytes a distinct word. An unknown word passes for known with probability len(hashes) / 2**32.
    """

    keyed: bool
    """Whether the words are hashed under the key of the log; texts that are kept are not."""
    hashes: tuple[int, ...]
    """Of the distinct words of the first half, ascending."""
    frequencies: tuple[int, ...]
    """How many texts of the first half hold each."""
    texts: int
    """Of the first half."""
    cuts: tuple[int, ...]
    """Quantiles of the share of new words in the texts of the second half, in millionths, ascending."""
    reference: Counted
    """How many texts of the second half have a share of new words of at most each cut."""

    @property
    def group(self) -> Group:
        """Return the events "the share of new words is at most a quantile of the baseline"."""
        return Group(
            name="words",
            events=tuple(f"at most {cut / SHARE:.0%} new words" for cut in self.cuts),
            reference=self.reference,
        )
