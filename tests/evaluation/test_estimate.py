from __future__ import annotations

import dataclasses
from datetime import timedelta

import numpy as np
import pytest

from sentimon.errors import NoVerdictError
from sentimon.evaluation.estimate import (
    CONFUSION,
    COUNTING,
    EXPECTED,
    Estimates,
    Mix,
    compare_words,
    estimate,
    words_of,
)
from sentimon.evaluation.estimate_rows import MOST_ROWS, Source, UnlabelledSample, gather
from sentimon.evaluation.realised_quality import Judged, estimate_gap
from sentimon.gold_labels.gold_label import GoldLabel
from sentimon.labels import Sentiment
from sentimon.prediction_log.windows import Period
from sentimon.statistics.intervals import Estimate
from sentimon.statistics.score_scaling import UNCHANGED, softmax
from tests.support.rows import START, record

USUAL, SHIFTED = np.array([0.2, 0.45, 0.35]), np.array([0.75, 0.2, 0.05])
WORDS = ["the", "parcel", "came", "late", "and", "nobody", "answers", "my", "calls", "about", "it"]


class World:
    """Rows of three classes whose scores overlap, and are not sure enough."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def rows(self, mix: np.ndarray, n: int, *, clear: float = 2.2) -> tuple[np.ndarray, np.ndarray]:
        gold = self.random.choice(3, n, p=mix)
        logits = clear * np.eye(3)[gold] + self.random.normal(size=(n, 3))
        return np.round(softmax(1.6 * logits), 6), gold

    def source(self, n: int) -> Source:
        scores, gold = self.rows(USUAL, n)
        return Source(scores=scores, gold=gold, weights=np.ones(n), texts=[None] * n)

    def texts(self, n: int) -> list[str]:
        return [" ".join(self.random.choice(WORDS, 6)) for _ in range(n)]


def target_of(scores: np.ndarray, texts: list[str] | None = None) -> UnlabelledSample:
    counts = np.bincount(scores.argmax(axis=1), minlength=3)
    return UnlabelledSample(
        counts=(int(counts[0]), int(counts[1]), int(counts[2])),
        scores=scores,
        texts=[None] * len(scores) if texts is None else texts,
    )


def apart(mix: Mix, gold: np.ndarray) -> float:
    truth = np.bincount(gold, minlength=3) / len(gold)
    return float(np.abs(np.array([one.value for one in mix]) - truth).sum() / 2)


def holds(one: Estimate, truth: float) -> bool:
    return one.low <= truth <= one.high


def test_a_strong_shift_of_the_mix_is_corrected_by_more_than_half_and_quality_is_near_the_truth() -> None:
    counted, corrected, accuracies = [], [], []
    for seed in range(5):
        world = World(seed)
        source = world.source(1000)
        scores, gold = world.rows(SHIFTED, 1000)
        found = estimate(source, target_of(scores), seed=seed)
        assert found.learnt is not None
        counted.append(apart(found.counted, gold))
        corrected.append(apart(found.learnt.by_expectation, gold))
        assert apart(found.learnt.by_confusion, gold) < counted[-1]
        assert found.learnt.preferred in (EXPECTED, CONFUSION)
        accuracies.append(found.learnt.accuracy.value - float((scores.argmax(axis=1) == gold).mean()))
    assert np.mean(corrected) < np.mean(counted) / 2
    assert np.abs(accuracies).max() < 0.04
    assert abs(np.mean(accuracies)) < 0.015


def test_the_intervals_cover_what_labels_would_show() -> None:
    runs, covered = 20, np.zeros(4)
    for seed in range(runs):
        world = World(100 + seed)
        source = world.source(300)
        scores, gold = world.rows(SHIFTED if seed % 2 else USUAL, 300)
        learnt = estimate(source, target_of(scores), fit_level=0, seed=seed).learnt
        assert learnt is not None
        right, truth = scores.argmax(axis=1) == gold, np.bincount(gold, minlength=3) / len(gold)
        covered += [
            holds(learnt.accuracy, float(right.mean())),
            holds(learnt.macro_recall, float(np.mean([right[gold == place].mean() for place in range(3)]))),
            np.mean([holds(one, truth[place]) for place, one in enumerate(learnt.by_expectation)]),
            np.mean([holds(one, truth[place]) for place, one in enumerate(learnt.by_confusion)]),
        ]
    assert (covered / runs).min() >= 0.85


def test_where_classes_look_otherwise_nothing_is_estimated() -> None:
    world = World(0)
    found = estimate(world.source(600), target_of(world.rows(USUAL, 600, clear=0.8)[0]))
    assert found.learnt is None
    assert (found.trust.scores_fit, found.trust.words_known, found.trust.holds) == (False, True, False)
    assert found.counted[0].n == 600


def test_where_the_words_are_new_nothing_is_estimated() -> None:
    world = World(0)
    source = dataclasses.replace(world.source(600), texts=world.texts(600))
    scores, _ = world.rows(USUAL, 600)
    assert estimate(source, target_of(scores, world.texts(600))).learnt is not None
    foreign = estimate(source, target_of(scores, ["il pacco non arriva mai"] * 600))
    assert foreign.learnt is None
    assert (foreign.trust.scores_fit, foreign.trust.words_known) == (True, False)


def test_few_labels_of_a_mild_shift_leave_the_count_as_it_is() -> None:
    world = World(3)
    found = estimate(world.source(150), target_of(world.rows(USUAL, 400)[0]), fewest=10)
    assert found.learnt is not None
    assert found.learnt.preferred == COUNTING


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_handful_of_rows_has_numbers_that_lie_in_their_intervals(n: int) -> None:
    world = World(8)
    found = estimate(world.source(300), target_of(world.rows(USUAL, n)[0]), fit_level=0)
    assert found.learnt is not None
    for one in (found.learnt.accuracy, found.learnt.macro_recall, *found.learnt.by_expectation, *found.best):
        assert 0 <= one.low <= one.value <= one.high <= 1


def test_a_model_that_says_one_class_only_has_estimates_and_says_that_its_matrix_tells_nothing() -> None:
    scores = np.tile([[0.2, 0.5, 0.3]], (200, 1))
    gold = np.array([0, 1, 1, 2] * 50)
    source = Source(scores=scores, gold=gold, weights=np.ones(200), texts=[None] * 200)
    found = estimate(source, target_of(scores[:50]))
    assert found.condition > 1e6
    assert found.learnt is not None
    assert found.learnt.accuracy.value == pytest.approx(0.5, abs=0.02)


def test_a_class_with_few_labels_is_refused_by_name() -> None:
    world = World(0)
    source, target = world.source(80), target_of(world.rows(USUAL, 100)[0])
    with pytest.raises(NoVerdictError, match=r"labelled rows are negative, at least 30") as caught:
        estimate(source, target)
    assert "label next" in str(caught.value.hint)
    with pytest.raises(NoVerdictError, match="no predictions"):
        estimate(world.source(400), target_of(np.empty((0, 3))))


def test_the_same_seed_gives_the_same_numbers() -> None:
    def once() -> Estimates:
        world = World(5)
        return estimate(world.source(300), target_of(world.rows(SHIFTED, 300)[0]), seed=2)

    assert once() == once()


def test_a_given_calibrator_is_used_as_it_is() -> None:
    world = World(6)
    source, target = world.source(400), target_of(world.rows(USUAL, 400)[0])
    raw, fitted = estimate(source, target, calibrator=UNCHANGED), estimate(source, target)
    assert raw.calibrator == UNCHANGED
    # The scores are not sure enough; as they are, they promise less than the fitted ones.
    assert raw.learnt.accuracy.value < fitted.learnt.accuracy.value - 0.02


def test_labels_of_sure_rows_alone_mislead_and_weighted_ones_do_not() -> None:
    world = World(7)
    scores, gold = world.rows(USUAL, 6000)
    chance = np.where(scores.max(axis=1) > 0.8, 0.6, 0.15)
    kept = world.random.random(6000) < chance
    weights = (1 / chance)[kept]
    target_scores, target_gold = world.rows(USUAL, 3000)
    truth = (target_scores.argmax(axis=1) == target_gold).mean()

    def accuracy(given: np.ndarray) -> float:
        source = Source(scores=scores[kept], gold=gold[kept], weights=given / given.mean(), texts=[None] * 9)
        found = estimate(source, target_of(target_scores), fit_level=0)
        return abs(found.learnt.accuracy.value - truth)

    assert accuracy(weights) < 0.02
    assert estimate(
        Source(scores=scores[kept], gold=gold[kept], weights=np.ones(int(kept.sum())), texts=[None]),
        target_of(target_scores),
    ).learnt is None  # fmt: skip


def judged(number: int, *, wrong: bool) -> Judged:
    label = GoldLabel(key=("id", str(number)), label=Sentiment(int(wrong)), timestamp=START)
    return Judged(
        timestamp=START, predicted=Sentiment.NEGATIVE, label=label, scores=(0.8, 0.1, 0.1), text=None
    )


def test_the_gap_is_realised_less_estimated_with_both_errors() -> None:
    found = estimate_gap(
        Estimate(value=0.8, low=0.75, high=0.86, n=9),
        [judged(number, wrong=number < 30) for number in range(100)],
        confidence_level=0.95,
    )
    assert found.realised.value == 0.7
    assert found.difference.value == pytest.approx(-0.1)
    assert found.difference.low == pytest.approx(-0.1 - np.hypot(0.7 - found.realised.low, 0.06))
    assert found.difference.high == pytest.approx(-0.1 + np.hypot(found.realised.high - 0.7, 0.05))
    assert estimate_gap(None, [], confidence_level=0.95) is None
    assert estimate_gap(Estimate(value=0.8, low=0.7, high=0.9, n=1), [], confidence_level=0.95) is None


def test_one_pass_gathers_labelled_rows_by_period_and_model_and_a_sample_of_the_rest() -> None:
    gold = GoldLabel(key=("id", "1"), label=Sentiment.NEGATIVE, timestamp=START)
    rows = [(record(0, 0, model="a"), gold), (record(1, 9, model="a"), gold), (record(2, 9, model="b"), None)]
    found = gather(rows, Period(since=START + timedelta(minutes=5)), seed=0)
    one, other = found["a", None], found["b", None]
    assert (len(one.outside), len(one.inside), one.counts, other.counts) == (1, 1, [0, 1, 0], [0, 0, 1])
    assert one.target().count == 1
    assert Source.of(one.outside).per_class == (1, 0, 0)


def test_rows_without_all_scores_are_counted_and_left_out() -> None:
    gold = GoldLabel(key=("id", "1"), label=Sentiment.NEGATIVE, timestamp=START)
    rows = [(record(0, 0), gold), (record(1, 1, scores=None), gold), (record(2, 2, None), None)]
    found = gather(rows, Period(since=START + timedelta(minutes=1)), seed=0)[None, None]
    assert (found.counts, found.without_scores, found.rows, found.labelled_without_scores) == (
        [0, 0, 0],
        2,
        2,
        1,
    )
    assert (len(found.outside), len(found.inside), found.target().without_scores) == (1, 0, 2)
    with pytest.raises(
        NoVerdictError, match=r"0 labelled rows are neutral \(1 more labelled rows lack the scores"
    ):
        estimate(Source.of(found.outside, without_scores=1), found.target(), fewest=1)


def test_of_many_rows_an_even_sample_is_kept() -> None:
    rows = ((record(0, number, text=str(number)), None) for number in range(3 * MOST_ROWS))
    found = gather(rows, Period(), seed=1)[None, None]
    assert found.target().count == 3 * MOST_ROWS
    kept = [int(text) for _, text in found.sample]
    assert len(set(kept)) == MOST_ROWS
    assert abs(np.mean(kept) / (1.5 * MOST_ROWS) - 1) < 0.05


def test_rows_of_no_weight_do_not_count() -> None:
    drawn = GoldLabel(key=("id", "1"), label=Sentiment.NEGATIVE, timestamp=START, probability=0.5, draw=START)
    later = GoldLabel(key=("id", "2"), label=Sentiment.NEUTRAL, timestamp=START + timedelta(days=1))
    rows = [Judged.of(record(0), drawn), Judged.of(record(1), later)]
    found = Source.of(rows)
    assert (found.per_class, found.weights.tolist()) == ((1, 0, 0), [1.0])
    assert Source.of([]).per_class == (0, 0, 0)


def test_new_words_are_counted_per_text_and_each_labelled_text_against_the_others() -> None:
    labelled = ["the parcel came", "the parcel is late", "late again"]
    found = compare_words(labelled, ["the pacco", "late late", "nuovo"])
    # Only in one labelled text: came; is; again.
    assert found.usual == pytest.approx((1 / 3 + 1 / 4 + 1 / 2) / 3)
    assert found.now == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert found.excess == pytest.approx(found.now - found.usual)
    assert (found.labelled, found.n) == (3, 3)


def test_names_links_and_case_say_nothing() -> None:
    assert words_of("@anna GOOD https://t.co/x news") == {"good", "news"}
    assert words_of("") == words_of(None) == set()


def test_without_texts_there_is_nothing_to_compare() -> None:
    assert compare_words([None, None], ["a"]) is None
    assert compare_words(["a"], [None]) is None
