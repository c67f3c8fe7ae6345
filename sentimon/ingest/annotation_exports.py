"""Exports of annotation tools as plain rows: Label Studio, Argilla and doccano.

Their own numbers of a task come as `task_id`, because `id` is the row's own. Where annotators disagree, the
label is the list of what they said, which `label_coding` refuses; a row may be scored all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from sentimon.ingest.input_row import Numbered
from sentimon.jsonl import BadLine

_Row: TypeAlias = dict[str, Any]
_Rows: TypeAlias = Iterator[Numbered | BadLine]
LABEL = "label"
TASK = "task_id"
LABELLED_AT = "labelled_at"
_OF_LABEL_STUDIO = frozenset({"annotator", "annotation_id"})
"""Columns of its small exports, JSON-MIN and CSV: a row for each annotation."""
_ABOUT_ANNOTATION = frozenset({"annotator", "annotation_id", "created_at", "updated_at", "lead_time"})
_RESPONSES = ".responses"


def flattened(rows: _Rows, heading: Sequence[str] | None) -> _Rows:
    """Yield the rows of a file, those of an export of an annotation tool with their label as a field.

    What the file is, its heading says, or its first row.
    """
    if heading is not None:
        first: _Row | None = dict.fromkeys(heading)
    else:
        ahead: list[Numbered | BadLine] = []
        for one in rows:
            ahead.append(one)
            if not isinstance(one, BadLine):
                break
        last = ahead[-1] if ahead else None
        first = last[1] if isinstance(last, tuple) else None
        rows = chain(ahead, rows)
    if first is None:
        return rows
    if first.keys() >= _OF_LABEL_STUDIO:
        return _tasks_of(rows)
    flatten = next((flatten for fits, flatten in _KINDS if fits(first)), None)
    return rows if flatten is None else _each(rows, flatten)


def _each(rows: _Rows, flatten: Callable[[_Row], _Row]) -> _Rows:
    for one in rows:
        yield one if isinstance(one, BadLine) else (one[0], flatten(one[1]))


def _is_task(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("data"), dict) and (
        isinstance(row.get("annotations"), list) or isinstance(row.get("predictions"), list)
    )


def _of_task(row: _Row) -> _Row:
    """Return a task of Label Studio: its data, and what the annotations that were not skipped say."""
    if not _is_task(row):
        return row
    given = [
        one for one in row.get("annotations") or () if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    truths = [one for one in given if one.get("ground_truth")]
    said: dict[str, list[Any]] = {}
    for annotation in truths or given:
        for name, value in _choices(annotation).items():
            said.setdefault(name, []).append(value)
    moments = [str(one.get("updated_at") or one.get("created_at")) for one in given if _choices(one)]
    fields: _Row = {**row["data"], **_labels(said)}
    if "id" in row:
        fields[TASK] = row["id"]
    if moments and moments[-1] != "None":
        fields[LABELLED_AT] = max(moments)
    return fields


def _choices(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an annotation says of the whole text, by the name of the question."""
    found: dict[str, Any] = {}
    for result in annotation.get("result") or ():
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict) or "start" in value:
            # Of a part of the text alone.
            continue
        if isinstance(value.get("choices"), list):
            found[str(result.get("from_name"))] = _only(value["choices"])
        elif "rating" in value:
            found[str(result.get("from_name"))] = value["rating"]
    return found


def _tasks_of(rows: _Rows) -> _Rows:
    """Yield the tasks of a small export of Label Studio, whose annotations follow each other, a row each."""
    held: Numbered | None = None
    for one in rows:
        if isinstance(one, BadLine):
            yield one
            continue
        number, fields = one
        row = {**{name: value for name, value in fields.items() if name != "id"}, TASK: fields.get("id")}
        row = {name: _choice_of(value) for name, value in row.items()}
        if held is not None and held[1].get(TASK) == row[TASK] is not None:
            held = (held[0], _both(held[1], row))
            continue
        if held is not None:
            yield held
        held = (number, row)
    if held is not None:
        yield held


def _both(row: _Row, other: _Row) -> _Row:
    """Return two annotations of a task as one row, with both answers where they differ."""
    found = dict(row)
    for name, value in other.items():
        known = row.get(name)
        if name in _ABOUT_ANNOTATION or value is None or value == known:
            continue
        several = known if isinstance(known, list) else [] if known is None else [known]
        found[name] = _agreed([*several, value])
    return found


def _choice_of(value: Any) -> Any:
    """Return the one choice of a question that allows several; any other value as it is."""
    if isinstance(value, dict) and value.keys() == {"choices"} and isinstance(value["choices"], list):
        return _only(value["choices"])
    return value


def _is_argilla(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("fields"), dict) and "responses" in row


def _of_argilla(row: _Row) -> _Row:
    """Return a record of Argilla: its fields, its metadata, and the responses that were submitted."""
    if not _is_argilla(row):
        return row
    responses = row.get("responses")
    said = {
        str(name): _submitted(answers)
        for name, answers in (responses.items() if isinstance(responses, dict) else ())
        if isinstance(answers, list)
    }
    metadata = row.get("metadata")
    kept = {name: row[name] for name in ("id", "status") if row.get(name) is not None}
    return {**kept, **(metadata if isinstance(metadata, dict) else {}), **row["fields"], **_labels(said)}


def _is_flat_argilla(row: Mapping[str, Any]) -> bool:
    return any(name.endswith(_RESPONSES) for name in row)


def _of_flat_argilla(row: _Row) -> _Row:
    """Return a record of Argilla as its data sets have it: by question, responses and their states."""
    said: dict[str, list[Any]] = {}
    for name, answers in row.items():
        if name.endswith(_RESPONSES) and isinstance(answers, list):
            states = row.get(f"{name}.status")
            known = (
                states if isinstance(states, list) and len(states) == len(answers) else [None] * len(answers)
            )
            said[name.removesuffix(_RESPONSES)] = [
                _only(answer)
                for answer, state in zip(answers, known, strict=True)
                if state in (None, "submitted")
            ]
    kept = {name: value for name, value in row.items() if _RESPONSES not in name}
    return {**kept, **_labels(said)}


def _is_old_argilla(row: Mapping[str, Any]) -> bool:
    return row.keys() >= {"annotation", "annotation_agent"}


def _of_old_argilla(row: _Row) -> _Row:
    inputs = row.get("inputs")
    texts = inputs if isinstance(inputs, dict) else {}
    metadata = row.get("metadata")
    known = {name: value for name, value in row.items() if name not in ("annotation", "inputs", "metadata")}
    extra = metadata if isinstance(metadata, dict) else {}
    return {
        **extra,
        **texts,
        **{k: v for k, v in known.items() if v is not None},
        LABEL: _only(row["annotation"]),
    }


def _is_doccano(row: Mapping[str, Any]) -> bool:
    # With scores, the list is the classes of a classifier.
    return isinstance(row.get("text"), str) and "scores" not in row and _list_of(row) is not None


def _list_of(row: Mapping[str, Any]) -> str | None:
    return next((one for one in (LABEL, "labels", "cats") if isinstance(row.get(one), list)), None)


def _of_doccano(row: _Row) -> _Row:
    """Return a row of doccano, or of Argilla's older data sets, whose label is a list."""
    name = _list_of(row)
    if name is None:
        return row
    answers: Sequence[Any] = row[name]
    if any(isinstance(one, list) for one in answers):
        # Spans of the text.
        return row
    fields = {one: value for one, value in row.items() if one not in (name, "id")}
    if "id" in row:
        fields["id" if any(isinstance(one, dict) for one in answers) else TASK] = row["id"]
    found = _submitted(answers) if any(isinstance(one, dict) for one in answers) else list(answers)
    fields[LABEL] = _agreed(found)
    return fields


def _submitted(answers: Iterable[Any]) -> list[Any]:
    return [
        _only(one.get("value"))
        for one in answers
        if isinstance(one, dict) and one.get("status") in (None, "submitted")
    ]


def _labels(said: Mapping[str, Sequence[Any]]) -> _Row:
    """Return the answers by question; the answer to the only one is the label."""
    found = {name: _agreed(values) for name, values in said.items()}
    if len(found) == 1:
        return {LABEL: next(iter(found.values()))}
    return found


def _agreed(values: Iterable[Any]) -> Any:
    """Return the one answer, the list of those that differ, or None where there is none."""
    distinct: list[Any] = []
    for value in values:
        if value is not None and value not in distinct:
            distinct.append(value)
    return _only(distinct)


def _only(value: Any) -> Any:
    """Return the only element of a list, None for an empty one, anything else as it is."""
    if isinstance(value, list) and len(value) < 2:
        return value[0] if value else None
    return value


_KINDS: tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[_Row], _Row]], ...] = (
    (_is_task, _of_task),
    (_is_argilla, _of_argilla),
    (_is_flat_argilla, _of_flat_argilla),
    (_is_old_argilla, _of_old_argilla),
    (_is_doccano, _of_doccano),
)
