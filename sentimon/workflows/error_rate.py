"""The error rate as a rule for retraining: computed anew only where labels came since."""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import astuple

from sentimon.errors import StoreError
from sentimon.files import MOST_SETTINGS, is_there, read_if_there
from sentimon.jsonl import decode_file, encode
from sentimon.monitoring.retraining_rules import RuleResult

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.workflows.workspace import Workspace

_KEPT = "error_rate.json"


class ErrorRateRules(msgspec.Struct, frozen=True, kw_only=True):
    """The error rate of all rows, and of the slices of declared fields, as rules; None without labels."""

    whole: RuleResult | None = None
    slices: RuleResult | None = None
    """That of the slice which is nearest to an alarm; None where no field is declared."""
    risen: tuple[str, ...] = ()
    """The slices whose error rate has risen, such as `channel=app`, the surest first."""


class _Known(msgspec.Struct, frozen=True):
    """A result, and what it follows from: it can be deleted at any time."""

    source: str
    rules: ErrorRateRules
    digest: str
    """Of both, so that what a disk, or another program, did to the file is noticed."""

    @classmethod
    def of(cls, source: str, rules: ErrorRateRules) -> _Known:
        """Return what is kept of a result."""
        return cls(source, rules, sha256(encode([source, msgspec.to_builtins(rules)])).hexdigest())


_decode_known = msgspec.json.Decoder(_Known).decode


def error_rate_rules(workspace: Workspace, baseline: Path) -> ErrorRateRules:
    """Return whether the error rate of the labelled rows, and of their slices, rose since `baseline`.

    Joining labels to the log reads all of it, and rows without a label change nothing: so the result is
    kept beside the log as long as labels, baseline and settings are the same.

    Raises:
        StoreError: the log, its labels or the baseline cannot be read.
    """
    from sentimon.gold_labels import LABELS_FILE
    from sentimon.prediction_log.durable_files import replace_file
    from sentimon.prediction_log.locks import STATE_FOLDER

    labels = workspace.folder / LABELS_FILE
    if not is_there(labels):
        return ErrorRateRules()
    if workspace.where:
        # What is kept is of the whole log.
        return _judge(workspace, baseline)
    source = _source(workspace, baseline)
    path = workspace.folder / STATE_FOLDER / _KEPT
    with contextlib.suppress(StoreError):
        content = read_if_there(path, most=MOST_SETTINGS) or b""
        known = decode_file(content, _decode_known, origin=str(path), what="known error rate", hint="")
        if known.source == source and known == _Known.of(known.source, known.rules):
            return known.rules
    rules = _judge(workspace, baseline)
    # Where it cannot be kept it costs time and nothing else.
    with contextlib.suppress(StoreError):
        replace_file(path, msgspec.json.encode(_Known.of(source, rules)))
    return rules


def _judge(workspace: Workspace, baseline: Path) -> ErrorRateRules:
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.log_labels import (
        judge_log,
        read_labels,
        risk_since_baseline,
        slice_risks_since_baseline,
    )

    book = read_labels(workspace)
    judged = judge_log(workspace, book, Period())
    slices = slice_risks_since_baseline(workspace, book, judged, baseline)
    return ErrorRateRules(
        whole=risk_since_baseline(workspace, book, judged, baseline).to_rule(),
        slices=None if slices is None else slices.to_rule(),
        risen=() if slices is None else tuple(one.name for one in slices.alarms),
    )


def _source(workspace: Workspace, baseline: Path) -> str:
    """Return what the result follows from, as text: labels, baseline, settings."""
    from sentimon.gold_labels import LABELS_FILE

    states = []
    for path in (workspace.folder / LABELS_FILE, baseline):
        with contextlib.suppress(FileNotFoundError):
            state = path.stat()
            states.append((state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
    asked = workspace.settings
    settings = astuple(asked.quality), asked.drift.confidence_level, asked.segments.fields
    return repr((states, settings, workspace.settings.logs.naive_time_zone))
