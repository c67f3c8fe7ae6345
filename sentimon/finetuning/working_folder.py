"""The folder in which a retraining works until its model is finished, and the files that it keeps there."""

from __future__ import annotations

from pathlib import Path

from sentimon.errors import StoreError

SUFFIX = ".part"
CHECKPOINT_FILE = "checkpoint.safetensors"
FINISHED = "finished"
WORKING_NAMES = (CHECKPOINT_FILE, "checkpoint.part", FINISHED)
"""What a run keeps in the folder that it works in; it removes them at the end."""


def check_output(output: Path) -> None:
    """Raise StoreError unless a model can be put at `output`: nothing is there, or an empty folder.

    Raises:
        StoreError: there is something.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise StoreError(f"{output}: is there already, and not empty", hint="name a new folder with --output")


def working_folder(output: Path) -> Path:
    """Return the folder beside `output` that keeps the checkpoint until the model is finished."""
    return output.with_name(output.name + SUFFIX)
