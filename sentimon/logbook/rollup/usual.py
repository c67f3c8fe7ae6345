"""A block of lines at once, where each holds a usual row; any other line is left to `parse_row`.

What is accepted here is a part of what `parse_row` accepts, and it counts the same; the tests hold that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from sentimon.logbook.row import OptionalFields


class UsualScores(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The scores under their canonical names; not yet checked to be a distribution."""

    negative: float
    neutral: float
    positive: float


class UsualRow(OptionalFields, kw_only=True, gc=False):
    """What is summed of a row."""

    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    sentiment: Literal["negative", "neutral", "positive"]
    confidence: float
    scores: UsualScores


class _OurRow(UsualRow, kw_only=True, gc=False, forbid_unknown_fields=True):
    pass


_decode_ours = msgspec.json.Decoder(_OurRow).decode_lines
_decode = msgspec.json.Decoder(UsualRow).decode_lines


def decode_block(block: bytes | memoryview) -> tuple[Sequence[UsualRow], npt.NDArray[np.int64]] | None:
    """Return (the rows of a block of lines, one a line; where each line begins, and where the last ends).

    None where a line holds something else. The decoder takes values one after the other, wherever
    lines end. But no string holds a bare newline, and a brace that closes is followed by one that opens
    only between two values. So where each line begins with a brace and ends with one, each newline lies
    between two values; and if there are as many values as lines, each line holds one.
    """
    characters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    offsets = np.concatenate(([0], ends + 1))
    if (
        offsets[-1] != len(block)
        or (characters[offsets[:-1]] != ord("{")).any()
        or (characters[ends - 1] != ord("}")).any()
    ):
        return None
    try:
        rows = _decoded(block)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return (rows, offsets) if len(rows) == len(ends) else None


def _decoded(block: bytes | memoryview) -> Sequence[UsualRow]:
    with contextlib.suppress(msgspec.ValidationError):
        return _decode_ours(block)
    # Fields that are passed over are to be UTF-8, too, which the decoder looks at only in those it keeps.
    for line in bytes(block).split(b"\n"):
        line.isascii() or str(line, "utf-8")
    return _decode(block)
