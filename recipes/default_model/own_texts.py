"""The texts written for the project (`texts/*.jsonl`): what tweets do not show, to train and test on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from recipes.default_model.data import LANGUAGES, Example
from sentimon.labels import parse_label
from sentimon.scoring.normalise import normalise

TEST_FILE = "test.jsonl"
VALIDATION_BLOCK, VALIDATION_EVERY = 20, 12
"""Of the texts to train on, every twelfth block of twenty lines is held back to fit the temperature.

Neighbours often speak of one subject, so they stay together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnText(Example):
    """One text of our own; its label was given twice, the second time without sight of the first."""

    domain: str
    register: str
    """How it is written: formal, plain, casual, slang, typos, noaccents, caps or emoji."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCorpus:
    """All texts of our own; the test was written by authors who wrote nothing else."""

    train: list[OwnText]
    validation: list[OwnText]
    test: list[OwnText]

    @classmethod
    def read(cls) -> OwnCorpus:
        """Return the corpus that lies beside this module."""
        texts = [text for language in LANGUAGES for text in _read(f"{language}.jsonl")]
        return cls(
            train=[text for at, text in enumerate(texts) if at // VALIDATION_BLOCK % VALIDATION_EVERY],
            validation=[
                text for at, text in enumerate(texts) if not at // VALIDATION_BLOCK % VALIDATION_EVERY
            ],
            test=_read(TEST_FILE),
        )


def _read(name: str) -> list[OwnText]:
    lines = resources.files("recipes.default_model").joinpath("texts", name).read_text(encoding="utf-8")
    return list(map(_text_of, lines.splitlines()))


def _text_of(line: str) -> OwnText:
    row = json.loads(line)
    return OwnText(
        text=normalise(row["text"]),
        label=parse_label(row["label"]),
        language=row["language"],
        domain=row["domain"],
        register=row["register"],
    )


def group_by(texts: Iterable[OwnText], field: str) -> dict[str, list[int]]:
    """Return the places of the texts of each language, domain or register, in order of first appearance."""
    groups: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        groups.setdefault(getattr(text, field), []).append(place)
    return groups
