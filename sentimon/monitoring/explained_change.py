"""The slices that account for a change, and where they were searched."""

from __future__ import annotations

from dataclasses import dataclass

from sentimon.statistics.slice_search import SliceSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedChange:
    """The slices that account for a change, searched through all fields of the rows that have few values."""

    search: SliceSearch | None
    """None where no field divides the rows."""
    fields: tuple[str, ...]
    """The fields that were searched, alone and in pairs."""
    left_out: tuple[str, ...]
    """Fields with too many values."""
    turned_over: tuple[str, ...]
    """Fields whose values are others now, such as a date: they cannot be told from time itself."""
    one_in: tuple[int, int]
    """Of so many rows one was read, of the baseline and of those compared with it; 1: all."""
