from dataclasses import replace

import pytest

from sentimon.config.settings import DriftSettings
from sentimon.errors import DataError
from sentimon.labels import Sentiment
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import WORTH_SAYING, DriftReport, detect_drift, foreign_models
from sentimon.monitoring.drift_decision import Verdict
from sentimon.prediction_log.summary import Summary
from sentimon.statistics.intervals import Difference
from tests.support.rows import START, summary

SETTINGS = DriftSettings()


def baseline(total: Summary) -> Baseline:
    return Baseline(name="b", created=START, source="logs", summary=total)


def compare(before: Summary, after: Summary, settings: DriftSettings = SETTINGS) -> DriftReport:
    return detect_drift(baseline(before), after, settings)


def test_a_swap_of_positive_and_negative_is_drift() -> None:
    report = compare(summary(70, 20, 10), summary(10, 20, 70))
    assert report.score.value == 0.6
    assert report.verdict is Verdict.DRIFT
    assert report.moved_most in (Sentiment.NEGATIVE, Sentiment.POSITIVE)
    assert report.total_variation == 0.6


def test_the_same_mix_is_stable_whatever_the_sizes() -> None:
    report = compare(summary(70, 20, 10), summary(350, 100, 50))
    assert report.verdict is Verdict.STABLE
    assert report.score.value == 0
    assert report.score.low == 0
    assert report.score.n == 500


def test_a_score_at_the_limit_is_not_above_it() -> None:
    before, after = summary(100, 0, 0), summary(70, 30, 0)
    assert compare(before, after).score.value == 0.15
    assert compare(before, after).verdict is Verdict.STABLE
    assert compare(before, after, DriftSettings(threshold=0.1499)).verdict is Verdict.DRIFT


@pytest.mark.parametrize(
    ("before", "after"),
    [((50, 0, 0), (0, 0, 49)), ((49, 0, 0), (0, 0, 50)), ((50, 0, 0), (0, 0, 0)), ((0, 0, 0), (50, 0, 0))],
)
def test_too_few_rows_on_either_side_are_no_verdict(
    before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    report = compare(summary(*before), summary(*after))
    assert report.verdict is Verdict.NO_VERDICT
    assert not report.drifted


def test_without_rows_there_is_no_number() -> None:
    report = compare(summary(50, 0, 0), Summary())
    assert report.score.value is None
    assert report.share_changes is None
    assert report.confidence_change is None
    assert report.moved_most is None


def test_a_change_of_confidence_has_its_interval() -> None:
    # Standard deviations 0.1 with n = 200 on both sides: 1.96 * sqrt(2 * 0.01 / 199.5) = 0.0196.
    before = summary(100, 0, 0, confidence=0.9) + summary(100, 0, 0, confidence=0.7)
    after = summary(100, 0, 0, confidence=0.7) + summary(100, 0, 0, confidence=0.5)
    change = compare(before, after).confidence_change
    assert change is not None
    assert change.value == pytest.approx(-0.2)
    assert (change.high - change.low) / 2 == pytest.approx(0.0196, abs=1e-4)


def test_rows_of_another_model_are_refused_and_named() -> None:
    old = summary(50, 0, 0, model="old", revision="1")
    with pytest.raises(DataError, match=r"old@1.*new@2") as caught:
        compare(old, summary(50, 0, 0, model="new", revision="2"))
    assert "baseline create" in str(caught.value.hint)


def test_the_same_weights_under_another_name_are_the_same_model_but_not_the_same_branch() -> None:
    weights = summary(50, 0, 0, model="models/v0001", revision="0123456789ab")
    assert (
        compare(weights, summary(50, 0, 0, model="models/current", revision="0123456789ab")).drifted is False
    )
    branch = summary(50, 0, 0, model="one", revision="main")
    with pytest.raises(DataError, match="but rows are of another@main"):
        compare(branch, summary(50, 0, 0, model="another", revision="main"))


def test_rows_that_name_no_model_may_be_compared() -> None:
    assert compare(summary(50, 0, 0, model="old"), summary(50, 0, 0)).verdict is Verdict.STABLE
    assert compare(summary(50, 0, 0), summary(50, 0, 0, model="new")).verdict is Verdict.STABLE


HASH, OTHER = "0123456789ab", "ba9876543210"


@pytest.mark.parametrize(
    ("known", "now", "foreign"),
    [
        (("a", "1"), ("a", "1"), False),
        (("a", "1"), ("a", "2"), True),
        (("a", "1"), ("a", None), False),
        (("a", None), ("a", "1"), False),
        (("a", None), ("b", None), True),
        (("a", "1"), ("b", None), True),
        (("a", None), ("b", "1"), True),
        (("a", HASH), ("b", HASH), False),
        (("a", HASH), ("b", OTHER), True),
        (("a", HASH), ("a", OTHER), True),
        (("a", HASH[:11]), ("b", HASH[:11]), True),
        (("a", HASH.upper()), ("b", HASH.upper()), True),
        (("a", "v" + HASH), ("b", "v" + HASH), True),
        ((None, None), ("b", "1"), False),
        (("a", "1"), (None, None), False),
    ],
)
def test_a_model_is_foreign_unless_name_and_revision_or_the_hash_of_its_weights_agree(
    known: tuple[str | None, str | None], now: tuple[str | None, str | None], foreign: bool
) -> None:
    before = baseline(summary(1, 0, 0, model=known[0], revision=known[1]))
    after = summary(1, 0, 0, model=now[0], revision=now[1])
    assert foreign_models(before, after) == ([now] if foreign else [])


def test_one_of_the_known_models_is_enough_and_each_foreign_one_is_named() -> None:
    before = baseline(summary(1, 0, 0, model="a", revision="1") + summary(1, 0, 0, model="b", revision="1"))
    after = (
        summary(1, 0, 0, model="b", revision="1")
        + summary(1, 0, 0, model="c", revision="1")
        + summary(1, 0, 0, model="a", revision="2")
        + summary(1, 0, 0)
    )
    assert sorted(foreign_models(before, after)) == [("a", "2"), ("c", "1")]


@pytest.mark.parametrize(
    ("value", "low", "high", "changed"),
    [
        (0.08, 0.01, 0.15, True),
        (-0.08, -0.15, -0.01, True),
        # Not more than chance: one end of the interval is 0, or 0 lies within.
        (0.08, 0.0, 0.16, False),
        (-0.08, -0.16, 0.0, False),
        (0.08, -0.01, 0.17, False),
        # Sure, and not worth saying.
        (0.001, 0.0005, 0.0015, False),
        (-0.001, -0.0015, -0.0005, False),
        (WORTH_SAYING, 0.0001, 0.1, False),
    ],
)
def test_a_change_of_the_confidence_is_one_that_is_sure_and_worth_saying(
    value: float, low: float, high: float, changed: bool
) -> None:
    made = detect_drift(None, Summary(), DriftSettings())
    moved = Difference(value=value, low=low, high=high)
    assert replace(made, confidence_change=moved).confidence_changed == changed
    assert not made.confidence_changed
