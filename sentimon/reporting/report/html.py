"""A story as one HTML file that loads nothing: every text is escaped here, and only here."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence

from sentimon.reporting.report.blocks import Block, Chart, Key, Paragraph, Section, Status, Story, Table
from sentimon.reporting.report.look import STYLE
from sentimon.reporting.text import visible

LONGEST = 500
"""Characters of a text that are shown; what is longer is cut, and says so."""
LONGEST_PROSE = 5_000
"""The same of sentences, which are ours, but may name what a user named."""
_RANGE = re.compile(r"\[[+-]?\d+\.\d+, [+-]?\d+\.\d+\]")
_ALLOWED = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_ALLOWED}'; base-uri 'none'; form-action 'none'"
_LONG_MARKS = ("line", "limit", "before", "now")


def to_html(story: Story) -> str:
    """Return the file. Nothing in it is fetched or run: the policy in its head forbids both."""
    verdict, title = story.verdict, safe(story.title)
    links = "".join(f'<li><a href="#{one.name}">{safe(one.title)}</a></li>' for one in story.sections)
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{safe(verdict.word)}: {title}</title>\n<style>{STYLE}</style>\n</head>\n"
    )
    top = (
        f'<body>\n<a class="skip" href="#content">To the content</a>\n<header>\n<h1>{title}</h1>\n'
        f'<p class="verdict {verdict.tone}">{safe(verdict.word)}</p>\n'
        f'<p class="said">{_prose(verdict.detail)}</p>\n<p class="about">{_prose(story.about)}</p>\n'
        f'<dl class="answers">\n{"".join(map(_answer, story.answers))}</dl>\n'
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n</header>\n<main id="content">\n'
    )
    body = "".join(map(_section, story.sections))
    return f"{head}{top}{body}</main>\n<footer><p>{safe(story.footer)}</p></footer>\n</body>\n</html>\n"


def safe(text: str, *, most: int = LONGEST) -> str:
    r"""Return a text that shows as itself and does nothing; what is very long is cut.

    >>> safe("<b>&" + chr(27))
    '&lt;b&gt;&amp;\\x1b'
    """
    return html.escape(visible(clipped(text, most)))


def clipped(text: str, most: int) -> str:
    """Return a text, or the beginning of one that is longer than `most` characters."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def _prose(text: str) -> str:
    return safe(text, most=LONGEST_PROSE)


def _answer(status: Status) -> str:
    return (
        f'<div class="{status.tone}"><dt>{safe(status.about)}</dt><dd class="word">{safe(status.word)}</dd>'
        f'<dd class="detail">{_prose(status.detail)}</dd></div>\n'
    )


def _section(section: Section) -> str:
    name = f"{section.name}-title"
    blocks = "".join(map(_block, section.blocks))
    return (
        f'<section id="{section.name}" aria-labelledby="{name}">\n'
        f'<h2 id="{name}">{safe(section.title)}</h2>\n{blocks}</section>\n'
    )


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_prose(block.text)}</p>\n"
    return _chart(block) if isinstance(block, Chart) else _table(block)


def _chart(chart: Chart) -> str:
    width, height = chart.size
    title, told = f"{chart.name}-chart", f"{chart.name}-told"
    return (
        f'<figure class="{chart.name}">\n<figcaption>{safe(chart.title)}</figcaption>\n'
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{title} {told}">'
        f'<title id="{title}">{safe(chart.title)}</title><desc id="{told}">{_prose(chart.described)}</desc>'
        f'{chart.drawing}</svg>\n<ul class="legend">{"".join(map(_key, chart.legend))}</ul>\n</figure>\n'
    )


def _key(key: Key) -> str:
    shape = '<rect class="{}" width="24" height="14"/>'
    if key.mark in ("mark", "weak"):
        shape = '<circle class="{}" cx="12" cy="7" r="5"/>'
    elif key.mark in _LONG_MARKS:
        shape = '<line class="{}" x1="0" y1="7" x2="24" y2="7"/>'
    if key.mark in ("before", "now"):
        shape += '<circle class="{} point" cx="12" cy="7" r="5"/>'
    drawn = shape.replace("{}", key.mark)
    return f'<li><svg viewBox="0 0 24 14" aria-hidden="true">{drawn}</svg>{safe(key.meaning)}</li>'


def _table(table: Table) -> str:
    heads = "".join(
        f'<th scope="col"{_side(column.numeric)}>{safe(column.name)}</th>' for column in table.columns
    )
    rows = "".join(_row(table, row) for row in table.rows)
    caption = safe(table.caption)
    whole = (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"<caption><span>{caption}</span></caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>"
        "</table></div>\n"
    )
    return f"<details><summary>{caption}</summary>\n{whole}</details>\n" if table.folded else whole


def _row(table: Table, row: Sequence[str]) -> str:
    name, *cells = row
    rest = "".join(
        f"<td{_side(column.numeric)}>{_cell(cell)}</td>"
        for column, cell in zip(table.columns[1:], cells, strict=True)
    )
    return f'<tr><th scope="row">{safe(name)}</th>{rest}</tr>\n'


def _cell(text: str) -> str:
    shown = safe(text)
    return _RANGE.sub(r'<span class="range">\g<0></span>', shown) if "[" in shown else shown


def _side(numeric: bool) -> str:
    return ' class="number"' if numeric else ""
