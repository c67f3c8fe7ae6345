"""Where the units of a log are read: by this machine, or by a cluster where that pays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.config.settings import EngineSettings
    from sentimon.prediction_log.index.packed_sums import PartialSum
    from sentimon.prediction_log.index.scan import ScanUnit, UnitReader


_LITTLE_BYTES = 1 << 20
"""Bytes that this process reads itself before another one has started."""


def is_for_cluster(settings: EngineSettings, units: Sequence[ScanUnit]) -> bool:
    """Return whether some units of the log are worth a cluster, where one is to be used at all."""
    from sentimon.prediction_log.index.scan import unit_bytes

    smallest = settings.smallest_megabytes << 20
    return settings.name != "local" and sum(unit_bytes(unit) for unit in units) >= max(1, smallest)


def read_units(
    settings: EngineSettings, read: UnitReader, units: Sequence[ScanUnit], *, say: Callable[[str], None]
) -> Iterator[Iterable[PartialSum]]:
    """Yield what `read` makes of each unit of the log, in order, where `[engine]` says that it is read.

    Less than `engine.smallest_megabytes` is read by this machine in any case.

    Raises:
        EngineError: the cluster cannot be used.
    """
    from sentimon.engine.local_processes import run_units
    from sentimon.prediction_log.index.scan import unit_bytes

    if not is_for_cluster(settings, units):
        little = sum(unit_bytes(unit) for unit in units) < _LITTLE_BYTES
        yield from run_units(read, units, workers=1 if little else settings.workers)
        return
    from sentimon.engine.ray_cluster import connected
    from sentimon.engine.ray_reading import read_on

    with connected(settings) as cluster:
        yield from read_on(cluster, read, units, say=say)
