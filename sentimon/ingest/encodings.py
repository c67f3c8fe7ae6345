"""Text of any encoding as UTF-8: what is certain by its bytes, what is named, and what is guessed.

The readers of formats see UTF-8 alone. A byte that is none of the encoding becomes one that is no UTF-8
either, so that it costs its own line.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, BinaryIO, cast

from sentimon.errors import DataError, UsageError
from sentimon.ingest.peeked_stream import PIECE

AUTO = "auto"
UTF8 = "utf-8"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; those of UTF-32 begin as those of UTF-16 do."""
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_LEAST_LATIN = 0.2
"""Least share of characters below U+0100 by which text is told as UTF-16; blanks and line ends count."""
_MOST_BROKEN = 0.2
_NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})
_USUAL = ("utf-8", "utf-16", "utf-32", "cp1252", "cp1250", "cp1251", "latin-1", "iso8859-15", "mac-roman",
          "cp850", "shift_jis", "gb18030", "big5", "euc-kr", "koi8-r")  # fmt: skip
_FOREIGN = re.compile("[\udc00-\udcff]")
_HANDLER = "sentimon.keep"


def certain_encoding(start: bytes) -> str:
    r"""Return the encoding that the first bytes of a file tell for certain; empty where they tell none.

    >>> certain_encoding(b"\xff\xfea\0"), certain_encoding(b"a\0b\0"), certain_encoding(b"ab")
    ('utf-16-le', 'utf-16-le', '')
    """
    marked = marked_encoding(start)
    if marked or b"\0" not in start:
        return marked
    return next((one for one in _WIDE if _reads_as(start, one)), "")


def marked_encoding(start: bytes) -> str:
    """Return the encoding that a byte order mark names; empty where there is none."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), "")


def _reads_as(start: bytes, name: str) -> bool:
    # A character that is broken costs its line, and does not make it another encoding.
    text = codecs.getincrementaldecoder(name)(errors="replace").decode(start)
    latin = sum(1 for one in text if " " <= one < "\u0100" or one in "\t\r\n")
    sound = "\0" not in text and text.count("\ufffd") <= _MOST_BROKEN * len(text)
    return sound and latin > 0 and latin >= _LEAST_LATIN * len(text)


def named_encoding(name: str) -> str:
    """Return the codec of an encoding that somebody named.

    >>> named_encoding("Latin-1")
    'iso8859-1'

    Raises:
        UsageError: there is no such encoding of text.
    """
    if _is_of_text(name):
        found = codecs.lookup(name.strip()).name
        return UTF8 if found == "utf-8-sig" else found
    alike = get_close_matches(name.strip().lower(), _names(), n=6, cutoff=0.6)
    close = [one for one in alike if _is_of_text(one)][:3] or _USUAL[:6]
    raise UsageError(f"unknown encoding {name!r}", hint=f"use one of: {', '.join((*close, AUTO))}")


def _is_of_text(name: str) -> bool:
    try:
        found = codecs.lookup(name.strip())
    except (LookupError, ValueError, UnicodeError):
        return False
    return bool(found._is_text_encoding and found.name not in _NO_TEXT and found.incrementaldecoder)


def with_byte_order(name: str, start: bytes, path: str) -> str:
    """Return an encoding that somebody named, with its byte order where only a mark or the text tells it.

    Raises:
        DataError: neither tells it.
    """
    if name not in ("utf-16", "utf-32") or not start or marked_encoding(start):
        return name
    found = certain_encoding(start)
    if found.startswith(name):
        return found
    raise DataError(
        f"{path}: does not look like {name}: it begins with no byte order mark",
        hint=f"leave out --encoding, or give --encoding {name}-le or {name}-be",
    )


def _names() -> list[str]:
    from encodings.aliases import aliases

    return list(dict.fromkeys((*_USUAL, *aliases.values(), *aliases)))


def check_mark(start: bytes, name: str, path: str) -> None:
    """Raise DataError where the byte order mark of a file says another encoding than the one named."""
    marked = marked_encoding(start)
    if marked and not name.replace("_", "-").startswith(marked.removesuffix("-le").removesuffix("-be")):
        raise DataError(
            f"{path}: begins with the byte order mark of {marked}, and the encoding given is {name}",
            hint=f"leave out --encoding: the mark is certain; or give --encoding {marked}",
        )


class Transcoded(io.RawIOBase):
    """A stream of text of any encoding as UTF-8; a byte that is no text becomes one that is no UTF-8."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream: Any = stream
        self._decoder = codecs.getincrementaldecoder(name)(errors=_HANDLER)
        self._held = b""
        self._ended = False

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with the next bytes of UTF-8, and return how many they are."""
        while not self._held and not self._ended:
            piece = self._stream.read1(PIECE)
            self._ended = not piece
            self._held = self._decoder.decode(piece, final=self._ended).encode("utf-8", "surrogatepass")
        place = memoryview(buffer).cast("B")
        given = self._held[: len(place)]
        self._held = self._held[len(given) :]
        place[: len(given)] = given
        return len(given)


def is_all_text(stream: BinaryIO, name: str) -> bool:
    """Return whether a stream is valid text of an encoding, to its end."""
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while piece := stream.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def kept_text(line: bytes, name: str) -> tuple[str, str]:
    r"""Return (a line that is no valid text, each bad byte in it as a lone surrogate; what is wrong with it).

    >>> kept_text(b"perch\xe8", "utf-8")[1]
    'not valid UTF-8: 0xE8 at byte 6 of the line'
    """
    if name == UTF8:
        text = line.decode("utf-8", "surrogateescape")
        bad = cast(Any, _FOREIGN.search(text)).group()
        before = text.partition(bad)[0].encode()
        return (
            text,
            f"not valid {_said(name)}: 0x{ord(bad) - 0xDC00:02X} at byte {len(before) + 1} of the line",
        )
    text = line.decode("utf-8", "surrogatepass")
    found = cast(Any, _FOREIGN.search(text))
    bytes_there = re.match("[\udc00-\udcff]+", text[found.start() :])
    shown = " ".join(f"0x{ord(one) - 0xDC00:02X}" for one in cast(Any, bytes_there).group()[:4])
    return text, f"not valid {_said(name)}: {shown} at character {found.start() + 1} of the line"


def _said(name: str) -> str:
    return name.upper() if name.startswith("utf") else name


def _keep(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + one) for one in error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _keep)


def guessed_encoding(samples: Iterable[bytes]) -> str:
    """Return the likely encoding of pieces of a file that is no UTF-8."""
    # Loaded only where there is something to guess.
    from sentimon.ingest.encoding_guess import likely_encoding

    return likely_encoding(samples)
