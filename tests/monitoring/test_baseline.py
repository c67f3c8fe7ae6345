import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from sentimon.errors import NoVerdictError, StoreError
from sentimon.jsonl import BadLine
from sentimon.labels import THREE, TWO
from sentimon.monitoring.baseline import (
    Baseline,
    BaselineCheck,
    check_baseline,
    check_classes,
    create_baseline,
)
from sentimon.monitoring.baseline_codec import decode_baseline, encode_baseline
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
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


def test_enough_rows_make_a_baseline_without_the_places_of_bad_lines() -> None:
    bad = BadLine(path="x", line=1, kind="json", reason="bad")
    found = create_baseline(
        summary(50, 0, 0) + summarise([bad]), name="b", source="logs", created=START, min_samples=50
    )
    assert (found.summary.bad, found.summary.bad_lines) == ({"json": 1}, ())
    assert (found.name, found.source, found.created, found.classes) == ("b", "logs", START, THREE)


def test_rows_are_compared_with_it_after_its_last_one_but_not_only_from_the_future_on() -> None:
    day = timedelta(days=1)
    total = summary(1, 0, 0, minute=2 * DAY)
    created = replace(made(total), created=START + 3 * day)
    assert created.last == START + 2 * day
    assert replace(created, created=START + day).last == START + day
    assert replace(created, resumed=START + day).last == START + 2 * day
    assert replace(created, resumed=START + 5 * day).last == START + 5 * day
    assert Baseline(name="b", created=START, source="logs", summary=Summary(), resumed=START).last is None


def test_rows_that_name_no_model_are_of_no_known_one() -> None:
    some = summary(3, 0, 0, model="a", revision="1") + summary(2, 0, 0) + summary(1, 0, 0, model="b")
    assert made(some).known_models == {("a", "1"): 3, ("b", None): 1}


def test_the_hours_of_the_week_begin_on_monday_at_midnight_utc() -> None:
    # START is a Monday, 08:00; the same hour a week later, and the last hour of the Sunday between.
    moments = [START, START + timedelta(days=7), START + timedelta(days=6, hours=15)]
    total = summarise([record(place, timestamp=moment) for place, moment in enumerate(moments)])
    cells = made(total).hour_of_week
    assert {hour: cell for hour, cell in enumerate(cells) if any(cell)} == {8: (1, 1, 0), 167: (0, 0, 1)}
    assert len(cells) == 168


def test_a_baseline_of_other_classes_is_refused_with_both_ways_out() -> None:
    three = made(summary(1, 0, 1))
    check_classes(three, THREE, "x")
    check_classes(replace(three, classes=TWO), TWO, "x")
    with pytest.raises(
        StoreError, match=r'x: the baseline is of three classes, .* classes is "two"'
    ) as caught:
        check_classes(three, TWO, "x")
    assert 'classes = "three"' in str(caught.value.hint)
    with pytest.raises(StoreError, match=r'is of two classes, .* classes is "three"'):
        check_classes(replace(three, classes=TWO), THREE, "x")


def hourly(cells: dict[int, tuple[int, int, int]]) -> Baseline:
    """A baseline with so many rows of each class in some hours, counted from START."""
    rows = [
        record(place, timestamp=START + timedelta(hours=hour))
        for hour, counts in cells.items()
        for place, count in enumerate(counts)
        for _ in range(count)
    ]
    return made(summarise(rows))


def test_a_window_is_compared_with_the_rest_at_a_level_shared_by_all_that_are_judged() -> None:
    # Three days of 50, 60 and 200 rows are judged, one of 49 is not; the second is of two hours.
    check = checked(
        hourly({0: (10, 20, 20), 24: (30, 0, 0), 30: (0, 20, 10), 48: (40, 80, 80), 72: (9, 20, 20)})
    )
    assert (len(check.windows), check.skipped) == (3, 1)
    level = 1 - 0.05 / 3
    for window, own in zip(check.windows, [(10, 20, 20), (30, 20, 10), (40, 80, 80)], strict=True):
        rest = [whole - one for whole, one in zip((89, 140, 130), own, strict=True)]
        low, high = wasserstein_interval(rest, own, confidence_level=level)
        assert (window.low, window.high) == (pytest.approx(low), pytest.approx(high))
        assert (window.score, window.count) == (wasserstein_distance(rest, own), sum(own))
    assert [window.start for window in check.windows] == [
        datetime(2026, 9, day, tzinfo=UTC) for day in (7, 8, 9)
    ]
    assert [window.departs for window in check.windows] == [False, True, False]


def test_a_window_departs_where_its_score_is_above_the_threshold_and_more_than_chance() -> None:
    calendar = Calendar.of("1d", UTC)

    def departs(baseline: Baseline, threshold: float) -> list[bool]:
        check = check_baseline(baseline, calendar, threshold=threshold, min_samples=5, confidence_level=0.95)
        return [window.departs for window in check.windows]

    # All of the first day against half of the second: a score of 0.25 on either side.
    sure = hourly({0: (100, 0, 0), 24: (50, 50, 0)})
    assert departs(sure, 0.25) == [False, False]
    assert departs(sure, 0.2499) == [True, True]
    assert departs(hourly({0: (5, 0, 0), 24: (3, 2, 0)}), 0.1) == [False, False]


def test_a_window_needs_enough_rows_outside_of_it_too() -> None:
    assert [window.count for window in checked(hourly({0: (50, 0, 0), 24: (0, 50, 0)})).windows] == [50, 50]
    assert checked(hourly({0: (51, 0, 0), 24: (0, 49, 0)})).windows == ()
    assert checked(hourly({0: (51, 0, 0), 24: (0, 49, 0)})).skipped == 2


FULL = json.loads(
    encode_baseline(
        made(
            summarise(
                [
                    record(0, 0, 0.5, text="abc"),
                    record(0, 1, 1.0, text=""),
                    record(2, 2, 0.75, text="ab https://x.y"),
                ]
            )
        )
    )
)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, False),
        ({"count": 1}, True),
        ({"confidence_sum_millionths": 2_000_001}, True),
        ({"confidence_sum_millionths": -1}, True),
        # The squares of two numbers that sum up to 1.5 are 1.125 at least, and 1.5 at most.
        ({"confidence_squares_millionths": 1_125_000_000_000}, False),
        ({"confidence_squares_millionths": 1_124_999_999_999}, True),
        ({"confidence_squares_millionths": 1_500_000_000_000}, False),
        ({"confidence_squares_millionths": 1_500_000_000_001}, True),
        ({"confidence_sum_millionths": 0, "confidence_squares_millionths": 0}, False),
        ({"confidence_sum_millionths": 2_000_000, "confidence_squares_millionths": 2_000_000_000_000}, False),
        ({"polarity_sum_millionths": -2_000_000}, False),
        ({"polarity_sum_millionths": -2_000_001}, True),
        ({"polarity_sum_millionths": 2_000_001}, True),
        ({"confidence_histogram": [2] + [0] * 98}, True),
        ({"polarity_histogram": [2] + [0] * 40}, True),
        ({"confidence_histogram": [1] + [0] * 99}, True),
        ({"confidence_histogram": [3] + [0] * 99}, True),
    ],
)
def test_the_sums_of_a_class_are_refused_where_no_rows_can_have_them(
    change: dict[str, object], refused: bool
) -> None:
    negative = FULL["classes"]["negative"] | change
    content = json.dumps(FULL | {"classes": FULL["classes"] | {"negative": negative}}).encode()
    if refused:
        with pytest.raises(StoreError, match="is no baseline"):
            decode_baseline(content, origin="x")
    else:
        assert decode_baseline(content, origin="x").summary.classes[0].count == 2


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, False),
        # Of three rows one text is empty; the others have 3 and 14 characters.
        ({"empty": 3, "links": 0, "characters": 0, "squared_characters": 0}, False),
        ({"empty": 4}, True),
        ({"truncated": 3}, False),
        ({"truncated": 4}, True),
        ({"without_text": 1, "characters": 14, "squared_characters": 196}, False),
        ({"without_text": 2, "links": 0, "characters": 0, "squared_characters": 0}, False),
        ({"without_text": 3}, True),
        ({"links": 2}, False),
        ({"links": 3}, True),
        ({"emoji": 3}, True),
        ({"characters": 1}, True),
        ({"characters": 2, "squared_characters": 2}, False),
        ({"characters": 17, "squared_characters": 145}, False),
        ({"characters": 17, "squared_characters": 144}, True),
        ({"characters": 20, "squared_characters": 19}, True),
    ],
)
def test_properties_are_refused_where_no_texts_can_have_them(change: dict[str, int], refused: bool) -> None:
    content = json.dumps(FULL | {"properties": FULL["properties"] | change}).encode()
    if refused:
        with pytest.raises(StoreError, match="is no baseline"):
            decode_baseline(content, origin="x")
    else:
        assert decode_baseline(content, origin="x").summary.count == 3


def test_lengths_that_were_not_counted_are_not_looked_at() -> None:
    properties = {name: one for name, one in FULL["properties"].items() if "characters" not in name}
    assert decode_baseline(json.dumps(FULL | {"properties": properties}).encode(), origin="x")
    alone = properties | {"squared_characters": 145}
    with pytest.raises(StoreError, match="lengths of texts"):
        decode_baseline(json.dumps(FULL | {"properties": alone}).encode(), origin="x")


def test_a_file_says_what_it_is_of_in_the_order_of_time_and_of_models() -> None:
    rows = [
        record(0, 61, model="b"),
        record(1, 0, model="a", revision="1"),
        record(2, 1),
        record(2, 2, model="a", revision="1"),
    ]
    later = replace(made(summarise(rows)), resumed=START + timedelta(days=1))
    document = json.loads(encode_baseline(later))
    assert document["hours"] == [
        {"hour": "2026-09-07T08:00:00Z", "counts": [0, 1, 2]},
        {"hour": "2026-09-07T09:00:00Z", "counts": [1, 0, 0]},
    ]
    assert [one["count"] for one in document["models"]] == [2, 1, 1]
    assert (document["format"], document["first"], document["last"]) == (
        1, "2026-09-07T08:00:00Z", "2026-09-07T09:01:00Z",
    )  # fmt: skip
    assert document["resumed"] == "2026-09-08T08:00:00Z"
    assert decode_baseline(encode_baseline(later), origin="x") == later
    # It is for people, too.
    assert encode_baseline(later).startswith(b'{\n "')
    assert encode_baseline(later).endswith(b"}\n")
    with pytest.raises(StoreError, match="rows per model do not add up"):
        decode_baseline(json.dumps(document | {"models": document["models"][1:]}).encode(), origin="x")
