"""How sentimon is set up: what `doctor` found, as a table and as JSON, and every setting with its origin."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sentimon.config.secrets import masked
from sentimon.reporting.plain_text import visible
from sentimon.reporting.table_style import new_table


class State(enum.StrEnum):
    """The state of a finding; a warning works now, but may fail later or do something unintended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


_STYLES = {State.OK: "green", State.WARNING: "bold yellow", State.FAILED: "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check of `doctor`."""

    name: str
    state: State
    says: str
    mend: str | None = None
    """How to fix it; None if there is nothing to fix."""


def good(name: str, says: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(name=name, state=State.OK, says=masked(says))


def warning(name: str, says: str, mend: str) -> Finding:
    """Return a finding that is a warning."""
    return Finding(name=name, state=State.WARNING, says=masked(says), mend=masked(mend))


def failed(name: str, says: str, mend: str | None) -> Finding:
    """Return a finding that is a failure."""
    return Finding(name=name, state=State.FAILED, says=masked(says), mend=mend and masked(mend))


def all_work(findings: Sequence[Finding]) -> bool:
    """Return whether no finding is a failure."""
    return all(one.state is not State.FAILED for one in findings)


def all_good(findings: Sequence[Finding]) -> bool:
    """Return whether there is nothing to mend, and nothing to look at."""
    return all(one.state is State.OK for one in findings)


def examination_table(findings: Sequence[Finding]) -> RenderableType:
    """Return the findings as a table, one line each."""
    table = new_table(
        "What sentimon needs", ("", "left"), ("State", "left"), ("Found", "left"), ("How to fix it", "left")
    )
    for one in findings:
        table.add_row(
            one.name,
            Text(one.state.value, style=_STYLES[one.state]),
            Text(visible(one.says), overflow="fold"),
            Text(visible(one.mend or ""), overflow="fold"),
        )
    return table


def examination_object(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return `ok`, and each finding with name, state, says and mend."""
    return {
        "ok": all_work(findings),
        "findings": [
            {"name": one.name, "state": one.state.value, "says": one.says, "mend": one.mend}
            for one in findings
        ],
    }


def settings_table(rows: Iterable[tuple[str, object, str]]) -> RenderableType:
    """Return every setting with its value and origin."""
    table = new_table("Settings", ("Key", "left"), ("Value", "left"), ("From", "left"))
    for key, value, origin in rows:
        table.add_row(
            key, Text(visible(_toml(value)), overflow="fold"), Text(visible(origin), overflow="fold")
        )
    return table


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
