"""Where the work of a command runs: in this process and its like, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.output import note

if TYPE_CHECKING:
    from sentimon.config.engine import EngineSettings
    from sentimon.logbook.rollup.parts import Part
    from sentimon.logbook.rollup.units import Unit

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="local|ray", help="Where long work runs; see [engine]. (default: local)"
    ),
]


def is_for_cluster(settings: EngineSettings, units: Sequence[Unit]) -> bool:
    """Return whether some units of the log are worth a cluster, where one is to be used at all."""
    from sentimon.logbook.rollup.units import size_of

    smallest = settings.smallest_megabytes << 20
    return settings.name != "local" and sum(size_of(unit) for unit in units) >= max(1, smallest)


def read_units(
    settings: EngineSettings, read: Callable[[Unit], list[Part]], units: Sequence[Unit]
) -> Iterator[list[Part]]:
    """Yield what `read` makes of each unit of the log, in order, where `[engine]` says that it is read.

    Less than `engine.smallest_megabytes` is read by this machine in any case.

    Raises:
        EngineError: the cluster cannot be used.
    """
    from sentimon.engine.processes import run_units

    if not is_for_cluster(settings, units):
        yield from run_units(read, units, workers=settings.workers)
        return
    from sentimon.engine.cluster import connected
    from sentimon.engine.reading import read_on

    with connected(settings) as cluster:
        yield from read_on(cluster, read, units, say=note)
