"""What the monitor tests at a check: every event, over the look-backs that are due, at its part of alpha."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_reference import Proportion, Reference
from sentimon.monitoring.watched_events import EventWindow, sum_windows
from sentimon.statistics.fisher_test import alpha_share, shift_p_value

_OF_CLASSES = 3
_NEW_PART = 4
"""A look-back is due once a quarter of it is new."""


def find_shifts(
    reference: Reference, windows: Sequence[EventWindow], check: int, settings: MonitorSettings
) -> Iterator[Finding]:
    """Yield each event whose share moved by more than chance over the newest 1, 2, 4 ... of `windows`.

    `windows` are the rows of each check since the last alarm, the oldest first; `check` is the number of
    this check, 1, 2, ... A look-back is tested at the checks at which it `is_due`. Each event is tested by
    `shift_p_value` against its share in the baseline at the same hours of the day, with tolerance
    `settings.tau`, at the level that `event_limits` gives it. For independent rows whose shares moved by at
    most the tolerance, the probability that any check ever yields anything is at most `settings.alpha` (union
    bound over checks, look-backs and events). Rows of one hour that are correlated count as fewer: both
    counts are divided by their design effect. So does a baseline whose daily wave is not known exactly.
    """
    limits = event_limits(reference, check, settings)
    for power, (count, window) in enumerate(look_backs(windows, settings.look_backs)):
        if not is_due(power, check):
            continue
        clock, divisor = window.clock, reference.divisor_of(window)
        for number, (group, limit) in enumerate(zip(reference.groups, limits, strict=True)):
            for place, event in group.watched:
                before = reference.expected(number, place, clock)
                after = window.groups[number].counts[place], window.groups[number].n
                divisors = reference.divisor_at(number, place, clock), divisor
                p = _p_value(before, after, divisors, settings.tau, limit)
                if p <= limit:
                    yield Finding(
                        group=group.name,
                        event=event,
                        place=place,
                        windows=count,
                        before=before,
                        after=after,
                        p_value=p,
                        limit=limit,
                    )


def is_due(power: int, check: int) -> bool:
    """Return whether a check, 1, 2, ..., tests the look-back over the newest 2**power checks.

    It does at every (2**power / 4)-th check: in between too few of the rows would be new to be worth a part
    of alpha.
    """
    return check % _checks_between(power) == 0


def latest_look_back(
    windows: Sequence[EventWindow], check: int, look_backs: int
) -> tuple[int, EventWindow] | None:
    """Return (the check, the rows) of the look-back over most rows that was tested since the last alarm.

    `windows` are those of the checks since then, the last one that of `check`; None without any. A look-back
    that is not due at this check holds the rows of the check at which it last was.
    """
    found: list[tuple[int, int, Sequence[EventWindow]]] = []
    for power in range(look_backs):
        ago = check % _checks_between(power)
        part = windows[: len(windows) - ago][-(1 << power) :] if ago < len(windows) else ()
        if part:
            found.append((sum(window.rows for window in part), -ago, part))
    if not found:
        return None
    _, ago, part = max(found, key=lambda one: one[:2])
    return check + ago, sum_windows(part)


def _checks_between(power: int) -> int:
    return max(1, (1 << power) // _NEW_PART)


def event_limits(reference: Reference, check: int, settings: MonitorSettings) -> list[float]:
    """Return, for each group, the p-value at or below which one of its events moved by more than chance.

    The part of alpha that this check may spend (`alpha_share`) is divided among the look-backs that a check
    tests, on average fewer than four, the groups and their events that are watched. As no check may spend
    more than the one before, look-backs that are tested at fewer checks spend as much less. The classes,
    which vary most, get three times as much as each other group.
    """
    weights = [
        (_OF_CLASSES if place == 0 else 1) * bool(group.events)
        for place, group in enumerate(reference.groups)
    ]
    spent = look_back_level(check, settings) / sum(weights)
    return [
        weight * spent / max(1, len(group.watched))
        for weight, group in zip(weights, reference.groups, strict=True)
    ]


def look_back_level(check: int, settings: MonitorSettings) -> float:
    """Return what all tests of one look-back may spend of `settings.alpha` at a check, 1, 2, ..."""
    tested = sum(1 / _checks_between(power) for power in range(settings.look_backs))
    return settings.alpha * alpha_share(check) / tested


def _p_value(
    before: Proportion, after: Proportion, divisors: tuple[float, float], tolerance: float, limit: float
) -> float:
    """Return the p-value of a shift beyond the tolerance; above `limit` it is only known to be above."""
    (b, m), (x, n) = before, after
    # Most shares have hardly moved: nothing is computed for them.
    if not n or abs(x * m - b * n) <= tolerance * m * n:
        return 1.0
    before, after = scaled_down(before, divisors[0]), scaled_down(after, divisors[1])
    return shift_p_value(after, before, tolerance=tolerance, enough=limit)


def look_backs(windows: Sequence[EventWindow], most: int) -> Iterator[tuple[int, EventWindow]]:
    """Yield (how many, their sum) for the newest 1, 2, 4 ... 2**(most - 1) windows.

    With fewer windows than that, the last pair covers all of them.
    """
    waiting: list[EventWindow] = []
    for number, window in enumerate(reversed(windows), start=1):
        waiting.append(window)
        if number & (number - 1) == 0 or number == len(windows):
            # Summed at once: adding up many hours at every step is slow.
            waiting = [sum_windows(waiting)]
            yield number, waiting[0]
        if number == 1 << (most - 1):
            return


def scaled_down(share: Proportion, divisor: float) -> Proportion:
    """Return the same share, as nearly as whole numbers allow, of `divisor` times fewer rows.

    >>> scaled_down((30, 100), 2.5)
    (12, 40)
    """
    if divisor <= 1:
        return share
    count, n = share
    fewer = max(1, int(n / divisor))
    return round(count * fewer / n), fewer
