"""What the monitor tests of the slices of declared fields, and the part of alpha that each may spend."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.labels import THREE, Classes, names_of
from sentimon.monitoring.finding import reaches_delta, share_difference
from sentimon.monitoring.freshness import usual_gaps
from sentimon.monitoring.monitor_reference import Proportion, Reference
from sentimon.monitoring.shift_tests import find_shifts, is_due, look_back_level, look_backs
from sentimon.monitoring.watched_events import Counted, EventGroup, EventWindow
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.fisher_test import shift_p_value
from sentimon.statistics.intervals import Estimate, wilson

WHOLE_PART = 0.5
"""Of alpha, for what the monitor watches of all rows together; the fields share the rest alike."""
MIX_PART, NEW_PART, VANISHED_PART = 0.8, 0.1, 0.1
"""Of the part of a field."""
FEWEST_ROWS = 50
"""A value with fewer rows in the baseline is not watched: no change of it would be more than chance."""
MOST_NEW = 50
"""New values of one field that its part of alpha is meant for."""
NEW_SHARE = 0.01
"""A new value is news where more of the rows than this share are surely of it."""

HoursBySlice = Mapping[str, Mapping[str, Mapping[int, Counts]]]
"""Rows per class by field, value and hour since 1970."""


class SliceChange(StrEnum):
    """What happened to a slice."""

    MIX = "class mix"
    NEW = "new value"
    VANISHED = "vanished value"


class SliceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a slice that is more than chance, over the rows of the newest checks together."""

    field: str
    value: str
    change: SliceChange
    event: str
    """The class whose share moved in the slice; "" for a value that is new or vanished."""
    place: int
    """Index of the class; 0 for a value that is new or vanished."""
    windows: int
    """Number of checks, the newest ones, whose rows show it together."""
    before: Proportion
    """(count, n) in the baseline: of the slice, or of all rows for a value that is new or vanished."""
    after: Proportion
    """(count, n) in the rows, of the same."""
    p_value: float
    limit: float
    """The p-value at or below which it is more than chance, whatever the number of checks and slices."""

    @property
    def key(self) -> tuple[str, str, SliceChange, int]:
        """Return what identifies the slice and what changed of it."""
        return (self.field, self.value, self.change, self.place)

    @property
    def baseline_share(self) -> float:
        """Return the share in the baseline, 0 .. 1."""
        return self.before[0] / self.before[1]

    def current_share(self, *, confidence_level: float) -> Estimate:
        """Return the share in the rows with its interval, and their number."""
        return wilson(*self.after, confidence_level=confidence_level)

    @property
    def difference(self) -> float:
        """Return the change of the share, -1 .. 1."""
        return share_difference(self.before, self.after)

    @property
    def evidence(self) -> float:
        """Return how many powers of ten the p-value lies below its limit, >= 0."""
        return math.log10(self.limit / max(self.p_value, 1e-300))

    def reaches_delta(self, delta: float, *, confidence_level: float) -> bool:
        """Return whether a class share may have moved by `delta`; True where a value is new or vanished."""
        if self.change is not SliceChange.MIX:
            return True
        return reaches_delta(self.before, self.after, delta, confidence_level=confidence_level)


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
    def of(cls, slices: HoursBySlice, whole: Reference, classes: Classes = THREE) -> SegmentReference:
        """Return the reference of a baseline with these `slices`; `whole` is that of all its rows.

        Rows of one hour of a slice are taken to be at least as much alike as those of all rows: in a slice
        there are often too few to tell.
        """
        return cls(
            rows=whole.rows,
            fields=tuple(_watched_field(name, values, whole, classes) for name, values in slices.items()),
        )


def _watched_field(
    name: str, values: Mapping[str, Mapping[int, Counts]], whole: Reference, classes: Classes
) -> WatchedField:
    rows = {value: sum(map(sum, hours.values())) for value, hours in values.items()}
    watched = {value: size for value, size in rows.items() if size >= FEWEST_ROWS}
    weights = slice_weights(watched)
    return WatchedField(
        name=name,
        slices={
            value: WatchedSlice(
                reference=_slice_reference(values[value], whole, classes),
                weight=weights[value],
                longest_silence=usual_gaps(values[value]).max_age,
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


def _slice_reference(hours: Mapping[int, Counts], whole: Reference, classes: Classes) -> Reference:
    window = count_slice(hours)
    group = EventGroup(name="class", events=names_of(classes), reference=window.groups[0])
    own = Reference.from_hours((group,), {hour: one for hour, one in hours.items() if any(one)}, cuts=())
    return replace(own, correlation=max(own.correlation, whole.correlation))


def count_slice(hours: Mapping[int, Counts]) -> EventWindow:
    """Return the event counts of rows of a slice: of classes alone."""
    negative, neutral, positive = (sum(one[place] for one in hours.values()) for place in range(3))
    counted = Counted(negative + neutral + positive, (negative, neutral, positive))
    return EventWindow(groups=(counted,), hours={hour: sum(one) for hour, one in hours.items() if any(one)})


SegmentWindow = Mapping[str, Mapping[str, EventWindow]]
"""The event counts of the rows of a check by field and value, as `count_slice` returns them."""
_NO_ROWS = count_slice({})


def whole_settings(settings: MonitorSettings, fields: int) -> MonitorSettings:
    """Return the settings for what is watched of all rows, beside the slices of so many fields."""
    return replace(settings, alpha=settings.alpha * WHOLE_PART) if fields else settings


def find_slice_shifts(
    reference: SegmentReference,
    windows: Sequence[EventWindow],
    slices: Sequence[SegmentWindow],
    check: int,
    settings: MonitorSettings,
) -> Iterator[SliceFinding]:
    """Yield what changed in the slices by more than chance, over the newest 1, 2, 4 ... of the checks.

    `windows` are all rows of each check since the last alarm, the oldest first, and `slices` the same rows by
    field and value; `check` is the number of this check, 1, 2, ... Slices are tested when and as all rows are
    by `find_shifts`, at their own parts of `settings.alpha`. WHOLE_PART is for all rows (see
    `whole_settings`). Each field has the same part of the rest, and divides it between the class mixes of its
    watched values, by weight, values that the baseline does not have, and values that come no more. So the
    probability that any check ever yields anything, of all rows or of any slice, is at most `settings.alpha`
    for independent rows (union bound).

    A new value is one whose share of all rows is more than NEW_SHARE. A watched value has vanished where none
    of the rows is of it, and these span more hours than it was ever normal to be without it.

    Source: Bretz, Maurer, Brannath & Posch (2009), Stat. Med. 28, 586-604 (weights of tests along a tree).
    """
    if not reference.fields:
        return
    part = settings.alpha * (1 - WHOLE_PART) / len(reference.fields)
    summed = [
        (power, *pair)
        for power, pair in enumerate(look_backs(windows, settings.look_backs))
        if is_due(power, check)
    ]
    for field in reference.fields:
        series = [one.get(field.name, {}) for one in slices]
        for value, watched in field.slices.items():
            own = replace(settings, alpha=part * MIX_PART * watched.weight)
            yield from _mix_findings(
                field.name, value, watched.reference, [one.get(value, _NO_ROWS) for one in series], check, own
            )
        for _, count, window in summed:
            rows = _rows_by_value(series[-count:])
            level = look_back_level(check, replace(settings, alpha=part))
            yield from _new_values(field, rows, (window.rows, reference.rows), count, level)
            yield from _vanished_values(field, rows, window, reference.rows, count, level)


def _mix_findings(
    field: str,
    value: str,
    reference: Reference,
    windows: Sequence[EventWindow],
    check: int,
    settings: MonitorSettings,
) -> Iterator[SliceFinding]:
    for one in find_shifts(reference, windows, check, settings):
        yield SliceFinding(
            field=field,
            value=value,
            change=SliceChange.MIX,
            event=one.event,
            place=one.place,
            windows=one.windows,
            before=one.before,
            after=one.after,
            p_value=one.p_value,
            limit=one.limit,
        )


def _rows_by_value(series: Iterable[Mapping[str, EventWindow]]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for one in series:
        for value, window in one.items():
            rows[value] = rows.get(value, 0) + window.rows
    return rows


def _new_values(
    field: WatchedField, rows: Mapping[str, int], sizes: tuple[int, int], windows: int, level: float
) -> Iterator[SliceFinding]:
    now, baseline = sizes
    limit = level * NEW_PART / MOST_NEW
    for value, count in rows.items():
        if value in field.known or count <= NEW_SHARE * now:
            continue
        before, after = (0, baseline), (count, now)
        p = shift_p_value(after, before, tolerance=NEW_SHARE, enough=limit)
        if p <= limit:
            yield _presence(field.name, value, SliceChange.NEW, windows, (before, after), (p, limit))


def _vanished_values(
    field: WatchedField,
    rows: Mapping[str, int],
    window: EventWindow,
    baseline: int,
    windows: int,
    level: float,
) -> Iterator[SliceFinding]:
    if not window.hours:
        return
    span = max(window.hours) - min(window.hours) + 1
    limit = level * VANISHED_PART / max(1, len(field.slices))
    for value, watched in field.slices.items():
        if rows.get(value) or span <= watched.longest_silence:
            continue
        before, after = (watched.reference.rows, baseline), (0, window.rows)
        p = shift_p_value(after, before, tolerance=0.0, enough=limit)
        if p <= limit:
            yield _presence(field.name, value, SliceChange.VANISHED, windows, (before, after), (p, limit))


def _presence(
    field: str,
    value: str,
    change: SliceChange,
    windows: int,
    shares: tuple[Proportion, Proportion],
    p_and_limit: tuple[float, float],
) -> SliceFinding:
    return SliceFinding(
        field=field,
        value=value,
        change=change,
        event="",
        place=0,
        windows=windows,
        before=shares[0],
        after=shares[1],
        p_value=p_and_limit[0],
        limit=p_and_limit[1],
    )


def most_significant_slices(found: Iterable[SliceFinding]) -> list[SliceFinding]:
    """Return the most significant finding of each change of a slice, the most significant first."""
    ranked = sorted(found, key=lambda one: (-one.evidence, -abs(one.difference), one.key))
    best: dict[tuple[str, str, SliceChange, int], SliceFinding] = {}
    for one in ranked:
        best.setdefault(one.key, one)
    return list(best.values())
