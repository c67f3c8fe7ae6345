"""What an examination found: each thing with its state, what was seen, and how to mend it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sentimon.config.secrets import masked
from sentimon.reporting.style import new_table
from sentimon.reporting.text import visible


class State(enum.StrEnum):
    """How something is: a warning works, and may not for long, or not as it was meant."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


_STYLES = {State.OK: "green", State.WARNING: "bold yellow", State.FAILED: "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    says: str
    mend: str | None = None
    """What to do; None where there is nothing to do."""


def good(name: str, says: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(name=name, state=State.OK, says=masked(says))


def warning(name: str, says: str, mend: str) -> Finding:
    """Return the finding that something works, and may not for long."""
    return Finding(name=name, state=State.WARNING, says=masked(says), mend=masked(mend))


def failed(name: str, says: str, mend: str | None) -> Finding:
    """Return the finding that something does not work."""
    return Finding(name=name, state=State.FAILED, says=masked(says), mend=mend and masked(mend))


def all_work(findings: Sequence[Finding]) -> bool:
    """Return whether nothing has failed."""
    return all(one.state is not State.FAILED for one in findings)


def examination_table(findings: Sequence[Finding]) -> RenderableType:
    """Return the findings, a line each."""
    table = new_table(
        "Examination", ("", "left"), ("State", "left"), ("What was seen", "left"), ("How to mend it", "left")
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
    """Return whether nothing has failed, and each finding: name, state, says, mend."""
    return {
        "ok": all_work(findings),
        "findings": [
            {"name": one.name, "state": one.state.value, "says": one.says, "mend": one.mend}
            for one in findings
        ],
    }
