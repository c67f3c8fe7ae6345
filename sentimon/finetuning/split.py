"""The labelled rows of a retraining: checked, split by class, and told from other rows by a fingerprint."""

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
class Course:
    """What is learned from, and what it is judged on; texts are as the model reads them."""

    fresh: tuple[Labelled, ...]
    """New rows to train on."""
    held: tuple[Labelled, ...]
    """New rows kept out."""
    replay: tuple[Labelled, ...] = ()
    """Old rows, some of which each pass mixes in."""
    held_replay: tuple[Labelled, ...] = ()
    """Old rows kept out: at most as many as `held`, so that both kinds say as much."""

    @property
    def judged_on(self) -> tuple[Labelled, ...]:
        """Return all rows kept out, the new ones first."""
        return self.held + self.held_replay

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return the new rows to train on per class."""
        found = Counter(label for _, label in self.fresh)
        return found[Sentiment.NEGATIVE], found[Sentiment.NEUTRAL], found[Sentiment.POSITIVE]

    @property
    def fingerprint(self) -> str:
        """Return the start of the SHA-256 of every row in its part and place."""
        content = hashlib.sha256()
        for part in (self.fresh, self.held, self.replay, self.held_replay):
            for text, label in part:
                content.update(f"{label.label}\0{text}\0".encode(errors="surrogatepass"))
            content.update(b"\1")
        return content.hexdigest()[:16]


def plan_course(
    rows: Sequence[Labelled],
    old: Sequence[Labelled],
    *,
    held_out: float,
    fewest: int,
    seed: int,
) -> Course:
    """Return the course of the labelled `rows` and of the `old` ones to replay, dealt as `seed` says.

    A share `held_out` of each class, at least one row, is kept out. Texts that occur twice are used once,
    so that none is on both sides; the old rows lose those that the new ones have.

    Raises:
        DataError: texts are empty, or one text has two labels.
        NoVerdictError: a class that occurs has fewer than `fewest` rows.
    """
    fresh = _once(rows)
    known = {text for text, _ in fresh}
    olds = [one for one in _once(old) if one[0] not in known]
    counts = Counter(label for _, label in fresh)
    for one in sorted(counts):
        if counts[one] < fewest:
            raise too_few(one, counts[one], fewest)
    learned, held = _deal(fresh, held_out, seed)
    replayed, held_replay = _deal(olds, held_out, seed) if olds else ([], [])
    spare = held_replay[len(held) :]
    return Course(
        fresh=tuple(learned),
        held=tuple(held),
        replay=tuple(replayed + spare),
        held_replay=tuple(held_replay[: len(held)]),
    )


def check_covered(course: Course, classes: Collection[Sentiment], *, fewest: int) -> None:
    """Do nothing where the course has rows of all `classes`, those that the model can say.

    Raises:
        NoVerdictError: it has none of one of them.
    """
    for one in sorted(set(classes) - {label for _, label in course.fresh}):
        raise too_few(one, 0, fewest)


def too_few(sentiment: Sentiment, count: int, fewest: int) -> NoVerdictError:
    """Return the error for a class with too few rows."""
    return NoVerdictError(
        f"{count} labelled texts are {sentiment.label}, at least {fewest} of each class are needed",
        hint="label more (`sentimon label next`), or lower training.min_per_class",
    )


def _once(rows: Sequence[Labelled]) -> list[Labelled]:
    """Return the rows as the model reads them, each text once, in order."""
    found: dict[str, Sentiment] = {}
    empty: list[int] = []
    torn: list[int] = []
    for number, (text, label) in enumerate(rows, start=1):
        head = readable(text)[0].strip()
        if not head:
            empty.append(number)
        elif found.setdefault(head, label) is not label:
            torn.append(number)
    for numbers, what in ((empty, "have an empty text"), (torn, "have a text that has another label before")):
        if numbers:
            named = ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")
            raise DataError(f"{len(numbers)} rows {what}: row {named}", hint="mend or remove those rows")
    return list(found.items())


def _deal(rows: Sequence[Labelled], held_out: float, seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """Return (rows to learn from, rows kept out), both in an order that `seed` says."""
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    left = {one: max(1, round(held_out * sum(label is one for _, label in rows))) for one in Sentiment}
    learned: list[Labelled] = []
    held: list[Labelled] = []
    for at in order:
        label = rows[at][1]
        (held if left[label] > 0 else learned).append(rows[at])
        left[label] -= 1
    return learned, held
