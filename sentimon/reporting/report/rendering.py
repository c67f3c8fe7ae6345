"""A story as one HTML or Markdown file.

Each text of a story is a `str` and becomes `Markup` through `safe` or `plain` alone, which cut it, make it
visible and escape it; a name, a title or a word of ours goes the same way.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NewType

from sentimon.reporting.plain_text import visible
from sentimon.reporting.report.blocks import (
    Block,
    Chart,
    Column,
    Key,
    Paragraph,
    Section,
    Status,
    Story,
    Table,
)
from sentimon.reporting.report.svg import escaped

STYLE = Path(__file__).with_name("report.css")
LONGEST = 500
"""Characters of a name or a cell that are shown; a longer one is cut, and the reader is told."""
LONGEST_PROSE = 5_000
"""The same for sentences: they are ours, but can contain names that a user chose."""
_RANGE = re.compile(r"\[[+-]?\d+\.\d+, [+-]?\d+\.\d+\]")
_MARKS = re.compile(r"([\\`*_\[\]|~$]|(?<=[wW])\.|:(?=//))")
_AT_START = re.compile(r"^\s*([-+#=]|\d+(?=[.)]\s))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ROUND_KEYS = ("mark", "weak")
_LINE_KEYS = ("limit", "before", "now", "line", "known")
_POINT_KEYS = ("before", "now")

Markup = NewType("Markup", str)
"""What needs no more escaping."""


def to_html(story: Story) -> str:
    """Return the HTML file. A content security policy in its head forbids it to fetch or run anything."""
    return "".join([*_head(story), *_top(story), *_contents(story)])


def to_markdown(story: Story) -> str:
    """Return the Markdown file: the same words and tables, with a sentence in place of each drawing."""
    return "".join(_markdown_parts(story))


def safe(text: str, *, most: int = LONGEST) -> Markup:
    r"""Return HTML that shows a text as itself and runs nothing.

    >>> print(safe("<b>&" + chr(27)))
    &lt;b&gt;&amp;\x1b
    """
    return Markup(escaped(clipped(text, most)))


def plain(text: str, *, most: int = LONGEST) -> Markup:
    r"""Return Markdown that shows a text as itself: it makes no markup, no link, no cell and no line.

    >>> print(plain("a|b <i>*c*"))
    a\|b &lt;i&gt;\*c\*
    """
    return Markup(_MARKS.sub(r"\\\1", visible(clipped(text, most)).translate(_ENTITIES)))


def clipped(text: str, most: int) -> str:
    """Return a text, or its first `most` characters and how many there are."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def _prose(text: str) -> Markup:
    return safe(text, most=LONGEST_PROSE)


def _head(story: Story) -> Iterator[str]:
    style = STYLE.read_text(encoding="utf-8")
    style_hash = binascii.b2a_base64(hashlib.sha256(style.encode()).digest(), newline=False).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{safe(story.verdict.word)}: {safe(story.title)}</title>\n"
    yield f"<style>{style}</style>\n</head>\n"


def _top(story: Story) -> Iterator[str]:
    """Yield what stands above the sections: the verdict, what to do, the answers, and the contents."""
    verdict = story.verdict
    yield '<body>\n<a class="skip" href="#content">To the content</a>\n<header>\n'
    yield f'<h1>{safe(story.title)}</h1>\n<p class="verdict {verdict.tone}">{safe(verdict.word)}</p>\n'
    yield f'<p class="said">{_prose(verdict.detail)}</p>\n'
    if story.facts:
        yield '<dl class="facts">\n'
        for fact in story.facts:
            yield f"<div><dt>{safe(fact.name)}</dt><dd>{_prose(fact.text)}</dd></div>\n"
        yield "</dl>\n"
    yield f'<p class="about">{_prose(story.about)}</p>\n'
    yield '<h2 id="now">What to do now</h2>\n<ol class="steps">\n'
    for step in story.steps:
        commands = "".join(f"<pre><code>{_prose(command)}</code></pre>" for command in step.commands)
        yield f"<li>{_prose(step.text)}{commands}</li>\n"
    yield '</ol>\n<dl class="answers">\n'
    yield from map(_answer, story.answers)
    links = "".join(f'<li><a href="#{one.name}">{safe(one.title)}</a></li>' for one in story.sections)
    yield f'</dl>\n<nav aria-label="Contents"><ul>{links}</ul></nav>\n</header>\n'


def _answer(status: Status) -> str:
    about: str = safe(status.about)
    if status.link:
        about = f'<a href="#{status.link}">{about}</a>'
    word, detail = safe(status.word), _prose(status.detail)
    return (
        f'<div class="{status.tone}"><dt>{about}</dt><dd class="word">{word}</dd>'
        f'<dd class="detail">{detail}</dd></div>\n'
    )


def _contents(story: Story) -> Iterator[str]:
    yield '<main id="content">\n'
    for section in story.sections:
        yield from _section(section)
    yield f"</main>\n<footer><p>{safe(story.footer)}</p></footer>\n</body>\n</html>\n"


def _section(section: Section) -> Iterator[str]:
    name = section.name
    yield f'<section id="{name}" aria-labelledby="{name}-title">\n'
    yield f'<h2 id="{name}-title">{safe(section.title)}</h2>\n'
    for block in section.blocks:
        yield from _block(block)
    yield "</section>\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"<p>{_prose(block.text)}</p>\n"
    elif isinstance(block, Chart):
        yield from _figure(block)
    else:
        yield from _table(block)


def _figure(chart: Chart) -> Iterator[str]:
    name, title, (width, height) = chart.name, safe(chart.title), chart.size
    labelled = f'aria-labelledby="{name}-chart {name}-told"'
    yield f'<figure class="{name}">\n<figcaption>{title}</figcaption>\n'
    yield f'<a class="skip" href="#{name}-end">Skip the marks of this chart</a>\n'
    yield f'<svg viewBox="0 0 {width} {height}" role="group" {labelled}>'
    yield f'<title id="{name}-chart">{title}</title>'
    # A drawing escapes its own labels.
    yield f'<desc id="{name}-told">{_prose(chart.described)}</desc>{chart.drawing}</svg>\n'
    yield f'<ul class="legend" id="{name}-end">{"".join(map(_key, chart.legend))}</ul>\n</figure>\n'


def _key(key: Key) -> str:
    """Return an entry of a legend: its mark as it is drawn, and what that means."""
    mark = key.mark
    if mark in _ROUND_KEYS:
        drawn = f'<circle class="{mark}" cx="12" cy="7" r="5"/>'
    elif mark in _LINE_KEYS:
        drawn = f'<line class="{mark}" x1="0" y1="7" x2="24" y2="7"/>'
    else:
        drawn = f'<rect class="{mark}" width="24" height="14"/>'
    if mark in _POINT_KEYS:
        drawn += f'<circle class="{mark} point" cx="12" cy="7" r="5"/>'
    return f'<li><svg viewBox="0 0 24 14" aria-hidden="true">{drawn}</svg>{safe(key.meaning)}</li>'


def _table(table: Table) -> Iterator[str]:
    caption = safe(table.caption)
    if table.folded:
        yield f"<details><summary>{caption}</summary>\n"
    yield f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">'
    yield f"<table><caption><span>{caption}</span></caption>\n<thead><tr>"
    for column in table.columns:
        yield f'<th scope="col"{_look(column)}>{safe(column.name)}</th>'
    yield "</tr></thead>\n<tbody>\n"
    yield from _rows(table)
    yield "</tbody></table></div>\n"
    if table.folded:
        yield "</details>\n"


def _look(column: Column) -> str:
    return ' class="number"' if column.numeric else ""


def _rows(table: Table) -> Iterator[str]:
    looks = [_look(column) for column in table.columns[1:]]
    for place, row in enumerate(table.rows):
        name, link = safe(row[0]), table.link(place)
        first = f'<a href="#{link}">{name}</a>' if link else name
        yield f'<tr><th scope="row">{first}</th>'
        yield "".join(f"<td{look}>{_figures(cell)}</td>" for look, cell in zip(looks, row[1:], strict=True))
        yield "</tr>\n"


def _figures(text: str) -> str:
    """Return a cell in HTML, with an interval kept on one line."""
    cell = safe(text)
    return _RANGE.sub(r'<span class="range">\g<0></span>', cell) if "[" in cell else cell


def _markdown_parts(story: Story) -> Iterator[str]:
    verdict = story.verdict
    yield f"# {plain(story.title)}\n\n**{plain(verdict.word)}.** {_plain_prose(verdict.detail)}\n\n"
    for fact in story.facts:
        yield f"**{plain(fact.name)}.** {_plain_prose(fact.text)}\n\n"
    yield f"{_paragraph(story.about)}\n\n## What to do now\n\n"
    for step in story.steps:
        yield f"{_paragraph(step.text)}\n\n"
        yield "".join(f"    {_code(command)}\n" for command in step.commands) + "\n"
    yield "| About | Answer | In words |\n| :--- | :--- | :--- |\n"
    for one in story.answers:
        yield _markdown_row([one.about, one.word, one.detail])
    yield "\n"
    for section in story.sections:
        yield f"## {plain(section.title)}\n\n"
        for block in section.blocks:
            yield from _markdown_block(block)
            yield "\n"
    yield f"{_paragraph(story.footer)}\n"


def _markdown_block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"{_paragraph(block.text)}\n"
    elif isinstance(block, Chart):
        yield f"**{plain(block.title)}.** {_plain_prose(block.described)}\n"
    else:
        yield f"**{plain(block.caption)}**\n\n"
        yield _markdown_row(column.name for column in block.columns)
        yield f"|{''.join(' ---: |' if column.numeric else ' :--- |' for column in block.columns)}\n"
        for row in block.rows:
            yield _markdown_row(row)


def _markdown_row(cells: Iterable[str]) -> str:
    return f"|{''.join(f' {plain(cell)} |' for cell in cells)}\n"


def _plain_prose(text: str) -> Markup:
    return plain(text, most=LONGEST_PROSE)


def _paragraph(text: str) -> str:
    """Return sentences in Markdown; a first character that would begin a heading or a list is an entity."""
    return _AT_START.sub(lambda found: f"&#{ord(found[1][0])};{found[1][1:]}", _plain_prose(text))


def _code(text: str) -> str:
    """Return a command for an indented block of Markdown, in which nothing is markup."""
    return visible(clipped(text, LONGEST_PROSE))
