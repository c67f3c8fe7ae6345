"""Which rows and bad lines an erasure is about: those with an id, a hash of a text, or a part of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sentimon.errors import DataError
from sentimon.jsonl import well_formed
from sentimon.prediction_log.row_filter import folded_forms
from sentimon.timestamps import parse_moment

KEPT_FIELDS = (
    "timestamp",
    "sentiment",
    "confidence",
    "scores",
    "model",
    "revision",
    "truncated",
    "unreadable",
)
"""The fields that an erased row keeps: all that the statistics need, nothing personal."""
ERASED = "erased"
"""The field with the time of the erasure."""
_UNSEARCHED = (*KEPT_FIELDS, "id", "text_hash")
"""Fields not searched for texts: a match in an identifier is chance, and would erase rows of others."""
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureCriteria:
    """Values that identify the rows to erase; a row that has any of them matches."""

    ids: frozenset[str]
    text_hashes: frozenset[str]
    contains: frozenset[str]
    """Texts to search for, as they were given."""
    folded_forms: frozenset[str]
    """The same texts in the forms that are compared; see `folded_forms`."""

    @classmethod
    def of(
        cls, *, ids: Iterable[str] = (), text_hashes: Iterable[str] = (), contains: Iterable[str] = ()
    ) -> ErasureCriteria:
        """Return the criteria with these values, none of which is empty."""
        texts = frozenset(contains)
        return cls(
            ids=frozenset(ids),
            text_hashes=frozenset(text_hashes),
            contains=texts,
            folded_forms=frozenset(folding for text in texts for folding in folded_forms(text)),
        )

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of values of each kind; the values themselves are personal data."""
        return {"id": len(self.ids), "text_hash": len(self.text_hashes), "contains": len(self.contains)}

    def may_match(self, texts: Collection[str]) -> bool:
        """Return False if a line with these possible texts cannot match in any field; this is quick."""
        named = self.ids | self.text_hashes
        return any(name in one for one in texts for name in named) or self._in_any(texts)

    def matches_row(self, content: bytes) -> bool:
        """Return whether a good row with this content matches."""
        try:
            fields = _fields_of(content)
        except RecursionError:
            # Nested too deeply to be searched field by field: better erase a row too many than miss one.
            return self.may_match(possible_texts(content))
        return any(self._named(*field) for field in fields) or self._in_any(_searched(fields))

    def matches_line(self, texts: Collection[str]) -> bool:
        """Return whether a bad line with these possible texts matches."""
        quoted = [f'"{name}"' for name in self.ids | self.text_hashes]
        numbers = [name for name in self.ids if name.isascii() and name.removeprefix("-").isdecimal()]
        return (
            any(name in one for one in texts for name in quoted)
            or any(re.search(rf'"id"\s*:\s*{name}(?![\w.])', one) for one in texts for name in numbers)
            or self._in_any(texts)
        )

    def _named(self, field: str, value: object) -> bool:
        if not isinstance(value, str):
            return False
        return (field == "id" and value in self.ids) or (field == "text_hash" and value in self.text_hashes)

    def _in_any(self, texts: Iterable[str]) -> bool:
        wanted = self.folded_forms
        return bool(wanted) and any(
            one in folding for text in texts for folding in folded_forms(text) for one in wanted
        )


def possible_texts(line: bytes) -> list[str]:
    """Return the texts that a line may mean, with the escapes of JSON resolved.

    A line that is not UTF-8 is also read as Latin-1; one with zero bytes, as in UTF-16, also without them.
    """
    texts = []
    for content in {line, line.replace(b"\0", b"")}:
        try:
            texts.append(_unescaped(content.decode()))
        except UnicodeDecodeError:
            texts.append(_unescaped(content.decode(errors="replace")))
            texts.append(_unescaped(content.decode("latin-1")))
    return texts


class _Fields(list[tuple[str, Any]]):
    """An object of JSON with every field that was written, even if a later field has the same name."""


class _Number(str):
    """A number of JSON as it was written."""

    __slots__ = ()


def _fields_of(content: bytes) -> _Fields:
    fields = json.loads(content, object_pairs_hook=_Fields, parse_int=_Number, parse_float=_Number)
    return fields if isinstance(fields, _Fields) else _Fields()


def _searched(fields: _Fields) -> Iterator[str]:
    """Yield every text of a row that `--contains` searches."""
    last = dict(fields)
    for name, value in fields:
        stays = name in _UNSEARCHED or (name == ERASED and _is_moment(value))
        # A field that is hidden by a later one of the same name is still in the file.
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
