"""Texts scored on a Ray cluster, by workers that each load the model once."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

import sentimon
from sentimon.config.paths import expanded
from sentimon.config.settings import ModelSettings
from sentimon.engine.ray_cluster import Cluster
from sentimon.engine.ray_worker import Load, Worker, unpacked
from sentimon.engine.work_dispatch import AHEAD, ScoringTask, TaskScored, WorkerEnded, share_out
from sentimon.errors import EngineError, ModelError, SentimonError
from sentimon.labels import THREE, Classes
from sentimon.scoring.batch_scoring import Answers
from sentimon.scoring.scorer import load_scorer, model_name

B = TypeVar("B", bound=Sized)
Say = Callable[[str], None]

_PATIENCE_SECONDS = 10.0
"""How long nothing may happen before the cluster is looked at."""
_LONGEST_REASON = 200
_FAILED_STARTS = 3
"""Workers in a row that may end before they are ready."""


def score_on(
    cluster: Cluster,
    model: ModelSettings,
    batches: Iterable[B],
    texts: Callable[[B], list[str]],
    present: Classes = THREE,
    *,
    ordered: bool = True,
    say: Say,
) -> Iterator[tuple[B, Answers]]:
    """Yield each batch with its answers, scored by workers of the cluster.

    A worker that ends is replaced, and what it had in hand is done by another one.

    Raises:
        ModelError: a machine cannot load the model, or has another version of it than the others.
        EngineError: a machine has another sentimon, or no worker can be kept at work.
    """
    threads = max(1, int(cluster.settings.cpus_per_worker))
    settings = replace(model, name=_place_of(model), threads=threads)
    load = partial(load_scorer, settings, present=present)
    pool = RayWorkerPool(cluster, load, threads=threads, model=model_name(model), say=say)
    try:
        yield from share_out(pool, batches, texts, chunk_texts=cluster.settings.chunk_texts, ordered=ordered)
    finally:
        pool.dismiss()


def pool_size(cluster: Cluster) -> int:
    """Return how many scoring workers the cluster has room for, at least 1.

    Raises:
        EngineError: it has too few GPUs for one.
    """
    gpus = cluster.settings.gpus_per_worker
    if not gpus:
        return cluster.workers
    room = int(cluster.ray.cluster_resources().get("GPU", 0) / gpus)
    if not room:
        raise EngineError(
            "the cluster has too few GPUs for a worker", hint="lower engine.gpus_per_worker, or add machines"
        )
    return min(cluster.workers, room)


def _place_of(model: ModelSettings) -> str:
    """Return the name of the model as another process finds it: a folder by its path, links followed."""
    folder = expanded(model.name)
    return str(folder.resolve()) if model.name and folder.is_dir() else model.name


@dataclass(slots=True)
class _RemoteWorker:
    """A worker, seen from here."""

    handle: Any
    starting: Any
    """What will say that it is ready; None once it is."""
    tasks: deque[tuple[Any, ScoringTask]] = field(default_factory=deque)

    @property
    def awaited(self) -> Any:
        return self.starting or (self.tasks[0][0] if self.tasks else None)

    def has_room(self, *, alone: bool) -> bool:
        if self.starting or any(task.alone for _, task in self.tasks):
            return False
        return len(self.tasks) < (1 if alone else AHEAD)


class RayWorkerPool:
    """The workers of a cluster: each that ends is replaced by another."""

    def __init__(self, cluster: Cluster, load: Load, *, threads: int, model: str, say: Say) -> None:
        self.size = pool_size(cluster)
        self.model, self.revision = model, ""
        self._cluster, self._load, self._threads, self._say = cluster, load, threads, say
        self._failed_starts = self._waited = 0
        settings = cluster.settings
        self._remote = cluster.ray.remote(
            num_cpus=settings.cpus_per_worker, num_gpus=settings.gpus_per_worker, max_restarts=0
        )(Worker)
        self._workers = [self._hire() for _ in range(self.size)]

    def has_room(self, *, alone: bool) -> bool:
        """Return whether some worker may be given a task, or one that it must have alone."""
        return any(worker.has_room(alone=alone) for worker in self._workers)

    def give(self, task: ScoringTask) -> None:
        """Give it to the worker that has least in hand."""
        fit = [worker for worker in self._workers if worker.has_room(alone=task.alone)]
        worker = min(fit, key=lambda one: len(one.tasks))
        worker.tasks.append((worker.handle.score.remote(task.texts), task))

    def events(self) -> list[TaskScored | WorkerEnded]:
        """Return what has happened; wait a while for it."""
        awaited = {worker.awaited: worker for worker in self._workers if worker.awaited is not None}
        known, _ = self._cluster.ray.wait(list(awaited), num_returns=1, timeout=_PATIENCE_SECONDS)
        if not known:
            self._look_at_cluster()
        return [event for one in known for event in self._outcome(awaited[one])]

    def dismiss(self) -> None:
        """End all workers, whatever they are doing."""
        for worker in self._workers:
            self._end(worker)

    def _hire(self) -> _RemoteWorker:
        handle = self._remote.remote()
        return _RemoteWorker(handle, handle.load.remote(self._load, self._threads, sentimon.__version__))

    def _end(self, worker: _RemoteWorker) -> None:
        with contextlib.suppress(*self._cluster.failures()):
            self._cluster.ray.kill(worker.handle)

    def _outcome(self, worker: _RemoteWorker) -> list[TaskScored | WorkerEnded]:
        try:
            outcome = self._cluster.ray.get(worker.awaited)
        except self._cluster.ray.exceptions.RayTaskError:
            # An error of ours, not of the cluster.
            raise
        except self._cluster.failures() as error:
            return self._lost(worker, error)
        if isinstance(outcome, SentimonError):
            raise outcome
        self._waited = self._failed_starts = 0
        if worker.starting:
            self._check(outcome)
            worker.starting = None
            return []
        _, task = worker.tasks.popleft()
        return [TaskScored(task, unpacked(outcome))]

    def _check(self, revision: str) -> None:
        if self.revision not in ("", revision):
            raise ModelError(
                f"the machines of the cluster have different versions of {self.model}: "
                f"{self.revision} and {revision}",
                hint="put the same files on all of them, or pin one with --revision",
            )
        self.revision = revision

    def _lost(self, worker: _RemoteWorker, error: Exception) -> list[TaskScored | WorkerEnded]:
        self._end(worker)
        reason = _reason_of(error)
        if worker.starting:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                raise EngineError(
                    f"workers end before they are ready: {reason}",
                    hint="is sentimon installed on all machines, with memory enough for the model?",
                ) from error
        self._workers[self._workers.index(worker)] = self._hire()
        return [WorkerEnded(task, reason, blamed=not place) for place, (_, task) in enumerate(worker.tasks)]

    def _look_at_cluster(self) -> None:
        if any(not worker.starting for worker in self._workers):
            # A worker that is at work may be so for long.
            return
        self._waited += 1
        if self._waited == 1:
            self._say("waiting for a worker of the cluster")
            return
        cpus = self._cluster.ray.cluster_resources().get("CPU", 0)
        if cpus < (self._cluster.settings.cpus_per_worker or 1):
            raise EngineError(
                "the cluster has no machine left for a worker",
                hint="add machines, and run the same command again",
            )


def _reason_of(error: Exception) -> str:
    said = [line.strip() for line in str(error).split("\n") if line.strip()]
    return (said[0] if said else type(error).__name__)[:_LONGEST_REASON]
