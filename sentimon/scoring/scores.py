"""What a model says about a text: three probabilities, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentimon.errors import DataError
from sentimon.labels import LABELS, Sentiment

SUM_TOLERANCE = 2e-3
"""How far three scores may be from summing to 1: each may have been rounded to three digits."""
SCALE = 1_000_000
"""Scores are kept to the millionth, and summed in millionths: integers add up alike in every order."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """The probability of each class, each in 0..1, together 1."""

    negative: float
    neutral: float
    positive: float

    @classmethod
    def from_probabilities(cls, probabilities: Sequence[float]) -> Scores:
        """Return the scores of a vector of shape (3,), in Sentiment order, rounded to six digits.

        Six digits are what the log keeps, so what is printed, logged and summed up is one number.

        Raises:
            DataError: not three finite numbers in 0..1 that sum to 1 within SUM_TOLERANCE.
        """
        if len(probabilities) != len(LABELS):
            raise DataError(f"scores need {len(LABELS)} numbers, got {len(probabilities)}")
        negative, neutral, positive = (_rounded(float(value)) for value in probabilities)
        # Not-a-number compares as false, so it is out of range, too.
        if not (0.0 <= negative <= 1.0 and 0.0 <= neutral <= 1.0 and 0.0 <= positive <= 1.0):
            raise _out_of_range((negative, neutral, positive))
        total = negative + neutral + positive
        if not abs(total - 1.0) <= SUM_TOLERANCE:
            raise DataError(f"scores sum to {total:.4f}, not to 1 (within {SUM_TOLERANCE})")
        return cls(negative=negative, neutral=neutral, positive=positive)

    @property
    def vector(self) -> tuple[float, float, float]:
        """Return the three scores in Sentiment order."""
        return (self.negative, self.neutral, self.positive)

    @property
    def label(self) -> Sentiment:
        """Return the class with the highest score; of equal ones the first in Sentiment order."""
        vector = self.vector
        return Sentiment(vector.index(max(vector)))

    @property
    def confidence(self) -> float:
        """Return the highest score, 1/3 .. 1."""
        return max(self.vector)

    @property
    def polarity(self) -> float:
        """Return positive minus negative, -1 .. 1."""
        return self.positive - self.negative

    def to_dict(self) -> dict[str, float]:
        """Return `{"negative": .., "neutral": .., "positive": ..}`, in that order."""
        return dict(zip(LABELS, self.vector, strict=True))


class BestClass(msgspec.Struct, frozen=True, kw_only=True):
    """What a classifier says of a text that gives at most the score of its best class."""

    label: Sentiment
    confidence: float | None
    """The score of `label`, 0 .. 1; None where it gives no score."""


def _rounded(value: float) -> float:
    # By way of millionths, as they are summed up; far out of range there is nothing to round.
    return round(value * SCALE) / SCALE if abs(value) < 2 else value


def _out_of_range(values: tuple[float, float, float]) -> DataError:
    label, value = next(
        (label, value) for label, value in zip(LABELS, values, strict=True) if not 0.0 <= value <= 1.0
    )
    return DataError(f"score of {label} is {value}, not a number from 0 to 1")


class ScoredText(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of one text, and how much of it the model saw."""

    scores: Scores
    tokens: int
    """Length of the text, or of its first 100,000 characters, in the model's tokens, boundaries included."""
    truncated: bool
    """Whether the text was longer than the model reads, so that its end was not seen."""
    unknown: float = 0.0
    """The share of the letters of the text, 0 .. 1, that the model has no pieces for."""
    unreadable: bool = False
    """Whether that share is above the limit: the scores say nothing of the text."""
