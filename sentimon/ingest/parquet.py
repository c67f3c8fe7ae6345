"""Rows of Parquet files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from sentimon.errors import DataError
from sentimon.ingest.input_row import Numbered

_ROWS_AT_ONCE = 1024
_DATASETS = b"huggingface"
"""The key under which the `datasets` library describes the columns of a file that it wrote."""


class ParquetTable:
    """A Parquet file, read a thousand rows at a time."""

    def __init__(self, stream: BinaryIO, path: str) -> None:
        """Read what the file says of its columns.

        Raises:
            DataError: it is no valid Parquet file.
        """
        import pyarrow
        import pyarrow.parquet

        self._path = path
        try:
            # A pipe cannot be sought in, and Parquet begins at its end.
            seekable = stream if stream.seekable() else io.BytesIO(stream.read())
            self._file = pyarrow.parquet.ParquetFile(seekable)
        except (pyarrow.ArrowException, OSError) as error:
            raise self._damaged(error) from error
        self.heading = tuple(str(name) for name in self._file.schema_arrow.names)
        self.class_names = _class_names(self._file.schema_arrow.metadata or {})

    def rows(self) -> Iterator[Numbered]:
        """Yield each row with its number, times as text.

        Raises:
            DataError: it cannot be read to its end.
        """
        import pyarrow

        number = 0
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for fields in batch.to_pylist():
                    number += 1
                    yield number, {name: _plain(value) for name, value in fields.items()}
        except (pyarrow.ArrowException, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DataError:
        reason = str(error).strip().split("\n")[0]
        return DataError(
            f"{self._path}: not a valid Parquet file: {reason}", hint="check that it is what its name says"
        )


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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
