"""Rows of a file under its own names, read as rows under ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sentimon.errors import DataError
from sentimon.ingest.input_columns import Column, InputColumns, Need
from sentimon.ingest.input_row import InputRow, Numbered
from sentimon.ingest.prediction_columns import OUR_PREDICTION, ReadLabel
from sentimon.ingest.time_formats import TimeFormat
from sentimon.jsonl import BadLine, LineError

_FRACTION = re.compile(r"[0-9]{1,18}\.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """How the rows of one file are read: `text`, `timestamp`, `id`, `model`, `label`, and what was predicted.

    Fields that are not used keep their names.
    """

    path: str
    need: Need
    columns: InputColumns
    time_format: TimeFormat | None
    read_label: ReadLabel
    """What a predicted class means."""
    zone: tzinfo | None
    """The zone of times that name none; None is local time."""
    typed: bool
    """Whether cells have types, as in JSON and Parquet. Where not, an empty cell is a missing one."""
    changes: bool
    """Whether more than the text is looked at; see `has_our_names`."""

    def read(self, numbered: Numbered) -> InputRow | BadLine:
        """Return a row under our names."""
        number, fields = numbered
        if not self.typed:
            fields = {name: value for name, value in fields.items() if value != ""}
        try:
            text = self._text(fields)
            moment = None
            if self.changes:
                moment = self._moment(fields)
                fields = self._renamed(fields)
        except LineError as error:
            return error.at(self.path, number)
        return InputRow(path=self.path, line=number, text=text, fields=fields, moment=moment)

    def _text(self, fields: dict[str, Any]) -> str | None:
        column = self.columns.text
        if column is None:
            return None
        text = fields.get(column.name) if self.need is Need.LABELS else fields.pop(column.name, None)
        if isinstance(text, bytes):
            reason = f"{column.name} is not text: not valid UTF-8, or a column of bytes: {text!r:.40}"
            raise LineError("encoding", reason)
        if text is not None and not isinstance(text, str):
            raise LineError("field", f"{column.name} is not text but {text!r:.40}")
        return text

    def _moment(self, fields: dict[str, Any]) -> tuple[datetime, bool] | None:
        if self.columns.time is None or self.time_format is None:
            return None
        value = fields.pop(self.columns.time.name, None)
        if value is None:
            return None
        try:
            return self.time_format.read(value, self.zone)
        except DataError as error:
            reason = "; ".join(filter(None, (error.message, error.hint)))
            raise LineError("timestamp", reason) from error

    def _renamed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        columns, predicted = self.columns, self.columns.prediction
        if self.need is Need.LABELS:
            # What names a logged row is looked for among all fields.
            ours = {"text": columns.text, "label": columns.label, "id": columns.id}
            return {**fields, **_cells(fields, ours)}
        ours = {"id": columns.id, "model": columns.model, "label": columns.label}
        used = {one.name for one in ours.values() if one is not None} | columns.unread
        found: dict[str, Any] = {}
        if predicted is not None:
            used |= set(predicted.names)
            found = predicted.read(fields, self.read_label)
        rest = {name: value for name, value in fields.items() if name not in used}
        if predicted is None and "sentiment" in columns.unread:
            # Not what a model predicted: then it is what people say, which the log may keep as `label`.
            rest = {"label": fields.get("sentiment"), **rest}
        return {**rest, **_cells(fields, ours), **found}


def is_prediction(fields: Mapping[str, Any]) -> bool:
    """Return whether a row under our names says what a model predicted."""
    return any(fields.get(name) is not None for name in OUR_PREDICTION)


def has_our_names(columns: InputColumns) -> bool:
    """Return whether the columns have the names that the log gives them, and may stay as they are."""
    named = (columns.time, columns.id, columns.model, columns.label)
    ours = ("timestamp", "id", "model", "label")
    predicted = columns.prediction
    same = all(one is None or one.name == name for one, name in zip(named, ours, strict=True))
    return (same and not columns.unread) and (
        predicted is None or (predicted.by_class is None and OUR_PREDICTION.issuperset(predicted.names))
    )


def _cells(fields: Mapping[str, Any], columns: Mapping[str, Column | None]) -> dict[str, Any]:
    """Return the cells of these columns under our names, those that are not empty."""
    found = {name: fields.get(one.name) for name, one in columns.items() if one is not None}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return a cell; a whole number that a table made a fraction of, as pandas does, as a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value[:-2] if isinstance(value, str) and _FRACTION.fullmatch(value) else value
