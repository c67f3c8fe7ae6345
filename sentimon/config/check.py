"""One value against the key it is meant for: does the key exist, is the type right, is it in range."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from types import MappingProxyType
from typing import Any

from sentimon.config import settings as schema
from sentimon.config.rules import Rule
from sentimon.errors import ConfigError
from sentimon.labels import ALIASES, Sentiment

SECTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {one.name: type(getattr(schema.Settings(), one.name)) for one in fields(schema.Settings)}
)
_TYPES = MappingProxyType(
    {
        "str": ("text in quotes", str),
        "int": ("a whole number", int),
        "float": ("a number", float),
        "bool": ("true or false", bool),
        "Mapping[str, str]": ("a table", dict),
    }
)


def setting_keys() -> list[str]:
    """Return every key, as `section.name`, in the order of the schema."""
    return [f"{section}.{one.name}" for section, kind in SECTIONS.items() for one in fields(kind)]


def setting_of(key: str) -> Field[Any]:
    """Return the dataclass field behind a key such as `drift.threshold`."""
    section, _, name = key.partition(".")
    return next(one for one in fields(SECTIONS[section]) if one.name == name)


def read_text(key: str, text: str) -> Any:
    """Return what `text`, from the environment, says for `key`: read as TOML would read it.

    So `0.2`, `true` and plain words all work; for a key that holds text it is the text.
    """
    if key not in setting_keys() or setting_of(key).type == "str":
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def check_value(key: str, value: Any, origin: str) -> Any:
    """Return `value` as the key's own type.

    Raises:
        ConfigError: no such key, another type, or out of range.
    """
    if key not in setting_keys():
        raise unknown_key(key, origin, setting_keys())
    found = setting_of(key)
    says, kind = _TYPES[str(found.type)]
    rule: Rule | None = found.metadata["rule"]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else math.inf
    if kind is dict and isinstance(value, dict):
        fits = all(isinstance(one, str) for one in value.values())
    else:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits or (rule is not None and not rule.holds(value)):
        from sentimon.config.secrets import shown_value

        raise ConfigError(
            f"{origin}: {key} = {shown_value(key, value)!r:.60} is not allowed",
            hint=f"{key} is {rule.says if rule else says}",
        )
    return value


def unknown_key(key: str, origin: str, known: Sequence[str]) -> ConfigError:
    """Return the error for a key that does not exist, with the nearest one that does."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"`sentimon config` lists all keys: {', '.join(known)}"
    return ConfigError(f"{origin}: unknown key {key}", hint=hint)


def check_names(names: tuple[str, str, str]) -> None:
    """Do nothing where the three display names tell the classes apart.

    Raises:
        ConfigError: two are the same, or one is a known name of another class.
    """
    if len({name.strip().lower() for name in names}) != len(names):
        raise ConfigError(
            f"[labels] names two classes alike: {', '.join(names)}", hint="give each its own name"
        )
    for place, name in zip(Sentiment, names, strict=True):
        known = ALIASES.get(name.strip().lower(), place)
        if known is not place:
            raise ConfigError(
                f"[labels] calls {place.label} {name!r}", hint=f"{name} is a name of {known.label}"
            )
