"""What runs on the machines of a cluster to score texts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence

import msgspec

import sentimon
from sentimon.errors import EngineError, SentimonError
from sentimon.scoring.scorer import Scorer
from sentimon.scoring.scores import ScoredText

Load = Callable[[], Scorer]

_encode = msgspec.msgpack.Encoder().encode
unpacked: Callable[[bytes], list[ScoredText]] = msgspec.msgpack.Decoder(list[ScoredText]).decode


class Worker:
    """What runs on the cluster: a process with the model in it; what fails is told, not raised."""

    def __init__(self) -> None:
        self._scorer: Scorer | None = None

    def load(self, load: Load, threads: int, version: str) -> str | SentimonError:
        """Load the model, and return its revision, or why that cannot be."""
        machine = socket.gethostname()
        if version != sentimon.__version__:
            return EngineError(
                f"{machine} has sentimon {sentimon.__version__}, this machine {version}",
                hint="install the same version on all machines",
            )
        # Tokenizers would take all cores.
        os.environ["RAYON_NUM_THREADS"] = str(threads)
        try:
            self._scorer = load()
        except SentimonError as error:
            return _told_by(machine, error)
        except ImportError as error:
            return EngineError(
                f"{machine} lacks {error.name}", hint="install sentimon and what it needs on all machines"
            )
        return self._scorer.revision

    def score(self, texts: Sequence[str]) -> bytes | SentimonError:
        """Return the scores of the texts, packed, or why there are none."""
        if self._scorer is None:
            raise AssertionError("scores nothing before it has loaded the model")
        try:
            return _encode(self._scorer.score(texts))
        except SentimonError as error:
            return _told_by(socket.gethostname(), error)


def _told_by(machine: str, error: SentimonError) -> SentimonError:
    return type(error)(f"on {machine}: {error.message}", hint=error.hint)
