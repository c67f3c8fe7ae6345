"""Further fields of a row, as a program gives them: checked before anything is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sentimon.errors import DataError
from sentimon.jsonl import well_formed
from sentimon.prediction_log.record import CORE_FIELDS, OPTIONAL_FIELDS

_OURS = frozenset(CORE_FIELDS + OPTIONAL_FIELDS)
_DEEPEST = 32
"""Objects and lists in each other; deeper ones are mostly a value that holds itself."""
_WHOLE = range(-(2**63), 2**64)
"""Whole numbers that every reader of our rows can hold."""


def checked_extra(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return further fields of a row as plain JSON values.

    >>> checked_extra({"channel": "app", "customer": {"country": "it"}, "items": (1, 2.5, None)})
    {'channel': 'app', 'customer': {'country': 'it'}, 'items': [1, 2.5, None]}

    Raises:
        DataError: a name is one of our own fields or no text, or a value is none that JSON has.
    """
    if not isinstance(fields, Mapping):
        raise DataError(f"extra is not fields by name but {fields!r:.60}", hint='give {"channel": "app"}')
    for name in fields:
        if name in _OURS:
            raise DataError(
                f"extra: {name!r} is a field of sentimon's own",
                hint=f"choose another name than {', '.join(sorted(_OURS))}",
            )
    return {_name(name, "extra"): _plain(value, f"extra.{name}", 1) for name, value in fields.items()}


def _plain(value: object, path: str, depth: int) -> Any:
    """Return a value as JSON has it; `path` says where it stands."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return well_formed(str.__str__(value))
    if isinstance(value, int) and int(value) in _WHOLE:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth > _DEEPEST:
        raise DataError(f"{path[:60]}...: objects and lists lie more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        return {_name(key, path): _plain(one, f"{path}.{key}", depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, f"{path}[{place}]", depth + 1) for place, one in enumerate(value)]
    raise DataError(
        f"{path}: {value!r:.60} is no value that JSON has",
        hint="give text, a finite number, true or false, None, or lists and objects of these",
    )


def _name(key: object, path: str) -> str:
    if not isinstance(key, str) or not key:
        raise DataError(f"{path}: {key!r:.60} names no field", hint="give the name as text")
    return well_formed(str.__str__(key))
