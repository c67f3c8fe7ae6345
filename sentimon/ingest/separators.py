"""Which character separates the cells of a table: told by its heading and its first rows together."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from itertools import islice

from sentimon.errors import DataError
from sentimon.ingest.peeked_stream import PIECE, PeekedStream

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_FIRST_ROWS = 50
TYPE_LINE = "#TYPE "
"""How the first line of a table begins that PowerShell 5 writes with Export-Csv; the heading follows."""
_DIRECTIVE = re.compile(r'\ufeff?"?sep=([^\r\n])"?[ \t]*[\r\n]*', re.IGNORECASE)


def directive(line: str) -> str | None:
    r"""Return the separator that Excel's first line `sep=;` names; None for any other line.

    >>> directive("sep=;\r\n"), directive("text;label\n")
    (';', None)
    """
    found = _DIRECTIVE.fullmatch(line)
    return found[1] if found else None


def likely_separator(stream: PeekedStream, path: str) -> str:
    """Return the separator under which heading and first rows have the same number of cells; else the comma.

    Raises:
        DataError: two separators fit equally well.
    """
    lines = _first_lines(stream, 1)
    marks = [mark for mark in SEPARATORS if _width(_rows(lines, mark)) > 1]
    if len(marks) > 1:
        # The rows decide; they may not have come yet.
        lines = _first_lines(stream, _FIRST_ROWS)
        marks = _best_of(lines, marks)
    if len(marks) > 1:
        both = " or a ".join(NAMES[mark] for mark in marks)
        raise DataError(
            f"{path}: its cells may be separated by a {both}: heading and rows fit both",
            hint="write sep=; (or sep=,) as its first line, or use --format tsv where it is the tab",
        )
    return marks[0] if marks else ","


def _best_of(lines: list[str], marks: list[str]) -> list[str]:
    fits = {mark: _fit(_rows(lines, mark)) for mark in marks}
    best = max(fits.values())
    return [mark for mark in marks if fits[mark] == best]


def _fit(rows: list[list[str]]) -> tuple[float, int]:
    """Return (the share of rows that are as wide as the heading, that width)."""
    width = _width(rows)
    wide = [len(row) == width for row in rows[1:]]
    return (sum(wide) / len(wide) if wide else 1.0), width


def _width(rows: list[list[str]]) -> int:
    return len(rows[0]) if rows else 0


def _rows(lines: list[str], mark: str) -> list[list[str]]:
    rows: list[list[str]] = []
    # A cell too long to look at: what came before it decides.
    with suppress(csv.Error):
        rows.extend(
            row
            for row in csv.reader(lines, delimiter=mark)
            if len(row) > 1 or "".join(row).strip("\ufeff \t")
        )
    return rows


def _first_lines(stream: PeekedStream, wanted: int) -> list[str]:
    """Return the first lines that are not blank, as far as the stream has brought them; at least `wanted`."""
    while _ends(stream.start()) < wanted and len(stream.held) < PIECE and stream.read_ahead():
        pass
    content = stream.start()
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    whole = lines if len(lines) == 1 or len(stream.held) < PIECE else lines[:-1]
    if whole[0].startswith(TYPE_LINE):
        whole = whole[1:]
    return [f"{line}\n" for line in islice(whole, _FIRST_ROWS)]


def _ends(content: bytes) -> int:
    return content.count(b"\n") or content.count(b"\r")
