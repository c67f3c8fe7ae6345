"""Rows of Parquet and Arrow files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import msgspec

from sentimon.errors import DataError
from sentimon.extras import require
from sentimon.ingest.byte_source import ByteSource
from sentimon.ingest.headings import column_names
from sentimon.ingest.input_row import Numbered

_ROWS_AT_ONCE = 1024
_DATASETS = b"huggingface"
"""The key under which the `datasets` library describes the columns of a file that it wrote."""
_KINDS = {"parquet": "Parquet", "arrow": "Arrow"}


class ArrowTable:
    """A Parquet or Arrow file, read a thousand rows at a time."""

    def __init__(self, source: ByteSource, file_format: str) -> None:
        """Read what the file says of its columns.

        Raises:
            DataError: it is no valid file of its format, or names a column twice.
            MissingPackageError: pyarrow is not installed.
        """
        self._path = source.path
        self._kind = _KINDS[file_format]
        require(f"{source.path}: {self._kind}", "pyarrow", instead="save it as CSV or JSON lines")
        import pyarrow

        try:
            # Both formats begin at their end: a pipe cannot be sought in.
            opened = _parquet if file_format == "parquet" else _arrow
            schema, self._batches = opened(source.file())
            names = schema.names
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._damaged(error) from error
        self.heading = column_names(names, source.path)
        self.class_names = _class_names(schema.metadata or {})

    def rows(self) -> Iterator[Numbered]:
        """Yield each row with its number, times as text.

        A time that Python cannot hold is text, too; text that is not valid UTF-8 comes as bytes.

        Raises:
            DataError: it cannot be read to its end.
        """
        import pyarrow

        number = 0
        try:
            for batch in self._batches:
                columns = [_values(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, dict(zip(self.heading, cells, strict=True))
        except (pyarrow.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DataError:
        reason = str(error).strip().split("\n")[0]
        return DataError(
            f"{self._path}: not a valid {self._kind} file: {reason}",
            hint="check that it is what its name says",
        )


def _parquet(file: BinaryIO) -> tuple[Any, Iterator[Any]]:
    import pyarrow.parquet

    found = pyarrow.parquet.ParquetFile(file)
    return found.schema_arrow, found.iter_batches(batch_size=_ROWS_AT_ONCE)


def _arrow(file: BinaryIO) -> tuple[Any, Iterator[Any]]:
    """Return (the schema, the batches) of an Arrow file, or of a stream as the `datasets` library has it."""
    import pyarrow.ipc

    mark = file.read(6)
    file.seek(0)
    if mark != b"ARROW1":
        stream = pyarrow.ipc.open_stream(file)
        return stream.schema, map(_sound, stream)
    found = pyarrow.ipc.open_file(file)
    return found.schema, (_sound(found.get_batch(place)) for place in range(found.num_record_batches))


def _sound(batch: Any) -> Any:
    """Return a batch whose cells lie where it says: Arrow trusts a file, and one with damage may crash it.

    Raises:
        ArrowInvalid: a column points outside the batch.
    """
    import pyarrow

    plain = {pyarrow.string(): pyarrow.binary(), pyarrow.large_string(): pyarrow.large_binary()}
    for column in batch.columns:
        # Text that is no valid UTF-8 costs its cell alone, so it is checked as bytes.
        known = plain.get(column.type)
        (column if known is None else column.view(known)).validate(full=True)
    return batch


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes that the numbers of a column are places among, by column."""
    try:
        features = json.loads(metadata[_DATASETS])["info"]["features"]
        return {
            name: tuple(map(str, one["names"]))
            for name, one in features.items()
            if isinstance(one, dict) and one.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        # Not written by the library, or by one that describes columns otherwise.
        return {}


def _values(column: Any) -> list[Any]:
    """Return the cells of a column as JSON has them, those that Python cannot hold one by one."""
    try:
        return [_plain(cell) for cell in column.to_pylist()]
    except (ValueError, OverflowError, ImportError):
        return [_of_cell(cell) for cell in column]


def _of_cell(cell: Any) -> Any:
    import pyarrow

    try:
        return _plain(cell.as_py())
    except (ValueError, OverflowError, ImportError):
        pass
    try:
        # Text that is not valid UTF-8.
        return cell.cast(pyarrow.binary()).as_py()
    except pyarrow.ArrowException:
        pass
    try:
        # A time of the year 10000, or one of nanoseconds.
        said = str(cell.cast(pyarrow.string()).as_py())
        # Arrow itself says no more of a time that is too far away.
        return f"{cell.value} as {cell.type}" if said.startswith("<") else said
    except (pyarrow.ArrowException, ValueError):
        return None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return msgspec.to_builtins(value)
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
