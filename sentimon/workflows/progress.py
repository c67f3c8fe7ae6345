"""What long work tells the one who asked: how far it is, and notes for people; by itself nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Row = TypeVar("Row")


class Progress(Protocol):
    """Passes rows on, and shows how many of how many have passed."""

    def __call__(self, rows: Iterable[Row], description: str, *, total: int | None = None) -> Iterator[Row]:
        """Yield `rows`."""


def unwatched(rows: Iterable[Row], description: str, *, total: int | None = None) -> Iterator[Row]:
    """Yield `rows`, and show nothing."""
    yield from rows


def unheard(message: str) -> None:
    """Let a message for people go nowhere."""
