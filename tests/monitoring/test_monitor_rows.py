"""What a look keeps of the hours of a log is what their rows say, in whatever pieces they come."""

from __future__ import annotations

from functools import reduce
from operator import add

from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.monitor_rows import HourlyRows
from sentimon.monitoring.watched_events import Counted
from sentimon.prediction_log.summary import GrowingSummary, Summary, summarise
from tests.support.monitors import REFERENCE
from tests.support.rows import records

TROUBLE = Summary(bad={"json": 3})
pieces = st.lists(
    st.tuples(st.integers(0, 5), st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3))),
    max_size=12,
)


@given(pieces=pieces, seen=st.sets(st.integers(0, 5)), asked=st.sets(st.integers(0, 5)))
def test_hours_come_out_as_their_rows_say(
    pieces: list[tuple[int, tuple[int, int, int]]], seen: set[int], asked: set[int]
) -> None:
    window = REFERENCE.window(Summary())
    found, by_hour = HourlyRows(REFERENCE, dict.fromkeys(seen, window)), dict[int, Summary]()
    for hour, counts in pieces:
        some = summarise(records(*counts))
        growing = GrowingSummary()
        for row in records(*counts):
            growing.add(row)
        found.add(hour, growing)
        by_hour[hour] = by_hour.get(hour, Summary()) + some
    assert found.rows() == {hour: summary.count for hour, summary in by_hour.items()}
    assert found.windows(None) == {hour: REFERENCE.window(summary) for hour, summary in by_hour.items()}
    words = {hour: Counted(hour, (hour,)) for hour in by_hour}
    for hour, one in found.windows(words).items():
        assert one.groups == (*REFERENCE.window(by_hour[hour]).groups, words[hour])
    counted = [summary for hour, summary in by_hour.items() if hour in asked or hour not in seen]
    assert found.summary(asked, TROUBLE) == reduce(add, counted, TROUBLE)
