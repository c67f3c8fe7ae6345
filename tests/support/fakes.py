"""Models that a worker of a cluster can load, made to fail."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from sentimon.config.settings import EngineSettings
from sentimon.engine.ray_cluster import connected
from sentimon.engine.ray_scoring import RayWorkerPool
from sentimon.engine.work_dispatch import share_out
from sentimon.errors import ModelError, SentimonError
from sentimon.scoring.batch_scoring import UnscorableText
from sentimon.scoring.scores import ScoredText, Scores

DEADLY = "deadly"


class Fake:
    """Counts characters; a deadly text ends the process."""

    model = "fake"

    def __init__(self, revision: str) -> None:
        self.revision = revision

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        if DEADLY in texts:
            os.kill(os.getpid(), signal.SIGKILL)
        scores = Scores.from_probabilities([0.25, 0.25, 0.5])
        return [ScoredText(scores=scores, tokens=len(text), truncated=False) for text in texts]


class Slow(Fake):
    """Takes so long that others are ready, too."""

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        time.sleep(1)
        return super().score(texts)


def load(how: str) -> Fake:
    if how == "missing":
        raise ModelError("/models/x: no such model", hint="name another")
    if how == "differs":
        return Slow(str(os.getpid()))
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return Fake("1")


def score(address: str, how: str, texts: list[str], chunk_texts: int) -> list[Any]:
    """What each text became: its tokens, or the reason why it has none."""
    with connected(EngineSettings(address=address, workers=2)) as cluster:
        say = partial(print, file=sys.stderr)
        pool = RayWorkerPool(cluster, partial(load, how), threads=1, model="fake", say=say)
        try:
            ((_, answers),) = share_out(pool, [texts], list, chunk_texts=chunk_texts)
        finally:
            pool.dismiss()
    return [one.reason if isinstance(one, UnscorableText) else one.tokens for one in answers.answers]


def main() -> None:
    """Score a thousand texts on the cluster at an address, and print what has become of them."""
    address, how, *deadly = sys.argv[1:]
    texts = ["x" * (1 + number % 7) for number in range(1000)]
    for number in map(int, deadly):
        texts[number] = DEADLY
    try:
        print(score(address, how, texts, chunk_texts=100))
    except SentimonError as error:
        print(f"{type(error).__name__}: {error.message}")


if __name__ == "__main__":
    main()
