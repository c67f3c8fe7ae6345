"""Texts scored where `[engine]` says: in this process, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain

from sentimon.config.settings import EngineSettings, Settings
from sentimon.scoring.batch_scoring import Answers, Batch, score_here
from sentimon.scoring.scorer import Scorer, load_scorer

_MOST_HELD = 16_000_000
"""Characters that are held to learn whether there is enough to score for a cluster."""
Say = Callable[[str], None]


def chunk_texts(settings: Settings) -> int:
    """Return how many texts are scored at once."""
    return settings.model.buffer_size if settings.engine.name == "local" else settings.engine.chunk_texts


def score_batches(
    settings: Settings, batches: Iterable[Batch], *, ordered: bool = True, say: Say
) -> Iterator[tuple[Batch, Answers]]:
    """Yield each batch with what the model in force says about its texts.

    Fewer than `engine.smallest_texts`, and what few there are among rows that bring their scores, are
    scored in this process in any case. Only a cluster gives batches out of order, where they need not be
    `ordered`.

    Raises:
        ModelError: the model cannot be loaded.
        EngineError: the cluster cannot be used.
    """

    @cache
    def load() -> Scorer:
        return load_scorer(settings.model, present=settings.labels.present, say=say)

    rest, size = iter(batches), chunk_texts(settings)
    while settings.engine.name == "ray":
        held, enough = _first_batches(rest, settings.engine.smallest_texts)
        if enough:
            yield from _score_on_cluster(settings, chain(held, rest), ordered=ordered, say=say)
            return
        if not held:
            return
        yield from score_here(load, held, chunk_texts=size)
    yield from score_here(load, rest, chunk_texts=size)


def _first_batches(batches: Iterator[Batch], smallest: int) -> tuple[list[Batch], bool]:
    """Return the first batches, and whether they hold enough texts for a cluster."""
    held: list[Batch] = []
    rows = texts = characters = 0
    for batch in batches:
        held.append(batch)
        rows += len(batch)
        waiting = batch.texts
        texts += len(waiting)
        characters += sum(map(len, waiting))
        if rows >= smallest or characters >= _MOST_HELD:
            break
    return held, texts >= max(smallest, 1) or characters >= _MOST_HELD


def _score_on_cluster(
    settings: Settings, batches: Iterable[Batch], *, ordered: bool, say: Say
) -> Iterator[tuple[Batch, Answers]]:
    from sentimon.engine.ray_cluster import connected
    from sentimon.engine.ray_scoring import score_on

    with connected(settings.engine) as cluster:
        yield from score_on(
            cluster, settings.model, batches, _texts_of, settings.labels.present, ordered=ordered, say=say
        )


def _texts_of(batch: Batch) -> list[str]:
    return batch.texts


def place_of_work(
    settings: EngineSettings, *, on_cluster: bool, scoring: bool = False
) -> tuple[str, str, int]:
    """Return where some work is done, for people and by the name of the engine, and by how many workers.

    One process of this machine scores, with threads; several read. A cluster that runs is asked.
    """
    from sentimon.engine.local_processes import cores

    if not on_cluster:
        return "this machine", "local", 1 if scoring else settings.workers or cores()
    if not settings.address:
        return "a cluster started on this machine", "ray", settings.workers or cores()
    from sentimon.engine.ray_cluster import connected
    from sentimon.engine.ray_scoring import pool_size

    with connected(settings) as cluster:
        size = pool_size(cluster) if scoring else cluster.workers
        return f"the cluster at {settings.address}", "ray", size
