"""What the model is trained and measured on: labelled tweets from a data folder, and texts of our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recipes.default_model.data import LANGUAGES, Example, read_examples
from recipes.default_model.own_texts import OwnCorpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The four files of the data folder and our own texts, read once; languages are those of `LANGUAGES`."""

    english: list[Example]
    multilingual: list[Example]
    english_validation: list[Example]
    multilingual_validation: list[Example]
    own: OwnCorpus

    @classmethod
    def read(cls, folder: Path) -> Corpus:
        """Return the corpus in `folder`; Arabic and Hindi are validated on, not trained on.

        Raises:
            DataError: a file is missing or a row cannot be read.
        """
        several = read_examples(folder / "tweets_multilingual_train.jsonl")
        return cls(
            english=read_examples(folder / "tweets_en_train.jsonl"),
            multilingual=[row for row in several if row.language in LANGUAGES],
            english_validation=read_examples(folder / "tweets_en_validation.jsonl"),
            multilingual_validation=read_examples(folder / "tweets_multilingual_validation.jsonl"),
            own=OwnCorpus.read(),
        )

    @property
    def validation(self) -> list[Example]:
        """The validation rows: English tweets, then the other tweets, then our own texts."""
        return [*self.english_validation, *self.multilingual_validation, *self.own.validation]
