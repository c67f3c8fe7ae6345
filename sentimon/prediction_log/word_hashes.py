"""Hashes of the distinct words of a text, to recognise new vocabulary without storing words."""

from __future__ import annotations

import re
import unicodedata
from array import array
from zlib import crc32

from sentimon.prediction_log.record import PredictionRecord
from sentimon.scoring.normalise import readable

_WORD = re.compile(r"\w+")
_BYTES = 4
"""Bytes of a hash: among N known words a new one passes for known with probability N / 2**32."""


def words_of(text: str) -> list[str]:
    """Return the words of `text` without case; all mentions are one word, and so are all links.

    >>> words_of("Ciao @anna, CIAO http://example.org!")
    ['ciao', 'user', 'ciao', 'http']
    """
    seen, _ = readable(text)
    return _WORD.findall(unicodedata.normalize("NFC", seen).casefold())


def hash_word(word: str) -> int:
    """Return the CRC-32 of a word, below 2**32."""
    return crc32(word.encode())


def token_hashes(text: str) -> frozenset[int]:
    """Return the hash of each distinct word of `text`."""
    # The same as `hash_word`, but quick: the monitor may hash every word of a log.
    return frozenset(map(crc32, map(str.encode, set(words_of(text)))))


def logged_token_hashes(record: PredictionRecord, *, keyed: bool) -> array[int] | None:
    """Return the hashes of the distinct words of a logged text, keyed or not; None if it has none."""
    if keyed:
        return None if record.token_hashes is None else array("Q", record.token_hashes)
    return None if record.text is None else array("Q", token_hashes(record.text))


def keyed_token_hashes(text: str, key: bytes) -> list[int]:
    """Return keyed hashes of the distinct words of `text`, ascending, so that their order tells nothing.

    Without the key nobody can test words against them; how often a hash occurs can be seen.
    """
    # Most programs that count words need no keys, and these take 2 MB.
    import hashlib
    import hmac

    keyed = (hmac.new(key, word.encode(), hashlib.sha256).digest() for word in set(words_of(text)))
    return sorted({int.from_bytes(digest[:_BYTES], "big") for digest in keyed})
