"""The log read on a Ray cluster: tasks over byte ranges, their sums merged in a tree on the way here."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from msgspec.structs import replace

import sentimon
from sentimon.config.paths import on_objects
from sentimon.engine.ray_cluster import Cluster, named
from sentimon.errors import EngineError, SentimonError
from sentimon.prediction_log.append_chain import ANY_DEVICE
from sentimon.prediction_log.index.file_snapshot import LogChangedError, content_fingerprint, open_same_file
from sentimon.prediction_log.index.packed_sums import PartialSum
from sentimon.prediction_log.index.scan import UNIT_BYTES, ScanUnit, UnitReader, merge_partial_sums
from sentimon.timestamps import zone_rules

Say = Callable[[str], None]

FAN_IN = 8
"""Results that one task merges."""
BRANCH = FAN_IN * FAN_IN
"""Most reading tasks under one result that comes here."""
_AHEAD = 4
"""Reading tasks that wait or run, for each worker."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task could not read its part, and the machine that it ran on."""

    error: Exception
    machine: str


@dataclass(frozen=True, slots=True)
class _Branch:
    """Some units of one file, the tasks that read them, and the result of all."""

    chunks: list[list[ScanUnit]]
    leaves: list[Any]
    result: Any


def read_on(
    cluster: Cluster, read: UnitReader, units: Sequence[ScanUnit], *, say: Say
) -> Iterator[list[PartialSum]]:
    """Yield what `read` makes of each unit, in order, read by tasks of the cluster.

    Units of one file that were read together come gathered: nothing for each but the last, and all of it
    there. What a task cannot do, for its worker or its machine is lost again and again, is done here,
    and `say` is told; an exception of `read` comes out of here, too.

    Raises:
        EngineError: a machine of the cluster cannot read what this one can, or has another sentimon.
    """
    chunk = max(1, (cluster.settings.chunk_megabytes << 20) // UNIT_BYTES)
    waiting = deque(_branches(units, chunk))
    running: deque[_Branch] = deque()
    try:
        while waiting or running:
            while waiting and _leaves(running) < _AHEAD * cluster.workers:
                running.append(_submit(cluster, read, waiting.popleft()))
            branch = running.popleft()
            yield from ([] for _ in range(sum(map(len, branch.chunks)) - 1))
            yield _result(cluster, read, branch, say)
    finally:
        for branch in running:
            for leaf in branch.leaves:
                cluster.ray.cancel(leaf, force=True)


def _branches(units: Sequence[ScanUnit], chunk: int) -> Iterator[list[list[ScanUnit]]]:
    for _, run in groupby(units, key=lambda unit: unit.path):
        whole = list(run)
        chunks = [whole[place : place + chunk] for place in range(0, len(whole), chunk)]
        yield from (chunks[place : place + BRANCH] for place in range(0, len(chunks), BRANCH))


def _leaves(branches: Sequence[_Branch] | deque[_Branch]) -> int:
    return sum(len(branch.leaves) for branch in branches)


def _submit(cluster: Cluster, read: UnitReader, chunks: list[list[ScanUnit]]) -> _Branch:
    cpus = cluster.settings.cpus_per_worker
    reading = cluster.ray.remote(num_cpus=cpus, max_retries=3)(_read)
    # A merge takes milliseconds: it may run beside the readers.
    merging = cluster.ray.remote(num_cpus=0, max_retries=3)(_merge)
    rules = zone_rules(chunks[0][0].zone)
    # They are units of one file.
    mark = _mark(chunks[0][0])
    leaves = [
        reading.remote(read, [_anywhere(unit, mark) for unit in units], sentimon.__version__, rules)
        for units in chunks
    ]
    level = leaves
    while len(level) > 1:
        level = [merging.remote(*level[place : place + FAN_IN]) for place in range(0, len(level), FAN_IN)]
    return _Branch(chunks, leaves, level[0])


def _mark(unit: ScanUnit) -> str:
    """Return what another machine knows the file of a unit by: its number there says nothing by itself.

    Raises:
        MovedError: the file is not there any more.
        StoreError: it cannot be read.
    """
    if on_objects(unit.path):
        return ""
    with open_same_file(Path(unit.path), unit.state) as segment:
        return content_fingerprint(segment, unit.state.size)


def _anywhere(unit: ScanUnit, mark: str) -> ScanUnit:
    """Return the unit as another machine meets it: from another folder, on a device of another number."""
    if on_objects(unit.path):
        return unit
    path = str(Path(unit.path).absolute())
    return replace(unit, path=path, state=replace(unit.state, device=ANY_DEVICE), mark=mark)


def _result(cluster: Cluster, read: UnitReader, branch: _Branch, say: Say) -> list[PartialSum]:
    whole = _outcome(cluster, branch.result)
    if isinstance(whole, list):
        return whole
    parts = []
    for units, leaf in zip(branch.chunks, branch.leaves, strict=True):
        outcome = _outcome(cluster, leaf)
        parts.append(outcome if isinstance(outcome, list) else _read_here(read, units, outcome, say))
    return merge_partial_sums(parts)


def _outcome(cluster: Cluster, reference: Any) -> list[PartialSum] | Failure:
    try:
        outcome: list[PartialSum] | Failure = cluster.ray.get(reference)
    except cluster.failures() as error:
        return Failure(named(error), "the cluster")
    return outcome


def _read_here(read: UnitReader, units: list[ScanUnit], failure: Failure, say: Say) -> list[PartialSum]:
    """Do what a task failed to do; if that fails, too, its error says why."""
    if isinstance(failure.error, EngineError):
        raise failure.error
    parts = [list(read(unit)) for unit in units]
    path, reason = units[0].path, str(failure.error)
    if isinstance(failure.error, SentimonError | LogChangedError):
        raise EngineError(
            f"{failure.machine} does not read {path} as this machine does{f': {reason}' if reason else ''}",
            hint="let all machines see the log under the same path, or use --engine local",
        )
    say(f"a part of {path} was read here: {reason}")
    return merge_partial_sums(parts)


def _read(read: UnitReader, units: list[ScanUnit], version: str, rules: int) -> list[PartialSum] | Failure:
    machine = socket.gethostname()
    if version != sentimon.__version__:
        reason = f"{machine} has sentimon {sentimon.__version__}, this machine {version}"
        return Failure(EngineError(reason, hint="install the same version on all machines"), machine)
    if rules != zone_rules(units[0].zone):
        reason = f"{machine} reads timestamps without a time zone otherwise than this machine"
        return Failure(EngineError(reason, hint="set logs.naive_time_zone, and the same tzdata"), machine)
    try:
        return merge_partial_sums(read(unit) for unit in units)
    except (SentimonError, LogChangedError, OSError) as error:
        return Failure(error, machine)


def _merge(*outcomes: list[PartialSum] | Failure) -> list[PartialSum] | Failure:
    failed = next((one for one in outcomes if isinstance(one, Failure)), None)
    return failed or merge_partial_sums(one for one in outcomes if isinstance(one, list))
