"""The slices of a baseline: what is kept of them, and that it reads back."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError, StoreError
from sentimon.monitoring.baseline import create_baseline
from sentimon.monitoring.baseline_codec import decode_baseline, encode_baseline
from sentimon.monitoring.slice_history import HourlyCounts, field_history
from sentimon.prediction_log.slice_fields import SliceField
from sentimon.prediction_log.slices import OTHER, Slices, SliceTally
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.windows import Period
from sentimon.workflows.baseline import field_histories
from sentimon.workflows.given_rows import GivenRows
from tests.support.rows import record

counts = st.tuples(*[st.integers(0, 2**32 - 1)] * 3)


@given(st.dictionaries(st.integers(-1000, 600_000), counts, max_size=20))
def test_packed_hours_read_back(hours: dict[int, tuple[int, int, int]]) -> None:
    packed = HourlyCounts.of(hours, min(hours, default=0))
    assert packed.hours == hours
    packed.check(tuple(map(sum, zip(*hours.values(), strict=True))) if hours else (0, 0, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"\0" * 15, "cut"),
        (b"\0" * 20, "cut"),
        (HourlyCounts.of({5: (1, 0, 0)}, 0).packed + HourlyCounts.of({5: (0, 1, 0)}, 0).packed, "order"),
        (HourlyCounts.of({5: (1, 0, 1)}, 0).packed, "add up"),
    ],
)
def test_hours_that_contradict_themselves_are_refused(packed: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        HourlyCounts(first=0, packed=packed).check((1, 1, 0))


def test_the_largest_slices_keep_their_hours_and_the_rest_is_other() -> None:
    tally = SliceTally
    by_hour = {
        10: Slices(tallies={"app": tally(negative=3), "web": tally(positive=2), "fax": tally(neutral=1)}),
        12: Slices(tallies={"app": tally(neutral=1), "mail": tally(positive=1)}),
    }
    found = field_history(by_hour, most=2)
    assert found.values == ("app", "web")
    assert found.slices.tallies["mail"] == tally(positive=1)
    assert found.told_apart().tallies[OTHER].counts == (0, 1, 1)
    whole = {10: (3, 1, 2), 12: (0, 1, 1)}
    assert dict(found.hours(whole)) == {
        "app": {10: (3, 0, 0), 12: (0, 1, 0)},
        "web": {10: (0, 0, 2)},
        OTHER: {10: (0, 1, 0), 12: (0, 0, 1)},
    }


def a_baseline() -> bytes:
    rows = [
        record(n % 3, minute=20 * n, extra={"channel": ["app", "web", "fax"][n % 3 if n % 7 else 0]})
        for n in range(60)
    ]
    given_rows, field = GivenRows(rows), SliceField("channel")
    history = field_history(given_rows.slice_hours(Period(), field), most=2)
    baseline = create_baseline(
        summarise(rows), name="b", source="logs", created=datetime(2026, 9, 30, tzinfo=UTC), min_samples=50,
        fields={"channel": history},
    )  # fmt: skip
    content = encode_baseline(baseline)
    assert decode_baseline(content, origin="b.json") == baseline
    return content


def test_a_baseline_with_slices_reads_back() -> None:
    content = json.loads(a_baseline())
    values = content["slices"]["channel"]["values"]
    assert [one["value"] for one in values if one["hours"]] == ["app", "fax"]
    assert sum(sum(one["counts"]) for one in values) == 60


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("counts", [1, 2, 3]),
        ("with_confidence", 61),
        ("confidence_sum_millionths", -1),
        ("confidence_squares_millionths", 10**18),
        ("hours", base64.b64encode(b"\0" * 15).decode()),
        ("hours", ""),
        ("value", "web"),
    ],
)
def test_slices_that_contradict_themselves_are_refused(key: str, value: object) -> None:
    content = json.loads(a_baseline())
    content["slices"]["channel"]["values"][0][key] = value
    with pytest.raises(StoreError, match=r"b\.json"):
        decode_baseline(json.dumps(content).encode(), origin="b.json")


def test_field_histories_need_fields() -> None:
    from sentimon import open_workspace

    assert field_histories(open_workspace("nowhere"), Period()) == {}
