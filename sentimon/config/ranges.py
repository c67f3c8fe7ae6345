"""Types that several settings share, each with its range, and the words for what a type allows.

Types, limits and choices are checked by msgspec. A `Rule` in the annotation checks what msgspec cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Meta, Struct

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError
from sentimon.labels import parse_label

MOST = 10**9
"""The largest value of a whole number that has no limit of its own."""
_LONGEST_ADDRESS = 500
_WEB_ADDRESS = re.compile(r"https?://[^\s/<>\"`]+(/[^\s<>\"`]*)?", re.IGNORECASE)


class Rule(Struct, frozen=True, kw_only=True):
    """A condition on a value of the right type, and the words for it."""

    says: str
    holds: Callable[[Any], bool]


def allowed(kind: Any) -> str:
    """Return the words for what the annotation of a setting allows.

    >>> allowed(Share)
    'a number from 0 to 1'
    """
    base, notes = _parts(kind)
    for note in notes:
        if isinstance(note, Rule):
            return note.says
    if get_origin(base) is Literal:
        return "one of " + ", ".join(get_args(base))
    word = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}[base]
    limits = {name: getattr(note, name) for note in notes for name in ("ge", "le") if _has(note, name)}
    if not limits:
        return word
    low, high = (f"{limits[name]:g}" if base is float else str(limits[name]) for name in ("ge", "le"))
    return f"{word} from {low} to {high}"


def rules_of(kind: Any) -> list[Rule]:
    """Return the rules of the annotation of a setting, beyond what msgspec checks."""
    return [note for note in _parts(kind)[1] if isinstance(note, Rule)]


def description(kind: Any) -> str:
    """Return the description in the annotation of a setting."""
    return "".join(note.description or "" for note in _parts(kind)[1] if isinstance(note, Meta))


def is_text(kind: Any) -> bool:
    """Return whether the annotation of a setting is that of a text."""
    base, _ = _parts(kind)
    return base is str or get_origin(base) is Literal


def _parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return (get_args(kind)[0], kind.__metadata__) if get_origin(kind) is Annotated else (kind, ())


def _has(note: Any, name: str) -> bool:
    return isinstance(note, Meta) and getattr(note, name) is not None


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


def _is_report_address(value: str) -> bool:
    if not value.isprintable() or len(value) > _LONGEST_ADDRESS:
        return False
    return not value or value.startswith("/") or _WEB_ADDRESS.fullmatch(value) is not None


def _is_label_map(value: Mapping[str, str]) -> bool:
    try:
        return all(parse_label(label) is not None for label in value.values())
    except DataError:
        return False


def _has_no_nul(value: str) -> bool:
    return "\0" not in value


Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=MOST)]
CountOrZero = Annotated[int, Meta(ge=0, le=MOST)]
Duration = Annotated[str, Rule(says="a duration such as 90s, 15m, 24h, 7d", holds=_is_duration)]
PositiveDuration = Annotated[
    str,
    Rule(
        says="a duration of at least 1s, such as 90s, 15m, 24h",
        holds=lambda value: _is_duration(value) and bool(parse_duration(value)),
    ),
]
OptionalDuration = Annotated[
    str,
    Rule(
        says="a duration of at least 1s, such as 15m, 24h, 7d, or empty",
        holds=lambda value: not value or (_is_duration(value) and bool(parse_duration(value))),
    ),
]
TimeZone = Annotated[
    str, Rule(says="`local` or a time zone name such as UTC or Europe/Rome", holds=_is_time_zone)
]
Webhook = Annotated[
    str,
    Rule(
        says="a URL that begins with https://, or http:// to this machine, and names no user",
        holds=_is_webhook,
    ),
]
LabelMap = Annotated[
    Mapping[str, str],
    Rule(says="a table of labels, each negative, neutral or positive", holds=_is_label_map),
]
PathName = Annotated[str, Meta(min_length=1), Rule(says="a path", holds=_has_no_nul)]
OptionalPath = Annotated[str, Rule(says="a path, or empty", holds=_has_no_nul)]
ServicesFile = Annotated[
    str,
    Rule(
        says="the path of a file with one apprise URL a line, or empty; a URL itself is a secret: write it "
        "into such a file (chmod 600), and name that file here",
        holds=lambda value: _has_no_nul(value) and "://" not in value and not value.startswith("mailto:"),
    ),
]
ReportAddress = Annotated[
    str,
    Rule(
        says="an http(s):// URL or an absolute path, of at most 500 printable characters, or empty",
        holds=_is_report_address,
    ),
]
EngineAddress = Annotated[str, Rule(says="an address or a path, or empty", holds=_has_no_nul)]
DisplayName = Annotated[
    str, Rule(says="a name of 1 to 40 characters", holds=lambda value: 0 < len(value.strip()) <= 40)
]
