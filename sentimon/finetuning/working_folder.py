"""The folder in which a retraining works until its model is finished, and the files that it keeps there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sentimon.errors import StoreError
from sentimon.prediction_log.durable_files import errors_named
from sentimon.prediction_log.locks import only_one

SUFFIX = ".part"
CHECKPOINT_FILE = "checkpoint.safetensors"
FINISHED = "finished"
LOCK_FILE = "lock"
WORKING_NAMES = (CHECKPOINT_FILE, "checkpoint.part", FINISHED, LOCK_FILE)
"""What a run keeps in the folder that it works in; it removes them at the end."""


def check_output(output: Path) -> None:
    """Raise StoreError unless a model can be put at `output`: nothing is there, or an empty folder.

    Raises:
        StoreError: there is something.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise StoreError(f"{output}: is there already, and not empty", hint="name a new folder with --output")


@contextlib.contextmanager
def only_trainer(working: Path) -> Iterator[None]:
    """Be the only program that trains in the folder `working`, which is made if need be.

    Raises:
        StoreError: another one does, or the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with errors_named(working):
            alone = stack.enter_context(only_one(working / LOCK_FILE))
        if not alone:
            raise StoreError(
                f"{working}: another program is training there",
                hint="wait until it is done, or name another --output",
            )
        yield


def working_folder(output: Path) -> Path:
    """Return the folder beside `output` that keeps the checkpoint until the model is finished."""
    return output.with_name(output.name + SUFFIX)
