"""Which rows a baseline that is still being collected is made of."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sentimon.errors import StoreError
from sentimon.monitoring.baseline_collection import (
    PendingBaseline,
    baseline_progress,
    collected_rows,
    decode_pending_baseline,
    encode_pending_baseline,
)
from tests.support.rows import START, record

WANTED = PendingBaseline(name="v2", revision="2", since=START, rows=3, asked=3, replaces=None)


def test_rows_of_the_revision_count_whatever_the_name_of_the_model() -> None:
    found = baseline_progress(WANTED, {("a", "2"): 2, ("b", "2"): 1, ("a", "1"): 4, (None, None): 5})
    assert (found.found, found.others, found.ready) == (3, 9, True)
    assert not baseline_progress(WANTED, {("a", "2"): 2}).ready
    assert baseline_progress(WANTED, {("a", "2"): 4}).ready


def test_the_earliest_rows_of_the_revision_after_the_beginning_are_taken() -> None:
    rows = [record(0, minute, revision="2") for minute in (5, 0, 3, 9, 1)] + [record(0, 2, revision="1")]
    taken = collected_rows(WANTED, rows)
    assert [row.timestamp - START for row in taken] == [timedelta(minutes=one) for one in (1, 3, 5)]
    assert len(collected_rows(msgspec.structs.replace(WANTED, rows=9), rows)) == 4


def test_what_is_wanted_reads_back() -> None:
    for wanted in (WANTED, msgspec.structs.replace(WANTED, replaces="0" * 64, again="old.json", asked=0)):
        assert decode_pending_baseline(encode_pending_baseline(wanted), origin="x") == wanted
    assert encode_pending_baseline(WANTED).endswith(b"}\n")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"rows": 1, "asked": 0}, False),
        ({"rows": 2**53, "asked": 2**53}, False),
        ({"rows": 0}, True),
        ({"rows": 2**53 + 1}, True),
        ({"asked": -1}, True),
        ({"asked": 2**53 + 1}, True),
        ({"replaces": "0" * 63}, True),
        ({"since": "2026-09-07T08:00:00"}, True),
        ({"format": 2}, True),
        ({"format": 0}, True),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_the_next_step(
    change: dict[str, object], refused: bool
) -> None:
    content = msgspec.json.encode(msgspec.to_builtins(WANTED) | change)
    if refused:
        with pytest.raises(StoreError, match="x: is no record of a baseline to come") as caught:
            decode_pending_baseline(content, origin="x")
        assert "baseline create" in str(caught.value.hint)
    else:
        assert decode_pending_baseline(content, origin="x").name == "v2"
