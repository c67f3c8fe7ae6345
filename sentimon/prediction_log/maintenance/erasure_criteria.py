"""Whose data is to go: which rows, and which lines that are no rows, an erasure is about."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sentimon.errors import DataError
from sentimon.jsonl import well_formed
from sentimon.prediction_log.row_filter import foldings
from sentimon.timestamps import parse_moment

KEPT_FIELDS = ("timestamp", "sentiment", "confidence", "scores", "model", "revision", "truncated")
"""What an erased row keeps: all that the statistics need, and nothing of what was said or by whom."""
ERASED = "erased"
"""The field that tells when a row was erased."""
_UNSEARCHED = (*KEPT_FIELDS, "id", "text_hash")
"""Letters in a row in an identifier are chance, and would erase the rows of others."""
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What names the rows to erase; each value by itself is enough."""

    ids: frozenset[str]
    text_hashes: frozenset[str]
    contains: frozenset[str]
    """Texts to look for, as they were given."""
    foldings: frozenset[str]
    """The same as they are compared: without case, accented letters in one piece or as they were given."""

    @classmethod
    def of(
        cls, *, ids: Iterable[str] = (), text_hashes: Iterable[str] = (), contains: Iterable[str] = ()
    ) -> Criteria:
        """Return the criteria with these values, none of which is empty."""
        texts = frozenset(contains)
        return cls(
            ids=frozenset(ids),
            text_hashes=frozenset(text_hashes),
            contains=texts,
            foldings=frozenset(folding for text in texts for folding in foldings(text)),
        )

    @property
    def counts(self) -> dict[str, int]:
        """Return how many values there are of each kind; the values themselves are personal data."""
        return {"id": len(self.ids), "text_hash": len(self.text_hashes), "contains": len(self.contains)}

    def may_mean(self, readings: Collection[str]) -> bool:
        """Return False where a line that reads so cannot be meant, whatever its fields are; this is quick."""
        named = self.ids | self.text_hashes
        return any(name in one for one in readings for name in named) or self._in_any(readings)

    def mean_row(self, content: bytes) -> bool:
        """Return whether the good row with this content is meant."""
        try:
            fields = _fields_of(content)
        except RecursionError:
            # Too deep to be searched field by field: better a row too many than a name left behind.
            return self.may_mean(readings_of(content))
        return any(self._named(*field) for field in fields) or self._in_any(_searched(fields))

    def mean_line(self, readings: Collection[str]) -> bool:
        """Return whether a line that is no row and reads so is meant."""
        quoted = [f'"{name}"' for name in self.ids | self.text_hashes]
        numbers = [name for name in self.ids if name.isascii() and name.removeprefix("-").isdecimal()]
        return (
            any(name in one for one in readings for name in quoted)
            or any(re.search(rf'"id"\s*:\s*{name}(?![\w.])', one) for one in readings for name in numbers)
            or self._in_any(readings)
        )

    def _named(self, field: str, value: object) -> bool:
        if not isinstance(value, str):
            return False
        return (field == "id" and value in self.ids) or (field == "text_hash" and value in self.text_hashes)

    def _in_any(self, texts: Iterable[str]) -> bool:
        wanted = self.foldings
        return bool(wanted) and any(
            one in folding for text in texts for folding in foldings(text) for one in wanted
        )


def readings_of(line: bytes) -> list[str]:
    """Return the texts that a line may stand for, with the escapes of JSON resolved.

    What is no UTF-8 is also read as Latin-1, and what has zero bytes in it, as UTF-16 has, also without.
    """
    readings = []
    for content in {line, line.replace(b"\0", b"")}:
        try:
            readings.append(_unescaped(content.decode()))
        except UnicodeDecodeError:
            readings.append(_unescaped(content.decode(errors="replace")))
            readings.append(_unescaped(content.decode("latin-1")))
    return readings


class _Fields(list[tuple[str, Any]]):
    """An object of JSON with every field that was written, those that a later one hides, too."""


class _Number(str):
    """A number of JSON as it was written."""

    __slots__ = ()


def _fields_of(content: bytes) -> _Fields:
    fields = json.loads(content, object_pairs_hook=_Fields, parse_int=_Number, parse_float=_Number)
    return fields if isinstance(fields, _Fields) else _Fields()


def _searched(fields: _Fields) -> Iterator[str]:
    """Yield every text in a row that `--contains` looks into."""
    last = dict(fields)
    for name, value in fields:
        stays = name in _UNSEARCHED or (name == ERASED and _is_moment(value))
        # A field that a later one of the same name hides is still in the file.
        if not stays or value is not last[name]:
            yield from _texts_in(value)


def _texts_in(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Fields):
            for name, inner in one:
                waiting += [name, inner]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and not isinstance(one, _Number):
            yield one


def _is_moment(value: object) -> bool:
    try:
        parse_moment(str(value), None)
    except DataError:
        return False
    return True


def _unescaped(text: str) -> str:
    return well_formed(_ESCAPE.sub(_unescape, text)) if "\\" in text else text


def _unescape(found: re.Match[str]) -> str:
    code, letter = found.groups()
    return chr(int(code, 16)) if code else _ESCAPED.get(letter, letter)
