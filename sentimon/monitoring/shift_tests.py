"""What the monitor tests at a check: every event, over several look-backs, each at its part of alpha."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_reference import Reference, Share
from sentimon.monitoring.watched_events import Window, total
from sentimon.statistics.fisher_test import shift_p_value, spending

_OF_CLASSES = 3


def findings(
    reference: Reference, windows: Sequence[Window], check: int, settings: MonitorSettings
) -> Iterator[Finding]:
    """Yield each event that moved by more than chance over the newest 1, 2, 4 ... of `windows`.

    The windows are those since the last alarm, the oldest first; `check` is the number of the look,
    1, 2, ... Of rows that are independent, with shares that changed by at most the tolerance, the
    probability that this ever yields anything is at most `settings.alpha`: by the union bound over checks,
    look-backs and events. Rows of one hour that are alike count as fewer, see `Reference`.
    """
    limits = event_limits(reference, check, settings)
    for count, window in look_backs(windows, settings.look_backs):
        clock, divisors = window.clock, (reference.divisor, reference.divisor_of(window))
        for number, (group, limit) in enumerate(zip(reference.groups, limits, strict=True)):
            for place, event in enumerate(group.events):
                before = reference.expected(number, place, clock)
                after = window.groups[number].counts[place], window.groups[number].n
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


def event_limits(reference: Reference, check: int, settings: MonitorSettings) -> list[float]:
    """Return, for each group, the p-value at or below which one of its events is more than chance.

    At a check alpha's part of it is shared out among the look-backs, the groups and their events. The
    classes, whose shares waver most, get three times as much as each other group.
    """
    weights = [
        (_OF_CLASSES if place == 0 else 1) * bool(group.events)
        for place, group in enumerate(reference.groups)
    ]
    spent = settings.alpha * spending(check) / (settings.look_backs * sum(weights))
    return [
        weight * spent / max(1, len(group.events))
        for weight, group in zip(weights, reference.groups, strict=True)
    ]


def _p_value(
    before: Share, after: Share, divisors: tuple[float, float], tolerance: float, limit: float
) -> float:
    """Return the p-value of a change beyond the tolerance; above `limit`, only that it is above."""
    (b, m), (x, n) = before, after
    # Most shares are where they were: nothing is computed for them.
    if not n or abs(x * m - b * n) <= tolerance * m * n:
        return 1.0
    before, after = divided(before, divisors[0]), divided(after, divisors[1])
    return shift_p_value(after, before, tolerance=tolerance, enough=limit)


def look_backs(windows: Sequence[Window], most: int) -> Iterator[tuple[int, Window]]:
    """Yield (how many, their sum) of the newest 1, 2, 4 ... 2**(most - 1) windows.

    The last are all there are, where these are fewer than twice those before.
    """
    waiting: list[Window] = []
    for number, window in enumerate(reversed(windows), start=1):
        waiting.append(window)
        if number & (number - 1) == 0 or number == len(windows):
            # Summed up in one go: a sum of many hours is dear to make at each step.
            waiting = [total(waiting)]
            yield number, waiting[0]
        if number == 1 << (most - 1):
            return


def divided(share: Share, divisor: float) -> Share:
    """Return about the same share of so many times fewer rows.

    >>> divided((30, 100), 2.5)
    (12, 40)
    """
    if divisor <= 1:
        return share
    count, n = share
    fewer = max(1, int(n / divisor))
    return round(count * fewer / n), fewer
