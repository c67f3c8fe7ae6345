"""How a late label is joined to the rows of the log: by the id of a row, else by the hash of its text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sentimon.gold_labels.gold_label import ID, TEXT_HASH, GoldLabel, Hash, Key
from sentimon.prediction_log.record import PredictionRecord

RowWithLabel = tuple[PredictionRecord, GoldLabel | None]
"""A logged row with its gold label, None where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLookup:
    """Finds the gold label of a logged row."""

    labels: Mapping[Key, GoldLabel]
    hash_text: Hash | None
    """The keyed hash of a text; None where no label is keyed by text, so that nothing is hashed."""

    def label_of(self, record: PredictionRecord) -> GoldLabel | None:
        """Return the label for the id of a row, else the one for its text, else None."""
        if record.id is not None:
            found = self.labels.get((ID, record.id))
            if found is not None:
                return found
        if self.hash_text is None:
            return None
        if record.text_hash is not None:
            return self.labels.get((TEXT_HASH, record.text_hash))
        return None if record.text is None else self.labels.get((TEXT_HASH, self.hash_text(record.text)))


def keys_of(record: PredictionRecord, hash_text: Hash) -> list[Key]:
    """Return the keys of a row, the most reliable first: its id, then the hash of its text if kept."""
    keys = [] if record.id is None else [(ID, record.id)]
    if record.text_hash is not None:
        keys.append((TEXT_HASH, record.text_hash))
    elif record.text is not None:
        keys.append((TEXT_HASH, hash_text(record.text)))
    return keys


def join_labels(records: Iterable[PredictionRecord], finder: LabelLookup) -> Iterator[RowWithLabel]:
    """Yield each row with its gold label, None where it has none."""
    for record in records:
        yield record, finder.label_of(record)
