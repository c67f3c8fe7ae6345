"""What labels that came later say of an estimate: how far it was off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sentimon.evaluation.realised import Judged, realise
from sentimon.monitoring.intervals import Change, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Accuracy by labels against the estimate made without them."""

    realised: Estimate
    difference: Change
    """Realised minus estimated, -1 .. 1."""


def gap_of(estimated: Estimate | None, judged: Sequence[Judged], *, confidence_level: float) -> Gap | None:
    """Return how far the accuracy of the labelled rows lies from the estimate; None where one is missing.

    The rows must not be among those that the estimate was learnt from. The limits of both are combined by
    square-and-add (MOVER).

    Source: Zou & Donner (2008), Stat. Med. 27, 1693-1702.
    """
    found = realise(judged, confidence_level=confidence_level).accuracy
    if estimated is None or estimated.value is None or estimated.low is None or estimated.high is None:
        return None
    if found.value is None or found.low is None or found.high is None:
        return None
    value = found.value - estimated.value
    below = math.hypot(found.value - found.low, estimated.high - estimated.value)
    above = math.hypot(found.high - found.value, estimated.value - estimated.low)
    return Gap(realised=found, difference=Change(value=value, low=value - below, high=value + above))
