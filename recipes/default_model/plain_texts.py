"""Short plain texts to train on beside the tweets, from plain_texts.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from string import Formatter

import numpy as np

from recipes.default_model.data import ENGLISH, Example
from sentimon.labels import parse_label
from sentimon.scoring.normalise import normalise

FILLS = {ENGLISH: 22, "italian": 22}
"""How many texts are made of each template."""
OTHER_FILLS = 8
CAPITAL_SHARE = 0.5
FULL_STOP_SHARE = 0.4


def plain_examples(*, seed: int = 0) -> list[Example]:
    """Return the distinct texts of plain_texts.toml, its templates filled at random as `seed` says."""
    source = resources.files("recipes.default_model").joinpath("plain_texts.toml")
    tables = tomllib.loads(source.read_text(encoding="utf-8"))
    generator = np.random.default_rng(seed)
    found = {}
    for language, table in tables.items():
        for label, text in _texts(language, table, generator):
            spoken = ENGLISH if language == "any" else language
            found[text] = Example(text=normalise(text), label=parse_label(label), language=spoken)
    return list(found.values())


def _texts(
    language: str, table: Mapping[str, Mapping[str, Sequence[str]]], generator: np.random.Generator
) -> Iterator[tuple[str, str]]:
    """Yield (label, text): short texts, each also with a capital and a full stop, and filled templates."""
    for label, texts in table.get("short", {}).items():
        for text in texts:
            yield label, text
            if text[:1].isalpha():
                yield label, text[:1].upper() + text[1:] + ("" if text[-1] in "?!." else ".")
    for label, templates in table.get("templates", {}).items():
        for template in templates:
            for _ in range(FILLS.get(language, OTHER_FILLS)):
                yield label, _with_capital_and_stop(_filled(template, table["words"], generator), generator)


def _filled(template: str, words: Mapping[str, Sequence[str]], generator: np.random.Generator) -> str:
    parts = []
    for literal, slot, _, _ in Formatter().parse(template):
        parts += [literal, str(generator.choice(words[slot])) if slot else ""]
    return "".join(parts)


def _with_capital_and_stop(text: str, generator: np.random.Generator) -> str:
    """Return `text` with a capital letter and a full stop some of the time, as people write."""
    if generator.random() < CAPITAL_SHARE:
        text = text[:1].upper() + text[1:]
    if text[-1] not in "?!" and generator.random() < FULL_STOP_SHARE:
        text += "."
    return text
