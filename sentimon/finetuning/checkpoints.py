"""The checkpoint file that a stopped training resumes from: replaced in one step, and bound to its run."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sentimon.errors import StoreError
from sentimon.files import NotOursError, open_own
from sentimon.finetuning.training_loop import EpochMetrics, TrainingState
from sentimon.finetuning.working_folder import CHECKPOINT_FILE

FACTS = "facts"
"""The key of the metadata that holds all but the tensors, as JSON."""


class _Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All of a checkpoint but the tensors."""

    run: str
    step: Annotated[int, msgspec.Meta(ge=0)]
    losses: list[float]
    passes: list[EpochMetrics]


@contextlib.contextmanager
def name_full_disk(path: Path) -> Iterator[None]:
    """Turn an operating system error of the block into one that names `path` and says how to resume.

    Raises:
        StoreError: instead of any OSError, and of what safetensors makes of one.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        hint = "make room on that disk; the same command then goes on from its last checkpoint"
        if isinstance(error, NotOursError):
            hint = "remove it; the same command then goes on from its last checkpoint"
        raise StoreError(f"{path}: cannot be written: {reason}", hint=hint) from error


def save_checkpoint(folder: Path, state: TrainingState, *, run: str) -> None:
    """Write the state of the run with the identifier `run` into `folder`, in one step.

    Raises:
        StoreError: it cannot be written, for instance on a full disk; an older one stays as it is.
    """
    tensors = {f"weights.{name}": value for name, value in state.weights.items()}
    tensors |= {f"average.{name}": value for name, value in state.average.items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    for name, (first, second) in state.moments.items():
        tensors |= {f"first.{name}": first, f"second.{name}": second}
    facts = _Facts(run=run, step=state.step, losses=state.losses, passes=state.epochs)
    # Not msgspec's JSON: a loss may be infinite.
    metadata = {FACTS: json.dumps(msgspec.to_builtins(facts))}
    content = save({name: value.contiguous() for name, value in tensors.items()}, metadata=metadata)
    path = folder / CHECKPOINT_FILE
    part = path.with_suffix(".part")
    with name_full_disk(path):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = open_own(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


def read_checkpoint(folder: Path, *, run: str) -> TrainingState | None:
    """Return the state that was saved in `folder`, or None if there is none.

    Raises:
        StoreError: it cannot be read, or is of another run.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = msgspec.convert(json.loads((file.metadata() or {})[FACTS]), _Facts)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        moments = {
            name: (first, tensors[f"second.{name}"])
            for name, first in _with_prefix(tensors, "first.").items()
        }
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{path}: cannot be read back: {error}", hint=f"remove {folder} to begin anew"
        ) from error
    if facts.run != run:
        raise StoreError(
            f"{folder} holds the checkpoint of another run: other rows, base or settings",
            hint="name another --output, or remove that folder to begin anew",
        )
    return TrainingState(
        step=facts.step,
        weights=_with_prefix(tensors, "weights."),
        average=_with_prefix(tensors, "average."),
        best=_with_prefix(tensors, "best."),
        moments=moments,
        epochs=facts.passes,
        losses=facts.losses,
    )


def _with_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
