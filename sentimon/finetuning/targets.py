"""What a training row teaches: a smoothed label, class priors, a model's answer, and the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own texts use

from sentimon.finetuning.training_batches import TrainingRow, Triple

SMOOTHING = 0.05


def smooth_label(label: int, smoothing: float = SMOOTHING) -> Triple:
    """Return target shares: most on the label, `smoothing` spread over all three classes.

    >>> [round(share, 6) for share in smooth_label(2, 0.3)]
    [0.1, 0.1, 0.8]
    """
    low, middle, high = (smoothing / 3 + (1 - smoothing) * (k == label) for k in range(3))
    return low, middle, high


def prior_offsets(counts: Sequence[int], *, share: float) -> Triple:
    """Return `share` of the log of the class mix, to be added to logits in training; 0 for an absent class.

    `counts` are the rows of each class. A share of 1 takes the class mix out of what is learned.

    >>> [round(offset, 6) for offset in prior_offsets([1, 1, 2], share=1.0)]
    [-1.386294, -1.386294, -0.693147]

    Source: Menon et al. (2021), Long-tail learning via logit adjustment, equation 10.
    """
    total = sum(counts)
    low, middle, high = (share * math.log(count / total) if count else 0.0 for count in counts)
    return low, middle, high


def mix_targets(label: Sequence[float], answer: Sequence[float], *, answer_share: float) -> Triple:
    """Return the mean of a label's shares and a model's answer, the answer weighted by `answer_share`."""
    low, middle, high = (
        (1 - answer_share) * one + answer_share * other for one, other in zip(label, answer, strict=True)
    )
    return low, middle, high


def cross_entropy(logits: Tensor, rows: Sequence[TrainingRow]) -> Tensor:
    """Return the mean cross-entropy of the rows' targets, their offsets added to the logits (rows, 3)."""
    targets = torch.tensor([row.target for row in rows])
    offsets = torch.tensor([row.offsets for row in rows])
    return F.cross_entropy(logits.float() + offsets, targets)
