"""Files that are spoilt in all ways."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentimon.errors import SentimonError

ROUNDS = int(os.environ.get("SENTIMON_FUZZ_ROUNDS", "25"))
"""Of each file; a few thousand find more, once."""


STRANGE: tuple[Any, ...] = (
    None, True, False, "", "x", "\u2028", "v0009", [], {}, [None], {"a": 1}, 0, -0.0, -1, 1, 2, -5, 0.5,
    1e-300, 1e308, 9e15, 1 << 53, 1 << 63, 1 << 70, -(1 << 63), float("nan"), float("inf"),
    "2026-01-01", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59", "2026-09-07T08:00:00", "../../x", "\x1b[31m",
)  # fmt: skip


WHOLE = (b"", b"\n", b"{}", b"[]", b"null", b"[" * 100_000, b'{"a":' * 50_000, b"\0" * 64, b"\xff\xfe")


PIECES = (b"\xc3", b"\xed\xa0\x80", b"\\ud800", b'"', b"1e999", b"\n")


def spoil(chance: random.Random, content: bytes) -> bytes:
    """Return what a hand, a disk or another program could have made of a file."""
    way, place = chance.randrange(8), chance.randrange(len(content))
    if way == 0:
        return chance.choice(WHOLE)
    if way == 1:
        return content[:place]
    if way == 2:
        return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    if way == 3:
        return content[:place] + chance.choice(PIECES) + content[place:]
    values = json_of(content)
    if values is None:
        other = b"= " + json.dumps(chance.choice(STRANGE)).encode()
        return re.sub(rb"= .*", lambda found: found[0] if chance.random() < 0.7 else other, content)
    return b"".join(json.dumps(changed(chance, one)).encode() + b"\n" for one in values)


def json_of(content: bytes) -> list[Any] | None:
    """Return the one value of a file, or that of each line; None where it holds no JSON."""
    for parts in ([content], [line for line in content.split(b"\n") if line]):
        try:
            return [json.loads(part) for part in parts]
        except ValueError:
            continue
    return None


def changed(chance: random.Random, value: Any) -> Any:
    """Return JSON with a key or a value somewhere in it changed."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        way = chance.random()
        if way < 0.1:
            return {one: content for one, content in value.items() if one != key}
        if way < 0.2:
            return {**value, chance.choice(list(value)): value[key]}
        return {**value, key: changed(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        way = chance.random()
        if way < 0.1:
            return value[:place] + value[place + 1 :]
        if way < 0.2:
            return [*value, value[place]]
        return [*value[:place], changed(chance, value[place]), *value[place + 1 :]]
    if isinstance(value, int) and chance.random() < 0.3:
        return value + chance.choice([-1, 1, 1000])
    return chance.choice(STRANGE)


def refusal(read: Callable[[Path], object], path: Path) -> SentimonError | None:
    """Return the error of ours that reading raises; any other is a fault."""
    try:
        read(path)
    except SentimonError as error:
        return error
    return None
