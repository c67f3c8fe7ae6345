"""Export rows of the log to a file for other programs: JSON lines, or Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from sentimon.errors import UsageError
from sentimon.extras import require
from sentimon.jsonl import encode
from sentimon.prediction_log.output_files import OutputFile
from sentimon.prediction_log.record import OPTIONAL_FIELDS, PredictionRecord
from sentimon.scoring.scorer import bounded

JSONL = ".jsonl"
PARQUET = ".parquet"
_GROUP_ROWS = 16_384
"""Rows of one row group of a Parquet file, which are in memory at once; fewer if their texts are long."""


def check_export(path: Path) -> None:
    """Raise UsageError unless rows can be exported to a file with the ending of `path`.

    Raises:
        UsageError: the ending says neither JSON lines nor Parquet.
        MissingPackageError: pyarrow is not installed.
    """
    if path.suffix.lower() not in (JSONL, PARQUET):
        raise UsageError(
            f"{path}: the ending does not say what to write", hint=f"end it in {JSONL} or {PARQUET}"
        )
    if path.suffix.lower() == PARQUET:
        # Now, not after an hour of reading.
        require(f"{path}: Parquet", "pyarrow", instead=f"end it in {JSONL}")


def export_rows(output: OutputFile, records: Iterable[PredictionRecord]) -> int:
    """Write `records` to `output` in one step, and return their number.

    JSON lines hold each row as the log does. In Parquet the scores are the columns `negative`, `neutral`
    and `positive`, null in rows without, and `extra` holds as JSON what is not ours.

    Raises:
        StoreError: the file cannot be written.
    """
    write = _write_parquet if output.path.suffix.lower() == PARQUET else _write_lines
    with output.writing() as file:
        return write(file, records)


def _write_lines(file: BinaryIO, records: Iterable[PredictionRecord]) -> int:
    count = 0
    for record in records:
        file.write(encode(record.to_dict()) + b"\n")
        count += 1
    return count


def _write_parquet(file: BinaryIO, records: Iterable[PredictionRecord]) -> int:
    import pyarrow
    import pyarrow.parquet

    schema, count = _schema(), 0
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for chunk in bounded(records, count=_GROUP_ROWS, length=lambda record: len(record.text or "")):
            cells = [_cells(record) for record in chunk]
            writer.write_batch(pyarrow.RecordBatch.from_pylist(cells, schema=schema))
            count += len(chunk)
    return count


def _schema() -> Any:
    import pyarrow

    text, real = pyarrow.string(), pyarrow.float64()
    return pyarrow.schema(
        {
            "timestamp": pyarrow.timestamp("us", tz="UTC"),
            "text": text,
            "sentiment": text,
            "confidence": real,
            "negative": real,
            "neutral": real,
            "positive": real,
            "id": text,
            "model": text,
            "revision": text,
            "truncated": pyarrow.bool_(),
            "unreadable": pyarrow.bool_(),
            "text_hash": text,
            "token_hashes": pyarrow.list_(pyarrow.uint32()),
            "extra": text,
        }
    )


def _cells(record: PredictionRecord) -> dict[str, Any]:
    row = record.to_dict()
    return {
        **(row["scores"] or {}),
        **{name: row.get(name) for name in ("text", "sentiment", "confidence", *OPTIONAL_FIELDS)},
        "timestamp": record.timestamp,
        "extra": encode(record.extra).decode() if record.extra else None,
    }
