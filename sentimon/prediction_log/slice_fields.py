"""The fields that divide the rows into slices, and the value that a row has of each.

A field is one of the row's own, by its dotted path (`channel`, `customer.country`), or one that is told from
the row: `@length`, `@script`, `@language`, `@model`.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Protocol, cast

import msgspec

from sentimon.errors import UsageError
from sentimon.extras import require

MISSING = "(missing)"
"""The value of a row without the field, or whose field is null."""
NESTED = "(nested)"
"""The value of a row whose field is an object or a list."""
UNKNOWN = "unknown"
"""The language of a text that it cannot be told from: one without letters, or too short."""
_LEAST_PROBABILITY = 0.5
"""Probability below which the likeliest language is UNKNOWN."""
_UNLIKELY = -700.0
"""Logarithm below which a number is as good as 0."""
EMPTY = "(empty)"
"""The value of a row whose field is an empty text."""
LONGEST_VALUE = 80
"""Characters of a value; longer ones that begin alike are one."""
_LENGTHS = (20, 50, 100, 280, 1000)
"""Characters at which the ranges of `@length` begin, after 0."""
_WHOLE = 2.0**53
"""Below it a float that is whole is shown as the whole number that other programs write."""
_LETTERS = 400
"""Characters of a text that its script is told from."""


class SlicedRow(Protocol):
    """What a row says of itself; a PredictionRecord is one, and the rows that are read in bulk are."""

    @property
    def text(self) -> str | None:
        """Return the text."""

    @property
    def model(self) -> str | None:
        """Return the name of the model."""

    @property
    def revision(self) -> str | None:
        """Return the revision of the model."""


def of_model(row: SlicedRow) -> str:
    """Return the model of a row, with its revision if it names one."""
    if not row.model:
        return MISSING
    return value_text(f"{row.model}@{row.revision}" if row.revision else row.model)


def of_length(row: SlicedRow) -> str:
    """Return the range that the number of characters of the text falls into.

    >>> from sentimon.prediction_log.slice_fields import length_range
    >>> length_range(0), length_range(19), length_range(20), length_range(5000)
    ('0-19', '0-19', '20-49', '1000+')
    """
    return MISSING if row.text is None else length_range(len(row.text))


@lru_cache(maxsize=4096)
def length_range(characters: int) -> str:
    """Return the range of `@length` that holds a number of characters."""
    begins = (0, *_LENGTHS)
    place = sum(characters >= begin for begin in begins) - 1
    return f"{begins[place]}+" if place == len(_LENGTHS) else f"{begins[place]}-{begins[place + 1] - 1}"


_RANGES = tuple(map(length_range, (0, *_LENGTHS)))


def of_script(row: SlicedRow) -> str:
    """Return the script that most letters of the text are of, such as `latin`."""
    if row.text is None:
        return MISSING
    if row.text.isascii():
        return "latin" if any(map(str.isalpha, row.text)) else "(no letters)"
    found = Counter(map(_script, filter(str.isalpha, row.text[:_LETTERS])))
    # Of two scripts with as many letters the first by name, so that the order of the text does not matter.
    return min(found, key=lambda name: (-found[name], name)) if found else "(no letters)"


def of_language(row: SlicedRow) -> str:
    """Return the language of the text as a code such as `it`; `unknown` where it cannot be told."""
    return MISSING if row.text is None else _language(row.text)


def _language(text: str) -> str:
    if not any(map(str.isalpha, text)):
        return UNKNOWN
    from py3langid import rank

    text = text[:_LETTERS]
    # The logarithms of how likely the text is in each language, the likeliest first. Letters in a row depend
    # on each other: divided by the root of their number these tell how often the likeliest is right.
    (language, best), *others = rank(text)
    scale = math.sqrt(len(text.encode(errors="surrogatepass")))
    odds = sum(math.exp(max((score - best) / scale, _UNLIKELY)) for _, score in others)
    return str(language) if 1 / (1 + odds) >= _LEAST_PROBABILITY else UNKNOWN


@cache
def _script(letter: str) -> str:
    # The name of a letter begins with its script: LATIN SMALL LETTER A, CJK UNIFIED IDEOGRAPH-4E00.
    first = unicodedata.name(letter, "OTHER").split()[0].split("-")[0].lower()
    return {"cjk": "han", "hiragana": "kana", "katakana": "kana"}.get(first, first)


DERIVED: Mapping[str, Callable[[SlicedRow], str]] = {
    "@language": of_language,
    "@length": of_length,
    "@model": of_model,
    "@script": of_script,
}
"""What is told from each row without a field of its own."""


def value_text(value: object) -> str:
    """Return the value of a field as text: that of a slice.

    >>> [value_text(one) for one in ("app", "", 3, 3.0, 2.5, True, None, [1], {"a": 1})]
    ['app', '(empty)', '3', '3', '2.5', 'true', '(missing)', '(nested)', '(nested)']
    """
    if isinstance(value, str):
        return (value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…") or EMPTY
    if value is None or value is msgspec.UNSET:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return str(int(value))
    return value_text(str(value)) if isinstance(value, int | float) else NESTED


class SliceField(msgspec.Struct, frozen=True):
    """One field that divides the rows, by its name as the settings give it."""

    name: str

    @property
    def derived(self) -> Callable[[SlicedRow], str] | None:
        """Return how it is told from a row; None for a field of the row's own."""
        return DERIVED.get(self.name)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of a row that it may lie under: its whole name, or its first part."""
        first, dot, _ = self.name.partition(".")
        return (self.name, first) if dot else (self.name,)

    def value(self, row: SlicedRow, others: Mapping[str, object]) -> str:
        """Return the value of a row, whose fields that are not ours are `others`, maybe as raw JSON."""
        if self.derived is not None:
            return self.derived(row)
        return value_text(_at_path(others, self.name))


class SliceCondition(msgspec.Struct, frozen=True):
    """A condition on a row: that it is of one slice."""

    field: SliceField
    value: str

    def holds(self, row: SlicedRow, others: Mapping[str, object]) -> bool:
        """Return whether a row, whose fields that are not ours are `others`, is of the slice."""
        return self.field.value(row, others) == self.value

    def __str__(self) -> str:
        """Return it as a user writes it."""
        return f"{self.field.name}={self.value}"


def _at_path(fields: Mapping[str, object], path: str) -> object:
    if path in fields:
        return _decoded(fields[path])
    first, dot, rest = path.partition(".")
    inner = _decoded(fields[first]) if dot and first in fields else None
    return _at_path(inner, rest) if isinstance(inner, dict) else None


def _decoded(value: object) -> object:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def field_values(others: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield (path, value) of the fields of a row that are not ours, those in an object one level deeper."""
    for name, content in others.items():
        value = _decoded(content)
        if not isinstance(value, dict):
            yield name, value_text(value)
            continue
        for inner, one in value.items():
            # A key with a dot in it is found by its whole name alone.
            if "." not in name and not isinstance(one, dict):
                yield f"{name}.{inner}", value_text(one)


def held_values(
    rows: Sequence[SlicedRow], field: SliceField, columns: Mapping[str, Sequence[object]]
) -> Sequence[str]:
    """Return for each row a text whose `value_text` is its value: mostly what it holds itself.

    `columns` holds what the rows have under each of the keys; UNSET in a row without it.
    """
    if field.derived is not None:
        return [field.derived(row) for row in rows]
    held, *first = (columns[key] for key in field.keys)
    if first:
        rest = field.name.partition(".")[2]
        held = [
            one if one is not msgspec.UNSET else (_at_path(other, rest) if isinstance(other, dict) else None)
            for one, other in zip(held, first[0], strict=True)
        ]
    if {*map(type, held)} == {str}:
        return cast(Sequence[str], held)
    return [value_text(one) for one in held]


def parse_conditions(texts: Iterable[str], *, origin: str) -> tuple[SliceCondition, ...]:
    """Return the conditions of some texts such as `channel=app`; `origin` is the option that gives them.

    Raises:
        UsageError: one is no condition, or its name is no field.
    """
    found: list[SliceCondition] = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            hint = "write FIELD=VALUE, such as channel=app or @length=0-19"
            raise UsageError(f"{origin}: {text!r:.60} names no value", hint=hint)
        (field,) = check_fields([name.strip()], origin=origin)
        if any(one.field == field for one in found):
            raise UsageError(
                f"{origin}: {field.name} is given twice", hint="no row has two values of a field"
            )
        if field.name == "@length" and value not in _RANGES:
            raise UsageError(
                f"{origin}: {value!r:.60} is no range of @length", hint=f"use {', '.join(_RANGES)}"
            )
        found.append(SliceCondition(field, value_text(value)))
    return tuple(found)


def check_fields(names: Iterable[str], *, origin: str) -> tuple[SliceField, ...]:
    """Return the fields of some names, each once; `origin` is the option or setting that gives them.

    Raises:
        UsageError: a name is no field that rows can be divided by.
        MissingPackageError: what tells the language is not installed.
    """
    from sentimon.config.segment_settings import field_fault

    found = []
    for name in dict.fromkeys(names):
        fault = field_fault(name)
        if fault:
            raise UsageError(f"{origin}: {fault[0]}", hint=fault[1])
        if name == "@language":
            require(f"{origin}: @language", "py3langid")
        found.append(SliceField(name))
    return tuple(found)
