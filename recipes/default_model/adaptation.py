"""The last training: the student goes on with our own texts, and with tweets, so as not to forget them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recipes.default_model.data import ENGLISH, Example
from recipes.default_model.student import PRIOR_SHARE
from recipes.default_model.training import Recipe
from sentimon.finetuning.targets import prior_offsets

RECIPE = Recipe(epochs=2, rate=1e-4, seed=3, average_decay=0.998)
TWEETS = 15_000
"""Tweets that may be repeated, drawn once."""
TWEETS_PER_EPOCH = 5_000


def with_prior(
    tweets: Sequence[Example], logits: NDArray[np.float64], *, english_counts: Sequence[int]
) -> NDArray[np.float64]:
    """Return the answers of a finished student, (tweets, 3), as those of a teacher.

    A student is taught with the English class mix (rows per class) taken out of its answers; here it is
    put back in.
    """
    offsets = np.array(prior_offsets(english_counts, share=PRIOR_SHARE))
    english = np.array([one.language == ENGLISH for one in tweets])
    return np.where(english[:, None], logits + offsets, logits)
