"""Golden text: what people see at several widths, with and without colour.

Run with SENTIMON_GOLDEN=write in the environment to write the files anew, then read the diff.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, RenderableType

GOLDEN = Path(__file__).parent.parent / "golden"
WIDTHS = (60, 80, 120)
_NUMBER = re.compile(r"[+-]?\d[\d.,]*\d|\d")


def printed(shown: RenderableType, width: int, *, colour: bool = False) -> str:
    """What a terminal of that width gets."""
    stream = io.StringIO()
    Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    ).print(shown)
    return stream.getvalue()


def check_narrow(make: Callable[[], RenderableType]) -> None:
    """No figure of it is lost or broken at 60 columns, and no line is longer; sentences are wrapped."""
    wide, narrow = printed(make(), 200), printed(make(), 60)
    assert set(_NUMBER.findall(wide)) <= set(_NUMBER.findall(narrow))
    assert all(cell_len(line) <= 60 for line in narrow.split("\n"))
    for line in narrow.split("\n"):
        if "  " in line.strip():
            assert line.count("[") == line.count("]"), line


def check_golden(name: str, text: str) -> None:
    """Compare with the golden file of that name; escapes are written so that people can read them."""
    lines = (line.rstrip() + "\n" for line in text.replace("\x1b", "␛").split("\n"))
    found = "".join(lines).rstrip("\n") + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("SENTIMON_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
