"""The error rate as a rule for retraining: computed anew only where labels came since."""

from __future__ import annotations

import contextlib
from dataclasses import astuple
from typing import TYPE_CHECKING

import msgspec

from sentimon.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.monitoring.retraining import RuleResult
    from sentimon.workflows.workspace import Workspace

_KEPT = "error_rate.json"


class _Known(msgspec.Struct, frozen=True):
    """A result, and what it follows from: it can be deleted at any time."""

    source: str
    rule: dict[str, float | int | str | bool | None]


def error_rate_rule(workspace: Workspace, baseline: Path) -> RuleResult | None:
    """Return whether the error rate of the labelled rows rose since `baseline`; None without labels.

    Joining labels to the log reads all of it, and rows without a label change nothing: so the result is
    kept beside the log as long as labels, baseline and settings are the same.

    Raises:
        StoreError: the log, its labels or the baseline cannot be read.
    """
    from sentimon.evaluation.late.book import LABELS_FILE
    from sentimon.logbook.files import replace_file
    from sentimon.logbook.locks import STATE_FOLDER
    from sentimon.monitoring.retraining import RuleResult

    labels = workspace.folder / LABELS_FILE
    if not labels.exists():
        return None
    source = _source(workspace, baseline)
    path = workspace.folder / STATE_FOLDER / _KEPT
    with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError, TypeError):
        known = msgspec.json.decode(path.read_bytes(), type=_Known)
        if known.source == source:
            return RuleResult(**known.rule)  # type: ignore[arg-type]
    rule = _judge(workspace, baseline)
    # Where it cannot be kept it costs time and nothing else.
    with contextlib.suppress(StoreError):
        replace_file(path, msgspec.json.encode(_Known(source, rule.to_dict())))
    return rule


def _judge(workspace: Workspace, baseline: Path) -> RuleResult:
    from sentimon.logbook.windows import Period
    from sentimon.workflows.labels import judge_log, read_labels, risk_since_baseline

    book = read_labels(workspace)
    return risk_since_baseline(workspace, book, judge_log(workspace, book, Period()), baseline).to_rule()


def _source(workspace: Workspace, baseline: Path) -> str:
    """Return what the result follows from, as text: labels, baseline, settings."""
    from sentimon.evaluation.late.book import LABELS_FILE

    states = []
    for path in (workspace.folder / LABELS_FILE, baseline):
        with contextlib.suppress(FileNotFoundError):
            state = path.stat()
            states.append((state.st_ino, state.st_size, state.st_mtime_ns))
    settings = astuple(workspace.settings.quality), workspace.settings.drift.confidence_level
    return repr((states, settings, workspace.settings.logs.naive_time_zone))
