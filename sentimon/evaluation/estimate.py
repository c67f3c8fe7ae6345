"""Quality without labels: what labelled rows say of unlabelled ones, where only the class mix has changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sentimon.errors import NoVerdictError
from sentimon.evaluation.estimate_bootstrap import (
    Replicate,
    confusion_of,
    replicate,
    replicates,
)
from sentimon.evaluation.estimate_rows import Source, UnlabelledSample
from sentimon.labels import Sentiment
from sentimon.statistics.intervals import Estimate, wilson
from sentimon.statistics.label_shift import (
    MixtureFit,
    condition_number,
    count_bins,
    fit_mixture,
    score_bins,
)
from sentimon.statistics.score_scaling import Calibrator

_WORD = re.compile(r"\w+")
_PLACEHOLDERS = re.compile(r"@\w+|https?://\S+")


COUNTING, CONFUSION, EXPECTED = "counting", "confusion matrix", "expectation maximisation"

Matrix = NDArray[np.float64]
Mix = tuple[Estimate, Estimate, Estimate]
"""In Sentiment order; nothing for a class that there is not."""
Present = tuple[Sentiment, ...]
T = TypeVar("T")
_ABSENT = Estimate(value=None, low=None, high=None, n=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionChecks:
    """Checks that only the class mix differs between labelled and unlabelled rows."""

    fit: MixtureFit
    """Whether the scores look like a mixture of those of the labelled classes."""
    fit_level: float
    """A smaller p-value of `fit` is more than chance."""
    novelty: VocabularyNovelty | None
    """How new the words of the texts are; None where no texts are kept."""
    new_words: float
    """Largest share of new words, 0 .. 1, beyond what is usual."""

    @property
    def scores_fit(self) -> bool:
        """Return whether the scores look like a mixture of the labelled classes."""
        return self.fit.p >= self.fit_level

    @property
    def words_known(self) -> bool:
        """Return whether few enough words are new, or no texts are kept."""
        return self.novelty is None or self.novelty.excess <= self.new_words

    @property
    def holds(self) -> bool:
        """Return whether both checks allow an estimate."""
        return self.scores_fit and self.words_known


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedEstimates:
    """Class mix, accuracy and recall of unlabelled rows; intervals include the error of the labelled rows."""

    by_confusion: Mix
    """Shares of the true classes by the confusion matrix (black box shift estimation)."""
    by_expectation: Mix
    """Shares of the true classes by expectation maximisation."""
    preferred: str
    """The estimator of the class mix with the least estimated error: COUNTING, CONFUSION or EXPECTED."""
    accuracy: Estimate
    macro_recall: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Estimates for rows without labels, with the data and checks they rest on."""

    rows: int
    labelled: tuple[int, int, int]
    """Number of labelled rows per gold class, in Sentiment order."""
    calibrator: Calibrator
    condition: float
    """Condition number of the confusion matrix, >= 1: how much it amplifies errors."""
    trust: AssumptionChecks
    counted: Mix
    """Shares of the predicted classes."""
    learnt: CorrectedEstimates | None
    """None where a check failed."""
    without_scores: int = 0
    """Rows beside them that lack the scores of all classes: nothing is estimated for those."""

    @property
    def best(self) -> Mix:
        """Return the class mix by the preferred estimator; the predicted one where a check failed."""
        if self.learnt is None or self.learnt.preferred == COUNTING:
            return self.counted
        return self.learnt.by_expectation if self.learnt.preferred == EXPECTED else self.learnt.by_confusion


def estimate(
    source: Source,
    target: UnlabelledSample,
    *,
    calibrator: Calibrator | None = None,
    confidence_level: float = 0.95,
    fewest: int = 30,
    fit_level: float = 0.01,
    new_words: float = 0.1,
    seed: int = 0,
) -> Estimates:
    """Return the estimates for `target` from the labelled rows of `source`.

    The assumption is label shift: only the class mix differs, the texts of a class are of the same kind in
    both. Where the scores or the words contradict it there are no estimates. `calibrator` is used as given,
    or else fitted on `source`. Accuracy and recall are means of calibrated scores, adjusted to the
    estimated mix; intervals are percentiles of a bootstrap over both samples, seeded with `seed`.

    Raises:
        NoVerdictError: a class has fewer than `fewest` labelled rows, or there is nothing to estimate for.

    Source: NannyML (2022), confidence-based performance estimation; Garg et al. (2020), NeurIPS (both
    estimators of the mix); for the parts see `label_shift` and `score_scaling` in `sentimon.statistics`.
    """
    _check(source, target, fewest)
    observed = np.array(target.counts) / target.count
    point = _point(source, target, observed, calibrator)
    trust = AssumptionChecks(
        fit=_fit(source, target, seed),
        fit_level=fit_level,
        novelty=compare_words(source.texts, target.texts),
        new_words=new_words,
    )
    learnt = None
    if trust.holds:
        drawn = list(replicates(source, target, point, refit=calibrator is None, seed=seed))
        learnt = _learnt(source.present, point, drawn, observed, target.count, confidence_level)
    return Estimates(
        rows=target.count,
        without_scores=target.without_scores,
        labelled=_in_order(source.per_class, source.present, 0),
        calibrator=point.calibrator,
        condition=condition_number(confusion_of(source, source.weights)),
        trust=trust,
        counted=_counted(target, source.present, confidence_level),
        learnt=learnt,
    )


def _check(source: Source, target: UnlabelledSample, fewest: int) -> None:
    lacking = source.without_scores
    more = f" ({lacking} more labelled rows lack the scores of all classes)" if lacking else ""
    for place, count in zip(source.present, source.per_class, strict=True):
        if count < fewest:
            raise NoVerdictError(
                f"{count} labelled rows are {place.label}{more}, at least {fewest} of each class are needed",
                hint="`sentimon label next` says what to label; then `sentimon label import`",
            )
    if not target.count:
        raise NoVerdictError("no predictions in that period", hint="choose another with --since and --until")


def _point(
    source: Source, target: UnlabelledSample, observed: Matrix, calibrator: Calibrator | None
) -> Replicate:
    """Return the estimates from all rows, each counted once."""
    return replicate(
        source,
        target,
        source_counts=source.weights,
        target_counts=np.ones(len(target.scores)),
        observed=observed,
        calibrator=calibrator,
    )


def _counted(target: UnlabelledSample, present: Present, level: float) -> Mix:
    shares = [wilson(count, target.count, confidence_level=level) for count in target.counts]
    return _in_order(shares, present, _ABSENT)


def _in_order(found: Sequence[T], present: Present, absent: T) -> tuple[T, T, T]:
    """Return what was found of the classes that there are, in Sentiment order."""
    known = dict(zip(present, found, strict=True))
    negative, neutral, positive = (known.get(place, absent) for place in Sentiment)
    return negative, neutral, positive


def _fit(source: Source, target: UnlabelledSample, seed: int) -> MixtureFit:
    bins = score_bins(source.scores, source.scores)
    classes = len(source.present)
    labelled = count_bins(bins, source.gold, source.weights, classes=classes)
    # Weighted rows carry less information than as many equal ones: their effective number.
    squares = np.bincount(source.gold, weights=source.weights**2, minlength=classes)
    sums = labelled.sum(axis=1)
    worth = np.rint(labelled * (sums / squares)[:, None])
    observed = np.bincount(score_bins(source.scores, target.scores), minlength=labelled.shape[1])
    return fit_mixture(worth, observed.astype(np.float64), seed=seed)


def _learnt(
    present: Present, point: Replicate, drawn: Sequence[Replicate], observed: Matrix, rows: int, level: float
) -> CorrectedEstimates:
    confusion = np.array([one.confusion for one in drawn])
    expected = np.array([one.expected for one in drawn])
    return CorrectedEstimates(
        by_confusion=_mix(present, point.confusion, confusion, rows, level),
        by_expectation=_mix(present, point.expected, expected, rows, level),
        preferred=_preferred(observed, rows, (point.confusion, confusion), (point.expected, expected)),
        accuracy=_percentile(point.accuracy, np.array([one.accuracy for one in drawn]), rows, level),
        macro_recall=_percentile(point.recall, np.array([one.recall for one in drawn]), rows, level),
    )


def _preferred(
    observed: Matrix, rows: int, confusion: tuple[Matrix, Matrix], expected: tuple[Matrix, Matrix]
) -> str:
    """Return the estimator of the class mix with the least estimated mean squared error.

    The error of a corrected mix is its bootstrap variance. Counting has little variance but a bias: its
    squared distance from the corrected mix, less the part of it that chance explains.
    """
    errors = {
        name: float(((drawn - mix) ** 2).sum(axis=1).mean())
        for name, (mix, drawn) in ((EXPECTED, expected), (CONFUSION, confusion))
    }
    best = min(errors, key=lambda name: errors[name])
    mix = expected[0] if best == EXPECTED else confusion[0]
    chance = float((observed * (1 - observed)).sum()) / rows
    bias = max(0.0, float(((observed - mix) ** 2).sum()) - errors[best] - chance)
    return COUNTING if bias + chance < errors[best] else best


def _mix(present: Present, mix: Matrix, drawn: Matrix, rows: int, level: float) -> Mix:
    shares = [_percentile(float(mix[place]), drawn[:, place], rows, level) for place in range(len(present))]
    return _in_order(shares, present, _ABSENT)


def _percentile(value: float, drawn: Matrix, rows: int, level: float) -> Estimate:
    low, high = (float(one) for one in np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]))
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyNovelty:
    """Mean share of a text's words that no (other) labelled text has, 0..1."""

    usual: float
    """Mean over the labelled texts, each compared with all others."""
    now: float
    """Mean over the new texts."""
    labelled: int
    """Number of labelled texts with words."""
    n: int
    """Number of new texts with words."""

    @property
    def excess(self) -> float:
        """Return how much larger the share is now than usual, -1 .. 1."""
        return self.now - self.usual


def compare_words(labelled: Sequence[str | None], texts: Iterable[str | None]) -> VocabularyNovelty | None:
    """Return the mean share of words in `texts` that no `labelled` text has; None without texts on a side.

    User names and links are left out.

    >>> compare_words(["the parcel came", "the parcel is late"], ["il pacco late"]).now
    0.6666666666666666
    """
    own = [words for text in labelled if (words := words_of(text))]
    known = Counter(word for words in own for word in words)
    usual = [sum(known[word] == 1 for word in words) / len(words) for words in own]
    now = [
        sum(word not in known for word in words) / len(words) for text in texts if (words := words_of(text))
    ]
    if not usual or not now:
        return None
    return VocabularyNovelty(
        usual=sum(usual) / len(usual), now=sum(now) / len(now), labelled=len(usual), n=len(now)
    )


def words_of(text: str | None) -> set[str]:
    """Return the distinct words of a text in lower case, without user names and links."""
    return set(_WORD.findall(_PLACEHOLDERS.sub(" ", text.lower()))) if text else set()
