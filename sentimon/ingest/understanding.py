"""What is understood of an input: its format, which column is what, and how its values are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sentimon.errors import DataError
from sentimon.ingest.cells import is_missing
from sentimon.ingest.input_columns import Column
from sentimon.ingest.input_file import InputFile
from sentimon.ingest.input_row import InputRow
from sentimon.ingest.label_coding import LabelCodingFinder
from sentimon.jsonl import BadLine
from sentimon.timestamps import parse_moment

_SHOWN_ROWS = 3
_SHOWN_BAD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What was found in an input that was read to its end."""

    path: str
    file_format: str
    encoding: str
    guessed: bool
    """Whether the encoding is a guess."""
    compression: str | None
    separator: str | None
    """What stands between the cells of a table of text."""
    sheet: str | None
    """The sheet of a workbook that is read."""
    rows: int
    """Rows that are used."""
    without_text: int
    """Rows that are left out because they have no text."""
    without_label: int
    """Rows without a gold label; 0 where none is asked for."""
    bad_lines: int
    """Lines that are left out because they cannot be read."""
    first_bad: tuple[BadLine, ...]
    columns: Mapping[str, Column]
    """The column of `text`, `time`, `id`, `model`, `label` and what was predicted, as far as there is one."""
    time_format: str | None
    first: datetime | None
    last: datetime | None
    predictions: str | None
    """How much the rows say of what another model predicted; None: texts are to be scored."""
    label_coding: str | None
    """How the gold labels are written."""
    label_counts: Mapping[str, Mapping[str, int]]
    """Rows by value of the label as it is written, by the class that it means."""
    first_rows: tuple[InputRow, ...]
    """The first rows, as they are understood."""
    notes: tuple[str, ...]


class InputObserver:
    """Passes the rows of an input on, and notes what they are."""

    def __init__(self, file: InputFile, labels: LabelCodingFinder | None = None) -> None:
        self._file = file
        self._labels = labels
        self._values: Counter[str] = Counter()
        self._rows = self._without_label = self._bad = 0
        self._first_bad: list[BadLine] = []
        self._first_rows: list[InputRow] = []
        self._ends: tuple[datetime, datetime] | None = None

    def __iter__(self) -> Iterator[InputRow | BadLine]:
        """Yield the rows."""
        for one in self._file:
            if isinstance(one, BadLine):
                self._bad += 1
                self._first_bad += [one] if self._bad <= _SHOWN_BAD else []
            else:
                self._note(one)
            yield one

    def bytes_read(self) -> tuple[int, int] | None:
        """Return what the input says of how far it was read."""
        return self._file.bytes_read()

    def _note(self, row: InputRow) -> None:
        self._rows += 1
        if len(self._first_rows) < _SHOWN_ROWS:
            self._first_rows.append(row)
        moment = self._moment(row)
        if moment is not None:
            first, last = self._ends or (moment, moment)
            self._ends = (min(first, moment), max(last, moment))
        if self._labels is not None:
            self._labels.add(row.fields.get("label"))
            self._without_label += is_missing(row.fields.get("label"))

    def _moment(self, row: InputRow) -> datetime | None:
        if row.moment is not None:
            return row.moment[0]
        given = row.fields.get("timestamp") if self._file.columns.time is not None else None
        try:
            return None if given is None else parse_moment(str(given), self._file.reader.zone)[0]
        except DataError:
            return None

    def understanding(self) -> Understanding:
        """Return what was found, after all rows have passed.

        Raises:
            DataError: it is not certain what the gold labels mean.
        """
        file, table = self._file, self._file.table
        coding = None if self._labels is None else self._coding(self._labels)
        first, last = self._ends or (None, None)
        columns = file.columns
        named = {
            "text": columns.text,
            "time": columns.time,
            "id": columns.id,
            "model": columns.model,
            "label": columns.label,
        }
        found = {role: one for role, one in named.items() if one is not None}
        predicted = columns.prediction
        if predicted is not None:
            found |= {f"predicted {name}": Column(name=name) for name in predicted.names}
        return Understanding(
            path=table.path,
            file_format=table.file_format,
            encoding=table.encoding,
            guessed=table.guessed,
            compression=table.compression or None,
            separator=table.separator or None,
            sheet=table.sheet or None,
            rows=self._rows,
            without_text=file.without_text,
            without_label=self._without_label,
            bad_lines=self._bad,
            first_bad=tuple(self._first_bad),
            columns=found,
            time_format=None if file.time_format is None else file.time_format.name,
            first=first,
            last=last,
            predictions=None if predicted is None else predicted.kind,
            label_coding=None if coding is None else coding[0],
            label_counts={} if coding is None else coding[1],
            first_rows=tuple(self._first_rows),
            notes=file.notes,
        )

    def _coding(self, labels: LabelCodingFinder) -> tuple[str, dict[str, dict[str, int]]]:
        try:
            coding = labels.found()
        except DataError as error:
            raise DataError(f"{self._file.table.path}: {error.message}", hint=error.hint) from error
        found: dict[str, dict[str, int]] = {one.label: {} for one in coding.present}
        for value, count in labels.counts.items():
            try:
                found[coding.read(value).label][value] = count
            except DataError:
                found.setdefault("unknown", {})[value] = count
        return "; ".join(filter(None, (coding.name, coding.legend))), found
