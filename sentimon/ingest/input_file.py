"""An input that is open: what its columns hold is found out first, then its rows are read one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias

from msgspec import structs

from sentimon.config.settings import InputSettings
from sentimon.errors import DataError
from sentimon.files import unreadable
from sentimon.ingest.cells import is_missing, shown
from sentimon.ingest.column_names import LABEL_COLUMNS, plain_name, usual_columns
from sentimon.ingest.input_columns import Column, InputColumns, Need, columns_of_clocks, find_columns
from sentimon.ingest.input_row import InputRow, Numbered
from sentimon.ingest.label_coding import LabelCodingFinder, label_key
from sentimon.ingest.prediction_columns import (
    NO_PREDICTION,
    PredictionColumns,
    ReadLabel,
    find_prediction,
    is_of_vader,
)
from sentimon.ingest.row_reader import RowReader, has_our_names, is_prediction
from sentimon.ingest.tables import Table, format_of, open_table, opened
from sentimon.ingest.time_format_finder import TimeFormatFinder
from sentimon.ingest.time_formats import TimeFormat, chosen_time_format
from sentimon.jsonl import LONGEST, BadLine, well_formed
from sentimon.labels import ALIASES, THREE, TWO_CLASSES, Classes, Sentiment, parse_label
from sentimon.timestamps import parse_moment

NO_TIME = "-"
"""The `--time-column` by which rows are dated now."""
_ROWS_AHEAD = 1000
_CHARACTERS_AHEAD = 1 << 17
_UNTYPED = ("csv", "tsv")
_LISTED = 12

RawRows: TypeAlias = Iterator[Numbered | BadLine]


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


class InputFile:
    """The rows of an input that is open: read as they are asked for, and closed with the `with` block.

    Iteration raises:
        DataError: the file is broken in its middle.
        StoreError: it cannot be read any more.
    """

    def __init__(
        self,
        table: Table,
        context: InputContext,
        *,
        stream: BinaryIO | None = None,
        reopen: Callable[[], RawRows] | None = None,
    ) -> None:
        """Find out what the columns hold; `reopen` reads all rows once more, where that is possible.

        Raises:
            DataError: a column is missing, or it is not certain what one holds.
        """
        self.table = table
        self.need = context.need
        self.without_text = 0
        """Rows that were left out so far, for they have no text to score."""
        self._stream = stream
        self._size = 0 if stream is None or not stream.seekable() else os.fstat(stream.fileno()).st_size
        ahead = _read_ahead(table, patient=stream is not None)
        finder = _Finder(table, context, ahead, reopen)
        try:
            self.columns = finder.columns()
            self.time_format = finder.time_format(self.columns.time)
            self.reader = finder.reader(self.columns, self.time_format)
        except DataError as error:
            raise DataError(f"{table.path}: {error.message}", hint=error.hint) from error
        self.notes = finder.notes(self.columns, self.time_format)
        """What was found likely and is not certain, to be said."""
        self._rows = self._read(chain(ahead, table.numbered))

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Return the names of the classes where the gold labels are numbers of those."""
        label = self.columns.label
        return None if label is None else self.table.class_names.get(label.name)

    def __iter__(self) -> Self:
        """Return itself: the rows can be read once."""
        return self

    def __next__(self) -> InputRow | BadLine:
        """Return the next row."""
        return next(self._rows)

    def bytes_read(self) -> tuple[int, int] | None:
        """Return (bytes read so far, bytes of the file); None where that is not known, as of a pipe."""
        if self._stream is None or self._stream.closed or self._size == 0:
            return None
        return min(self._stream.tell(), self._size), self._size

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, be it read to its end or not."""
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _read(self, numbered: Iterable[Numbered | BadLine]) -> Iterator[InputRow | BadLine]:
        try:
            for one in numbered:
                row = one if isinstance(one, BadLine) else self.reader.read(one)
                if isinstance(row, InputRow) and self._lacks_text(row):
                    self.without_text += 1
                else:
                    yield row
        finally:
            self._close()

    def _lacks_text(self, row: InputRow) -> bool:
        if self.need is Need.LABELLED or self.need is Need.LABELS or (row.text and not row.text.isspace()):
            return False
        return self.need is Need.TEXTS or not is_prediction(row.fields)


def open_input_file(path: Path, context: InputContext) -> InputFile:
    """Return the rows of a file; its name says its format where the settings do not.

    Raises:
        UsageError: neither its name nor the settings say what it is.
        StoreError: the file is missing or cannot be read.
        DataError: it is not what its name says, or it is not certain what its columns hold.
    """
    known = format_of(path, context.settings.format or None)
    stream = opened(path)

    def again() -> RawRows:
        with opened(path) as other:
            yield from _table(other, str(path), known, context).numbered

    try:
        table = _table(stream, str(path), known, context)
        table.numbered = _readable(table.numbered, path)
        return InputFile(table, context, stream=stream, reopen=again)
    except OSError as error:
        stream.close()
        raise unreadable(path, error) from error
    except BaseException:
        stream.close()
        raise


def open_input_stream(stream: BinaryIO, context: InputContext, *, name: str = "stdin") -> InputFile:
    """Return the rows of stdin, which is left open.

    Raises:
        UsageError: there is no such format.
        DataError: it is not of that format, or it is not certain what its columns hold.
    """
    return InputFile(_table(stream, name, context.settings.format or None, context), context)


def text_arguments(texts: Iterable[str], context: InputContext) -> InputFile:
    """Return the texts given as arguments, as rows."""
    numbered: RawRows = ((number, {"text": well_formed(text)}) for number, text in enumerate(texts, start=1))
    return InputFile(Table(path="argument", heading=("text",), numbered=numbered, file_format="txt"), context)


def _table(stream: BinaryIO, path: str, file_format: str | None, context: InputContext) -> Table:
    settings = context.settings
    return open_table(
        stream,
        path,
        file_format,
        encoding=settings.encoding,
        longest=context.longest,
        certain=bool(settings.format),
    )


def _readable(rows: RawRows, path: Path) -> RawRows:
    try:
        yield from rows
    except OSError as error:
        raise unreadable(path, error) from error


def _read_ahead(table: Table, *, patient: bool) -> list[Numbered | BadLine]:
    """Return the first rows: enough to see what the columns hold, and not more than fit in memory.

    Unless `patient`, no row is waited for after one that is written as in a log: somebody may be typing.
    """
    ahead: list[Numbered | BadLine] = []
    characters = 0
    if table.file_format == "txt":
        return ahead
    for one in table.numbered:
        ahead.append(one)
        if not isinstance(one, BadLine):
            characters += sum(len(value) for value in one[1].values() if isinstance(value, str))
            if not patient and table.heading is None and _is_row_of_a_log(one[1]):
                break
        if len(ahead) >= _ROWS_AHEAD or characters > _CHARACTERS_AHEAD:
            break
    return ahead


class _Finder:
    """Finds out what the columns of a file hold: from its first rows, or, where those do not tell, all."""

    def __init__(
        self,
        table: Table,
        context: InputContext,
        ahead: list[Numbered | BadLine],
        reopen: Callable[[], RawRows] | None,
    ) -> None:
        self._table = table
        self._context = context
        self._settings = context.settings
        self._reopen = reopen
        self._rows = [one[1] for one in ahead if not isinstance(one, BadLine)]
        heading = table.heading
        self._names = list(heading or dict.fromkeys(name for row in self._rows for name in row))
        self._typed = table.file_format not in _UNTYPED

    def columns(self) -> InputColumns:
        gold = self._context.need in (Need.LABELLED, Need.LABELS)
        if not self._names or (self._table.file_format == "txt" and not gold):
            return InputColumns(text=Column(name="text"))
        settings = self._settings
        if settings.time_column == NO_TIME:
            found = find_columns(
                self._names, self._rows, structs.replace(settings, time_column=""), need=self._context.need
            )
            return replace(found, time=None)
        return find_columns(self._names, self._rows, settings, need=self._context.need)

    def time_format(self, column: Column | None) -> TimeFormat | None:
        """Return how times are written; None: as in a log, or there are none."""
        if column is None:
            self._check_format_is_of_a_column()
            return None
        if self._settings.time_format:
            return chosen_time_format(self._settings.time_format)
        first = [value for row in self._rows if not is_missing(value := row.get(column.name))]
        if not first or (column.name == "timestamp" and any(map(_is_as_in_a_log, first))):
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
        values = [row.get(name) for row in self._rows] if name else []
        return any(not isinstance(value, Mapping) for value in values if not is_missing(value))

    def _label_reading(self, columns: InputColumns) -> ReadLabel | None:
        """Return what the predicted classes mean; None where they have our names."""
        predicted = columns.prediction
        if predicted is None:
            return None
        if self._context.classes == THREE and predicted.lacks_neutral(self._rows):
            raise DataError(
                "the rows have scores of negative and positive alone, and none of neutral",
                hint=f"a classifier of two classes needs {TWO_CLASSES}, in a log of its own",
            )
        labels = {label_key(label) for row in self._rows for label in predicted.labels_in(row)}
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
        for row in self._rows[:1] if predicted.scores else []:
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
            yield from self._rows
            return
        yield from (one[1] for one in self._reopen() if not isinstance(one, BadLine))

    def notes(self, columns: InputColumns, time_format: TimeFormat | None) -> tuple[str, ...]:
        """Return what people should know of how the file is understood, a clause each."""
        found = [*_format_notes(self._table), *_column_notes(columns, time_format)]
        need = self._context.need
        if need is Need.PREDICTIONS and columns.time is None and self._table.file_format != "txt":
            others = ", ".join(f"{name:.40}" for name in self._names[:_LISTED])
            found.append(f"no column of times: rows are dated now; columns are {others}")
        clocks = columns_of_clocks(self._names, self._rows) if columns.time is not None else []
        if clocks and columns.time is not None and columns.time.name not in clocks:
            found.append(f"the hours in {clocks[0]!r:.60} are not read")
        asked = self._settings.label_column == NO_PREDICTION
        label = usual_columns(self._names, LABEL_COLUMNS) if need is Need.PREDICTIONS and not asked else []
        if label and columns.prediction is None:
            found.append(
                f"texts are scored, and {label[0]!r:.60} is kept (--label-column: a model predicted it)"
            )
        if need is Need.PREDICTIONS and is_of_vader(self._names):
            found.append(
                "neg, neu and pos of VADER are shares of a text, not probabilities: they are not read"
            )
        if need is Need.TEXTS and self._rows:
            predicted = find_prediction(self._names, self._rows, InputSettings())
            if predicted is not None and len(predicted.names) > 1:
                ignored = ", ".join(predicted.names)
                found.append(f"what another model predicted ({ignored}) is not looked at: texts are scored")
        return tuple(found)


def _hint_for_class(label: object) -> str:
    if label_key(label) == "compound":
        return "shares of VADER are no probabilities: --label-column - scores the texts"
    return f'say what it means, such as --label-map "{label!s:.40}=neutral"'


def _format_notes(table: Table) -> Iterator[str]:
    if table.guessed:
        yield f"read as {table.encoding}, which is a guess (--encoding)"
    elif table.encoding not in ("", "utf-8", "utf-8-sig"):
        yield f"read as {table.encoding}"
    if table.sheet:
        yield f"the rows are those of the sheet {table.sheet!r:.60}"


def _column_notes(columns: InputColumns, time_format: TimeFormat | None) -> Iterator[str]:
    text, time, label, predicted = columns.text, columns.time, columns.label, columns.prediction
    if text is not None and text.why != "named" and plain_name(text.name) != "text":
        yield f"the text is in {text.name!r:.60}"
    if time is not None and (time.name != "timestamp" or time_format is not None):
        written = "" if time_format is None else f", written as {time_format.name}"
        yield f"the time is in {time.name!r:.60}{written}"
    if label is not None and label.why != "named" and plain_name(label.name) not in ("label", "sentiment"):
        yield f"the label is in {label.name!r:.60}"
    alone = predicted is not None and predicted.names == (predicted.label,)
    if predicted is not None and (alone or not has_our_names(InputColumns(prediction=predicted))):
        names = ", ".join(f"{name:.40}" for name in predicted.names)
        way_out = "; --label-column - scores the texts" if alone and text is not None else ""
        yield f"what another model predicted is in {names} ({predicted.kind}{way_out})"
    if predicted is not None and columns.unread:
        yield "'confidence' has no numbers from 0 to 1, and is not read"


def _is_row_of_a_log(row: Mapping[str, Any]) -> bool:
    """Return whether a row has our names, and values as a log has them."""
    time, scores = row.get("timestamp"), row.get("scores")
    return (
        ("text" in row or isinstance(scores, Mapping))
        and (time is None or _is_as_in_a_log(time))
        and (scores is None or (isinstance(scores, Mapping) and {*map(label_key, scores)} <= ALIASES.keys()))
    )


def _is_as_in_a_log(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return parse_moment(value, None) is not None
    except DataError:
        return False


def _parse_known(value: object) -> Sentiment:
    if not isinstance(value, str):
        raise DataError(f"unknown label {shown(value)}", hint="name what it means with --label-map")
    return parse_label(value)
