"""How much of the log has gold labels, as a table, in sentences and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from sentimon.gold_labels.label_coverage import Coverage, CoverageWindow, SelectionBias
from sentimon.labels import LABELS, Sentiment, places_named
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.plain_text import minute, number, span_of, visible
from sentimon.reporting.table_style import class_name, new_table, sentences_of
from sentimon.timestamps import format_moment, in_zone


def coverage_object(coverage: Coverage, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the object of `label status --json`; numbers that need more rows are null."""
    delay, fairness = coverage.delay, coverage.fairness
    return {
        **_counts(coverage.all, coverage.labelled),
        "drawn": coverage.drawn,
        "per_class": {
            names[place]: _share(coverage.labelled.counts[place], coverage.all.counts[place])
            for place in places_named(names)
        },
        "delay_hours": None
        if delay is None
        else {"median": delay.median_hours, "ninetieth": delay.ninetieth_hours, "n": delay.n},
        "sample": None if fairness is None else _fairness_object(fairness),
        **({} if coverage.windows is None else {"windows": [_window(one) for one in coverage.windows]}),
    }


def coverage_table(coverage: Coverage, names: Sequence[str], *, zone: tzinfo | None) -> RenderableType:
    """Return the coverage per predicted class and per window, the delay, and whether the sample is fair."""
    table = new_table(
        f"Labels of rows {span_of(coverage.all)}",
        ("Predicted", "left"),
        ("Rows", "right"),
        ("Labelled", "right"),
        ("Coverage", "right"),
    )
    for place in places_named(names):
        labelled, rows = coverage.labelled.counts[place], coverage.all.counts[place]
        table.add_row(class_name(place, names), str(rows), str(labelled), _ratio(labelled, rows))
    table.add_section()
    labelled, rows = coverage.labelled.count, coverage.all.count
    table.add_row("all", str(rows), str(labelled), _ratio(labelled, rows))
    parts: list[RenderableType] = [table]
    if coverage.windows:
        parts += [Text(), _windows_table(coverage.windows, zone)]
    return Group(*parts, Text(), sentences_of(explain_coverage(coverage, names)))


def explain_coverage(coverage: Coverage, names: Sequence[str]) -> list[str]:
    """Return the delay, and whether the labelled rows are a fair sample, in sentences."""
    sentences = []
    if coverage.delay is not None:
        middle, late = _time(coverage.delay.median_hours), _time(coverage.delay.ninetieth_hours)
        sentences.append(f"From prediction to label: {middle} in the median, {late} or less for nine in ten.")
    if coverage.drawn:
        sentences.append(
            f"{coverage.drawn} labelled rows were drawn with known probabilities: estimates weight them."
        )
    if coverage.labelled.count:
        sentences += _explain_fairness(coverage, names)
    return sentences


def _explain_fairness(coverage: Coverage, names: Sequence[str]) -> list[str]:
    found = coverage.fairness
    if coverage.labelled.count == coverage.all.count:
        return ["Every row is labelled."]
    if found is None:
        return ["Too few labelled or unlabelled rows to say whether they are a fair sample."]
    if found.random_sample:
        alike = "" if found.confidence_p is None else ", same confidence"
        return [f"The labelled rows look like a random sample of all: same class mix{alike}."]
    sentences = ["WARNING: the labelled rows are not a random sample of the logged ones."]
    if found.mix_p < found.limit:
        place = _moved_most(coverage)
        own, rest = _shares(coverage, place)
        sentences.append(
            f"Their predicted classes differ by {number(found.mix_distance)} (total variation): "
            f"{visible(names[place])} {number(own)} of the labelled, {number(rest)} of the others."
        )
    if found.confidence_difference is not None and found.confidence_differs:
        side = "less" if found.confidence_difference < 0 else "more"
        difference = number(abs(found.confidence_difference))
        sentences.append(f"The model is {side} confident of them, by {difference} in the mean.")
    if not coverage.drawn:
        sentences.append(
            "Plain averages over them mislead; `sentimon label next` draws rows that correct it."
        )
    return sentences


def _moved_most(coverage: Coverage) -> Sentiment:
    def moved(place: Sentiment) -> float:
        own, rest = _shares(coverage, place)
        return abs(own - rest)

    return max(Sentiment, key=moved)


def _shares(coverage: Coverage, place: Sentiment) -> tuple[float, float]:
    labelled, whole = coverage.labelled, coverage.all
    rest = whole.count - labelled.count
    return (
        labelled.counts[place] / labelled.count,
        (whole.counts[place] - labelled.counts[place]) / rest if rest else 0.0,
    )


def _windows_table(windows: Sequence[CoverageWindow], zone: tzinfo | None) -> RenderableType:
    columns = (("Window", "left"), ("Rows", "right"), ("Labelled", "right"), ("Coverage", "right"))
    table = new_table(f"Per window, {zone or 'local'} time", *columns)
    for window in windows:
        start = minute(in_zone(window.start, zone))
        labelled, rows = window.labelled.count, window.all.count
        mark = "" if window.complete else "*"
        table.add_row(start + mark, str(rows), str(labelled), _ratio(labelled, rows))
    unfinished = [] if all(window.complete for window in windows) else ["* not over yet"]
    return Group(table, sentences_of(unfinished))


def _window(window: CoverageWindow) -> dict[str, Any]:
    return {
        "start": format_moment(window.start),
        "end": format_moment(window.end),
        "complete": window.complete,
        **_counts(window.all, window.labelled),
    }


def _counts(whole: Summary, labelled: Summary) -> dict[str, Any]:
    return _share(labelled.count, whole.count)


def _share(labelled: int, rows: int) -> dict[str, Any]:
    return {"rows": rows, "labelled": labelled, "coverage": labelled / rows if rows else None}


def _fairness_object(found: SelectionBias) -> dict[str, Any]:
    return {
        "random": found.random_sample,
        "mix_distance": found.mix_distance,
        "mix_p": found.mix_p,
        "confidence_difference": found.confidence_difference,
        "confidence_p": found.confidence_p,
        "p_limit": found.limit,
    }


def _ratio(labelled: int, rows: int) -> str:
    return number(labelled / rows if rows else None)


def _time(hours: float) -> str:
    """Return a duration in minutes, hours or days."""
    if abs(hours) < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if abs(hours) < 48 else f"{hours / 24:.1f} days"
