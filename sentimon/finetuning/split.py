"""The labelled rows of a retraining: checked, deduplicated, split by class, and given a fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from sentimon.errors import DataError, NoVerdictError
from sentimon.labels import Sentiment
from sentimon.scoring.normalise import readable

Labelled = tuple[str, Sentiment]
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """The rows to train on and the rows to measure the model on; texts are as the model reads them."""

    train: tuple[Labelled, ...]
    """New rows to train on."""
    held_out: tuple[Labelled, ...]
    """New rows to measure on."""
    replay: tuple[Labelled, ...] = ()
    """Old rows; each epoch mixes some of them in."""
    replay_held_out: tuple[Labelled, ...] = ()
    """Old rows to measure on: at most as many as `held_out`, so that both kinds weigh the same."""

    @property
    def all_held_out(self) -> tuple[Labelled, ...]:
        """Return all rows to measure on, the new ones first."""
        return self.held_out + self.replay_held_out

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return the number of new rows to train on, of each class."""
        found = Counter(label for _, label in self.train)
        return found[Sentiment.NEGATIVE], found[Sentiment.NEUTRAL], found[Sentiment.POSITIVE]

    @property
    def fingerprint(self) -> str:
        """Return the start of the SHA-256 of all rows, in order, part by part."""
        content = hashlib.sha256()
        for part in (self.train, self.held_out, self.replay, self.replay_held_out):
            for text, label in part:
                content.update(f"{label.label}\0{text}\0".encode(errors="surrogatepass"))
            content.update(b"\1")
        return content.hexdigest()[:16]


def split_rows(
    rows: Sequence[Labelled],
    old: Sequence[Labelled],
    *,
    held_out: float,
    fewest: int,
    seed: int,
) -> DataSplit:
    """Split the labelled `rows`, and the `old` ones to replay, at random as `seed` says.

    A share `held_out` of each class, at least one row, is held out. A text that occurs twice is used once,
    so that none is on both sides; an old row with the text of a new one is left out.

    Raises:
        DataError: texts are empty, or one text has two labels.
        NoVerdictError: a class that occurs has fewer than `fewest` rows.
    """
    new = _distinct(rows)
    texts = {text for text, _ in new}
    unseen = [one for one in _distinct(old) if one[0] not in texts]
    counts = Counter(label for _, label in new)
    for one in sorted(counts):
        if counts[one] < fewest:
            raise _too_few(one, counts[one], fewest)
    train, kept = _split(new, held_out, seed)
    replay, replay_kept = _split(unseen, held_out, seed) if unseen else ([], [])
    spare = replay_kept[len(kept) :]
    return DataSplit(
        train=tuple(train),
        held_out=tuple(kept),
        replay=tuple(replay + spare),
        replay_held_out=tuple(replay_kept[: len(kept)]),
    )


def check_coverage(split: DataSplit, classes: Collection[Sentiment], *, fewest: int) -> None:
    """Raise NoVerdictError unless there are rows to train on of each of `classes`.

    Raises:
        NoVerdictError: it has none of one of them.
    """
    for one in sorted(set(classes) - {label for _, label in split.train}):
        raise _too_few(one, 0, fewest)


def _too_few(sentiment: Sentiment, count: int, fewest: int) -> NoVerdictError:
    """Return the error for a class with too few rows."""
    return NoVerdictError(
        f"{count} labelled texts are {sentiment.label}, at least {fewest} of each class are needed",
        hint="label more (`sentimon label next`), or lower training.min_per_class",
    )


def _distinct(rows: Sequence[Labelled]) -> list[Labelled]:
    """Return the rows as the model reads them, each text once, in order."""
    found: dict[str, Sentiment] = {}
    empty: list[int] = []
    contradictory: list[int] = []
    for number, (text, label) in enumerate(rows, start=1):
        head = readable(text)[0].strip()
        if not head:
            empty.append(number)
        elif found.setdefault(head, label) is not label:
            contradictory.append(number)
    faults = ((empty, "have an empty text"), (contradictory, "have a text that has another label before"))
    for numbers, what in faults:
        if numbers:
            named = ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")
            raise DataError(f"{len(numbers)} rows {what}: row {named}", hint="mend or remove those rows")
    return list(found.items())


def _split(rows: Sequence[Labelled], held_out: float, seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """Return (rows to train on, rows held out), both in a random order that `seed` decides."""
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    left = {one: max(1, round(held_out * sum(label is one for _, label in rows))) for one in Sentiment}
    train: list[Labelled] = []
    kept: list[Labelled] = []
    for at in order:
        label = rows[at][1]
        (kept if left[label] > 0 else train).append(rows[at])
        left[label] -= 1
    return train, kept
