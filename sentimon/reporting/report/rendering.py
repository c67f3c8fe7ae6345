"""A story as one HTML or Markdown file, made from the templates in `templates/`.

The environment of each format cuts, shows and escapes every text that a template writes, so that no template
can forget to.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from sentimon.reporting.plain_text import visible
from sentimon.reporting.report.blocks import Story, Table

TEMPLATES = Path(__file__).with_name("templates")
LONGEST = 500
"""Characters of a name or a cell that are shown; a longer one is cut, and the reader is told."""
LONGEST_PROSE = 5_000
"""The same for sentences: they are ours, but can contain names that a user chose."""
_RANGE = re.compile(r"\[[+-]?\d+\.\d+, [+-]?\d+\.\d+\]")
_MARKS = re.compile(r"([\\`*_\[\]|~$]|(?<=[wW])\.|:(?=//))")
_AT_START = re.compile(r"^\s*([-+#=]|\d+(?=[.)]\s))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Escape(Protocol):
    """Turn a text into markup that shows it as itself, or its first `most` characters."""

    def __call__(self, text: str, *, most: int = LONGEST) -> Markup:
        """Return the markup."""


def to_html(story: Story) -> str:
    """Return the HTML file. A content security policy in its head forbids it to fetch or run anything."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    style_hash = binascii.b2a_base64(hashlib.sha256(style.encode()).digest(), newline=False).decode()
    return _page_template().render(story=story, style=style, style_hash=style_hash)


def to_markdown(story: Story) -> str:
    """Return the Markdown file."""
    return _markdown_template().render(story=story)


def safe(text: str, *, most: int = LONGEST) -> Markup:
    r"""Return HTML that shows a text as itself and runs nothing.

    >>> print(safe("<b>&" + chr(27)))
    &lt;b&gt;&amp;\x1b
    """
    return escape(visible(clipped(text, most)))


def plain(text: str, *, most: int = LONGEST) -> Markup:
    r"""Return Markdown that shows a text as itself: it makes no markup, no link, no cell and no line.

    >>> print(plain("a|b <i>*c*"))
    a\|b &lt;i&gt;\*c\*
    """
    return _markup(_MARKS.sub(r"\\\1", visible(clipped(text, most)).translate(_ENTITIES)))


def clipped(text: str, most: int) -> str:
    """Return a text, or its first `most` characters and how many there are."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


@cache
def _page_template() -> Template:
    return _environment(safe, rows=_rows).get_template("report.html.j2")


@cache
def _markdown_template() -> Template:
    return _environment(plain, paragraph=_paragraph, code=_code).get_template("report.md.j2")


def _environment(markup: Escape, **filters: Callable[..., Markup]) -> Environment:
    """Return the environment in which each text goes through `markup`, and through `prose` uncut."""

    def finalize(value: object) -> object:
        return markup(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters, prose=partial(markup, most=LONGEST_PROSE))
    return environment


def _rows(table: Table) -> Markup:
    """Return the rows of a table in HTML; of thousands of cells a template would make a second."""
    looks = [' class="number"' if column.numeric else "" for column in table.columns[1:]]
    parts = []
    for place, row in enumerate(table.rows):
        name, link = str(safe(row[0])), table.link(place)
        name = f'<a href="#{link}">{name}</a>' if link else name
        parts.append(f'<tr><th scope="row">{name}</th>')
        parts += [f"<td{look}>{_figures(cell)}</td>" for look, cell in zip(looks, row[1:], strict=True)]
        parts.append("</tr>\n")
    return _markup("".join(parts))


def _figures(text: str) -> str:
    """Return a cell in HTML, with an interval kept on one line."""
    # As a plain text: parts of Markup would be escaped anew when they are joined.
    cell = str(safe(text))
    return _RANGE.sub(r'<span class="range">\g<0></span>', cell) if "[" in cell else cell


def _paragraph(text: str) -> Markup:
    """Return sentences in Markdown; a first character that would begin a heading or a list is an entity."""
    prose = str(plain(text, most=LONGEST_PROSE))
    return _markup(_AT_START.sub(lambda found: f"&#{ord(found[1][0])};{found[1][1:]}", prose))


def _code(text: str) -> Markup:
    """Return a command for an indented block of Markdown, in which nothing is markup."""
    return _markup(visible(clipped(text, LONGEST_PROSE)))


def _markup(escaped: str) -> Markup:
    """Return what has been escaped already, marked so that it is not escaped again."""
    return Markup(escaped)  # noqa: S704
