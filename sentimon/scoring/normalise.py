"""The text as the models were trained to see it: mentions and links reduced to one token each."""

from __future__ import annotations

import re

from sentimon.jsonl import well_formed

_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@])@\w+")
READ_CHARACTERS = 100_000
_CLOSING = ")]}>\"'.,;:!?…»”’"


def normalise(text: str) -> str:
    r"""Return `text` with each user mention as `@user`, each link as `http`, and valid Unicode throughout.

    Works wherever they stand: inside brackets, after tabs and newlines, before punctuation. E-mail
    addresses are not mentions. Idempotent; the time is linear in the length of the text.

    >>> normalise("(@anna) guarda:\thttps://example.org/a?b=1, bello!")
    '(@user) guarda:\thttp, bello!'

    Source: the tweet preprocessing of TweetEval (Barbieri et al. 2020), which the cardiffnlp model
    family was trained with.
    """
    return _MENTION.sub("@user", replace_links(well_formed(text), "http"))


def readable(text: str) -> tuple[str, bool]:
    """Return (the beginning of `text` that a model is given, normalised; whether words were left out).

    A model reads some hundred tokens; the cut, at READ_CHARACTERS, keeps a text of millions of
    characters from being taken apart for nothing.
    """
    return normalise(text[:READ_CHARACTERS]), bool(text[READ_CHARACTERS:].strip())


def replace_links(text: str, replacement: str) -> str:
    """Return `text` with each link replaced; the closing punctuation behind it belongs to the sentence."""

    def shortened(link: re.Match[str]) -> str:
        # Stripped here, not in the pattern: a lookahead would make a long run of brackets cost
        # quadratic time.
        whole = link.group()
        return replacement + whole[len(whole.rstrip(_CLOSING)) :]

    return _LINK.sub(shortened, text)
