"""How work would be done, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import RenderableType


class PlannedWork(Protocol):
    """What is shown of a plan; see `sentimon.engine.plan`."""

    @property
    def work(self) -> str:
        """Return what there is to do."""

    @property
    def chunks(self) -> int:
        """Return how many pieces it is cut into."""

    @property
    def address(self) -> str:
        """Return where the cluster is; empty for none that runs."""

    @property
    def engine(self) -> str:
        """Return `local` or `ray`."""

    @property
    def workers(self) -> int:
        """Return how many work at once; 0 for all of a cluster."""

    @property
    def estimated_seconds(self) -> float | None:
        """Return how long it takes, about; None where nobody can know."""


def plan_table(plan: PlannedWork) -> RenderableType:
    """Return the plan for people: what, in how many pieces, where, and how long."""
    from sentimon.reporting.style import new_table

    table = new_table("What would be done", ("", "left"), ("", "left"))
    table.show_header = False
    seconds = plan.estimated_seconds
    where = "this machine" if plan.engine == "local" else f"Ray, {plan.address or 'started on this machine'}"
    for name, value in (
        ("Work", plan.work),
        ("Chunks", f"{plan.chunks:,}"),
        ("Where", where),
        ("Workers", f"{plan.workers:,}" if plan.workers else "one per CPU of the cluster"),
        ("Time", "unknown: it depends on the cluster" if seconds is None else f"about {seconds:,.1f} s"),
    ):
        table.add_row(name, value)
    return table
