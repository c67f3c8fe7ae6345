"""The settings of segments: the fields that divide the rows into slices, and what may be one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from sentimon.config.ranges import Rule

MOST_FIELDS = 8
DERIVED_FIELDS = ("@language", "@length", "@model", "@script")
"""The fields that are told from a row itself."""
_LONGEST_NAME = 200
_OURS = (
    "timestamp",
    "text",
    "sentiment",
    "confidence",
    "scores",
    "id",
    "model",
    "revision",
    "truncated",
    "unreadable",
    "text_hash",
    "token_hashes",
)


def field_fault(name: str) -> tuple[str, str] | None:
    """Return (what is wrong with the name of a field, what to do); None if it is one."""
    if name.startswith("@"):
        if name in DERIVED_FIELDS:
            return None
        return f"{name} is none of the fields that are told from a row", f"use {', '.join(DERIVED_FIELDS)}"
    if not name.strip() or len(name) > _LONGEST_NAME or any(not part for part in name.split(".")):
        return (
            f"{name!r} is no path of a field",
            "name a field of the rows, such as channel or customer.country",
        )
    first = name.partition(".")[0]
    if first in ("model", "revision"):
        return f"{name} is a field of sentimon's own", "use @model, the model with its revision"
    if first in _OURS:
        return f"{name} is a field of sentimon's own, which divides no rows", "name one of the other fields"
    return None


def _are_fields(value: Sequence[str]) -> bool:
    return len({*value}) == len(value) <= MOST_FIELDS and not any(map(field_fault, value))


class SegmentSettings(Struct, frozen=True, kw_only=True):
    """Which slices of the traffic are told apart: by channel, by language, by length of the text."""

    fields: Annotated[
        tuple[str, ...],
        Meta(
            description="Fields of the rows that divide them, by dotted path, or told from each row: "
            "@language, @length, @model, @script."
        ),
        Rule(
            says=f"a list of at most {MOST_FIELDS} different fields of the rows, such as "
            '["channel", "customer.country", "@length"]',
            holds=_are_fields,
        ),
    ] = ()
    most_values: Annotated[
        int,
        Meta(
            ge=2,
            le=200,
            description="Most values of a field that are told apart; rows of the others count as (other).",
        ),
    ] = 50
