"""What the saved verdicts say now: the finding that stands, and what was looked at since without a verdict.

A finding stands until a later look decides otherwise, the incident behind it closes, or another model or
baseline is in force. A look with too few new rows ends nothing: the rows of a trigger that fired are used
up, so that the next look at a quiet log has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from sentimon.errors import DataError
from sentimon.jsonl import decode_line, decode_object, newest_lines
from sentimon.prediction_log.history import DRIFT_FILE, TRIGGERS_FILE
from sentimon.reporting.overview_text import SavedVerdict
from sentimon.timestamps import parse_moment

_CAUSES = ("confidence_threshold_met", "drift_threshold_met", "error_rate_met", "slice_error_rate_met")
_DRIFT = "drift_threshold_met"
_MONITOR_RULE = "change of a share"
"""The name of the rule on drift where the monitor judges it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLook:
    """One line of a history."""

    verdict: SavedVerdict
    decided: bool
    repeated: bool = False
    """Whether it says again what an earlier one has fired on."""
    drift_alone: bool = False
    """Whether drift is the only cause of the finding."""
    monitored: bool = False
    """Whether the monitor judged the drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestLooks:
    """The latest lines of one history that count."""

    decided: SavedLook | None = None
    """The latest that decided something; of a finding that was repeated the first one."""
    undecided: SavedLook | None = None
    """The latest that did not, where it is later."""
    problem: str | None = None
    """Which lines hold no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Something that ends the findings before it."""

    at: datetime
    words: str


def latest_drift(folder: Path, zone: tzinfo | None) -> LatestLooks:
    """Return the latest looks of `drift --save`; naive timestamps are read in `zone` (None: local time).

    Raises:
        StoreError: the history cannot be read.
    """
    return _latest(folder / DRIFT_FILE, zone, _drift_look)


def latest_retraining(folder: Path, zone: tzinfo | None) -> LatestLooks:
    """Return the latest looks of `retrain-check --save`; naive timestamps are read in `zone`.

    Raises:
        StoreError: the history cannot be read.
    """
    return _latest(folder / TRIGGERS_FILE, zone, _retraining_look)


def _latest(
    path: Path, zone: tzinfo | None, read: Callable[[Mapping[str, Any], datetime], SavedLook]
) -> LatestLooks:
    undecided: SavedLook | None = None
    repeated: SavedLook | None = None
    decided: SavedLook | None = None
    bad: list[str] = []
    for line in newest_lines(path):
        try:
            entry = decode_line(line, decode_object)
            look = read(entry, parse_moment(str(entry.get("timestamp")), zone)[0])
        except DataError as error:
            bad.append(error.message)
            continue
        if not look.decided:
            undecided = undecided or look
        elif look.repeated:
            repeated = repeated or look
        else:
            decided = look
            break
    if repeated is not None and (decided is None or not decided.verdict.finding):
        decided = repeated
    lines = "a line holds" if len(bad) == 1 else f"{len(bad)} lines hold"
    problem = f"{path}: {lines} no verdict, the last one: {bad[0]}" if bad else None
    return LatestLooks(decided=decided, undecided=undecided, problem=problem)


def standing_verdict(
    retraining: LatestLooks, drift: LatestLooks, *, ending: Ending | None, closed: bool
) -> tuple[SavedVerdict | None, SavedVerdict | None]:
    """Return (the verdict that stands, the look since then that decided nothing); None where there is none.

    A trigger that fired stands before anything that `drift` says, unless drift was its only cause and is
    gone: a later look says so, or the incident is `closed`. `ending` ends all findings before it.
    """
    trigger, look = retraining.decided, drift.decided
    if trigger is not None and trigger.verdict.finding:
        if closed and trigger.drift_alone and trigger.monitored:
            trigger = _over(trigger, "the drift has ended since")
        elif look is not None and _has_ended(trigger, look):
            trigger = None
    decided = [_after(one, ending) for one in (trigger, look) if one is not None]
    fired = [one for one in decided if one.finding and one.command == "retrain-check"]
    shown = max(fired or decided, key=lambda one: one.at, default=None)
    waiting = [one.undecided.verdict for one in (retraining, drift) if one.undecided is not None]
    later = max(waiting, key=lambda one: one.at, default=None)
    if shown is None:
        return later, None
    return shown, later if later is not None and later.at > shown.at else None


def _has_ended(trigger: SavedLook, look: SavedLook) -> bool:
    later = look.verdict.at > trigger.verdict.at
    return later and trigger.drift_alone and not look.verdict.finding


def _after(one: SavedLook, ending: Ending | None) -> SavedVerdict:
    if ending is None or not one.verdict.finding or ending.at <= one.verdict.at:
        return one.verdict
    return _over(one, ending.words).verdict


def _over(one: SavedLook, why: str) -> SavedLook:
    over = replace(one.verdict, finding=False, verdict=f"{one.verdict.verdict}, but {why}")
    return replace(one, verdict=over)


def _drift_look(entry: Mapping[str, Any], at: datetime) -> SavedLook:
    drifted = entry.get("drift_detected")
    if not isinstance(drifted, bool):
        raise DataError("does not say whether there is drift")
    said = entry.get("verdict") or ("drift" if drifted else "stable")
    verdict = SavedVerdict(command="drift", verdict=str(said), finding=drifted, at=at)
    return SavedLook(verdict=verdict, decided=drifted or said != "no verdict")


def _retraining_look(entry: Mapping[str, Any], at: datetime) -> SavedLook:
    fired = entry.get("triggered")
    if not isinstance(fired, bool):
        raise DataError("does not say whether a trigger fired")
    decided = fired or entry.get("decided") is not False
    causes = [name for name in _CAUSES if entry.get(name) is True]
    due = fired or (decided and entry.get("min_samples_met") is True and bool(causes))
    said = "retraining recommended" if due else "no retraining needed" if decided else "no verdict"
    rules = entry.get("rules")
    names = [one.get("name") for one in rules if isinstance(one, dict)] if isinstance(rules, list) else []
    return SavedLook(
        verdict=SavedVerdict(command="retrain-check", verdict=said, finding=due, at=at),
        decided=decided,
        repeated=due and not fired,
        drift_alone=causes == [_DRIFT],
        monitored=_MONITOR_RULE in names,
    )
