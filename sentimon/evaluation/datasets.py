"""Texts with gold labels, from a file or from a data set on the HuggingFace hub."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentimon.config.paths import expanded
from sentimon.errors import DataError, StoreError
from sentimon.ingest.byte_source import uncompressed_name
from sentimon.ingest.input_row import InputRow
from sentimon.ingest.label_reader import LABEL_COLUMNS, label_reader
from sentimon.ingest.tables import GUESSED, SUFFIXES, Table, opened_table
from sentimon.jsonl import BadLine
from sentimon.labels import Sentiment

TEXT_COLUMNS = ("text", "sentence", "tweet", "content")
DEFAULT_SPLIT = "test"
_NAMED_ROWS = 3

_Columns = tuple[str | None, str | None, str | None]
"""The columns of text, label and segment that are asked for."""
_Row = tuple[object, object, str | None] | BadLine
_Rows = tuple[list[_Row], Sequence[str] | None]
"""The rows, and the names of the classes where the labels are places among those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text and the class that people gave it."""

    text: str
    label: Sentiment
    segment: str | None = None
    """Value of the segment column, empty where it is missing; None where there is no such column."""


def load_labelled(
    source: str,
    *,
    split: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    segment_column: str | None = None,
    file_format: str | None = None,
) -> list[LabelledText]:
    """Return all rows of a data set, in order.

    `source` is a file of any format that `ingest.tables` reads, or the name of a data set on the hub,
    with `:configuration` where it has several. `split` is for the hub: `test` if there is one, else
    the only one. The columns default to the first that exists of TEXT_COLUMNS and LABEL_COLUMNS; that
    there is no `segment_column` is no error. Labels are read by `label_reader` of `sentimon.ingest`. Files
    leave nothing in any cache.

    Raises:
        DataError: it cannot be found or read, lacks the split or a column, or has bad rows: all are
            counted, the first three named with the reason.
    """
    rows, class_names = _read(source, split, (text_column, label_column, segment_column), file_format)
    if not rows:
        raise DataError(f"{source}: no rows", hint="an evaluation needs texts with gold labels")
    try:
        read_label = label_reader((one[1] for one in rows if not isinstance(one, BadLine)), class_names)
    except DataError as error:
        raise DataError(f"{source}: {error.message}", hint=error.hint) from error
    found: list[LabelledText] = []
    bad: list[str] = []
    for number, one in enumerate(rows, start=1):
        if isinstance(one, BadLine):
            bad.append(f"line {one.line}: {one.reason}")
            continue
        text, label, segment = one
        try:
            if not isinstance(text, str):
                raise DataError("no text" if text is None else f"{text!r} is not text")
            found.append(LabelledText(text=text, label=read_label(label), segment=segment))
        except DataError as error:
            bad.append(f"row {number}: {error.message}")
    if bad:
        raise _bad_rows(source, bad, len(rows))
    return found


def _bad_rows(source: str, bad: Sequence[str], total: int) -> DataError:
    more = f"; and {len(bad) - _NAMED_ROWS} more" if len(bad) > _NAMED_ROWS else ""
    return DataError(
        f"{source}: {len(bad)} of {total} rows are bad: {'; '.join(bad[:_NAMED_ROWS])}{more}",
        hint="each row needs a text and a label: negative, neutral, positive (or Negativo, Neutro, Positivo)",
    )


def _read(source: str, split: str | None, wanted: _Columns, file_format: str | None) -> _Rows:
    if file_format is None and not _is_file_name(source):
        with _quiet():
            return _rows_of_hub(source, _of_hub(source, split), wanted)
    if split is not None:
        raise DataError(f"{source} is one file, it has no split {split!r}", hint="leave out --split")
    path = expanded(source)
    _check_file(source, path, file_format)
    try:
        with opened_table(path, file_format) as table:
            return _rows_of_table(source, table, wanted)
    except StoreError as error:
        raise DataError(error.message, hint=error.hint) from error


def _is_file_name(source: str) -> bool:
    """Return whether `source` means a file or folder here, and not a data set on the hub."""
    path = expanded(source)
    looks_so = source.startswith((".", "/", "~")) or source.count("/") > 1
    return path.exists() or looks_so or _suffix(path) in SUFFIXES


def _suffix(path: Path) -> str:
    return Path(uncompressed_name(path.name)).suffix.lower()


def _check_file(source: str, path: Path, file_format: str | None) -> None:
    if path.is_dir():
        raise DataError(f"{source} is a folder", hint="name a file in it")
    if not path.exists():
        raise DataError(f"{source}: no such file", hint="check the path; a hub name looks like owner/name")
    suffix = _suffix(path)
    if file_format is None and suffix not in SUFFIXES and suffix not in GUESSED:
        raise DataError(
            f"{source}: the name does not say what it holds", hint=f"end it in one of: {', '.join(SUFFIXES)}"
        )
    if path.is_file() and not path.stat().st_size:
        raise DataError(f"{source} is empty", hint="an evaluation needs texts with gold labels")


def _rows_of_table(source: str, table: Table, wanted: _Columns) -> _Rows:
    names = table.columns()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{source}: the column {twice[0]!r} appears twice", hint="rename one of them")
    if not names:
        return [_line_of(one) for one in table.rows()], None
    text = _pick(source, "text", wanted[0], TEXT_COLUMNS, names)
    label = _pick(source, "label", wanted[1], LABEL_COLUMNS, names)
    # A row of JSON that has a column may be the last one.
    segment, known = wanted[2], wanted[2] in names
    parts = table.class_names.get(segment or "")
    rows: list[_Row] = []
    for one in table.rows(text):
        if isinstance(one, BadLine):
            rows.append(_line_of(one))
            continue
        fields = {text: one.text, **one.fields}
        known = known or segment in fields
        rows.append((one.text, fields.get(label), _said(fields.get(segment or ""), parts)))
    if not known:
        rows = [one if isinstance(one, BadLine) else (*one[:2], None) for one in rows]
    return rows, table.class_names.get(label)


def _line_of(row: InputRow | BadLine) -> BadLine:
    """Return a row without any field as a bad line.

    Raises:
        DataError: it is a line that holds no row, so that the file may not be what its name says.
    """
    if isinstance(row, InputRow):
        return row.bad("field", "no text")
    if row.kind in ("json", "encoding"):
        raise DataError(str(row), hint="write one JSON object a line")
    return row


def _rows_of_hub(source: str, data: Any, wanted: _Columns) -> _Rows:
    features: Mapping[str, Any] = data.features or {}
    names = list(features) or list(next(iter(data), {}))
    text = _pick(source, "text", wanted[0], TEXT_COLUMNS, names)
    label = _pick(source, "label", wanted[1], LABEL_COLUMNS, names)
    segment = wanted[2] if wanted[2] in names else None
    chosen = list(dict.fromkeys([text, label, *([segment] if segment else [])]))
    parts = getattr(features.get(segment), "names", None) if segment else None
    rows: list[_Row] = [
        (row.get(text), row.get(label), _said(row.get(segment), parts) if segment else None)
        for row in data.select_columns(chosen)
    ]
    return rows, getattr(features.get(label), "names", None)


def _said(value: object, names: Sequence[str] | None) -> str:
    """Return the text of a cell: the class name of an index into `names`, empty where it is missing."""
    if names is not None and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return "" if value is None else str(value)


def _pick(source: str, what: str, wanted: str | None, usual: Sequence[str], names: Sequence[str]) -> str:
    candidates = usual if wanted is None else (wanted,)
    for name in candidates:
        if name in names:
            return name
    missing = f"no column {wanted!r}" if wanted else f"none of the columns {', '.join(usual)}"
    raise DataError(
        f"{source}: {missing}", hint=f"name one with --{what}-column; there are: {', '.join(names) or 'none'}"
    )


def _of_hub(source: str, split: str | None) -> Any:
    import datasets
    from huggingface_hub.errors import HFValidationError

    name, _, configuration = source.partition(":")
    try:
        splits = datasets.load_dataset(name, configuration or None)
    except (HFValidationError, datasets.exceptions.DatasetNotFoundError) as error:
        raise DataError(
            f"{source}: no such file, and no such data set on HuggingFace",
            hint="check the spelling and the network; a gated data set needs `hf auth login`",
        ) from error
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DataError(
            f"{source} cannot be loaded: {reason}",
            hint="check the network; a data set with several configurations is written name:configuration",
        ) from error
    names = [str(one) for one in splits]
    wanted = split or (names[0] if len(names) == 1 else DEFAULT_SPLIT)
    if wanted not in names:
        raise DataError(
            f"{source} has no split {wanted!r}", hint=f"use --split with one of: {', '.join(names)}"
        )
    return splits[wanted]


@contextmanager
def _quiet() -> Iterator[None]:
    """Stop `datasets` from printing, and from loading torch, which it does not need here.

    Failures are reported by our own errors.
    """
    import datasets

    torch, datasets.config.TORCH_AVAILABLE = datasets.config.TORCH_AVAILABLE, False
    hub = logging.getLogger("huggingface_hub")  # it reports each try again of a download
    levels, bars = (datasets.logging.get_verbosity(), hub.level), datasets.are_progress_bars_disabled()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    hub.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        datasets.config.TORCH_AVAILABLE = torch
        datasets.logging.set_verbosity(levels[0])
        hub.setLevel(levels[1])
        if not bars:
            datasets.enable_progress_bars()
