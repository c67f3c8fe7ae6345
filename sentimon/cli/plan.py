"""`--dry-run` of the commands that read the log: what would be read, where, and how long it would take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

from sentimon.cli.engine import is_for_cluster
from sentimon.cli.options import flag
from sentimon.cli.output import leave, show, show_json
from sentimon.cli.session import Session
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from sentimon.engine.plan import Plan
    from sentimon.logbook.rollup.parts import Part
    from sentimon.logbook.rollup.units import Unit

DryRunFlag = Annotated[
    bool, flag("--dry-run", help="Say what would be read, where, and how long it takes; do nothing.")
]


class _PlannedError(Exception):
    """There is a plan; nothing is to be read."""


def show_reading_plan(session: Session, *, as_json: bool) -> NoReturn:
    """Show what a command would read of the log, and end it; the index stays as it is.

    A part is read, to know how long a part takes.
    """
    from dataclasses import asdict

    from sentimon.reporting.plan import plan_table

    plan = _plan(session)
    show_json(asdict(plan)) if as_json else show(plan_table(plan))
    leave(ExitCode.OK)


def _plan(session: Session) -> Plan:
    from sentimon.engine.plan import plan_reading

    units: list[Unit] = []
    seconds = 0.0

    def look(read: Callable[[Unit], list[Part]], found: Sequence[Unit]) -> NoReturn:
        nonlocal seconds
        units.extend(found)
        if units:
            begun = time.monotonic()
            read(min(units, key=lambda unit: unit.state.size if unit.end is None else unit.end - unit.begin))
            seconds = time.monotonic() - begun
        raise _PlannedError

    with contextlib.suppress(_PlannedError):
        session.index_read_by(look).ask(lambda _: None)
    settings = session.settings.engine
    return plan_reading(settings, units, seconds, on_cluster=is_for_cluster(settings, units))
