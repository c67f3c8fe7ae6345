"""What the value of a setting must satisfy, and the words that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError
from sentimon.labels import parse_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a value must satisfy, and the words that say so."""

    says: str
    holds: Callable[[Any], bool]


def setting(default: Any, doc: str, rule: Rule | None = None) -> Any:
    """Return a dataclass field that carries the sentence and the rule of its setting."""
    metadata = {"doc": doc, "rule": rule}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def from_to(low: float, high: float) -> Rule:
    """Return the rule that a number lies in a range, its ends included."""
    return Rule(says=f"a number from {low:g} to {high:g}", holds=lambda value: low <= value <= high)


def at_least(low: int, *, most: int = 10**9) -> Rule:
    """Return the rule that a whole number lies in a range, its ends included."""
    return Rule(says=f"a whole number from {low} to {most}", holds=lambda value: low <= value <= most)


def one_of(*choices: str) -> Rule:
    """Return the rule that a text is one of some."""
    return Rule(says="one of " + ", ".join(choices), holds=lambda value: value in choices)


def _is_duration(value: str) -> bool:
    try:
        parse_duration(value)
    except DataError:
        return False
    return True


def _is_time_zone(value: str) -> bool:
    if value in ("local", "UTC"):
        return True
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(value) is not None
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False


def _is_webhook(value: str) -> bool:
    if not value:
        return True
    # Loaded only where one is set.
    from sentimon.config.webhook import is_webhook

    return is_webhook(value)


def _is_label_map(value: Mapping[str, str]) -> bool:
    try:
        return all(parse_label(label) is not None for label in value.values())
    except DataError:
        return False


DURATION = Rule(says="a duration such as 90s, 15m, 24h, 7d", holds=_is_duration)
SOME_TIME = Rule(
    says="a duration of at least 1s, such as 90s, 15m, 24h",
    holds=lambda value: _is_duration(value) and bool(parse_duration(value)),
)
TIME_ZONE = Rule(says="`local` or a time zone name such as UTC or Europe/Rome", holds=_is_time_zone)
WEBHOOK = Rule(
    says="a URL that begins with https://, or http:// to this machine, and names no user", holds=_is_webhook
)
LABEL_MAP = Rule(says="a table of labels, each negative, neutral or positive", holds=_is_label_map)
SHARE = from_to(0, 1)
PATH = Rule(says="a path", holds=lambda value: bool(value) and "\0" not in value)
PATH_OR_NONE = Rule(says="a path, or empty", holds=lambda value: "\0" not in value)
NAME = Rule(says="a name of 1 to 40 characters", holds=lambda value: 0 < len(value.strip()) <= 40)
