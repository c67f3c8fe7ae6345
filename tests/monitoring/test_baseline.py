import json
import random
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings

from sentimon.errors import NoVerdictError, StoreError
from sentimon.labels import TWO
from sentimon.monitoring.baseline import Baseline, BaselineCheck, check_baseline, create_baseline
from sentimon.monitoring.baseline_codec import decode_baseline, encode_baseline
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar
from tests.support.rows import START, record, summary
from tests.support.strategies import log_rows

DAY = 24 * 60


def made(total: object) -> Baseline:
    return create_baseline(total, name="b", source="logs", created=START, min_samples=1)  # type: ignore[arg-type]


def checked(baseline: Baseline, every: str = "1d") -> BaselineCheck:
    calendar = Calendar.of(every, UTC)
    return check_baseline(baseline, calendar, threshold=0.15, min_samples=50, confidence_level=0.95)


def test_too_few_rows_make_no_baseline() -> None:
    with pytest.raises(NoVerdictError, match="needs 50 rows, logs has 49"):
        create_baseline(summary(49, 0, 0), name="b", source="logs", created=START, min_samples=50)


@settings(max_examples=50)
@given(log_rows)
def test_a_baseline_is_read_back_exactly(rows: list) -> None:  # type: ignore[type-arg]
    total = summarise(rows)
    if total.count:
        baseline = made(total)
        assert decode_baseline(encode_baseline(baseline), origin="x") == baseline


def test_other_programs_find_what_they_look_for() -> None:
    document = json.loads(encode_baseline(made(summary(70, 20, 10))))
    assert document["distribution"] == {"negative": 0.7, "neutral": 0.2, "positive": 0.1}
    assert document["total_samples"] == 100
    assert document["average_confidence"] == 0.8
    # START is a Monday, 08:00 UTC.
    assert document["hour_of_week"][8] == [60, 0, 0]
    assert document["hour_of_week"][9] == [10, 20, 10]
    assert len(document["hour_of_week"]) == 168


def test_a_baseline_says_how_many_rows_have_a_confidence_and_all_scores() -> None:
    rows = [record(0, 0, 0.8), record(1, 1, 0.6, scores=None), record(2, 2, None)]
    document = json.loads(encode_baseline(made(summarise(rows))))
    assert (document["total_samples"], document["average_confidence"]) == (3, pytest.approx(0.7))
    assert (document["samples_with_confidence"], document["samples_with_scores"]) == (2, 1)
    alone = json.loads(encode_baseline(made(summarise(rows[2:]))))
    assert (alone["samples_with_confidence"], alone["average_confidence"]) == (0, None)


def test_in_a_file_that_does_not_say_how_many_rows_have_scores_all_rows_have() -> None:
    def without_counts(total: Summary) -> bytes:
        document = json.loads(encode_baseline(made(total)))
        return json.dumps(
            {key: one for key, one in document.items() if not key.startswith("samples_")}
        ).encode()

    full = summary(3, 2, 1)
    assert decode_baseline(without_counts(full), origin="x") == made(full)
    with pytest.raises(StoreError, match="does not add up"):
        decode_baseline(without_counts(summarise([record(0, 0, 0.8), record(0, 1, None)])), origin="x")


def test_more_rows_with_scores_than_with_a_confidence_are_no_baseline() -> None:
    document = json.loads(encode_baseline(made(summarise([record(0, 0, None)]))))
    document["classes"]["negative"]["polarity_histogram"][0] = 1
    with pytest.raises(StoreError, match="does not add up"):
        decode_baseline(json.dumps(document).encode(), origin="x")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format 2"),
        ({"classes": {}}, "no rows"),
        ({"hours": []}, "do not add up"),
        ({"models": None}, "models"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"name": 7}, "name"),
        ({"last": None}, "first and last row"),
        ({"last": "2099-01-01T00:00:00Z"}, "first and last row"),
        ({"first": "2026-09-07T09:30:00Z"}, "first and last row"),
        ({"models": [{"model": None, "revision": None, "count": -50}]}, "count"),
        ({"hours": [{"hour": "2026-09-07T08:00:00Z", "counts": [51, -1, 0]}]}, "counts"),
    ],
)
def test_a_file_that_is_no_baseline_is_named(change: dict[str, object], says: str) -> None:
    document = json.loads(encode_baseline(made(summary(50, 0, 0)))) | change
    with pytest.raises(StoreError, match=f"x: is no baseline.*{says}"):
        decode_baseline(json.dumps(document).encode(), origin="x")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"distribution": {"Negativo": 1}}']
)
def test_foreign_content_is_no_baseline(content: bytes) -> None:
    with pytest.raises(StoreError, match="is no baseline"):
        decode_baseline(content, origin="x")


def days(mixes: list[tuple[float, float, float]], n: int, seed: int) -> Baseline:
    source = random.Random(seed)
    rows = [
        record(source.choices((0, 1, 2), mix)[0], day * DAY + minute)
        for day, mix in enumerate(mixes)
        for minute in range(n)
    ]
    return made(summarise(rows))


def test_a_baseline_without_change_is_quiet_on_its_own_data() -> None:
    quiet = sum(checked(days([(0.3, 0.5, 0.2)] * 14, 60, seed)).quiet for seed in range(100))
    # At least 95 expected.
    assert quiet >= 90


def test_a_day_that_departs_is_found() -> None:
    check = checked(days([(0.2, 0.5, 0.3)] * 6 + [(0.9, 0.05, 0.05)], 60, 1))
    assert [window.departs for window in check.windows] == [False] * 6 + [True]
    assert not check.quiet


def test_windows_with_too_few_rows_are_not_judged() -> None:
    check = checked(days([(0.2, 0.5, 0.3)] * 5, 10, 1))
    assert check.windows == ()
    assert check.skipped == 5


def test_a_baseline_keeps_which_classes_there_were_and_an_older_file_is_of_three() -> None:
    three = made(summary(30, 0, 30))
    two = replace(three, classes=TWO)
    document = json.loads(encode_baseline(two))
    assert document["labels"] == ["negative", "positive"]
    assert decode_baseline(encode_baseline(two), origin="x") == two
    assert "labels" not in json.loads(encode_baseline(three))
    for labels in (["positive", "negative"], ["negative"], ["negative", "neutral"]):
        with pytest.raises(StoreError, match="its labels are neither"):
            decode_baseline(json.dumps(document | {"labels": labels}).encode(), origin="x")
    mixed = json.loads(encode_baseline(made(summary(30, 1, 30)))) | {"labels": ["negative", "positive"]}
    with pytest.raises(StoreError, match="rows of a class that is none of its labels"):
        decode_baseline(json.dumps(mixed).encode(), origin="x")
