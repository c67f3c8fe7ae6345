"""How far a class mix has to move so that a look at some rows can tell it from chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentimon.statistics.distances import wasserstein_interval

_HALVINGS = 30
_MOST_ROWS = 1 << 40


def is_detectable(before: Sequence[float], n: float, distance: float, *, confidence_level: float) -> bool:
    """Return whether `n` rows whose mix is exactly `distance` from `before` differ by more than chance.

    `before` holds the counts of a baseline, in Sentiment order, of at least one row; n > 0. The mix moves
    from one end of the scale to the other, which of all moves of the same Wasserstein-1 distance takes the
    fewest rows and is the hardest to see: towards positive and towards negative, as far as `before` allows.
    In both cases the lower limit of the interval at `confidence_level` has to be above zero. A distance that
    `before` allows in neither direction counts as detectable, and so does one of 0.

    >>> is_detectable([4000, 2000, 4000], 100, 0.15, confidence_level=0.95)
    True
    >>> is_detectable([40, 20, 40], 60, 0.15, confidence_level=0.95)
    False
    """
    return distance <= 0 or all(
        wasserstein_interval(before, after, confidence_level=confidence_level)[0] > 0
        for after in _moved(before, n, distance)
    )


def detectable_distance(before: Sequence[float], n: float, *, confidence_level: float) -> float | None:
    """Return the smallest distance, 0 .. 1, that is detectable in `n` rows; None where none is.

    The arguments are those of `is_detectable`.
    """
    low, high = 0.0, max(_room(before, down=down) for down in (False, True))
    if not is_detectable(before, n, high, confidence_level=confidence_level):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        seen = is_detectable(before, n, middle, confidence_level=confidence_level)
        low, high = (low, middle) if seen else (middle, high)
    return high


def rows_to_detect(before: Sequence[float], distance: float, *, confidence_level: float) -> int | None:
    """Return the fewest rows in which `distance`, > 0, is detectable.

    None where no number of rows shows it, as `before` has too few.
    """
    fewest, most = 0, 1
    while not is_detectable(before, most, distance, confidence_level=confidence_level):
        fewest, most = most, 2 * most
        if most > _MOST_ROWS:
            return None
    while most - fewest > 1:
        middle = (fewest + most) // 2
        seen = is_detectable(before, middle, distance, confidence_level=confidence_level)
        fewest, most = (fewest, middle) if seen else (middle, most)
    return most


def _room(before: Sequence[float], *, down: bool) -> float:
    """Return how far a mix can move, 0 .. 1: until all rows are positive, or with `down` all negative."""
    far, middle, _ = reversed(before) if down else before
    return (far + middle / 2) / sum(before)


def _moved(before: Sequence[float], n: float, distance: float) -> Iterator[tuple[float, float, float]]:
    """Yield the counts of `n` rows, moved by `distance` up, and moved down, where there is room."""
    total = sum(before)
    for down in (False, True):
        if distance > _room(before, down=down):
            continue
        shares = [count / total for count in (reversed(before) if down else before)]
        first = min(distance, shares[0])
        # Once the far class is empty the middle one moves, half as far.
        then = min(shares[1], 2 * (distance - first))
        far, middle, near = n * (shares[0] - first), n * (shares[1] - then), n * (shares[2] + first + then)
        yield (near, middle, far) if down else (far, middle, near)
