"""Which saved verdict stands: worked by hand, one line of a history after the other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sentimon.workflows.saved_verdicts import Ending, latest_drift, latest_retraining, standing_verdict
from tests.support.rows import lines, written


def retraining(hour: int, **rest: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-09-01T{hour:02}:00:00Z", "triggered": False, "decided": True, **rest}


def drift(hour: int, verdict: str) -> dict[str, Any]:
    said = {"drift_detected": verdict == "drift", "verdict": verdict}
    return {"timestamp": f"2026-09-01T{hour:02}:00:00Z", **said}


def fired(hour: int, cause: str = "drift_threshold_met", **rest: Any) -> dict[str, Any]:
    return retraining(hour, triggered=True, min_samples_met=True, **{cause: True}, **rest)


def undecided(hour: int) -> dict[str, Any]:
    return retraining(hour, decided=False)


DUE = {"min_samples_met": True, "drift_threshold_met": True}
MONITORED = {"rules": [{"name": "change of a share"}]}


def stands(folder: Path, triggers: list[Any], looks: list[Any], **rest: Any) -> tuple[Any, ...]:
    """(verdict, whether it is a finding, its hour, the hour of the look since then)."""
    written(folder, lines(triggers), "retraining_triggers.jsonl")
    written(folder, lines(looks), "drift_reports.jsonl")
    known = latest_retraining(folder, UTC), latest_drift(folder, UTC)
    verdict, later = standing_verdict(*known, **{"ending": None, "closed": False} | rest)
    assert verdict is not None
    return (verdict.verdict, verdict.finding, verdict.at.hour, None if later is None else later.at.hour)


RETRAIN, NO_NEED = "retraining recommended", "no retraining needed"


@pytest.mark.parametrize(
    ("triggers", "looks", "expected"),
    [
        ([fired(1)], [], (RETRAIN, True, 1, None)),
        ([fired(1), undecided(2), undecided(3)], [], (RETRAIN, True, 1, 3)),
        ([fired(1), *(undecided(2) for _ in range(900))], [], (RETRAIN, True, 1, 2)),
        ([fired(1), retraining(2), undecided(3)], [], (NO_NEED, False, 2, 3)),
        # Told already, or within the cooldown: it is recommended still.
        ([fired(1), retraining(2, **DUE), undecided(3)], [], (RETRAIN, True, 1, 3)),
        ([undecided(1)], [], ("no verdict", False, 1, None)),
        ([fired(1)], [drift(2, "stable")], ("stable", False, 2, None)),
        ([fired(1, "error_rate_met")], [drift(2, "stable")], (RETRAIN, True, 1, None)),
        ([fired(2)], [drift(1, "stable")], (RETRAIN, True, 2, None)),
        ([fired(1)], [drift(2, "no verdict")], (RETRAIN, True, 1, 2)),
        ([], [drift(1, "drift"), drift(2, "no verdict")], ("drift", True, 1, 2)),
        ([retraining(2)], [drift(1, "drift")], (NO_NEED, False, 2, None)),
        ([retraining(1)], [drift(2, "drift")], ("drift", True, 2, None)),
    ],
)
def test_a_finding_stands_until_a_later_look_decides_otherwise(
    tmp_path: Path, triggers: list[Any], looks: list[Any], expected: tuple[Any, ...]
) -> None:
    assert stands(tmp_path, triggers, looks) == expected


def test_a_closed_incident_ends_what_drift_alone_had_fired_and_the_monitor_had_judged(tmp_path: Path) -> None:
    over = (f"{RETRAIN}, but the drift has ended since", False, 1, None)
    assert stands(tmp_path, [fired(1, **MONITORED)], [], closed=True) == over
    assert stands(tmp_path, [fired(1)], [], closed=True)[1]
    assert stands(tmp_path, [fired(1, "error_rate_met", **MONITORED)], [], closed=True)[1]


@pytest.mark.parametrize(("hour", "finding"), [(0, True), (1, True), (2, False)])
def test_another_model_ends_the_findings_before_it(tmp_path: Path, hour: int, finding: bool) -> None:
    ending = Ending(at=datetime(2026, 9, 1, hour, tzinfo=UTC), words="another model serves since")
    assert stands(tmp_path, [fired(1)], [], ending=ending)[1] is finding


def test_lines_that_hold_no_verdict_are_named_and_passed_over(tmp_path: Path) -> None:
    bad = [{"timestamp": "2026-09-01T05:00:00Z"}, {"timestamp": "never", "triggered": False}, ["a list"]]
    written(tmp_path, lines([fired(1), *bad]), "retraining_triggers.jsonl")
    found = latest_retraining(tmp_path, UTC)
    assert found.decided is not None
    assert found.decided.verdict.at.hour == 1
    assert "retraining_triggers.jsonl: 3 lines hold no verdict, the last one: " in str(found.problem)
