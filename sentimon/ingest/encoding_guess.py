"""The likely encoding of bytes that are no UTF-8, by the letters that they would be.

A general detector is made for pages of text. Here the sample may be one word of one review, so what counts is
how usual the letters are, and whether they stand among letters of their own script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

_CANDIDATES = (
    "cp1252", "cp1250", "cp1254", "cp1251", "cp1253", "koi8-r", "mac-roman", "cp850", "cp1255", "cp1256",
    "iso8859-2", "cp932", "gb18030", "big5", "cp949", "euc-jp",
)  # fmt: skip
"""Encodings that are tried; of equal ones the first is taken."""
_WORDS_OF_ONE = frozenset("èàéòìóúêáÈÀÉÒÌÓÚÁåøæöÅØÆÖвискуояВИСКУОЯ")
_RARE = frozenset({"mac-roman", "cp850"})
"""Encodings of old systems: a little worse than the others that fit as well."""
_COMMON = frozenset(
    "àèéìòùçñáíóúäöüßêîôûâëïœãõåøæ€’“”–…«»°¿¡‘"
    "ąćęłńśźżěščřžýůťďňőűășțşğıİ"
    "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
    "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώ"
    "אבגדהוזחטיכלמםנןסעפףצץקרשת"
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىأإآ،"
    "。，！？、「」：（）～"
    "的一是了不在有我他這这個个們们中來来上大為为和國国地到以說说時时要就出會会可也你對对生能而子那得於着著下自之年過过發发後后作里好很"
    "商品滿满意質质量常非快買买服務务差用時時推薦荐"
    "이다는의에을가고하지은기로사도한리대어서아들나인자시그해수일정주보라부습니요합만품질좋아매우"
)
_WORD = re.compile(r"\w+")
_ACCENTS = re.compile("[\u00c0-\u024f]{3,}")
"""Letters with accents in a row: one word in a thousand, unless it is of another script."""
_FOREIGN = re.compile(rb"[^\n\r]*[\x80-\xff][^\n\r]*")
_LONGEST_SAMPLE = 1 << 14


def likely_encoding(samples: Iterable[bytes]) -> str:
    r"""Return the encoding in which the lines beyond ASCII read most like text; `cp1252` where none is.

    >>> likely_encoding([b"perch\xe9 no"])
    'cp1252'
    """
    sample = _lines_to_look_at(samples)
    best, name = 0.0, "cp1252"
    for one in _CANDIDATES:
        try:
            text = sample.decode(one)
        except UnicodeDecodeError:
            continue
        worth = _worth(text) - 0.1 * (one in _RARE)
        if worth > best:
            best, name = worth, one
    return name


def _lines_to_look_at(samples: Iterable[bytes]) -> bytes:
    found: list[bytes] = []
    size = 0
    for sample in samples:
        for line in _FOREIGN.findall(sample):
            found.append(line)
            size += len(line)
            if size > _LONGEST_SAMPLE:
                return b"\n".join(found)
    return b"\n".join(found)


def _worth(text: str) -> float:
    """Return how much the characters beyond ASCII look like text: 1 each at best, less than 0 at worst."""
    foreign = [one for one in text if ord(one) > 0x7F]
    if not foreign:
        return 0.0
    worth = sum(_of_character(one) for one in foreign)
    worth -= sum(_oddness(word) for word in _WORD.findall(text) if not word.isascii())
    return worth / len(foreign)


def _of_character(one: str) -> float:
    if one in _COMMON:
        # A sign may stand for any byte; a letter must fit its word.
        return 1.0 if one.isalpha() else 0.9
    if one.lower() in _COMMON:
        return 0.95 if one.isalpha() else 0.7
    category = unicodedata.category(one)
    if category.startswith("C"):
        return -3.0
    if "\u3040" <= one <= "\u30ff":
        return 1.0
    if "\uff61" <= one <= "\uff9f":
        # Half-width kana, which stand for any byte above 0xA0.
        return -0.5
    return 0.3 if category.startswith("L") else -0.5


def _oddness(word: str) -> float:
    """Return a penalty for a word of two scripts, and for a capital behind a small letter."""
    scripts = {_script(one) for one in word if one.isalpha()}
    odd = 2.0 * (len(scripts) > 1) * sum(1 for one in word if ord(one) > 0x7F)
    odd += sum(0.8 * len(run) for run in _ACCENTS.findall(word))
    if len(word) == 1 and word not in _WORDS_OF_ONE and not scripts <= {"CJK"}:
        odd += 0.8
    if word[:2].isupper() and word[2:].islower():
        odd += 0.5
    pairs = pairwise(word)
    return odd + sum(1.0 for before, after in pairs if before.islower() and after.isupper())


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "UNKNOWN").split(" ")[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA") else name
