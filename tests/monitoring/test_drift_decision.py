"""The table of verdicts: each line, and that every comparison falls into exactly one."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from sentimon.monitoring.drift_decision import VERDICTS, Power, Reason, Verdict, reason_of


@pytest.mark.parametrize(
    ("above", "surely", "detectable", "reason", "verdict"),
    [
        (True, True, True, "changed", "drift"),
        (True, True, False, "changed", "drift"),
        (True, False, True, "may be chance", "no verdict"),
        (True, False, False, "may be chance", "no verdict"),
        (False, True, True, "changed, below your threshold", "stable"),
        (False, True, False, "changed, below your threshold", "stable"),
        (False, False, True, "no change", "stable"),
        (False, False, False, "too few rows to tell", "no verdict"),
    ],
)
def test_each_cell_has_its_verdict(
    above: bool, surely: bool, detectable: bool, reason: str, verdict: str
) -> None:
    found = reason_of(above=above, surely=surely, detectable=detectable)
    assert (found.value, found.verdict.value) == (reason, verdict)


def test_the_table_says_what_is_decided() -> None:
    assert set(VERDICTS) == set(Reason)
    compared = {reason: rule for reason, rule in VERDICTS.items() if rule.above is not None}
    for above, surely, detectable in product((True, False), repeat=3):
        fitting = [
            reason
            for reason, rule in compared.items()
            if (rule.above, rule.surely) == (above, surely) and rule.detectable in (None, detectable)
        ]
        assert fitting == [reason_of(above=above, surely=surely, detectable=detectable)]


def test_the_docs_print_the_table() -> None:
    said = {True: "yes", False: "no", None: "-"}
    rows = [
        f"| {said[rule.above]} | {said[rule.surely]} | {said[rule.detectable]} | {reason.value} "
        f"| {rule.verdict.value} | {rule.meaning} |\n"
        for reason, rule in VERDICTS.items()
    ]
    page = Path(__file__).parents[2] / "docs/statistics.md"
    assert "".join(rows) in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", [Reason.NO_BASELINE, Reason.TOO_FEW_ROWS])
def test_without_enough_rows_there_is_no_verdict(reason: Reason) -> None:
    assert reason.verdict is Verdict.NO_VERDICT


@pytest.mark.parametrize(("more_rows", "enough"), [(0, True), (1, False), (None, False)])
def test_rows_are_enough_where_no_more_are_needed(more_rows: int | None, enough: bool) -> None:
    assert Power(smallest=0.1, more_rows=more_rows).enough is enough
