"""A local file as rows, through `datasets` and past its cache."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sentimon.config.paths import expanded
from sentimon.errors import DataError

FORMATS = MappingProxyType(
    {".jsonl": "json", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
)


def is_file_name(source: str) -> bool:
    """Return whether `source` means a file or folder here, and not a data set on the hub."""
    path = expanded(source)
    looks_so = source.startswith((".", "/", "~")) or source.count("/") > 1
    return path.exists() or looks_so or path.suffix.lower() in FORMATS


@contextmanager
def rows_of_file(source: str) -> Iterator[Any]:
    """Give a `datasets.IterableDataset` over the rows of a file, good until the block ends.

    Raises:
        DataError: there is no such file, or (also while it is read) it is not what its name says.
    """
    import datasets

    path = expanded(source)
    _check(source, path)
    kind = FORMATS[path.suffix.lower()]
    try:
        with tempfile.TemporaryDirectory(prefix="sentimon-") as folder:
            # Through a link, because datasets takes [, * and :: in a file's own name for patterns.
            link = Path(folder) / f"data{path.suffix.lower()}"
            link.symlink_to(path.resolve())
            # Streamed, because a copy in a cache could outlive the file, or be older than it.
            yield datasets.load_dataset(
                kind,
                data_files=str(link),
                split="train",
                streaming=True,
                cache_dir=folder,
                **(_csv_options(source, path) if kind == "csv" else {}),
            )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise _unreadable(source, path, error) from error


def _check(source: str, path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{source} is a folder", hint="name a file in it")
    if not path.exists():
        raise DataError(f"{source}: no such file", hint="check the path; a hub name looks like owner/name")
    if path.suffix.lower() not in FORMATS:
        raise DataError(
            f"{source}: the name does not say what it holds", hint=f"end it in one of: {', '.join(FORMATS)}"
        )
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise DataError(f"{source}: {error.strerror}", hint="check who may read it") from error
    if empty:
        raise DataError(f"{source} is empty", hint="an evaluation needs texts with gold labels")


def _csv_options(source: str, path: Path) -> dict[str, Any]:
    """Return options that read each field as the text it is: `NA`, `null` and `007` are tweets, too."""
    import datasets

    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        # Spreadsheets write semicolons where the comma is the decimal mark, as in Italy.
        comma = ";" if first.count(";") > first.count(",") else ","
        separator = "\t" if path.suffix.lower() == ".tsv" else comma
        header = next(csv.reader(file, delimiter=separator), [])
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{source}: the column {twice[0]!r} appears twice", hint="rename one of them")
    return {
        "sep": separator,
        "features": datasets.Features({name: datasets.Value("string") for name in header}),
        "encoding": "utf-8-sig",
        "keep_default_na": False,
    }


def _unreadable(source: str, path: Path, error: Exception) -> DataError:
    kind = path.suffix.lower().lstrip(".")
    if kind == "jsonl":
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    json.loads(
                        line.decode("utf-8-sig" if number == 1 else "utf-8") if line.strip() else "null"
                    )
                except ValueError as fault:
                    return DataError(
                        f"{source}:{number}: not JSON: {fault}", hint="write one JSON object a line"
                    )
    reason = str(error.__cause__ or error).strip().split("\n")[0]
    return DataError(
        f"{source} cannot be read as {kind}: {reason}", hint="check that it is what its name says"
    )
