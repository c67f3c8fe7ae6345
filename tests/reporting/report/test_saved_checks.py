from datetime import UTC, datetime, timedelta

from sentimon.reporting.report.saved_checks import recall
from tests.support.reports import INCIDENT

HIGH = {"value": 0.5}
FOUND = [{"group": "class", "event": "negative", "before": {"value": 0.2}, "after": HIGH}]


def entry(day: int, *, since: int | None = None, closed: bool = False) -> dict[str, object]:
    incident = None if since is None else {"since": f"2026-09-{since:02}T00:00:00Z", "findings": FOUND}
    return {
        "timestamp": f"2026-09-{day:02}T00:00:00Z",
        "rule": "monitor",
        "drift_score": 0.1 * (since or 0) / 10,
        "drift_detected": since is not None and not closed,
        "closed": closed,
        "incident": incident,
    }


def test_an_incident_lasts_from_its_alarm_to_the_check_that_closed_it() -> None:
    past = recall([entry(1), entry(2, since=2), entry(3, since=2), entry(4, since=2, closed=True)], None, UTC)
    (one,) = past.incidents
    assert (one.since.day, one.seen.day, one.closed, one.open) == (2, 4, True, False)
    assert one.until(datetime(2027, 1, 1, tzinfo=UTC)).day == 4
    assert [check.drifted for check in past.checks] == [False, True, True, False]


def test_what_the_monitor_remembers_is_open_and_reaches_until_now() -> None:
    past = recall([entry(1, since=1)], INCIDENT, UTC)
    first, second = past.incidents
    assert (first.open, first.closed) == (False, False)
    assert second.open
    now = second.since + timedelta(days=3)
    assert second.until(now) == now
    assert [one.after.value for one in second.findings] == [0.6]


def test_entries_that_hold_no_check_are_counted_and_never_stop_it() -> None:
    bad = [{}, {"timestamp": 3}, {"timestamp": "soon"}, entry(1) | {"incident": {"since": "x"}}]
    past = recall([*bad, entry(2)], None, UTC, unreadable=2)
    assert (past.unreadable, len(past.checks)) == (6, 1)


def test_reports_of_the_replaced_program_are_read() -> None:
    past = recall(
        [{"timestamp": "2026-02-06T10:49:40", "drift_detected": True, "drift_score": 0.4}], None, UTC
    )
    assert [(one.rule, one.score, one.drifted) for one in past.checks] == [("score", 0.4, True)]
