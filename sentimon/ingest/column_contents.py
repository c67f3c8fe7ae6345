"""What the columns of a file hold: found out from its first rows, or, where those do not tell, from all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from msgspec import structs

from sentimon.errors import DataError
from sentimon.ingest.cells import is_missing, shown
from sentimon.ingest.input_columns import Column, InputColumns, InputContext, Need, find_columns
from sentimon.ingest.input_row import Numbered
from sentimon.ingest.label_coding import LabelCodingFinder, label_key
from sentimon.ingest.prediction_columns import PredictionColumns, ReadLabel
from sentimon.ingest.row_reader import RowReader, has_our_names
from sentimon.ingest.tables import Table
from sentimon.ingest.time_format_finder import TimeFormatFinder
from sentimon.ingest.time_formats import TimeFormat, chosen_time_format
from sentimon.jsonl import BadLine
from sentimon.labels import ALIASES, THREE, TWO_CLASSES, Sentiment, parse_label
from sentimon.timestamps import parse_moment

NO_TIME = "-"
"""The `--time-column` by which rows are dated now."""
_UNTYPED = ("csv", "tsv")


class ContentFinder:
    """Finds out what the columns of a file hold: from its first rows, or, where those do not tell, all."""

    def __init__(
        self,
        table: Table,
        context: InputContext,
        ahead: Sequence[Numbered | BadLine],
        reopen: Callable[[], Iterable[Numbered | BadLine]] | None,
    ) -> None:
        """Begin with the rows `ahead`; `reopen` reads all rows once more, where that is possible."""
        self._table = table
        self._context = context
        self._settings = context.settings
        self._reopen = reopen
        self.rows = [one[1] for one in ahead if not isinstance(one, BadLine)]
        heading = table.heading
        self.names = list(heading or dict.fromkeys(name for row in self.rows for name in row))
        self._typed = table.file_format not in _UNTYPED

    def columns(self) -> InputColumns:
        """Return which column is what.

        Raises:
            DataError: a column is missing, or may be something else.
        """
        gold = self._context.need in (Need.LABELLED, Need.LABELS)
        if not self.names or (self._table.file_format == "txt" and not gold):
            return InputColumns(text=Column(name="text"))
        settings = self._settings
        if settings.time_column == NO_TIME:
            found = find_columns(
                self.names, self.rows, structs.replace(settings, time_column=""), need=self._context.need
            )
            return replace(found, time=None)
        return find_columns(self.names, self.rows, settings, need=self._context.need)

    def time_format(self, column: Column | None) -> TimeFormat | None:
        """Return how times are written; None: as in a log, or there are none.

        Raises:
            DataError: it is not certain.
            UsageError: there is no format of the name that is asked for.
        """
        if column is None:
            self._check_format_is_of_a_column()
            return None
        if self._settings.time_format:
            return chosen_time_format(self._settings.time_format)
        first = [value for row in self.rows if not is_missing(value := row.get(column.name))]
        if not first or (column.name == "timestamp" and any(map(is_as_in_a_log, first))):
            return None
        finder = TimeFormatFinder()
        for row in self._all_rows():
            finder.add(row.get(column.name))
        try:
            return finder.found()
        except DataError as error:
            raise DataError(f"column {column.name!r}: {error.message}", hint=error.hint) from error

    def _check_format_is_of_a_column(self) -> None:
        """Raise DataError where times are said to be written in some way, and no column has them."""
        settings = self._settings
        wanted = settings.time_format and settings.time_column != NO_TIME
        if wanted and self._context.need is Need.PREDICTIONS and self._table.file_format != "txt":
            raise DataError(
                "--time-format is given, and no column has a usual name of a column of times",
                hint="name it with --time-column, or date rows now with --time-column -",
            )

    def reader(self, columns: InputColumns, time_format: TimeFormat | None) -> RowReader:
        """Return how rows are read.

        Raises:
            DataError: it is not certain what the predicted classes mean, or one is unknown.
        """
        read_label = self._label_reading(columns)
        return RowReader(
            path=self._table.path,
            need=self._context.need,
            columns=columns,
            time_format=time_format,
            read_label=read_label or _parse_known,
            zone=self._context.zone,
            typed=self._typed,
            changes=not self._typed
            or time_format is not None
            or read_label is not None
            or not has_our_names(columns)
            or self._lists_scores(columns),
        )

    def _lists_scores(self, columns: InputColumns) -> bool:
        """Return whether scores are written otherwise than in a log, as a list or as text."""
        name = None if columns.prediction is None else columns.prediction.scores
        values = [row.get(name) for row in self.rows] if name else []
        return any(not isinstance(value, Mapping) for value in values if not is_missing(value))

    def _label_reading(self, columns: InputColumns) -> ReadLabel | None:
        """Return what the predicted classes mean; None where they have our names."""
        predicted = columns.prediction
        if predicted is None:
            return None
        if self._context.classes == THREE and predicted.lacks_neutral(self.rows):
            raise DataError(
                "the rows have scores of negative and positive alone, and none of neutral",
                hint=f"a classifier of two classes needs {TWO_CLASSES}, in a log of its own",
            )
        labels = {label_key(label) for row in self.rows for label in predicted.labels_in(row)}
        label_map = {**self._context.label_map, **self._settings.label_map}
        mapped = not labels.isdisjoint(map(label_key, label_map))
        if not (mapped or self._settings.labels) and labels <= self._known():
            return None
        finder = LabelCodingFinder(self._settings.labels, label_map, present=self._context.classes)
        for row in self._all_rows():
            for label in predicted.labels_in(row):
                finder.add(label)
        coding = finder.found()
        self._check_classes_of_scores(predicted, coding.read)
        return coding.read

    def _check_classes_of_scores(self, predicted: PredictionColumns, read_label: ReadLabel) -> None:
        """Raise DataError where the scores name a class that is none: then no row could be read."""
        for row in self.rows[:1] if predicted.scores else []:
            for label in replace(predicted, label=None).labels_in(row):
                try:
                    read_label(label)
                except DataError as error:
                    raise DataError(
                        f"{predicted.scores} has scores of {shown(label)}, which is no class",
                        hint=_hint_for_class(label),
                    ) from error

    def _known(self) -> AbstractSet[str]:
        """Return the names that need no explanation: of two classes, LABEL_1 may be either."""
        if self._context.classes == THREE:
            return ALIASES.keys()
        return {name for name in ALIASES if not name.startswith("label_")}

    def _all_rows(self) -> Iterator[Mapping[str, Any]]:
        if self._reopen is None:
            yield from self.rows
            return
        yield from (one[1] for one in self._reopen() if not isinstance(one, BadLine))


def is_row_of_a_log(row: Mapping[str, Any]) -> bool:
    """Return whether a row has our names, and values as a log has them."""
    time, scores = row.get("timestamp"), row.get("scores")
    return (
        ("text" in row or isinstance(scores, Mapping))
        and (time is None or is_as_in_a_log(time))
        and (scores is None or (isinstance(scores, Mapping) and {*map(label_key, scores)} <= ALIASES.keys()))
    )


def is_as_in_a_log(value: object) -> bool:
    """Return whether a time is written as RFC 3339 has it."""
    if not isinstance(value, str):
        return False
    try:
        return parse_moment(value, None) is not None
    except DataError:
        return False


def _hint_for_class(label: object) -> str:
    if label_key(label) == "compound":
        return "shares of VADER are no probabilities: --label-column - scores the texts"
    return f'say what it means, such as --label-map "{label!s:.40}=neutral"'


def _parse_known(value: object) -> Sentiment:
    if not isinstance(value, str):
        raise DataError(f"unknown label {shown(value)}", hint="name what it means with --label-map")
    return parse_label(value)
