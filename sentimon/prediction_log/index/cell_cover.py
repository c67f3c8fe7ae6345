"""The fewest cells of a file that say what is asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sentimon.prediction_log.index.cells import WIDTHS, Slot
from sentimon.prediction_log.index.sqlite_store import KeptCell, Store, damaged
from sentimon.prediction_log.summary import Counts

Hours = Mapping[int, Counts]
"""Rows of each class by hour since 1970, of those hours that have any."""


def covering(store: Store, number: int, asked: range, *, known: Hours, slot: Slot) -> Iterator[KeptCell]:
    """Yield cells that hold all rows of an entry in the hours that are `asked` for, each row once.

    They are as wide as they can be without holding rows of two slots; an hour may. One is in memory at a
    time: so what is made of them counts only once all were given.

    Raises:
        sqlite3.DatabaseError: they contradict what is `known` of the entry: the index is damaged.
    """
    return checked(_widest(store, number, asked, slot, WIDTHS[::-1]), asked, known=known)


def _widest(store: Store, number: int, asked: range, slot: Slot, widths: Sequence[int]) -> Iterator[KeptCell]:
    width, *narrower = widths
    for cell in store.cells(number, width, asked):
        first, last = cell.sums.ends or (0, 0)
        if narrower and slot(first)[1] <= last:
            inside = range(max(asked.start, cell.hours.start), min(asked.stop, cell.hours.stop))
            yield from _widest(store, number, inside, slot, narrower)
        else:
            yield cell


def checked(cells: Iterable[KeptCell], asked: range, *, known: Hours) -> Iterator[KeptCell]:
    """Yield the cells, which hold the rows that are `known`, at least all in the hours `asked` for.

    Raises:
        sqlite3.DatabaseError: one is missing, too many, or of another time: the index is damaged.
    """
    found = 0
    for cell in cells:
        if cell.sums.hours != {hour: known[hour] for hour in cell.hours if hour in known}:
            raise damaged()
        found += sum(hour in asked for hour in cell.sums.hours)
        yield cell
    if found != sum(hour in asked for hour in known):
        raise damaged()
