from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from sentimon.evaluation.error_rate_monitor import check_error_rate
from sentimon.evaluation.realised_quality import Judged
from sentimon.evaluation.slice_error_rates import SliceErrorRates, check_slice_error_rates
from sentimon.gold_labels.gold_label import ID, GoldLabel
from sentimon.labels import Sentiment
from tests.support.rows import START

SETTINGS = {"tolerance": 0.05, "min_labels": 50, "reference_labels": 200}


def rows_of(wrong: Sequence[bool], *, first: int = 0, **slices: str) -> list[Judged]:
    return [
        Judged(
            timestamp=START,
            predicted=Sentiment(int(one)),
            label=GoldLabel(key=(ID, str(first + number)), label=Sentiment(0), timestamp=START),
            scores=None,
            text=None,
            slices=slices,
        )
        for number, one in enumerate(wrong)
    ]


def errors(rate: float, count: int, seed: int = 0) -> list[bool]:
    random = Random(seed)
    return [random.random() < rate for _ in range(count)]


def check(before: list[Judged], after: list[Judged], *fields: str) -> SliceErrorRates:
    judged = before + after
    return check_slice_error_rates(
        judged,
        {one.label.key: place for place, one in enumerate(judged)},
        [True] * len(before) + [False] * len(after),
        fields=fields,
        confidence_level=0.95,
        **SETTINGS,
    )


def test_the_slice_that_became_bad_is_named_while_the_whole_hides_it() -> None:
    before = rows_of(errors(0.05, 1500), channel="app") + rows_of(
        errors(0.05, 200, 1), first=1500, channel="mail"
    )
    after = rows_of(errors(0.05, 2500, 2), first=2000, channel="app") + rows_of(
        errors(0.45, 150, 3), first=5000, channel="mail"
    )
    Random(4).shuffle(after)
    found = check(before, after, "channel")
    assert [one.name for one in found.alarms] == ["channel=mail"]
    assert [one.name for one in found.decided] == ["channel=app", "channel=mail"]
    rule = found.to_rule()
    assert (rule.name, rule.met, rule.n) == ("error rate of channel=mail", True, 150)
    order = {one.label.key: place for place, one in enumerate(before + after)}
    flags = [True] * len(before) + [False] * len(after)
    whole = check_error_rate(before + after, order, flags, confidence_level=0.975, **SETTINGS)
    assert not whole.alarm


def test_fields_share_the_level_and_the_kth_value_has_one_in_k_times_k_plus_1_of_its_field() -> None:
    before = [
        one
        for number, value in enumerate("abc")
        for one in rows_of([False] * 60, first=100 * number, f=value, g="all")
    ]
    found = check(before, [], "f", "g")
    # Each field has 0.025, half of it for the bound of the reference: 1 / 0.0125 is 80.
    needed = {one.name: one.check.needed for one in found.slices}
    assert needed == pytest.approx({"f=a": 160, "f=b": 480, "f=c": 960, "g=all": 160})


def test_the_level_of_a_value_stays_when_other_values_come() -> None:
    first = rows_of([False] * 60, channel="zeta")
    more = rows_of([False] * 60, first=100, channel="alpha")
    alone, both = check(first, [], "channel"), check(first + more, [], "channel")
    assert alone.slices[0].check.needed == both.slices[0].check.needed
    assert [one.value for one in both.slices] == ["zeta", "alpha"]


def test_slices_with_few_labels_are_counted_and_nothing_is_said_of_them() -> None:
    found = check(rows_of([False] * 49, channel="app"), rows_of([True] * 0), "channel")
    assert (found.slices, found.few, found.alarms) == ((), 1, ())
    assert (found.to_rule().met, found.to_rule().name) == (None, "error rate of a slice")


def test_a_key_whose_rows_are_in_two_slices_counts_in_each_once() -> None:
    app, mail = (rows_of([False] * 50, channel=name) for name in ("app", "mail"))
    judged = [*app, *app, *mail]
    order = {one.label.key: place for place, one in enumerate(app)}
    found = check_slice_error_rates(
        judged, order, [True] * len(judged), fields=["channel"], confidence_level=0.95, **SETTINGS
    )
    assert [(one.name, one.check.reference.n) for one in found.slices] == [
        ("channel=app", 50),
        ("channel=mail", 50),
    ]
