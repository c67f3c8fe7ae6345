"""What of a text goes into the log: all of it, a redaction, a keyed hash, or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from sentimon.config.paths import expanded
from sentimon.config.secrets import shown_path
from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.files import MOST_SECRET, read_regular
from sentimon.jsonl import well_formed
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.redaction import redact
from sentimon.prediction_log.word_hashes import keyed_token_hashes

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """How texts are kept; scores, labels and every sum over them are the same in all four modes.

    Sums over the texts themselves (characters, empty texts) need the texts.
    """

    mode: str = "full"
    """`full`, `redact`, `hash` or `omit`."""
    key: bytes = b""
    """The secret of the hash; who has the log but not the key cannot try out texts against it."""
    tokens: bool = False
    """Whether the words of a text that is not kept stay as keyed hashes."""

    @classmethod
    def of(cls, settings: LogSettings) -> Privacy:
        """Return the way of keeping texts that `settings` ask for.

        The key of the hash is read from `logs.hash_key_file`, and made there on first use.

        Raises:
            StoreError: the key cannot be read or made.
        """
        tokens = settings.token_hashes and settings.text in ("hash", "omit")
        keyed = tokens or settings.text == "hash"
        key = _read_key(expanded(settings.hash_key_file)) if keyed else b""
        return cls(mode=settings.text, key=key, tokens=tokens)

    def apply(self, record: PredictionRecord) -> PredictionRecord:
        """Return `record` as it may be stored."""
        if record.text is None or self.mode == "full":
            return record
        if self.mode == "redact":
            return replace(record, text=redact(record.text))
        hashed = self.hash(record.text) if self.mode == "hash" else record.text_hash
        tokens = keyed_token_hashes(record.text, self.key) if self.tokens else None
        return replace(record, text=None, text_hash=hashed, token_hashes=tokens)

    def hash(self, text: str) -> str:
        """Return the HMAC-SHA256 of `text` in UTF-8 under the key, 64 hexadecimal digits."""
        return hmac.new(self.key, well_formed(text).encode(), hashlib.sha256).hexdigest()


def _read_key(path: Path) -> bytes:
    try:
        if not os.path.lexists(path):
            _make_key(path)
        key = read_regular(path, most=MOST_SECRET).strip()
    except OSError as error:
        raise StoreError(
            f"{shown_path(path)}: the key of the hash cannot be read: {error.strerror}",
            hint="check logs.hash_key_file",
        ) from error
    if len(key) < _KEY_BYTES:
        raise StoreError(
            f"{path}: a key of {len(key)} characters is too short to hide texts",
            hint=f"write {_KEY_BYTES} random characters or more, or remove it to have one made",
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        # Of two programs that make it at once one comes first, and both go on with its key.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
