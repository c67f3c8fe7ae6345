"""A stream whose first bytes can be looked at before it is read."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

PIECE = 1 << 16
"""Bytes that are read at once."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS = b" \t\r\n"
_LONGEST_MARK = 12
"""Bytes that tell a compressed or binary file from text."""


class PeekedStream(io.RawIOBase):
    """A stream whose first bytes can be looked at before it is read; `buffered` gives it to readers."""

    def __init__(self, stream: BinaryIO) -> None:
        self.held = bytearray()
        """What was read ahead."""
        self._ended = False
        known = isinstance(stream, io.BufferedIOBase)
        self._stream: Any = stream if known else io.BufferedReader(cast(Any, stream))

    def read_ahead(self, *, pieces: int = 1) -> bool:
        """Hold more of the stream, of each piece what is there by now; return False at its end."""
        before = len(self.held)
        for _ in range(pieces):
            # A stream that has ended is not asked again: a terminal would wait for more.
            piece = b"" if self._ended else self._stream.read1(PIECE)
            self._ended = not piece
            self.held += piece
        return len(self.held) > before

    def begin(self) -> bytes:
        """Return what is held once it tells what kind of file this is: a line, or the longest mark of any."""
        while len(self.held) < _LONGEST_MARK and b"\n" not in self.held and self.read_ahead():
            pass
        return bytes(self.held)

    def start(self) -> bytes:
        """Return what is held from the first byte on that is no blank; read ahead until there is one."""
        while not (start := self._content()) and self.read_ahead():
            pass
        return start

    def _content(self) -> bytes:
        return bytes(self.held).removeprefix(BYTE_ORDER_MARK).lstrip(BLANKS)

    def buffered(self) -> BinaryIO:
        """Return the whole stream, what was looked at included."""
        return io.BufferedReader(self, PIECE)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with the next bytes, and return how many they are."""
        place = memoryview(buffer).cast("B")
        piece = bytes(self.held[: len(place)])
        if not piece and not self._ended:
            piece = self._stream.read1(len(place))
        del self.held[: len(piece)]
        place[: len(piece)] = piece
        return len(piece)
