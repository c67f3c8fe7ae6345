"""Texts with gold labels, from a file or from the HuggingFace hub, through the `datasets` library."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sentimon.cells import is_ours, unguarded
from sentimon.errors import DataError
from sentimon.evaluation.files import is_file_name, rows_of_file
from sentimon.evaluation.gold import label_reader
from sentimon.labels import Sentiment

TEXT_COLUMNS = ("text", "sentence", "tweet", "content")
LABEL_COLUMNS = ("label", "labels", "sentiment", "feeling")
DEFAULT_SPLIT = "test"
_NAMED_ROWS = 3

_Columns = tuple[str | None, str | None, str | None]
"""The columns of text, label and segment that are asked for."""
_Row = tuple[object, object, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text and the class that people gave it."""

    text: str
    label: Sentiment
    segment: str | None = None
    """What the column of segments says of it, empty where it says nothing; None where there is none."""


def load_labelled(
    source: str,
    *,
    split: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    segment_column: str | None = None,
) -> list[LabelledText]:
    """Return all rows of a data set, in order.

    `source` is a .jsonl, .json, .csv, .tsv or .parquet file, or the name of a data set on the hub,
    with `:configuration` where it has several. `split` is for the hub: `test` if there is one, else
    the only one. The columns default to the first that exists of TEXT_COLUMNS and LABEL_COLUMNS; that
    there is no `segment_column` is no error. Labels are read by `gold.label_reader`. Files leave nothing
    in any cache.

    Raises:
        DataError: it cannot be found or read, lacks the split or a column, or has bad rows: all are
            counted, the first three named with the reason.
    """
    with _quiet():
        rows, class_names = _read(source, split, (text_column, label_column, segment_column))
    if not rows:
        raise DataError(f"{source}: no rows", hint="an evaluation needs texts with gold labels")
    try:
        read_label = label_reader((label for _, label, _ in rows), class_names)
    except DataError as error:
        raise DataError(f"{source}: {error.message}", hint=error.hint) from error
    found: list[LabelledText] = []
    bad: list[str] = []
    for number, (text, label, segment) in enumerate(rows, start=1):
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


def _read(source: str, split: str | None, wanted: _Columns) -> tuple[list[_Row], list[str] | None]:
    """Return (text, label, segment) of each row, and the names of the classes labels are places in, if so."""
    if is_file_name(source):
        if split is not None:
            raise DataError(f"{source} is one file, it has no split {split!r}", hint="leave out --split")
        with rows_of_file(source) as data:
            return _columns(source, data, wanted)
    return _columns(source, _of_hub(source, split), wanted)


def _columns(source: str, data: Any, wanted: _Columns) -> tuple[list[_Row], list[str] | None]:
    features: Mapping[str, Any] = data.features or {}
    names = list(features) or list(next(iter(data), {}))
    text = _pick(source, "text", wanted[0], TEXT_COLUMNS, names)
    label = _pick(source, "label", wanted[1], LABEL_COLUMNS, names)
    segment = wanted[2] if wanted[2] in names else None
    chosen = list(dict.fromkeys([text, label, *([segment] if segment else [])]))
    ours = source.lower().endswith((".csv", ".tsv")) and is_ours(names)
    parts = getattr(features.get(segment), "names", None) if segment else None
    rows = [
        (_text(row.get(text), ours=ours), row.get(label), _said(row.get(segment), parts) if segment else None)
        for row in data.select_columns(chosen)
    ]
    return rows, getattr(features.get(label), "names", None)


def _text(cell: object, *, ours: bool) -> object:
    return unguarded(cell) if ours and isinstance(cell, str) else cell


def _said(value: object, names: Sequence[str] | None) -> str:
    """Return what a cell says: of a place among class `names` the name, nothing where it is missing."""
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
    """Keep `datasets` off both streams, and from loading torch, which it has no use for.

    What goes wrong is said in our own errors.
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
