"""Where a retraining puts its model, and where it works until then."""

from __future__ import annotations

from pathlib import Path

from sentimon.errors import StoreError

PART = ".part"
CHECKPOINT_FILE = "checkpoint.safetensors"
FINISHED = "finished"
PART_NAMES = (CHECKPOINT_FILE, "checkpoint.part", FINISHED)
"""What a run keeps in the folder that it works in, which it removes in the end."""


def check_output(output: Path) -> None:
    """Do nothing where a model can be put at `output`: nothing is there, or an empty folder.

    Raises:
        StoreError: there is something.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise StoreError(f"{output}: is there already, and not empty", hint="name a new folder with --output")


def part_of(output: Path) -> Path:
    """Return the folder beside `output` that a run works in."""
    return output.with_name(output.name + PART)
