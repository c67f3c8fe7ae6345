"""Processes that are waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

HOURS = 3600.0


def children_of(parent: int) -> set[int]:
    """The processes that a process started and that still exist, be it as zombies."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            status = state_of(int(folder.name))
            if status is not None and status[1] == parent:
                found.add(int(folder.name))
    return found


def state_of(process: int) -> tuple[str, int] | None:
    """(R, S, Z..., its parent) of a process; None where there is none."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = fields.rpartition(")")[2].split()[:2]
    return state, int(parent)


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for what must come; that it comes late on a busy machine is no failure."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def has_ended(process: int) -> bool:
    state = state_of(process)
    return state is None or state[0] in "ZX"
