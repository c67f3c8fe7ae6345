"""Why the predictions moved, slice by slice, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sentimon.monitoring.slice_comparison import FieldComparison, SliceOutcome
from sentimon.reporting.plain_text import counted, number, visible
from sentimon.statistics.mix_decomposition import Decomposition, SlicePart

_NAMED = 3
"""Slices that a sentence names."""
_WORTH = 0.005
"""A smaller part of a change is not told."""


def explain_slices(found: FieldComparison, names: Sequence[str]) -> list[str]:
    """Return sentences on what moved within which slice, and what is new or gone.

    `names` are those of the classes as they are shown; "" for one that there is not.
    """
    largest = max(range(3), key=lambda place: abs(found.shares[place].whole.value))
    sentences = [_explain_change(f"the share of {names[largest]}", found.shares[largest], names[largest])]
    for state, words in (
        (SliceOutcome.NEW, "new since the baseline"),
        (SliceOutcome.GONE, "gone since the baseline"),
        (SliceOutcome.TOO_FEW_ROWS, "too few rows for a verdict"),
    ):
        values = [one.value for one in found.slices if one.state is state]
        if values:
            sentences.append(f"{words[0].upper()}{words[1:]}: {_listed(values)}.")
    if found.too_many:
        sentences.append(f"{visible(found.field)} has more values than can be told apart.")
    return sentences


def explain_others(field: str, values: int | None, shown: int, rows: int) -> list[str]:
    """Return what the slice `(other)` holds, as sentences: so many `rows`, where there are any.

    `values` is the number of values of the field, None where they are too many; `shown` that of all slices.
    """
    if values is None:
        return [f"{visible(field)} has more values than can be told apart: all rows are (other)."]
    left = counted(values - shown + 1, "value")
    return [f"(other) are {counted(rows, 'row')} of {left} with fewer rows."] if rows else []


def _explain_change(subject: str, change_of: Decomposition, name: str) -> str:
    whole, mix, within = change_of.whole, change_of.mix, change_of.within
    subject = f"{subject[0].upper()}{subject[1:]}"
    span = f"{number(change_of.before)} to {number(change_of.after)}"
    if max(abs(one.value) for one in (whole, mix, within)) < _WORTH:
        return f"{subject} is as before: {span}."
    moved = "rose" if whole.value > 0 else "fell"
    parts = [
        text
        for text in (
            _explain_mix(change_of.slices, mix.value),
            _explain_within(change_of.slices, within.value, name),
        )
        if text
    ]
    head = f"{subject} {moved} by {number(abs(whole.value))}, from {span}"
    return f"{head}: {'; '.join(parts)}." if parts else f"{head}."


def _explain_mix(slices: Sequence[SlicePart], value: float) -> str:
    if abs(value) < _WORTH:
        return ""
    chosen = _largest(slices, [one.mix.value for one in slices], value)
    if not chosen:
        return f"{value:+.3f} because a little more or less traffic came from many slices"
    moved = [
        f"{'more' if one.weights[1] > one.weights[0] else 'less'} traffic came from {visible(one.value)}"
        for one in chosen
    ]
    return f"{value:+.3f} because {_and(moved)}"


def _explain_within(slices: Sequence[SlicePart], value: float, name: str) -> str:
    if abs(value) < _WORTH:
        return ""
    chosen = _largest(slices, [one.within.value for one in slices], value)
    became = f"became {'more' if value > 0 else 'less'} {name}"
    named = _and(visible(one.value) for one in chosen) if chosen else "many slices, each a little,"
    return f"{value:+.3f} because {named} {became}"


def _largest(slices: Sequence[SlicePart], parts: Sequence[float], whole: float) -> list[SlicePart]:
    """Return the few slices with the largest parts of the sign of the whole."""
    ranked = sorted(zip(parts, slices, strict=True), key=lambda pair: -abs(pair[0]))
    same = [one for part, one in ranked if part * whole > 0 and abs(part) >= abs(whole) / 5]
    return same[:_NAMED]


def _listed(values: Sequence[str]) -> str:
    shown = [visible(one) for one in values[:_NAMED]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _and(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last
