"""What of a text goes into the log: all of it, a redaction, a keyed hash, or nothing."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from sentimon.config.paths import expanded
from sentimon.config.secrets import shown_path
from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.files import MOST_SECRET, read_regular
from sentimon.jsonl import well_formed
from sentimon.prediction_log.durable_files import create_file
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.word_hashes import keyed_token_hashes
from sentimon.scoring.normalise import replace_links

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """How texts are stored; scores, labels and the sums over them are the same in all four modes.

    Only sums over the texts themselves (characters, empty texts) need the texts.
    """

    mode: str = "full"
    """`full`, `redact`, `hash` or `omit`."""
    key: bytes = b""
    """The secret key of the hash; without it nobody can test whether a text is in the log."""
    tokens: bool = False
    """Whether to store keyed hashes of the words of a text that is not kept."""

    @classmethod
    def of(cls, settings: LogSettings) -> Privacy:
        """Return the mode that `settings` ask for, with its key.

        The key is read from `logs.hash_key_file`, and created there on first use.

        Raises:
            StoreError: the key cannot be read or created.
        """
        tokens = settings.token_hashes and settings.text in ("hash", "omit")
        keyed = tokens or settings.text == "hash"
        key = _read_key(expanded(settings.hash_key_file)) if keyed else b""
        return cls(mode=settings.text, key=key, tokens=tokens)

    def apply(self, record: PredictionRecord) -> PredictionRecord:
        """Return `record` as it is to be stored."""
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
    if not os.path.lexists(path):
        try:
            # If two programs create it at once, both use the key of the first.
            create_file(path, f"{secrets.token_hex(_KEY_BYTES)}\n".encode())
        except StoreError as error:
            raise StoreError(
                f"{shown_path(path)}: the key of the hash cannot be made",
                hint="check logs.hash_key_file, and the permissions of its folder",
            ) from error
    try:
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


# Bounded repeats throughout: a long run of one character must not cost quadratic time.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


# Also a name on another server, @anna@example.org. Text right behind a mask was no mention before masking.
_MASKED = "".join(rf"(?<!\[{name}\])" for name in ("email", "url", "mention", "iban", "ip", "card", "phone"))
_MENTION = re.compile(rf"(?<![\w@]){_MASKED}@\w+(?:@[\w-]+(?:\.[\w-]+)*)*")
_BARE_LINK = re.compile(r"(?<![\w./])www\.(?=\S)", re.IGNORECASE)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}", re.IGNORECASE | re.ASCII)


_IPV4 = re.compile(
    r"(?<![\w.])(?<![Vv]ersion )(?<![Vv]ersione )(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", re.ASCII
)


_IPV6 = re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.IGNORECASE)


_CARD = re.compile(
    r"(?<!\d)(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{5})(?![\d]|[ -]\d)", re.ASCII
)


# A run of digits with the separators that people write; two numbers side by side are one run.
_PHONE = re.compile(r"(?<!\w)(?<!\d[.,])\(?(?:\+|00)?\(?\d(?:[ ().\-/_]{0,3}\d)*", re.ASCII)


# Dates, times, decimals and thousands hold digits, too: they are left out of the search.
_NO_PHONE = re.compile(
    r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?!\d)"
    r"|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d)"
    r"|(?<![\d.,])[1-9]\d?[.,]\d+(?![\d.,])"
    r"|(?<![\d.,])[1-9]\d?(?:([ .,])\d{3})(?:\1\d{3})+(?![\d.,])",
    re.ASCII,
)


_IBAN_LENGTHS = {
    country: length
    for length, countries in (
        (15, "NO"), (16, "BE"), (18, "DK FI NL"), (19, "MK SI"), (20, "AT BA EE LT LU XK"),
        (21, "CH HR LI LV"),
        (22, "BG DE GB GE IE ME RS VA"), (23, "AE GI IL"), (24, "AD CZ ES MD PK RO SA SE SK TN"), (25, "PT"),
        (26, "IS TR"), (27, "FR GR IT MC SM"), (28, "AL AZ BY CY DO HU LB PL UA"), (29, "BR EG QA"),
        (30, "JO KW"), (31, "MT"),
    )
    for country in countries.split()
}  # fmt: skip


_FEWEST_DIGITS = 9
_FEWEST_DIGITS_ABROAD = 7


def redact(text: str) -> str:
    """Return `text` with what identifies a person replaced by `[email]`, `[phone]`, `[iban]` and so on.

    IBANs are masked only if their length and check digits (mod 97) are right, cards only if Luhn's sum
    is, phone numbers from nine digits on, or seven behind `+` or `00`; dates, times and prices stay. A
    long order number looks like a phone number and is masked. Names, addresses in words, and profiles
    named without a link are not found. Idempotent; the time is linear in the length of the text.

    >>> redact("Scrivimi: anna@example.org o +39 333 1234567 (@anna, https://example.org/a)")
    'Scrivimi: [email] o [phone] ([mention], [url])'

    Source: ISO 13616 (IBAN), ISO/IEC 7812-1 (Luhn), ITU-T E.164 (at most 15 digits).
    """
    text = replace_links(_BARE_LINK.sub("http://www.", text), "[url]")
    text = _EMAIL.sub("[email]", _MENTION.sub("[mention]", text))
    text = _IBAN.sub(_without_iban, text)
    text = _where(_IPV4, _is_address, "[ip]", text)
    text = _where(_IPV6, _is_address, "[ip]", text)
    text = _where(_CARD, _is_card, "[card]", text)
    return _without_phones(text)


def _where(pattern: re.Pattern[str], holds: Callable[[str], bool], mask: str, text: str) -> str:
    return pattern.sub(lambda match: mask if holds(match.group()) else match.group(), text)


def _without_iban(match: re.Match[str]) -> str:
    # The pattern runs on into the words behind; the country says where the number ends.
    whole = match.group()
    places = [place for place, one in enumerate(whole) if one.isalnum()]
    length = _IBAN_LENGTHS.get(whole[:2].upper(), len(whole) + 1)
    if length > len(places):
        return whole
    compact = "".join(whole[place] for place in places[:length]).upper()
    if int("".join(str(int(one, 36)) for one in compact[4:] + compact[:4])) % 97 != 1:
        return whole
    return "[iban]" + whole[places[length - 1] + 1 :]


def _is_address(candidate: str) -> bool:
    try:
        ipaddress.ip_address(candidate)
    except ValueError:
        return False
    return candidate != "::"


def _is_card(candidate: str) -> bool:
    digits = [int(one) for one in candidate if one.isdigit()]
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _without_phones(text: str) -> str:
    # Search in a copy of the same length, in which all digits, spaces and dashes are ASCII.
    plain = _NO_PHONE.sub(lambda match: "\0" * len(match.group()), "".join(map(_plain, text)))
    parts, done = [], 0
    for match in _PHONE.finditer(plain):
        if _is_phone(match.group()):
            # A bracket that the number does not close belongs to the sentence.
            start = match.start() + (match.group().startswith("(") and ")" not in match.group())
            parts += [text[done:start], "[phone]"]
            done = match.end()
    return "".join([*parts, text[done:]])


def _plain(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    return {"Zs": " ", "Pd": "-"}.get(category, character)


def _is_phone(candidate: str) -> bool:
    groups = re.findall(r"\d+", candidate)
    digits = sum(map(len, groups))
    bare = candidate.lstrip("(")
    if bare.startswith(("+", "00")):
        return digits >= _FEWEST_DIGITS_ABROAD
    # Sizes, hours and scores come in ones and twos; of numbers only those that begin with 0 do.
    return digits >= _FEWEST_DIGITS and (max(map(len, groups)) > 2 or bare.startswith("0"))
