"""Where the work of a command runs: in this process and its like, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sentimon.cli.output import note

if TYPE_CHECKING:
    from sentimon.config import Settings
    from sentimon.config.settings import EngineSettings
    from sentimon.scoring.batch_scoring import Answers, Scoring
    from sentimon.scoring.scorer import Scorer

B = TypeVar("B", bound=Sized)
_MOST_HELD = 16_000_000
"""Characters that are held to learn whether there is enough to score for a cluster."""

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="local|ray", help="Where long work runs; see [engine]. (default: local)"
    ),
]


def chunk_texts(settings: Settings) -> int:
    """Return how many texts are scored at once."""
    return settings.model.buffer_size if settings.engine.name == "local" else settings.engine.chunk_texts


def scoring_of(settings: Settings, *, ordered: bool = True) -> Scoring:
    """Return the place where `[engine]` says that texts are scored.

    Fewer than `engine.smallest_texts`, and what few there are among rows that bring their scores, are
    scored in this process in any case. It raises ModelError and EngineError.
    """
    from sentimon.scoring.batch_scoring import score_here
    from sentimon.scoring.scorer import load_scorer

    @cache
    def load() -> Scorer:
        return load_scorer(settings.model)

    def score(batches: Iterable[B], texts: Callable[[B], list[str]]) -> Iterator[tuple[B, Answers]]:
        rest, size = iter(batches), chunk_texts(settings)
        while settings.engine.name == "ray":
            held, enough = _first(rest, texts, settings.engine.smallest_texts)
            if enough:
                yield from _on_cluster(settings, chain(held, rest), texts, ordered=ordered)
                return
            if not held:
                return
            yield from score_here(load, held, texts, chunk_texts=size)
        yield from score_here(load, rest, texts, chunk_texts=size)

    return score


def _first(batches: Iterator[B], texts: Callable[[B], list[str]], smallest: int) -> tuple[list[B], bool]:
    """Return the first batches, and whether they hold enough texts for a cluster."""
    held: list[B] = []
    rows = count = characters = 0
    for batch in batches:
        held.append(batch)
        rows += len(batch)
        waiting = texts(batch)
        count += len(waiting)
        characters += sum(map(len, waiting))
        if rows >= smallest or characters >= _MOST_HELD:
            break
    return held, count >= max(smallest, 1) or characters >= _MOST_HELD


def _on_cluster(
    settings: Settings, batches: Iterable[B], texts: Callable[[B], list[str]], *, ordered: bool
) -> Iterator[tuple[B, Answers]]:
    from sentimon.engine.ray_cluster import connected
    from sentimon.engine.ray_scoring import score_on

    with connected(settings.engine) as cluster:
        yield from score_on(cluster, settings.model, batches, texts, ordered=ordered, say=note)


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
    from sentimon.engine.ray_scoring import crew_size

    with connected(settings) as cluster:
        size = crew_size(cluster) if scoring else cluster.workers
        return f"the cluster at {settings.address}", "ray", size
