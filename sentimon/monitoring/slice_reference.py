"""What the monitor compares slices with: the rows of each value of the declared fields in the baseline."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from sentimon.labels import TWO, names_of
from sentimon.monitoring.freshness import usual_gaps
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import Counted, EventGroup, EventWindow
from sentimon.prediction_log.summary import Counts

FEWEST_ROWS = 50
"""A value with fewer rows in the baseline is not watched: no change of it would be more than chance."""

HoursBySlice = Mapping[str, Mapping[str, Mapping[int, Counts]]]
"""Rows per class by field, value and hour since 1970."""
SegmentWindow = Mapping[str, Mapping[str, EventWindow]]
"""The event counts of some rows by field and value, as `count_slice` returns them."""


class WatchedSlice(msgspec.Struct, frozen=True, kw_only=True):
    """A value that is watched, and how its rows came in the baseline."""

    reference: Reference
    weight: float
    """Its part of what its field may spend on class mixes, 0 .. 1."""
    longest_silence: int
    """Hours without a row of it that are normal."""


class WatchedField(msgspec.Struct, frozen=True, kw_only=True):
    """A field whose values are watched."""

    name: str
    slices: Mapping[str, WatchedSlice]
    known: frozenset[str]
    """All values of the baseline, also those with too few rows to be watched."""


class SegmentReference(msgspec.Struct, frozen=True, kw_only=True):
    """What the slices of declared fields are compared with."""

    rows: int
    """Of the baseline."""
    fields: tuple[WatchedField, ...]

    @classmethod
    def of(cls, slices: HoursBySlice, whole: Reference) -> SegmentReference:
        """Return the reference of a baseline with these `slices`; `whole` is that of all its rows.

        Of a slice the shares of negative and of positive rows are watched, as in the drift score: whatever
        moves between two classes moves one of these, and alpha is shared out among fewer.

        Rows of one hour of a slice are taken to be at least as much alike as those of all rows: in a slice
        there are often too few to tell.
        """
        return cls(
            rows=whole.rows,
            fields=tuple(_watched_field(name, values, whole) for name, values in slices.items()),
        )


def _watched_field(name: str, values: Mapping[str, Mapping[int, Counts]], whole: Reference) -> WatchedField:
    values = {
        value: {hour: one for hour, one in hours.items() if any(one)} for value, hours in values.items()
    }
    rows = {value: sum(map(sum, hours.values())) for value, hours in values.items()}
    watched = {value: size for value, size in rows.items() if size >= FEWEST_ROWS}
    # A value is known to be silent before its first row and after its last one, too.
    all_hours = {hour for hours in values.values() for hour in hours}
    span = {hour: (0, 0, 0) for one in (min, max) if all_hours for hour in (one(all_hours),)}
    weights = slice_weights(watched)
    return WatchedField(
        name=name,
        slices={
            value: WatchedSlice(
                reference=_slice_reference(values[value], whole),
                weight=weights[value],
                longest_silence=usual_gaps({**span, **values[value]}).max_age,
            )
            for value in watched
        },
        known=frozenset(value for value, size in rows.items() if size),
    )


def slice_weights(rows: Mapping[str, int]) -> dict[str, float]:
    """Return the part of each value, adding up to 1: half of it alike, half by its rows in the baseline.

    >>> slice_weights({"app": 300, "mail": 100})
    {'app': 0.625, 'mail': 0.375}
    """
    total = sum(rows.values())
    return {value: (1 / len(rows) + size / total) / 2 for value, size in rows.items()}


def _slice_reference(hours: Mapping[int, Counts], whole: Reference) -> Reference:
    window = count_slice(hours)
    group = EventGroup(name="class", events=names_of(TWO), reference=window.groups[0])
    own = Reference.from_hours((group,), hours, cuts=())
    return replace(own, correlation=max(own.correlation, whole.correlation))


def count_slice(hours: Mapping[int, Counts]) -> EventWindow:
    """Return the event counts of rows of a slice: of classes alone."""
    negative, neutral, positive = (sum(one[place] for one in hours.values()) for place in range(3))
    counted = Counted(negative + neutral + positive, (negative, neutral, positive))
    return EventWindow(groups=(counted,), hours={hour: sum(one) for hour, one in hours.items() if any(one)})
