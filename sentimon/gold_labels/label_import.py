"""Rows of a file as gold labels for rows of the log: what each says, and which rows it may be for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sentimon.csv_cells import is_ours, unguarded
from sentimon.errors import DataError
from sentimon.gold_labels.gold_label import ID, ROW_ID, TEXT_HASH, GoldLabel, Hash, Key, keys_of
from sentimon.gold_labels.label_book import Arrival
from sentimon.ingest.input_row import InputRow
from sentimon.ingest.label_reader import LABEL_COLUMNS, label_reader
from sentimon.jsonl import BadLine
from sentimon.prediction_log.privacy import redact
from sentimon.prediction_log.record import PredictionRecord
from sentimon.timestamps import parse_moment

KEYS = (ID, "text-hash", "text")
LABEL_FIELDS = (*LABEL_COLUMNS, "choice")
"""Where the label is looked for; `choice` is what Label Studio calls it."""
LABELLED_AT = "labelled_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A label of the file and the keys that it may be for, the surest first."""

    row: InputRow
    keys: tuple[Key, ...]
    label: GoldLabel
    """Its key is the surest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What a file of labels holds."""

    labels: tuple[Incoming, ...]
    bad_lines: tuple[BadLine, ...]
    without_label: int
    """Rows that nobody has labelled yet."""


def open_inbox(
    rows: Iterable[InputRow | BadLine],
    *,
    by: str | None,
    label_field: str | None,
    now: datetime,
    zone: tzinfo | None,
    hash_text: Hash,
) -> Inbox:
    """Return the labels among `rows`, whose fields hold all that the file says.

    The rows of the log are named `by` their `id`, their `text-hash` or their `text`; where that is
    None, by whichever of the three the file has. The label is the first of LABEL_FIELDS that the file
    has, or `label_field`. `probability` and `draw`, as `label next` writes them, are kept; a label
    came at its `labelled_at`, or else `now`.

    Raises:
        DataError: no row has a label, or the labels cannot be read as a whole.
    """
    bad: list[BadLine] = []
    given: list[tuple[InputRow, Mapping[str, Any]]] = []
    for one in rows:
        if isinstance(one, BadLine):
            bad.append(one)
        else:
            given.append((one, _plain(one.fields)))
    name = _label_field([fields for _, fields in given], label_field)
    labelled = [(row, fields) for row, fields in given if not _is_blank(fields.get(name))]
    read_label = label_reader(fields[name] for _, fields in labelled)
    found: list[Incoming] = []
    for row, fields in labelled:
        try:
            label, keys = read_label(fields[name]), _keys(fields, by, hash_text)
            found.append(Incoming(row=row, keys=keys, label=_gold(fields, keys[0], label, now, zone)))
        except DataError as error:
            bad.append(row.bad("label", "; ".join(filter(None, (error.message, error.hint)))))
    bad.sort(key=lambda one: one.line)
    return Inbox(labels=tuple(found), bad_lines=tuple(bad), without_label=len(given) - len(labelled))


def address(
    inbox: Sequence[Incoming], records: Iterable[PredictionRecord], hash_text: Hash
) -> tuple[list[Arrival], list[BadLine]]:
    """Return (the labels that are for rows among `records`, those whose keys no row has); one pass."""
    wanted = {key for one in inbox for key in one.keys}
    texts = any(kind == TEXT_HASH for kind, _ in wanted)
    known: set[Key] = set()
    for record in records:
        own = keys_of(record, hash_text) if texts else [] if record.id is None else [(ID, record.id)]
        known.update(key for key in own if key in wanted)
    arrivals: list[Arrival] = []
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
            arrivals.append(Arrival(path=one.row.path, line=one.row.line, label=label))
    return arrivals, strangers


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields by their names as we write them: people and spreadsheets add capitals and blanks."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found.setdefault(name.strip().lower(), value)
    return found


def _label_field(rows: Sequence[Mapping[str, Any]], wanted: str | None) -> str:
    candidates = LABEL_FIELDS if wanted is None else (wanted.strip().lower(),)
    names = sorted({name for fields in rows for name in fields})
    for name in candidates:
        if name in names:
            return name
    missing = f"no row has {wanted!r}" if wanted else f"no row has any of {', '.join(LABEL_FIELDS)}"
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
    # After both, which `label next` writes: an annotation tool may have put its own number here.
    if by in (None, ID) and not keys and _is_id(fields.get("id")):
        keys += _ids(fields, "id")
    text = fields.get("text")
    if by in (None, "text") and isinstance(text, str):
        # A log that redacts holds another text than the file; its hash is what names the row.
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
    """Return what a cell may say: as it stands, and as it was before `label next` guarded it.

    An annotation tool may have dropped the columns that tell one of our tables; of such a table the reader
    of tables has undone it.
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
