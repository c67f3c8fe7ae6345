"""The tables of slices on terminals of 40 to 120 columns: each name and each figure is there as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from rich.console import RenderableType

from sentimon.evaluation.slice_quality import evaluate_slices
from sentimon.labels import LABELS, THREE, Sentiment
from sentimon.monitoring.explained_change import ExplainedChange
from sentimon.monitoring.slice_comparison import compare_slices
from sentimon.monitoring.slice_metrics import measure_slices
from sentimon.prediction_log.slices import Slices, SliceTally
from sentimon.reporting.search_tables import search_table
from sentimon.reporting.slice_quality_tables import slice_evaluation_table
from sentimon.reporting.slice_tables import comparison_table, slices_table
from sentimon.scoring.scores import Scores
from sentimon.statistics.intervals import Difference
from sentimon.statistics.slice_search import FoundSlice, SliceSearch
from tests.support.golden import printed

_FIGURE = re.compile(r"[+-]?\d+(?:\.\d+)?")
VALUES = ("50-99", "100-279", "1000+", "Milano-Centrale")


def metrics_by(values: tuple[str, ...], rows: int) -> RenderableType:
    n = 3 * rows + 3
    tally = SliceTally(rows, 2 * rows, 3, n, 900_000 * n, 820_000_000_000 * n)
    some = Slices(tallies=dict.fromkeys(values, tally))
    return slices_table(
        measure_slices("channel", some, most=20, min_samples=50, confidence_level=0.95), LABELS
    )


def drift_by(values: tuple[str, ...], rows: int) -> RenderableType:
    before = Slices(tallies={one: SliceTally(rows, rows, rows) for one in values})
    after = Slices(tallies={one: SliceTally(2 * rows, rows, 9) for one in values[1:]})
    found = compare_slices(
        "channel", before, after, most=20, threshold=0.15, min_samples=50, confidence_level=0.95
    )
    return comparison_table(found, LABELS)


def evaluation_by(values: tuple[str, ...], rows: int) -> RenderableType:
    marked = [one for one in values for _ in range(min(rows, 20))]
    found = evaluate_slices(
        "channel",
        marked,
        [Scores(negative=0.7, neutral=0.2, positive=0.1)] * len(marked),
        [Sentiment(place % 3) for place in range(len(marked))],
        most=20,
        min_labels=5,
        confidence_level=0.95,
        present=THREE,
    )
    return slice_evaluation_table(found)


def explained(values: tuple[str, ...], rows: int) -> RenderableType:
    part = Difference(value=0.123, low=-0.456, high=0.789)
    found = tuple(
        FoundSlice(
            where=(("channel", one),),
            rows=(rows, 2 * rows),
            shares=((0.2, 0.3, 0.5), (0.5, 0.3, 0.2)),
            contribution=(part, part, part),
            p_value=0.002,
            step=1,
        )
        for one in values
    )
    search = SliceSearch(
        found=found,
        change=(0.3, 0.0, -0.3),
        left=(0.1, 0.0, -0.1),
        candidates=15,
        by_blocks=True,
        fields_left_out=(),
    )
    change = ExplainedChange(search=search, fields=("channel",), left_out=(), turned_over=(), one_in=(1, 1))
    return search_table(change, LABELS)


TABLES = [metrics_by, drift_by, evaluation_by, explained]


def words(text: str) -> Counter[str]:
    return Counter(text.replace("*", "").split())


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_every_name_and_figure_is_whole_at_any_width(
    make: Callable[[tuple[str, ...], int], RenderableType],
) -> None:
    table = make(VALUES, 88_123)
    wide = printed(table, 300)
    known = set(_FIGURE.findall(wide))
    for width in range(40, 121):
        text = printed(table, width)
        assert all(cell_len(line) <= width for line in text.split("\n")), width
        found = set(_FIGURE.findall(text))
        assert found <= known, (width, found - known)
        for value in VALUES:
            shown = f"channel={value}" if make is explained else value
            assert words(text)[shown] >= 1, (width, shown)
        for limits in re.findall(r"\[[^\]]*\]", " ".join(wide.split())):
            assert limits in " ".join(text.split()), (width, limits)
        assert text.count("[") == text.count("]") == wide.count("["), width


def test_where_nothing_fits_each_figure_has_a_line() -> None:
    assert [line.rstrip() for line in printed(metrics_by(("50-99", "100-279"), 88), 40).split("\n")][
        1:12
    ] == [
        "By channel",
        "",
        "100-279",
        "  Rows       267",
        "  Of all     0.50",
        "  negative   0.33 [0.28, 0.39]",
        "  neutral    0.66 [0.60, 0.71]",
        "  positive   0.01 [0.00, 0.03]",
        "  Confidence 0.90 [0.89, 0.91]",
        "",
        "50-99",
    ]
