"""A story as Markdown: the same words and tables, with a sentence in place of each drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sentimon.reporting.report.blocks import Block, Chart, Paragraph, Section, Story
from sentimon.reporting.report.html import LONGEST, LONGEST_PROSE, clipped
from sentimon.reporting.text import visible

_MARKS = re.compile(r"([\\`*_\[\]|~$]|(?<=[wW])\.|:(?=//))")
_AT_START = re.compile(r"^\s*([-+#=]|\d+(?=[.)]\s))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_markdown(story: Story) -> str:
    """Return the file; it ends with a newline."""
    verdict = story.verdict
    answers = [(one.about, one.word, one.detail) for one in story.answers]
    parts = [
        f"# {plain(story.title)}",
        f"**{plain(verdict.word)}.** {_prose(verdict.detail)}",
        _paragraph(story.about),
        _grid(("About", "Answer", "In words"), (False,) * 3, answers),
        *(part for section in story.sections for part in _section(section)),
        _paragraph(story.footer),
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: str, *, most: int = LONGEST) -> str:
    r"""Return a text that shows as itself: no markup, no link, no cell or line of its own.

    >>> plain("a|b <i>*c*")
    'a\\|b &lt;i&gt;\\*c\\*'
    """
    return _MARKS.sub(r"\\\1", visible(clipped(text, most)).translate(_ENTITIES))


def _prose(text: str) -> str:
    return plain(text, most=LONGEST_PROSE)


def _paragraph(text: str) -> str:
    # A line that begins so would be a heading or a list.
    return _AT_START.sub(lambda found: f"&#{ord(found[1][0])};{found[1][1:]}", _prose(text))


def _section(section: Section) -> Iterable[str]:
    yield f"## {plain(section.title)}"
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterable[str]:
    if isinstance(block, Paragraph):
        yield _paragraph(block.text)
    elif isinstance(block, Chart):
        yield f"**{plain(block.title)}.** {_prose(block.described)}"
    else:
        yield f"**{plain(block.caption)}**"
        columns = block.columns
        yield _grid([one.name for one in columns], [one.numeric for one in columns], block.rows)


def _grid(heads: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---:" if one else ":---" for one in numeric]
    lines = [[plain(one) for one in heads], rule, *([plain(one) for one in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
