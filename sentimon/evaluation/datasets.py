"""Texts with gold labels, from a file or from a data set on the HuggingFace hub."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sentimon.config.paths import expanded
from sentimon.config.settings import InputSettings
from sentimon.errors import DataError, StoreError, UsageError
from sentimon.extras import require
from sentimon.ingest.cells import shown
from sentimon.ingest.input_columns import InputContext, Need, find_columns
from sentimon.ingest.input_file import InputFile, open_input_file
from sentimon.ingest.label_coding import LabelCoding, LabelCodingFinder
from sentimon.ingest.tables import known_format
from sentimon.jsonl import LONGEST, BadLine
from sentimon.labels import THREE, Classes, Sentiment
from sentimon.prediction_log.slice_fields import MISSING, SliceField

DEFAULT_SPLIT = "test"
_NAMED_ROWS = 3
_ROWS_AHEAD = 1000
_OF_MODEL = ("model", "revision")
_CERTAIN = ("names",)
"""Codings of labels that need not be said."""

_Row = tuple[object, object, Mapping[str, object]] | BadLine
"""The text, the label as it is written, and what the row says under the keys of the fields asked for."""


def _unsaid(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text and the class that people gave it."""

    text: str
    label: Sentiment
    slices: Mapping[str, str] = field(default_factory=dict)
    """Its value of each field that was asked for; without a field that no row has."""
    model: str | None = None
    """The model that the row names; only where `@model` is asked for, and likewise the revision."""
    revision: str | None = None


def load_labelled(
    source: str,
    settings: InputSettings | None = None,
    *,
    split: str | None = None,
    fields: Sequence[SliceField] = (),
    longest: int = LONGEST,
    classes: Classes = THREE,
    say: Callable[[str], None] = _unsaid,
) -> list[LabelledText]:
    """Return all rows of a data set that have a text and a label, in order.

    `source` is a file of any format that `sentimon.ingest` reads, or the name of a data set on the hub,
    with `:configuration` where it has several. `split` is for the hub: `test` if there is one, else
    the only one. `settings` name the columns, and what the labels mean. Each text knows its values of
    `fields`: columns, or told from it; that no row has one is no error. Labels of other classes than
    `classes` are bad. What is not certain, and how many rows were left out, is said. Files leave nothing in
    any cache.

    Raises:
        DataError: it cannot be found or read, lacks the split or a column, it is not certain what the labels
            mean, or it has bad rows: all are counted, the first three named with the reason.
        MissingPackageError: what reads such a file, or data sets of the hub, is not installed.
    """
    settings = settings or InputSettings()
    context = InputContext(settings=settings, need=Need.LABELLED, longest=longest, classes=classes)
    if settings.format or _is_file_name(source):
        if split is not None:
            raise DataError(f"{source} is one file, it has no split {split!r}", hint="leave out --split")
        rows, class_names = _rows_of_file(source, context, fields, say)
    else:
        hub = f"{source}: no such file, and a data set of the HuggingFace hub"
        require(hub, "datasets", "huggingface_hub", extra="data", instead="name a file")
        with _quiet():
            rows, class_names = _rows_of_hub(source, _of_hub(source, split), settings, fields)
    return _labelled(source, rows, context.label_coding(class_names), fields, say)


def _labelled(
    source: str,
    rows: Sequence[_Row],
    finder: LabelCodingFinder,
    fields: Sequence[SliceField],
    say: Callable[[str], None],
) -> list[LabelledText]:
    if not rows:
        raise DataError(f"{source}: no rows", hint="an evaluation needs texts with gold labels")
    coding = _coding_of(source, rows, finder)
    found: list[LabelledText] = []
    bad: list[str] = []
    left_out = 0
    for number, one in enumerate(rows, start=1):
        if isinstance(one, BadLine):
            bad.append(f"line {one.line}: {one.reason}")
        elif _is_blank(one[0]) or coding.is_unlabelled(one[1]):
            left_out += 1
        else:
            try:
                found.append(_labelled_text(*one, coding, fields))
            except DataError as error:
                bad.append(f"row {number}: {error.message}")
    if bad:
        raise _bad_rows(source, bad, len(rows))
    if left_out:
        say(f"{source}: {left_out} of {len(rows)} rows left out, for they have no text or no label")
    if not found:
        raise DataError(f"{source}: no row has a text and a label", hint="an evaluation needs both")
    if coding.name not in _CERTAIN:
        say(f"{source}: labels are read as {coding.name}")
    return _without_unknown_fields(found)


def _without_unknown_fields(rows: list[LabelledText]) -> list[LabelledText]:
    """Return the rows without the fields that none of them has: the names of columns that are not there."""
    known = {name for row in rows for name, value in row.slices.items() if value != MISSING}
    if known == set(rows[0].slices):
        return rows
    return [
        replace(row, slices={name: value for name, value in row.slices.items() if name in known})
        for row in rows
    ]


def _coding_of(source: str, rows: Sequence[_Row], finder: LabelCodingFinder) -> LabelCoding:
    for one in rows:
        if not isinstance(one, BadLine):
            finder.add(one[1])
    try:
        return finder.found()
    except DataError as error:
        raise DataError(f"{source}: {error.message}", hint=error.hint) from error


def _labelled_text(
    text: object,
    label: object,
    others: Mapping[str, object],
    coding: LabelCoding,
    fields: Sequence[SliceField],
) -> LabelledText:
    if not isinstance(text, str):
        raise DataError(f"{shown(text)} is not text")
    model, revision = (None if (one := others.get(key)) is None else str(one) for key in _OF_MODEL)
    row = LabelledText(text=text, label=coding.read(label), model=model, revision=revision)
    return replace(row, slices={one.name: one.value(row, others) for one in fields}) if fields else row


def _is_blank(text: object) -> bool:
    return text is None or (isinstance(text, str) and not text.strip())


def _bad_rows(source: str, bad: Sequence[str], total: int) -> DataError:
    more = f"; and {len(bad) - _NAMED_ROWS} more" if len(bad) > _NAMED_ROWS else ""
    return DataError(
        f"{source}: {len(bad)} of {total} rows are bad: {'; '.join(bad[:_NAMED_ROWS])}{more}",
        hint="each row needs a text and a label: negative, neutral, positive (or Negativo, Neutro, Positivo)",
    )


def _is_file_name(source: str) -> bool:
    """Return whether `source` means a file or folder here, and not a data set on the hub."""
    path = expanded(source)
    looks_so = source.startswith((".", "/", "~")) or source.count("/") > 1
    return path.exists() or looks_so or known_format(path) is not None


def _check_file(source: str, path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{source} is a folder", hint="name a file in it")
    if not path.exists():
        raise DataError(f"{source}: no such file", hint="check the path; a hub name looks like owner/name")
    if path.is_file() and not path.stat().st_size:
        raise DataError(f"{source} is empty", hint="an evaluation needs texts with gold labels")


def _rows_of_file(
    source: str, context: InputContext, fields: Sequence[SliceField], say: Callable[[str], None]
) -> tuple[list[_Row], Sequence[str] | None]:
    path = expanded(source)
    _check_file(source, path)
    try:
        with open_input_file(path, context) as file:
            for one in file.notes:
                say(f"{source}: {one}")
            return _read_rows(file, fields), file.class_names
    except (StoreError, UsageError) as error:
        raise DataError(error.message, hint=error.hint) from error


def _read_rows(file: InputFile, fields: Sequence[SliceField]) -> list[_Row]:
    keys, names = _keys(fields), file.table.class_names
    rows: list[_Row] = []
    for one in file:
        if isinstance(one, BadLine):
            if one.kind in ("json", "encoding"):
                # The file may not be what its name says.
                raise DataError(str(one), hint="write one JSON object a line")
            rows.append(one)
            continue
        rows.append((one.text, one.fields.get("label"), _others(one.fields, keys, names)))
    return rows


def _keys(fields: Sequence[SliceField]) -> tuple[str, ...]:
    """Return the columns that some fields may lie in."""
    return tuple(
        dict.fromkeys(key for one in fields for key in (_OF_MODEL if one.name == "@model" else one.keys))
    )


def _others(
    row: Mapping[str, object], keys: Sequence[str], names: Mapping[str, Sequence[str]]
) -> Mapping[str, object]:
    """Return what a row says under `keys`: the class name instead of an index into `names`."""
    return {key: _said(row[key], names.get(key)) for key in keys if key in row}


def _rows_of_hub(
    source: str, data: Any, settings: InputSettings, fields: Sequence[SliceField]
) -> tuple[list[_Row], Sequence[str] | None]:
    features: Mapping[str, Any] = data.features or {}
    names = list(features) or list(next(iter(data), {}))
    first = list(islice(data, _ROWS_AHEAD))
    try:
        columns = find_columns(names, first, settings, need=Need.LABELLED)
    except DataError as error:
        raise DataError(f"{source}: {error.message}", hint=error.hint) from error
    if columns.text is None or columns.label is None:
        raise DataError(f"{source}: no columns", hint="check that the data set has rows")
    text, label = columns.text.name, columns.label.name
    keys = [key for key in _keys(fields) if key in names]
    parts = {key: found for key in keys if (found := getattr(features.get(key), "names", None))}
    rows: list[_Row] = [
        (row.get(text), row.get(label), _others(row, keys, parts))
        for row in data.select_columns(list(dict.fromkeys([text, label, *keys])))
    ]
    return rows, getattr(features.get(label), "names", None)


def _said(value: object, names: Sequence[str] | None) -> object:
    """Return what a cell says: the class name of an index into `names`."""
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value


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
