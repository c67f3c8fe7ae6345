"""Two models on the same labelled rows: what the second gains and loses, and whether it may be promoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sentimon.errors import NoVerdictError
from sentimon.evaluation.classification_metrics import recalls
from sentimon.labels import LABELS, THREE, Sentiment
from sentimon.statistics.intervals import Estimate

if TYPE_CHECKING:
    from sentimon.evaluation.datasets import LabelledText

RESAMPLES = 2_000
LENGTHS = ((50, "up to 50 characters"), (100, "51 to 100 characters"), (None, "over 100 characters"))

Classes = NDArray[np.int64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedResult:
    """Model B compared with model A on the same rows; differences are B minus A."""

    part: str
    """Which rows: `all`, or the property they share."""
    n: int
    accuracy_a: float | None
    accuracy_b: float | None
    accuracy_difference: Estimate
    recall_difference: Estimate
    """Difference of the mean recall over the classes that have gold labels."""
    agreement: float | None
    """Share of the rows, 0 .. 1, for which both predict the same class."""
    only_a: int
    """Rows that only A has right."""
    only_b: int
    mcnemar_p: float | None
    """Exact p-value of McNemar's test, 0 .. 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models on the same labelled rows."""

    whole: PairedResult
    parts: tuple[PairedResult, ...]
    """By gold class, by the values of a column, by length; numbers are None where a part has too few rows."""
    tolerance: float
    seconds_a: float
    """Per text."""
    seconds_b: float

    @property
    def worse(self) -> bool:
        """Return whether B may be worse by more than the tolerance: an interval reaches below it."""
        found = (self.whole.accuracy_difference.low, self.whole.recall_difference.low)
        return any(low is not None and low < -self.tolerance for low in found)

    @property
    def cost_ratio(self) -> float | None:
        """Return the time of B divided by that of A; None where A took no time."""
        return self.seconds_b / self.seconds_a if self.seconds_a > 0 else None


def compare_models(
    gold: Classes,
    a: Classes,
    b: Classes,
    *,
    parts: Mapping[str, NDArray[np.bool_]],
    seconds: tuple[float, float],
    tolerance: float,
    confidence_level: float,
    fewest: int,
    seed: int = 0,
) -> Comparison:
    """Return the comparison of the classes `a` and `b` (n,) with the gold ones; `parts` choose rows (n,).

    `seconds` per text are those of A and of B. Intervals are percentiles of a paired bootstrap over the
    rows, seeded with `seed`.

    Raises:
        NoVerdictError: there are fewer than `fewest` rows.
    """
    if len(gold) < fewest:
        raise NoVerdictError(
            f"{len(gold)} labelled rows, at least {fewest} are needed",
            hint="label more, or lower quality.min_labels",
        )

    def pair(name: str, own: NDArray[np.bool_]) -> PairedResult:
        level = confidence_level
        if np.count_nonzero(own) < fewest:
            return _too_few(name, int(np.count_nonzero(own)))
        return compare_pair(name, gold[own], a[own], b[own], confidence_level=level, seed=seed)

    return Comparison(
        whole=pair("all", np.ones(len(gold), dtype=np.bool_)),
        parts=tuple(pair(name, own) for name, own in parts.items()),
        tolerance=tolerance,
        seconds_a=seconds[0],
        seconds_b=seconds[1],
    )


def compare_pair(
    part: str, gold: Classes, a: Classes, b: Classes, *, confidence_level: float, seed: int
) -> PairedResult:
    """Return model B against model A on the same rows, (n,) each, n > 0."""
    table = np.bincount(gold * 9 + a * 3 + b, minlength=27)
    n = len(gold)
    drawn = np.random.default_rng(seed).multinomial(n, table / n, size=RESAMPLES)
    present = [place for place in Sentiment if np.any(gold == place)]
    accuracy, recall = _differences(table[None], present)
    accuracies, recalls = _differences(drawn, present)
    only_a, only_b = int(np.sum((a == gold) & (b != gold))), int(np.sum((b == gold) & (a != gold)))
    return PairedResult(
        part=part,
        n=n,
        accuracy_a=float(np.mean(a == gold)),
        accuracy_b=float(np.mean(b == gold)),
        accuracy_difference=_percentile(float(accuracy[0]), accuracies, n, confidence_level),
        recall_difference=_percentile(float(recall[0]), recalls, n, confidence_level),
        agreement=float(np.mean(a == b)),
        only_a=only_a,
        only_b=only_b,
        mcnemar_p=mcnemar_p(only_a, only_b),
    )


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p-value, 0 .. 1, of the numbers of rows that only one model has right.

    It is twice the smaller tail of a fair coin, which is what two equally good models would be.

    >>> mcnemar_p(1, 5)
    0.21875

    Source: McNemar (1947), Psychometrika 12, 153-157.
    """
    thrown = only_a + only_b
    ways = total = 1
    for heads in range(1, min(only_a, only_b) + 1):
        ways = ways * (thrown - heads + 1) // heads
        total += ways
    # Integers up to the last step: floats would underflow with some thousand rows.
    return min(1.0, 2 * total / (1 << thrown))


def parts_of(
    gold: Classes,
    texts: Sequence[str],
    column: str,
    values: Sequence[str | None],
    present: Sequence[Sentiment] = THREE,
) -> dict[str, NDArray[np.bool_]]:
    """Return masks (n,) of the rows of each gold class, each of the `values` of a `column`, each length.

    `values` is None for rows without that column.
    """
    parts = {f"gold {LABELS[place]}": gold == place for place in present}
    given = np.array(values, dtype=object)
    for value in sorted({one for one in values if one is not None}):
        parts[f"{column} {value}"] = np.asarray(given == value, dtype=np.bool_)
    lengths, below = np.array([len(text) for text in texts]), -1
    for most, name in LENGTHS:
        own = lengths > below if most is None else (lengths > below) & (lengths <= most)
        parts[name], below = own, below if most is None else most
    return parts


def _differences(tables: NDArray[np.int64], present: Sequence[Sentiment]) -> tuple[Matrix, Matrix]:
    """Return the difference of accuracy and of mean recall in each of k tables, shape (k, 27)."""
    cube = tables.reshape(len(tables), 3, 3, 3).astype(np.float64)
    of_a, of_b = cube.sum(axis=3), cube.sum(axis=2)
    gained = np.trace(of_b - of_a, axis1=1, axis2=2)
    accuracy: Matrix = gained / cube.sum(axis=(1, 2, 3))
    recall: Matrix = (recalls(of_b) - recalls(of_a))[:, present].mean(axis=1)
    return accuracy, recall


def _percentile(value: float, drawn: Matrix, n: int, level: float) -> Estimate:
    low, high = (float(one) for one in np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]))
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=n)


def _too_few(part: str, n: int) -> PairedResult:
    nothing = Estimate(value=None, low=None, high=None, n=n)
    return PairedResult(
        part=part, n=n, accuracy_a=None, accuracy_b=None, accuracy_difference=nothing,
        recall_difference=nothing, agreement=None, only_a=0, only_b=0, mcnemar_p=None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedExample:
    """A text of the must-pass list to which the candidate gives another label than the list."""

    text: str
    label: Sentiment
    before: Sentiment
    """The label by the model in use."""
    now: Sentiment


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionCheck:
    """The conditions that a candidate must meet to be promoted, with their results."""

    comparison: Comparison | None
    """None where no held-out rows were given."""
    listed: int
    """Number of texts in the must-pass list."""
    broken: tuple[FailedExample, ...]

    @property
    def open(self) -> bool:
        """Return whether the candidate may be promoted: it is not worse, and passes the must-pass list."""
        return not self.broken and (self.comparison is None or not self.comparison.worse)


def failed_examples(
    rows: Sequence[LabelledText], before: Sequence[Sentiment], now: Sequence[Sentiment]
) -> tuple[FailedExample, ...]:
    """Return the texts of the must-pass list for which the candidate's label `now` differs from the list.

    `before` holds the labels by the model in use, `now` those by the candidate, both in the order of `rows`.
    """
    return tuple(
        FailedExample(text=row.text, label=row.label, before=was, now=found)
        for row, was, found in zip(rows, before, now, strict=True)
        if found is not row.label
    )
