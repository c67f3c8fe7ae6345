"""Import of labels: read the rows of a labelled file, and match them to the rows of the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sentimon.csv_cells import is_ours, unguarded
from sentimon.errors import DataError
from sentimon.gold_labels.gold_label import (
    ID,
    ROW_ID,
    TEXT_HASH,
    GoldLabel,
    Hash,
    Key,
)
from sentimon.gold_labels.label_book import ImportedLabel
from sentimon.gold_labels.label_join import keys_of
from sentimon.ingest.cells import is_missing
from sentimon.ingest.column_names import LABEL_COLUMNS, usual_columns
from sentimon.ingest.input_row import InputRow
from sentimon.ingest.label_coding import LabelCodingFinder
from sentimon.jsonl import BadLine
from sentimon.prediction_log.privacy import redact
from sentimon.prediction_log.record import PredictionRecord
from sentimon.timestamps import parse_moment

KEYS = (ID, "text-hash", "text")
LABEL_FIELDS = (*LABEL_COLUMNS, "choice")
"""Columns that may hold the label, in order of preference; Label Studio calls it `choice`."""
LABELLED_AT = "labelled_at"
_NAMED_COLUMNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelInFile:
    """A label in the file, with the keys that it may be for, the most reliable first."""

    row: InputRow
    keys: tuple[Key, ...]
    label: GoldLabel
    """Its key is the first of `keys`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """The labels in a file, its bad lines, and its unlabelled rows."""

    labels: tuple[LabelInFile, ...]
    bad_lines: tuple[BadLine, ...]
    without_label: int
    """Number of rows that are not labelled yet."""


def read_label_file(
    rows: Iterable[InputRow | BadLine],
    *,
    by: str | None,
    label_field: str | None,
    coding: LabelCodingFinder | None = None,
    now: datetime,
    zone: tzinfo | None,
    hash_text: Hash,
) -> LabelFile:
    """Return the labels in `rows`, whose fields hold every column of the file.

    The rows of the log are identified `by` their `id`, `text-hash` or `text`; with None, by whichever of
    the three the file has. The label is in the column `label_field`, by default the first of LABEL_FIELDS
    that the file has. `probability` and `draw`, as `label next` writes them, are kept. A label was given at
    its `labelled_at`, else `now`; naive timestamps are read in `zone` (None: local). `coding` finds out what
    the labels mean.

    Raises:
        DataError: no row has a label, or it is not certain what the labels mean.
    """
    bad: list[BadLine] = []
    given: list[tuple[InputRow, Mapping[str, Any]]] = []
    for one in rows:
        if isinstance(one, BadLine):
            bad.append(one)
        else:
            given.append((one, _plain(one.fields)))
    name = _label_field([fields for _, fields in given], label_field)
    labelled = [(row, fields) for row, fields in given if not is_missing(fields.get(name))]
    finder = coding or LabelCodingFinder()
    for _, fields in labelled:
        finder.add(fields[name])
    read_label = finder.found().read
    found: list[LabelInFile] = []
    for row, fields in labelled:
        try:
            label, keys = read_label(fields[name]), _keys(fields, by, hash_text)
            found.append(LabelInFile(row=row, keys=keys, label=_gold(fields, keys[0], label, now, zone)))
        except DataError as error:
            bad.append(row.bad("label", "; ".join(filter(None, (error.message, error.hint)))))
    bad.sort(key=lambda one: one.line)
    return LabelFile(labels=tuple(found), bad_lines=tuple(bad), without_label=len(given) - len(labelled))


def address(
    inbox: Sequence[LabelInFile], records: Iterable[PredictionRecord], hash_text: Hash
) -> tuple[list[ImportedLabel], list[BadLine]]:
    """Return (labels that are for rows among `records`, a bad line for each label that is for none).

    One pass over the log; a label is joined by the first of its keys that some row has.
    """
    wanted = {key for one in inbox for key in one.keys}
    texts = any(kind == TEXT_HASH for kind, _ in wanted)
    known: set[Key] = set()
    for record in records:
        own = keys_of(record, hash_text) if texts else [] if record.id is None else [(ID, record.id)]
        known.update(key for key in own if key in wanted)
    arrivals: list[ImportedLabel] = []
    strangers: list[BadLine] = []
    for one in inbox:
        key = next((key for key in one.keys if key in known), None)
        if key is None:
            strangers.append(one.row.bad("unknown", f"no logged row has {_named(one.keys)}"))
        else:
            label = GoldLabel(
                key=key,
                label=one.label.label,
                timestamp=one.label.timestamp,
                probability=one.label.probability,
                draw=one.label.draw,
            )
            arrivals.append(ImportedLabel(path=one.row.path, line=one.row.line, label=label))
    return arrivals, strangers


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields under lower-case names without surrounding blanks."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found.setdefault(name.strip().lower(), value)
    return found


def _label_field(rows: Sequence[Mapping[str, Any]], wanted: str | None) -> str:
    names = sorted({name for fields in rows for name in fields})
    plain = "" if wanted is None else wanted.strip().lower()
    found = (
        usual_columns(names, LABEL_FIELDS) if wanted is None else [name for name in names if name == plain]
    )
    if found:
        return found[0]
    tried = ", ".join(LABEL_FIELDS[:_NAMED_COLUMNS])
    missing = f"no row has {wanted!r}" if wanted else f"no row has any of {tried} or the like"
    raise DataError(
        f"no labels: {missing}",
        hint=f"name the field with --label-column: {', '.join(names) or 'none there'}",
    )


def _keys(fields: Mapping[str, Any], by: str | None, hash_text: Hash) -> tuple[Key, ...]:
    keys: list[Key] = []
    if by in (None, ID) and _is_id(fields.get(ROW_ID)):
        keys += _ids(fields, ROW_ID)
    if by in (None, "text-hash") and isinstance(fields.get("text_hash"), str):
        keys.append((TEXT_HASH, fields["text_hash"].lower()))
    # Last: an annotation tool may have put its own number here; `label next` writes the other two.
    if by in (None, ID) and not keys and _is_id(fields.get("id")):
        keys += _ids(fields, "id")
    text = fields.get("text")
    if by in (None, "text") and isinstance(text, str):
        # A log that redacts holds another text than the file: the hash of the redacted one may be the key.
        keys += dict.fromkeys(
            (TEXT_HASH, hash_text(one)) for form in _forms(fields, text) for one in (form, redact(form))
        )
    if not keys:
        lacking = "id, text_hash and text" if by is None else by.replace("-", "_")
        raise DataError(f"lacks {lacking}: nothing says which logged row it is for")
    return tuple(keys)


def _ids(fields: Mapping[str, Any], name: str) -> list[Key]:
    return [(ID, one) for one in _forms(fields, str(fields[name]))]


def _forms(fields: Mapping[str, Any], cell: str) -> tuple[str, ...]:
    """Return the possible values of a cell: as it stands, and as it was before `label next` guarded it.

    A sheet of ours has been unguarded by the reader of tables already. An annotation tool may have dropped
    the columns by which such a sheet is recognised.
    """
    return (cell,) if is_ours(fields) else tuple(dict.fromkeys((cell, unguarded(cell))))


def _is_id(value: object) -> bool:
    return (isinstance(value, str) and value != "") or (
        isinstance(value, int) and not isinstance(value, bool)
    )


def _gold(fields: Mapping[str, Any], key: Key, label: Any, now: datetime, zone: tzinfo | None) -> GoldLabel:
    given, draw = fields.get(LABELLED_AT), fields.get("draw")
    return GoldLabel(
        key=key,
        label=label,
        timestamp=now if given is None else parse_moment(str(given), zone)[0],
        probability=_probability(fields.get("probability")),
        draw=None if draw is None else parse_moment(str(draw), zone)[0],
    )


def _probability(value: object) -> float | None:
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        number = 0.0
    if not 0 < number <= 1:
        raise DataError(f"probability {value!r:.40} is not a number above 0 to 1")
    return number


def _named(keys: Sequence[Key]) -> str:
    names = dict.fromkeys(f"id {value!r:.40}" if kind == ID else "that text" for kind, value in keys)
    return " or ".join(names)
