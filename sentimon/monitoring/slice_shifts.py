"""What the monitor tests of the slices of declared fields, and the part of alpha that each may spend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding, ValueChange, ValueFinding
from sentimon.monitoring.shift_tests import find_shifts, is_due, look_back_level, look_backs
from sentimon.monitoring.slice_reference import SegmentReference, SegmentWindow, WatchedField, WatchedSlice
from sentimon.monitoring.watched_events import EventWindow, Rows, sum_windows
from sentimon.statistics.fisher_test import alpha_share, shift_p_value

WHOLE_PART = 0.5
"""Of alpha, for what the monitor watches of all rows together; the fields share the rest alike."""
MIX_PART, NEW_PART, VANISHED_PART = 0.8, 0.1, 0.1
"""Of the part of a field."""
ROWS_OF_A_CHECK = 50
"""The class mix of a slice is tested once so many rows of it have come since the last time."""
MOST_NEW = 50
"""New values of one field that its part of alpha is meant for."""
NEW_SHARE = 0.01
"""A new value is news where more of the rows than this share are surely of it."""
_EXACTLY = 10**7
"""Rows that a share is known exactly from."""


class SliceState(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor remembers of a watched slice between two checks."""

    checks: Rows = 0
    """Checks of the slice since the baseline was made: those at which its class mix was tested."""
    windows: tuple[EventWindow, ...] = ()
    """Its rows of each of its checks since the last alarm that the next one looks back on."""
    waiting: EventWindow | None = None
    """Its rows since its last check, too few for one of its own."""
    silent_rows: Rows = 0
    """All rows since the last check that had a row of it."""
    silent_since: int | None = None
    """The hour of the first of them, since 1970."""


class SegmentState(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor remembers of declared fields between two checks."""

    slices: Mapping[str, Mapping[str, SliceState]] = msgspec.field(default_factory=dict)
    """By field and value; a value without a row since the baseline need not be there."""
    unknown: tuple[Mapping[str, Mapping[str, Rows]], ...] = ()
    """Rows of values that the baseline does not have, by field and value, of each check looked back on."""

    def restarted(self) -> SegmentState:
        """Return the state that looks back on nothing, as after an alarm; checks still count."""
        slices = {
            field: {value: SliceState(checks=one.checks) for value, one in values.items()}
            for field, values in self.slices.items()
        }
        return SegmentState(slices=slices)


def whole_settings(settings: MonitorSettings, fields: int) -> MonitorSettings:
    """Return the settings for what is watched of all rows, beside the slices of so many fields."""
    return replace(settings, alpha=settings.alpha * WHOLE_PART) if fields else settings


def check_slices(
    state: SegmentState,
    reference: SegmentReference,
    windows: Sequence[EventWindow],
    slices: SegmentWindow,
    check: int,
    settings: MonitorSettings,
) -> tuple[SegmentState, list[Finding], list[ValueFinding]]:
    """Return (the state after a check, the class mixes that moved, the values that are new or vanished).

    All of it is more than chance.
    `windows` are all rows of each check since the last alarm, the oldest first, and `slices` the rows of this
    check, number 1, 2, ..., by field and value. The probability that any check ever finds anything, of all
    rows or of any slice, is at most `settings.alpha` for independent rows (union bound): WHOLE_PART of it is
    for all rows (see `whole_settings`). Each field has the same part of the rest, and divides it between

    - the class mixes of its watched values, by weight. A slice has checks of its own, one for each
      ROWS_OF_A_CHECK of its rows or more, which are tested as `find_shifts` tests those of all rows. So a
      small slice spends as little as it has rows, however often the monitor looks;
    - values that the baseline does not have: news where more than NEW_SHARE of all rows are of one;
    - watched values that vanished: none of the rows since a check is of it, that is more than chance, and
      they span more hours than it was ever normal to be without it.

    Source: Bretz, Maurer, Brannath & Posch (2009), Stat. Med. 28, 586-604 (weights of tests along a tree).
    """
    after: dict[str, Mapping[str, SliceState]] = {}
    found: list[Finding] = []
    values: list[ValueFinding] = []
    kept = max(1, min(len(windows), 1 << (settings.look_backs - 1)))
    unknown = (*state.unknown, _unknown_rows(reference, slices))[-kept:]
    for field in reference.fields:
        part = replace(settings, alpha=settings.alpha * (1 - WHOLE_PART) / len(reference.fields))
        states, rows = state.slices.get(field.name, {}), slices.get(field.name, {})
        # Rows whose value is not known say nothing of a silence.
        known = sum_windows(rows.values()) if rows else None
        own: dict[str, SliceState] = {}
        for value, watched in field.slices.items():
            one = _with_rows(states.get(value, SliceState()), rows.get(value), known)
            one, moved = _tested(field.name, value, watched, one, part)
            own[value] = one
            found += moved
        after[field.name] = own
        values += _vanished_values(field, own, windows[-1], reference.rows, check, part)
        values += _new_values(field, windows, unknown, reference.rows, check, part)
    return SegmentState(slices=after, unknown=unknown), found, values


def _unknown_rows(reference: SegmentReference, slices: SegmentWindow) -> dict[str, dict[str, int]]:
    """Return the rows of a check of values that the baseline does not have."""
    rows = {
        field.name: {
            value: window.rows
            for value, window in slices.get(field.name, {}).items()
            if value not in field.known and window.rows
        }
        for field in reference.fields
    }
    return {name: values for name, values in rows.items() if values}


def _with_rows(state: SliceState, own: EventWindow | None, known: EventWindow | None) -> SliceState:
    """Return the state of a slice with its rows of a check, among all that are known."""
    if own is not None and own.rows:
        waiting = own if state.waiting is None else sum_windows((state.waiting, own))
        return replace(state, waiting=waiting, silent_rows=0, silent_since=None)
    if known is None:
        return state
    since = min(known.hours, default=None) if state.silent_since is None else state.silent_since
    return replace(state, silent_rows=state.silent_rows + known.rows, silent_since=since)


def _tested(
    field: str, value: str, watched: WatchedSlice, state: SliceState, part: MonitorSettings
) -> tuple[SliceState, list[Finding]]:
    """Return (the state, findings) after a check of the class mix of a slice, if enough rows are waiting."""
    if state.waiting is None or state.waiting.rows < ROWS_OF_A_CHECK:
        return state, []
    windows = (*state.windows, state.waiting)[-(1 << (part.look_backs - 1)) :]
    state = replace(state, checks=state.checks + 1, windows=windows, waiting=None)
    own = replace(part, alpha=part.alpha * MIX_PART * watched.weight)
    found = find_shifts(watched.reference, windows, state.checks, own)
    return state, [replace(one, where=(field, value)) for one in found]


def _vanished_values(
    field: WatchedField,
    states: Mapping[str, SliceState],
    window: EventWindow,
    baseline: int,
    check: int,
    part: MonitorSettings,
) -> Iterator[ValueFinding]:
    # One test a check: that the newest rows, as many as they are, hold none of the value.
    limit = part.alpha * alpha_share(check) * VANISHED_PART / max(1, len(field.slices))
    for value, watched in field.slices.items():
        state = states[value]
        if state.silent_since is None or not window.hours:
            continue
        if max(window.hours) - state.silent_since + 1 <= watched.longest_silence:
            continue
        before, after = (watched.reference.rows, baseline), (0, state.silent_rows)
        p = shift_p_value(after, before, tolerance=0.0, enough=limit)
        if p <= limit:
            yield ValueFinding(
                field=field.name,
                value=value,
                change=ValueChange.VANISHED,
                windows=1,
                before=before,
                after=after,
                p_value=p,
                limit=limit,
            )


def _new_values(
    field: WatchedField,
    windows: Sequence[EventWindow],
    unknown: Sequence[Mapping[str, Mapping[str, int]]],
    baseline: int,
    check: int,
    part: MonitorSettings,
) -> Iterator[ValueFinding]:
    series = [one.get(field.name, {}) for one in unknown]
    if not any(series):
        return
    limit = look_back_level(check, part) * NEW_PART / MOST_NEW
    for power, (count, window) in enumerate(look_backs(windows, part.look_backs)):
        if not is_due(power, check):
            continue
        for value, rows in _sums(series[-count:]).items():
            after = (min(rows, window.rows), window.rows)
            p = shift_p_value(after, (0, _EXACTLY), tolerance=NEW_SHARE, enough=limit)
            if p <= limit:
                yield ValueFinding(
                    field=field.name,
                    value=value,
                    change=ValueChange.NEW,
                    windows=count,
                    before=(0, baseline),
                    after=after,
                    p_value=p,
                    limit=limit,
                )


def _sums(series: Sequence[Mapping[str, int]]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for one in series:
        for value, count in one.items():
            rows[value] = rows.get(value, 0) + count
    return rows
