"""One look at the newest rows: which events moved, how far, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.events import Window
from sentimon.monitoring.evidence import shift_p_value, spending
from sentimon.monitoring.intervals import difference_of_shares, normal_quantile
from sentimon.monitoring.reference import Reference, Share


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose share moved by more than chance, over the newest windows together."""

    group: str
    event: str
    place: int
    """Of the event in its group."""
    windows: int
    """How many looks, the newest ones, show it together."""
    before: Share
    """Of the baseline, at the hours of the day that the rows come from."""
    after: Share
    p_value: float
    limit: float
    """The p-value at or below which it is more than chance, however often it is looked at."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what names the event."""
        return (self.group, self.event)

    @property
    def difference(self) -> float:
        """Return the change of the share, -1 .. 1."""
        return difference(self.before, self.after)

    def matters(self, delta: float, *, confidence_level: float) -> bool:
        """Return whether the change may be as large as `delta`: whether its interval reaches so far."""
        z = normal_quantile(confidence_level)
        _, low, high = difference_of_shares(self.before, self.after, z=z)
        return high >= delta or low <= -delta


def difference(before: Share, after: Share) -> float:
    """Return how much a share changed, -1 .. 1."""
    return after[0] / after[1] - before[0] / before[1]


def findings(
    reference: Reference, windows: Sequence[Window], check: int, settings: MonitorSettings
) -> Iterator[Finding]:
    """Yield each event that moved by more than chance over the newest 1, 2, 4 ... of `windows`.

    The windows are those since the last alarm, the oldest first; `check` is the number of the look,
    1, 2, ... Whatever the rows depend on, with a baseline that holds and changes of at most the
    tolerance, the probability that this ever yields anything is at most `settings.alpha`: by the union
    bound over checks, look-backs and events.
    """
    watched = [(place, group) for place, group in enumerate(reference.groups) if group.events]
    share = settings.alpha * spending(check) / (settings.look_backs * len(watched))
    for count, window in look_backs(windows, settings.look_backs):
        for number, group in watched:
            limit = share / len(group.events)
            for place, event in enumerate(group.events):
                before = reference.expected(number, place, window.clock)
                after = window.groups[number].counts[place], window.groups[number].n
                p = _p_value(before, after, reference.divisor, settings.tau, limit)
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


def _p_value(before: Share, after: Share, divisor: float, tolerance: float, limit: float) -> float:
    """Return the p-value of a change beyond the tolerance; above `limit`, only that it is above."""
    (b, m), (x, n) = before, after
    # Most shares are where they were: nothing is computed for them.
    if not n or abs(x * m - b * n) <= tolerance * m * n:
        return 1.0
    return shift_p_value(divided(after, divisor), divided(before, divisor), tolerance=tolerance, enough=limit)


def look_backs(windows: Sequence[Window], most: int) -> Iterator[tuple[int, Window]]:
    """Yield (how many, their sum) of the newest 1, 2, 4 ... 2**(most - 1) windows.

    The last are all there are, where these are fewer than twice those before.
    """
    total: Window | None = None
    for number, window in enumerate(reversed(windows), start=1):
        total = window if total is None else total + window
        if number & (number - 1) == 0 or number == len(windows):
            yield number, total
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
