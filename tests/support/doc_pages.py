"""The pages of the manual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(
    r"(?:<!-- not run: (?P<why>[^\n]+) -->\n\n?)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of code; `why_not_run` is what the comment before it says, if there is one."""

    language: str
    text: str
    why_not_run: str | None


def blocks(page: str) -> Iterator[Block]:
    """The blocks of code of a page, in their order."""
    for found in _FENCE.finditer(page):
        yield Block(language=found["language"], text=found["text"], why_not_run=found["why"])


def masked(block: str) -> str:
    """A block with what may differ between machines made equal; exit codes may not."""
    codes = re.findall(r"\$ echo \$\?\n(\d+)\n", block)
    return " ".join([_without_digits(block), *codes])


def _without_digits(output: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[█▏▎▍▌▋▊▉▁▂▃▄▅▆▇]+", "", re.sub(r"\d+", "#", output))).strip()
