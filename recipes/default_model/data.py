"""One labelled text, and the files of labelled tweets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sentimon.errors import DataError
from sentimon.labels import Sentiment, parse_label
from sentimon.scoring.normalise import normalise

ENGLISH = "english"
LANGUAGES = ("english", "italian", "spanish", "french", "german", "portuguese")
"""The languages to train on. The vocabulary cannot read Arabic. Hindi, in Latin letters, stayed at chance
(macro F1 0.33) after four epochs over its 1,816 rows, so its labels would be noise for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One labelled text, already normalised; `language` is an English name in lower case."""

    text: str
    label: Sentiment
    language: str


def read_examples(path: Path, *, language: str = ENGLISH) -> list[Example]:
    """Return the rows of a JSON Lines file in order; rows that name no language get `language`.

    Raises:
        DataError: the file is missing, or a row is not an object with `text` and `label`.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file", hint="pass the folder that holds the labelled tweets")
    return list(_rows(path, language))


def _rows(path: Path, language: str) -> Iterator[Example]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                text, label = row["text"], row["label"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}:{number}: not a labelled text: {error!r}") from error
            yield Example(
                text=normalise(text), label=parse_label(label), language=row.get("language", language)
            )
