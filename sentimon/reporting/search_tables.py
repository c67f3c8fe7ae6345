"""The slices that account for a change, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import LABELS, by_name
from sentimon.monitoring.explained_change import ExplainedChange
from sentimon.reporting.plain_text import change, counted, number, visible
from sentimon.reporting.share_sentences import slice_name
from sentimon.reporting.table_style import Fitting, new_table, sentences_of, short_name
from sentimon.statistics.slice_search import FoundSlice, SliceSearch

_SHORT = 8
"""The width of a class name at the head of a narrow column."""


def search_table(found: ExplainedChange, names: Sequence[str]) -> RenderableType:
    """Return the slices that account for a change, the largest first, and what was searched."""
    sentences = sentences_of(explain_search(found, [visible(name) for name in names]))
    if found.search is None or not found.search.found:
        return Group(Text(), sentences)
    return Group(Text(), Fitting(partial(_search, found.search, names)), Text(), sentences)


def _search(search: SliceSearch, names: Sequence[str], narrow: bool) -> Table:
    place = largest_change(search)
    table = new_table(
        f"Slices that account for the change of {visible(names[place])}",
        ("Slice", "left"),
        ("Rows", "left"),
        (short_name(names[place], _SHORT) if narrow else names[place], "left"),
        ("Accounts for", "left"),
        ("p", "right"),
        narrow=narrow,
    )
    for one in search.found:
        before, after = (None if shares is None else shares[place] for shares in one.shares)
        table.add_row(
            Text(slice_title(one)),
            f"{one.rows[0]} to {one.rows[1]}",
            f"{number(before, digits=2)} to {number(after, digits=2)}",
            change(one.contribution[place], below=narrow),
            f"{one.p_value:.3f}",
        )
    table.add_section()
    table.add_row("all other rows", "", "", f"{search.left[place]:+.3f}", "")
    return table


def largest_change(search: SliceSearch) -> int:
    """Return the place of the class whose share changed most."""
    return max(range(len(search.change)), key=lambda place: abs(search.change[place]))


def slice_title(one: FoundSlice) -> str:
    """Return a slice as `--where` would name it."""
    return " and ".join(slice_name(field, value) for field, value in one.where)


def explain_search(found: ExplainedChange, names: Sequence[str]) -> list[str]:
    """Return sentences on what the slices account for, and on what was searched."""
    search = found.search
    if search is None:
        return ["The rows have no field with few values to search for slices.", *_not_searched(found)]
    place = largest_change(search)
    whole = f"the change of {names[place]} by {search.change[place]:+.3f}"
    if search.found:
        named = sum(one.contribution[place].value for one in search.found)
        sentences = [
            f"Of {whole}, {named:+.3f} is in these slices.",
            "That they moved more than the other rows is not said by that: see --by.",
        ]
    else:
        sentences = [f"No slice stands out: {whole} may be chance in each."]
    fields = ", ".join(map(visible, found.fields))
    sentences.append(
        f"Searched were {counted(search.candidates, 'slice')}: the values of {fields}, and pairs of them. "
        "Where nothing changed, any is shown with a probability of at most 5 %."
    )
    return sentences + _not_searched(found)


def _not_searched(found: ExplainedChange) -> list[str]:
    sentences = []
    if found.left_out:
        sentences.append(f"Not searched, for too many values: {', '.join(map(visible, found.left_out))}.")
    if found.turned_over:
        fields = ", ".join(map(visible, found.turned_over))
        sentences.append(
            f"Not searched, as almost all their values are others than in the baseline: {fields}."
        )
    before, after = found.one_in
    if max(before, after) > 1:
        sentences.append(f"One of {before} rows of the baseline was read for it, and one of {after} now.")
    return sentences


def search_object(found: ExplainedChange, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the slices that account for a change, and what was searched; without a field, that alone."""
    known: dict[str, Any] = {
        "fields": list(found.fields),
        "fields_left_out": list(found.left_out),
        "fields_turned_over": list(found.turned_over),
        "one_row_in": list(found.one_in),
    }
    return known if found.search is None else known | _found_object(found.search, names)


def _found_object(search: SliceSearch, names: Sequence[str]) -> dict[str, Any]:
    return {
        "slices_searched": search.candidates,
        "by_days": search.by_blocks,
        "change": dict(by_name(names, search.change)),
        "elsewhere": dict(by_name(names, search.left)),
        "slices": [
            {
                "where": dict(one.where),
                "baseline_predictions": one.rows[0],
                "current_predictions": one.rows[1],
                "baseline_shares": None if one.shares[0] is None else dict(by_name(names, one.shares[0])),
                "current_shares": None if one.shares[1] is None else dict(by_name(names, one.shares[1])),
                "accounts_for": {
                    name: {"value": part.value, "low": part.low, "high": part.high}
                    for name, part in by_name(names, one.contribution)
                },
                "p_value": one.p_value,
            }
            for one in search.found
        ],
    }
