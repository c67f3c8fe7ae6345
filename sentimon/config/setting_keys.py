"""Check one value against its setting: does the key exist, is the type right, is the value in range."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, get_type_hints

import msgspec

from sentimon.config.ranges import allowed, is_text, rules_of
from sentimon.config.settings import Settings
from sentimon.errors import ConfigError
from sentimon.labels import ALIASES, places_named

_DEFAULTS = Settings()
SECTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {name: type(getattr(_DEFAULTS, name)) for name in Settings.__struct_fields__}
)


def setting_keys() -> list[str]:
    """Return every key, as `section.name`, in the order of the schema."""
    return [f"{section}.{name}" for section, kind in SECTIONS.items() for name in kind.__struct_fields__]


def setting_type(key: str) -> Any:
    """Return the annotation of a key such as `drift.threshold`: its type, range and description."""
    section, _, name = key.partition(".")
    return _types(section)[name]


@cache
def _types(section: str) -> dict[str, Any]:
    # Evaluated only when a key of the section is set, so that a start without settings is not slower.
    return get_type_hints(SECTIONS[section], include_extras=True)


def read_text(key: str, text: str) -> Any:
    """Return the value that `text`, from the environment, has for `key`: it is read as TOML.

    So `0.2`, `true` and plain words all work; for a key that holds text it is the text itself.
    """
    if key not in setting_keys() or is_text(setting_type(key)):
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
    kind = setting_type(key)
    try:
        found = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _refused(key, value, origin) from error
    if not all(rule.holds(found) for rule in rules_of(kind)):
        raise _refused(key, value, origin)
    return found


def _refused(key: str, value: Any, origin: str) -> ConfigError:
    from sentimon.config.secrets import shown_value

    shown = shown_value(key, value)
    hint = f"{key} is {allowed(setting_type(key))}"
    return ConfigError(f"{origin}: {key} = {shown!r:.60} is not allowed", hint=hint)


def unknown_key(key: str, origin: str, known: Sequence[str]) -> ConfigError:
    """Return the error for a key that does not exist, with the nearest one that does."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"`sentimon config` lists all keys: {', '.join(known)}"
    return ConfigError(f"{origin}: unknown key {key}", hint=hint)


def check_names(names: tuple[str, str, str]) -> None:
    """Raise ConfigError unless the display names differ and none is a known name of another class.

    Raises:
        ConfigError: two are the same, or one is a known name of another class.
    """
    shown = [name for name in names if name]
    if len({name.strip().lower() for name in shown}) != len(shown):
        raise ConfigError(
            f"[labels] names two classes alike: {', '.join(shown)}", hint="give each its own name"
        )
    for place in places_named(names):
        name = names[place]
        known = ALIASES.get(name.strip().lower(), place)
        if known is not place:
            raise ConfigError(
                f"[labels] calls {place.label} {name!r}", hint=f"{name} is a name of {known.label}"
            )
