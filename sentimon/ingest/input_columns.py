"""Which column of a file holds the text, the time, the id, the label, and what a model predicted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import Enum
from typing import Any

from sentimon.config.settings import InputSettings
from sentimon.errors import DataError
from sentimon.ingest.cells import is_missing, number_of
from sentimon.ingest.column_names import (
    ID_COLUMNS,
    LABEL_COLUMNS,
    MODEL_COLUMNS,
    RATING_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    plain_name,
    usual_columns,
)
from sentimon.ingest.label_coding import LabelCodingFinder
from sentimon.ingest.prediction_columns import (
    NO_PREDICTION,
    PredictionColumns,
    find_prediction,
    is_of_vader,
    missing_column,
    unread_columns,
)
from sentimon.jsonl import LONGEST
from sentimon.labels import THREE, Classes

_CLOCK = re.compile(r"[0-9]{1,2}[:.h][0-9]{2}(?:[:.][0-9]{2}(?:\.[0-9]{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?")
_LISTED = 12
"""Columns that an error lists at most."""


class Need(Enum):
    """What a command reads a file for."""

    TEXTS = "texts"
    """Texts to be scored; what the file says of classes is not looked at."""
    PREDICTIONS = "predictions"
    """Rows for the log: texts to be scored, or what another program has predicted."""
    LABELLED = "labelled texts"
    """Texts with their gold labels."""
    LABELS = "labels"
    """Gold labels for rows of the log, which are named by an id, a hash or the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputContext:
    """What a command brings to its input."""

    settings: InputSettings = field(default_factory=InputSettings)
    need: Need = Need.TEXTS
    zone: tzinfo | None = None
    """The zone of times that name none; None is local time."""
    label_map: Mapping[str, str] = field(default_factory=dict)
    """The labels of the model in force; those of `settings` come before them."""
    longest: int = LONGEST
    """Bytes of the longest line that is read."""
    classes: Classes = THREE
    """The classes that there are."""

    def label_coding(self, class_names: Sequence[str] | None) -> LabelCodingFinder:
        """Return what finds out the coding of gold labels; `class_names` are those that the file has."""
        return LabelCodingFinder(
            self.settings.labels, self.settings.label_map, class_names, present=self.classes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, and why it is taken: `named`, `usual name`, or `the only column`."""

    name: str
    why: str = "usual name"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumns:
    """The columns of a file that are used; None where there is none."""

    text: Column | None = None
    time: Column | None = None
    id: Column | None = None
    model: Column | None = None
    label: Column | None = None
    """The gold label; for `Need.LABELLED` and `Need.LABELS` alone."""
    prediction: PredictionColumns | None = None
    """What a model predicted; for `Need.PREDICTIONS` alone."""
    unread: frozenset[str] = frozenset()
    """Columns with names of the log that are not read as such; their cells are left out."""


def find_columns(
    names: Sequence[str], rows: Sequence[Mapping[str, Any]], settings: InputSettings, *, need: Need
) -> InputColumns:
    """Return which of the columns called `names` is what; `rows` are the first rows of the file.

    A column that `settings` name is taken; else one with a usual name.

    Raises:
        DataError: a named column does not exist; the file has no text, or no label, where they are needed;
            or the column that would be taken for gold labels is what a model predicted.
    """
    if need is Need.PREDICTIONS:
        prediction = find_prediction(names, rows, settings)
        return InputColumns(
            text=_text(names, rows, settings, needed=prediction is None),
            time=_time(names, rows, settings),
            id=_column(names, settings.id_column, ID_COLUMNS),
            model=_column(names, settings.model_column, MODEL_COLUMNS),
            prediction=prediction,
            unread=unread_columns(names, rows, settings, prediction),
        )
    return InputColumns(
        text=_text(names, rows, settings, needed=need is not Need.LABELS),
        # Which column names a logged row is found out where labels are joined, unless somebody says so.
        id=_column(names, settings.id_column, ()) if need is Need.LABELS else None,
        label=None if need is Need.TEXTS else _gold_label(names, rows, settings),
    )


def _column(names: Sequence[str], wanted: str, usual: Sequence[str]) -> Column | None:
    """Return the wanted column, or else the first with a usual name.

    Raises:
        DataError: the wanted one does not exist.
    """
    if wanted:
        # People and spreadsheets add blanks and capitals to names.
        alike = [name for name in names if plain_name(name) == plain_name(wanted)]
        if wanted not in names and len(alike) != 1:
            raise missing_column(wanted, names)
        return Column(name=wanted if wanted in names else alike[0], why="named")
    found = usual_columns(names, usual)
    return Column(name=found[0]) if found else None


def _time(names: Sequence[str], rows: Sequence[Mapping[str, Any]], settings: InputSettings) -> Column | None:
    found = _column(names, settings.time_column, TIME_COLUMNS)
    if found is None or found.why == "named":
        return found
    clocks = columns_of_clocks(names, rows)
    days = (one for one in usual_columns(names, TIME_COLUMNS) if one not in clocks)
    return Column(name=next(days, found.name))


def columns_of_clocks(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns with a usual name of times that hold an hour without a day."""
    found = []
    for name in usual_columns(names, TIME_COLUMNS):
        values = [value for row in rows if not is_missing(value := row.get(name))]
        if values and all(isinstance(one, str) and _CLOCK.fullmatch(one.strip()) for one in values):
            found.append(name)
    return found


def _text(
    names: Sequence[str], rows: Sequence[Mapping[str, Any]], settings: InputSettings, *, needed: bool
) -> Column | None:
    found = _column(names, settings.text_column, TEXT_COLUMNS)
    if found is not None and found.why != "named":
        # A column may be there and have nothing in it, beside the one that has the texts.
        filled = (one for one in usual_columns(names, TEXT_COLUMNS) if any(row.get(one) for row in rows))
        found = Column(name=next(filled, found.name))
    if found is not None or not needed:
        return found
    if len(names) == 1:
        return Column(name=names[0], why="the only column")
    raise DataError("no column has a usual name of a column of texts", hint=_choose("text", names))


def _gold_label(names: Sequence[str], rows: Sequence[Mapping[str, Any]], settings: InputSettings) -> Column:
    wanted = "" if settings.label_column == NO_PREDICTION else settings.label_column
    found = _column(names, wanted, (*LABEL_COLUMNS, *RATING_COLUMNS))
    if found is None:
        raise DataError("no column has a usual name of a column of labels", hint=_choose("label", names))
    if found.why != "named":
        beside = _predicted_beside(found.name, names, rows)
        if beside:
            raise DataError(
                f"{found.name!r} may be what a model predicted, for {beside} stands beside it",
                hint=f"name the gold labels with --label-column: {_listed(names)}",
            )
    return found


def _predicted_beside(name: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the columns that suggest that `name` holds the classes of a model; empty where none does."""
    predicted = find_prediction(names, rows, InputSettings())
    if predicted is not None and _may_be_predicted(name, predicted):
        return ", ".join(one for one in predicted.names if one != name)
    if is_of_vader(names):
        return "neg, neu, pos, compound"
    unread = unread_columns(names, rows, InputSettings(), predicted)
    return ", ".join(unread) if predicted is not None and predicted.label == name else ""


def _may_be_predicted(name: str, predicted: PredictionColumns) -> bool:
    """Return whether a column that would be taken for gold labels may hold the classes of a model."""
    if predicted.label == name:
        return len(predicted.names) > 1
    # Another column holds the classes that the scores are of; without one, this may be it.
    return predicted.label is None and name not in predicted.names


def _choose(what: str, names: Sequence[str]) -> str:
    numbers = sum(number_of(name) is not None for name in names)
    if 0 < numbers < len(names):
        return (
            f"its first line is taken for the heading, and looks like a row ({_listed(names)}): "
            "write the names of the columns above it, such as label,id,text"
        )
    return f"name it with --{what}-column: {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return (", ".join(f"{name:.40}" for name in names[:_LISTED]) or "there is none") + more
