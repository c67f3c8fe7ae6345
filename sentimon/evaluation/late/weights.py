"""How many logged rows each labelled one stands for, so that averages hold for all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sentimon.evaluation.late.entry import GoldLabel


def weights_of(labels: Sequence[GoldLabel]) -> list[float]:
    """Return the weight of each labelled row, >= 0; all 1 where none was drawn with a probability.

    Each draw by itself gives an unbiased sum over all rows that were logged by then: what was labelled
    before it counts 1, what it drew 1 / probability, what was labelled later otherwise 0, for nobody
    knows why those rows were. The sums of several draws are averaged in proportion to their labels.

    Source: Horvitz & Thompson (1952), J. Am. Stat. Assoc. 47, 663-685.
    """
    sizes = Counter(label.draw for label in labels if label.drawn)
    if not sizes:
        return [1.0] * len(labels)
    total = sum(sizes.values())
    shares = [(draw, size / total) for draw, size in sizes.items() if draw is not None]
    return [sum(share * _in_draw(label, draw) for draw, share in shares) for label in labels]


def _in_draw(label: GoldLabel, draw: datetime) -> float:
    if label.probability is not None and label.draw is not None:
        return 1 / label.probability if label.draw == draw else float(label.draw < draw)
    return float(label.timestamp < draw)
