"""The rows of slices that the monitor checks: by hour, less those that earlier checks have counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from msgspec.structs import replace

from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.slice_reference import SegmentReference, SegmentWindow, count_slice
from sentimon.monitoring.watched_events import Rows
from sentimon.prediction_log.slices import OTHER, Slices
from sentimon.prediction_log.summary import Counts

MOST_UNKNOWN = 100
"""Values of a field, of one hour, that the baseline does not have and that are kept."""
HoursOfFields = Mapping[str, Mapping[int, Mapping[str, tuple[Rows, Rows, Rows]]]]
"""Rows per class by field, hour since 1970 and value."""


class SegmentRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of the slices of a log, and what they are compared with."""

    reference: SegmentReference
    hours: HoursOfFields
    """All rows from the horizon of the monitor on."""

    def until(self, hours: Collection[int]) -> SegmentRows:
        """Return the rows of some hours alone."""
        kept = {
            field: {hour: values for hour, values in found.items() if hour in hours}
            for field, found in self.hours.items()
        }
        return replace(self, hours=kept)


def segment_reference(baseline: Baseline, whole: Reference) -> SegmentReference:
    """Return what the slices of a baseline are compared with: of each of its fields that has few values."""
    fields = {name: baseline.fields[name] for name in baseline.watched_fields}
    slices = {name: dict(one.hours(baseline.summary.hours)) for name, one in fields.items()}
    found = SegmentReference.of(slices, whole)
    known = {name: frozenset(one.slices.tallies) | {OTHER} for name, one in fields.items()}
    return replace(found, fields=tuple(replace(one, known=known[one.name]) for one in found.fields))


def segment_rows(
    baseline: Baseline, reference: SegmentReference, found: Mapping[str, Mapping[int, Slices]]
) -> SegmentRows:
    """Return the rows of slices by hour, `found` by field; the values that are not watched are OTHER.

    Of an hour with more values of a field than can be told apart nothing is known, now or later. Of values
    that the baseline does not have the MOST_UNKNOWN with the most rows of each hour are kept.
    """
    return SegmentRows(
        reference=reference,
        hours={
            name: {hour: _values(baseline, name, one) for hour, one in hours.items()}
            for name, hours in found.items()
        },
    )


def _values(baseline: Baseline, name: str, found: Slices) -> dict[str, Counts]:
    if found.too_many:
        return {}
    history, values = baseline.fields[name], dict[str, Counts]()
    for value, tally in found.tallies.items():
        unwatched = value in history.slices.tallies and value not in history.hourly
        key = OTHER if unwatched else value
        one, other = values.get(key, (0, 0, 0)), tally.counts
        values[key] = (one[0] + other[0], one[1] + other[1], one[2] + other[2])
    unknown = sorted(
        (value for value in values if value not in history.hourly and value != OTHER),
        key=lambda value: (-sum(values[value]), value),
    )
    for value in unknown[MOST_UNKNOWN:]:
        del values[value]
    return values


def new_slices(seen: HoursOfFields, rows: SegmentRows, hours: Collection[int]) -> SegmentWindow:
    """Return the event counts of the rows of some hours that no check has seen, by field and value."""
    found: dict[str, dict[str, dict[int, Counts]]] = {}
    for field, by_hour in rows.hours.items():
        values = found.setdefault(field, {})
        for hour in hours:
            known = seen.get(field, {}).get(hour, {})
            for value, counts in by_hour.get(hour, {}).items():
                left = _beyond(counts, known.get(value, (0, 0, 0)))
                if any(left):
                    values.setdefault(value, {})[hour] = left
    return {
        field: {value: count_slice(one) for value, one in values.items()} for field, values in found.items()
    }


def _beyond(now: Counts, then: Counts) -> Counts:
    """Return the rows that are new; of a class that lost rows, to an erasure, none."""
    return (max(0, now[0] - then[0]), max(0, now[1] - then[1]), max(0, now[2] - then[2]))
