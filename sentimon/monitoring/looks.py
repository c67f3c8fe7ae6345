"""One look at the newest rows: which events moved, how far, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.events import Counted, Group
from sentimon.monitoring.evidence import shift_p_value, spending
from sentimon.monitoring.reference import Reference, Window

Share = tuple[int, int]
"""(count, n)"""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose share moved by more than chance, over the newest windows together."""

    group: str
    event: str
    place: int
    """Of the event in its group."""
    windows: int
    """How many looks, the newest ones, show it together."""
    before: Share
    """Of the baseline."""
    after: Share
    p_value: float
    limit: float
    """The p-value at or below which it is more than chance, however often it is looked at."""
    tolerance: float
    """The change that is no news; the p-value is that of a larger one."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what names the event."""
        return (self.group, self.event)

    @property
    def difference(self) -> float:
        """Return the change of the share, -1 .. 1."""
        return difference(self.before, self.after)


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
    groups = [group for group in reference.groups if group.events]
    share = settings.alpha * spending(check) / (settings.look_backs * len(groups))
    for count, sums in look_backs(windows, settings.look_backs):
        for group, counted in zip(reference.groups, sums, strict=True):
            if counted.n and group.events:
                for place, event in enumerate(group.events):
                    found = _moved(reference, group, counted, place, share / len(group.events), settings)
                    if found:
                        p, tolerance = found
                        yield Finding(
                            group=group.name,
                            event=event,
                            place=place,
                            windows=count,
                            before=(group.reference.counts[place], group.reference.n),
                            after=(counted.counts[place], counted.n),
                            p_value=p,
                            limit=share / len(group.events),
                            tolerance=tolerance,
                        )


def _moved(
    reference: Reference, group: Group, counted: Counted, place: int, limit: float, settings: MonitorSettings
) -> tuple[float, float] | None:
    """Return (the p-value, the tolerance) of an event that moved by more than chance."""
    tolerance = reference.tolerance(group, place, settings.tau)
    before, after = (group.reference.counts[place], group.reference.n), (counted.counts[place], counted.n)
    # Most shares are where they were: nothing is computed for them.
    if abs(after[0] * before[1] - before[0] * after[1]) <= tolerance * before[1] * after[1]:
        return None
    p = shift_p_value(
        divided(after, reference.divisor),
        divided(before, reference.divisor),
        tolerance=tolerance,
        enough=limit,
    )
    return (p, tolerance) if p <= limit else None


def look_backs(windows: Sequence[Window], most: int) -> Iterator[tuple[int, Window]]:
    """Yield (how many, their sum) of the newest 1, 2, 4 ... 2**(most - 1) windows.

    The last are all there are, where these are fewer than twice those before.
    """
    total: Window = ()
    for number, window in enumerate(reversed(windows), start=1):
        total = tuple(a + b for a, b in zip(total, window, strict=True)) if total else window
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
