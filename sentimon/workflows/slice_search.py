"""Which slices account for a change, searched through all fields of the rows that have few values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.monitoring.explained_change import ExplainedChange
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.windows import Period
    from sentimon.statistics.slice_candidates import Cell
    from sentimon.workflows.drift import BaselineComparison
    from sentimon.workflows.workspace import Workspace

MOST_ROWS = 40_000
"""Rows of the baseline, and of those compared with it, that are read; of more some are drawn."""
MOST_VALUES = 50
"""A field with more values, on both sides together, is not searched."""
_LEAST_OVERLAP = 0.1
"""A field with less of its values in common between both sides says when a row came, and explains nothing."""
_DERIVED = ("@length", "@model", "@script")
_SEED = 0
_DAY_HOURS = 24


def explain_change(workspace: Workspace, compared: BaselineComparison) -> ExplainedChange | None:
    """Return the slices that account for the change from the baseline to the rows that were judged.

    All fields of the rows that have few values are searched, alone and in pairs, and so are the length and
    the script of the text, and the model. None where there is nothing to compare.

    Raises:
        StoreError: the log cannot be read, or the rows of the baseline are not all in it any more.
    """
    from sentimon.monitoring.explained_change import ExplainedChange
    from sentimon.statistics.slice_search import search_slices
    from sentimon.workflows.slices import check_rows_of_baseline, rows_of_baseline

    baseline = compared.baseline
    if baseline is None or not compared.report.current.total:
        return None
    if not workspace.where:
        check_rows_of_baseline(workspace, baseline, "cannot be searched for slices")
    sides = [_Side.read(workspace, one) for one in (rows_of_baseline(baseline), compared.judged)]
    values = {
        name: {value for side in sides for value in side.values.get(name, ())}
        for side in sides
        for name in side.values
    }
    left_out = sorted(name for name, known in values.items() if len(known) > MOST_VALUES)
    few = sorted(name for name, known in values.items() if 1 < len(known) <= MOST_VALUES)
    overlaps = {name: _overlap(sides[0].shares(name), sides[1].shares(name)) for name in few}
    fields = [name for name in few if overlaps[name] >= _LEAST_OVERLAP]
    search = None
    if fields and all(side.rows for side in sides):
        search = search_slices(fields, *(side.cells(fields) for side in sides), seed=_SEED)
    return ExplainedChange(
        search=search,
        fields=tuple(fields),
        left_out=tuple(left_out),
        turned_over=tuple(name for name in few if name not in fields),
        one_in=(sides[0].one_in, sides[1].one_in),
    )


def _overlap(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return which share of the rows, 0 .. 1, both sides have in common by their values."""
    return sum(min(share, after.get(value, 0.0)) for value, share in before.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Some rows with the values of all their fields."""

    one_in: int
    rows: list[tuple[int, int, Mapping[str, str]]]
    """The class, the day and the values of each row; a field that it lacks is missing."""
    values: Mapping[str, set[str]]
    """The values of each field, those of rows that lack it among them; of a field with too many, some."""

    @classmethod
    def read(cls, workspace: Workspace, period: Period) -> _Side:
        from sentimon.prediction_log.slice_fields import MISSING
        from sentimon.timestamps import hour_of

        count = workspace.summary(period).count
        one_in = max(1, math.ceil(count / MOST_ROWS))
        rows: list[tuple[int, int, Mapping[str, str]]] = []
        values: dict[str, set[str]] = {}
        having: Counter[str] = Counter()
        with ExitStack() as stack:
            drawn = workspace.rows(period, stack, one_in=one_in)
            for row in workspace.progress(drawn, "rows read", total=count // one_in):
                found = {
                    name: value for name, value in _values(row) if len(values.get(name, ())) <= MOST_VALUES
                }
                rows.append((int(row.sentiment), hour_of(row.timestamp) // _DAY_HOURS, found))
                for name, value in found.items():
                    values.setdefault(name, set()).add(value)
                having.update(found.keys())
        for name, known in values.items():
            if having[name] < len(rows):
                known.add(MISSING)
        return cls(one_in=one_in, rows=rows, values=values)

    def shares(self, name: str) -> dict[str, float]:
        """Return the share of each value of a field among the rows."""
        from sentimon.prediction_log.slice_fields import MISSING

        found = Counter(values.get(name, MISSING) for _, _, values in self.rows)
        return {value: count / len(self.rows) for value, count in found.items()}

    def cells(self, fields: Iterable[str]) -> list[Cell]:
        """Return the rows per class of each combination of the values of some fields, by day."""
        from sentimon.prediction_log.slice_fields import MISSING
        from sentimon.statistics.slice_candidates import Cell

        names, found = tuple(fields), dict[tuple[tuple[str, ...], int], list[int]]()
        for place, day, values in self.rows:
            key = tuple(values.get(name, MISSING) for name in names), day
            found.setdefault(key, [0, 0, 0])[place] += 1
        return [Cell(values, tuple(counts), day) for (values, day), counts in found.items()]


def _values(row: PredictionRecord) -> Iterator[tuple[str, str]]:
    """Yield (field, value) of what a row says of itself, and of what is told from it."""
    from sentimon.prediction_log.slice_fields import DERIVED, field_values

    yield from field_values(row.extra)
    for name in _DERIVED:
        yield name, DERIVED[name](row)
