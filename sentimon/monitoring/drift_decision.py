"""The one table of verdicts on drift: what a comparison with the baseline found, and what that means.

One look and the monitor both decide by it, and so use the same words.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


class Verdict(enum.StrEnum):
    """The answer of a comparison; with too few rows it is `no verdict`."""

    STABLE = "stable"
    DRIFT = "drift"
    NO_VERDICT = "no verdict"


class Reason(enum.StrEnum):
    """Why a verdict is what it is, in the words that tables, `--json` and the report show."""

    NO_BASELINE = "no baseline"
    TOO_FEW_ROWS = "too few rows"
    CHANGED = "changed"
    MAY_BE_CHANCE = "may be chance"
    CHANGED_BELOW_THRESHOLD = "changed, below your threshold"
    UNCHANGED = "no change"
    TOO_FEW_TO_TELL = "too few rows to tell"

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that follows."""
        return VERDICTS[self].verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRule:
    """One line of the table; None where a column plays no part."""

    verdict: Verdict
    above: bool | None
    """Whether the change is above the threshold."""
    surely: bool | None
    """Whether it is more than chance."""
    detectable: bool | None
    """Whether a change as large as the threshold would have been more than chance."""
    meaning: str


VERDICTS: Mapping[Reason, VerdictRule] = MappingProxyType(
    {
        Reason.NO_BASELINE: VerdictRule(
            verdict=Verdict.NO_VERDICT,
            above=None,
            surely=None,
            detectable=None,
            meaning="There is nothing to compare with, or its rows are still being collected.",
        ),
        Reason.TOO_FEW_ROWS: VerdictRule(
            verdict=Verdict.NO_VERDICT,
            above=None,
            surely=None,
            detectable=None,
            meaning="The baseline, or what is compared with it, has fewer rows than `drift.min_samples`.",
        ),
        Reason.CHANGED: VerdictRule(
            verdict=Verdict.DRIFT,
            above=True,
            surely=True,
            detectable=None,
            meaning="The predictions changed by more than you allow.",
        ),
        Reason.MAY_BE_CHANCE: VerdictRule(
            verdict=Verdict.NO_VERDICT,
            above=True,
            surely=False,
            detectable=None,
            meaning="They differ by more than you allow, but so few rows may do that by chance.",
        ),
        Reason.CHANGED_BELOW_THRESHOLD: VerdictRule(
            verdict=Verdict.STABLE,
            above=False,
            surely=True,
            detectable=None,
            meaning="They changed, and by less than you allow.",
        ),
        Reason.UNCHANGED: VerdictRule(
            verdict=Verdict.STABLE,
            above=False,
            surely=False,
            detectable=True,
            meaning="No change is seen, and one as large as the threshold would have been.",
        ),
        Reason.TOO_FEW_TO_TELL: VerdictRule(
            verdict=Verdict.NO_VERDICT,
            above=False,
            surely=False,
            detectable=False,
            meaning="No change is seen, but one as large as the threshold need not have been: it takes more "
            "rows.",
        ),
    }
)


def reason_of(*, above: bool, surely: bool, detectable: bool) -> Reason:
    """Return the reason of a comparison of enough rows with a baseline: the line of the table that fits."""
    if surely:
        return Reason.CHANGED if above else Reason.CHANGED_BELOW_THRESHOLD
    if above:
        return Reason.MAY_BE_CHANCE
    return Reason.UNCHANGED if detectable else Reason.TOO_FEW_TO_TELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a comparison could have seen."""

    smallest: float | None
    """The smallest change that would have been more than chance, as the threshold measures it; None: none."""
    more_rows: int | None
    """How many more rows it takes to see a change as large as the threshold; 0 where it could have been seen.

    None where no number of rows is enough, as the baseline has too few itself.
    """

    @property
    def enough(self) -> bool:
        """Return whether a change as large as the threshold could have been seen."""
        return self.more_rows == 0
