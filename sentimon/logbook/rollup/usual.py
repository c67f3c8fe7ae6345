"""A block of lines at once, where each holds a usual row; any other line is left to `parse_row`.

What is accepted here is a part of what `parse_row` accepts, and it counts the same; the tests hold that.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt


class UsualScores(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The scores under their canonical names; not yet checked to be a distribution."""

    negative: float
    neutral: float
    positive: float


class UsualRow(msgspec.Struct, gc=False):
    """What is summed of a row."""

    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    sentiment: Literal["negative", "neutral", "positive"]
    confidence: float
    scores: UsualScores
    text: str | None = None
    id: str | int | None = None
    model: str | None = None
    revision: str | None = None
    truncated: bool | None = None
    text_hash: str | None = None


_decode = msgspec.json.Decoder(UsualRow).decode_lines


def decode_block(block: bytes | memoryview) -> list[UsualRow] | None:
    """Return the rows of a block of lines, one a line; None where a line holds something else.

    The decoder takes values one after the other, wherever lines end. But no string holds a bare
    newline, and a brace that closes is followed by one that opens only between two values. So where
    each line begins with a brace and ends with one, each newline lies between two values; and if there
    are as many values as lines, each line holds one.
    """
    characters = np.frombuffer(block, np.uint8)
    offsets = line_offsets(block)
    if (
        offsets[-1] != len(block)
        or (characters[offsets[:-1]] != ord("{")).any()
        or (characters[offsets[1:] - 2] != ord("}")).any()
    ):
        return None
    try:
        # Also the fields that are passed over are to be UTF-8.
        rows = _decode(block) if characters.max() < 128 or str(block, "utf-8") else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return rows if len(rows) == len(offsets) - 1 else None


def line_offsets(block: bytes | memoryview) -> npt.NDArray[np.int64]:
    """Return where each line of a block begins, and where its last newline ends; ascending."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    return np.concatenate(([0], ends + 1))
