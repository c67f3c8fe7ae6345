"""Labelled texts, read as the settings of a workspace say: for every command that measures or trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentimon.errors import DataError

if TYPE_CHECKING:
    from sentimon.evaluation.datasets import LabelledText
    from sentimon.prediction_log.slice_fields import SliceCondition
    from sentimon.workflows.workspace import Workspace


def read_labelled(
    workspace: Workspace,
    source: str,
    *,
    split: str | None = None,
    by: str | None = None,
    origin: str = "--by",
    needed: bool = True,
) -> list[LabelledText]:
    """Return the labelled texts of a file, or of a data set on the hub, in order.

    Each knows its value of the field `by`, a column or one that is told from the text such as "@length";
    `origin` is the option that names it. Where it is not `needed`, it need not be there. Of a workspace that
    is narrowed only the rows are returned for which its conditions hold. What is not certain of the file, and
    how many of its rows were left out, is said.

    Raises:
        UsageError: rows cannot be divided by that field.
        DataError: they cannot be read, it is not certain what they are, some rows are bad, or none has the
            field or fulfils the conditions.
    """
    from sentimon.evaluation.datasets import load_labelled
    from sentimon.prediction_log.slice_fields import check_fields

    fields = check_fields([] if by is None else [by], origin=origin)
    asked = {one.name: one for one in (*fields, *(condition.field for condition in workspace.where))}
    rows = load_labelled(
        source,
        workspace.settings.input,
        split=split,
        fields=tuple(asked.values()),
        longest=workspace.settings.logs.max_line_bytes,
        classes=workspace.classes,
        say=workspace.say,
    )
    for name in asked:
        if name not in rows[0].slices and (needed or name != by):
            option = origin if name == by else "--where"
            raise DataError(
                f"{source}: no column {name!r}", hint=f"leave out {option}, or name another column"
            )
    return _narrowed(source, rows, workspace.where)


def _narrowed(source: str, rows: list[LabelledText], where: Sequence[SliceCondition]) -> list[LabelledText]:
    """Return the rows for which all conditions hold.

    Raises:
        DataError: there are none.
    """
    found = [row for row in rows if all(row.slices[one.field.name] == one.value for one in where)]
    if not found:
        raise DataError(
            f"{source}: none of {len(rows)} rows is {' and '.join(map(str, where))}",
            hint="choose another value with --where",
        )
    return found
