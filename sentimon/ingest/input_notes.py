"""What people should know of how a file was understood: one clause for each thing that is likely."""

from __future__ import annotations

from collections.abc import Iterator

from sentimon.config.settings import InputSettings
from sentimon.ingest.column_contents import ContentFinder
from sentimon.ingest.column_names import LABEL_COLUMNS, plain_name, usual_columns
from sentimon.ingest.input_columns import InputColumns, InputContext, Need, columns_of_clocks
from sentimon.ingest.prediction_columns import NO_PREDICTION, find_prediction, is_of_vader
from sentimon.ingest.row_reader import has_our_names
from sentimon.ingest.tables import Table
from sentimon.ingest.time_formats import TimeFormat

_LISTED = 12


def notes_on(
    finder: ContentFinder,
    table: Table,
    context: InputContext,
    columns: InputColumns,
    time_format: TimeFormat | None,
) -> tuple[str, ...]:
    """Return what is likely and not certain of how a file is understood, a clause each."""
    found = [*_format_notes(table), *_column_notes(columns, time_format)]
    need = context.need
    named = table.file_format != "txt" and finder.names
    if need is Need.PREDICTIONS and columns.time is None and named:
        others = ", ".join(f"{name:.40}" for name in finder.names[:_LISTED])
        found.append(f"no column of times: rows are dated now; columns are {others}")
    clocks = columns_of_clocks(finder.names, finder.rows) if columns.time is not None else []
    if clocks and columns.time is not None and columns.time.name not in clocks:
        found.append(f"the hours in {clocks[0]!r:.60} are not read")
    asked = context.settings.label_column == NO_PREDICTION
    label = usual_columns(finder.names, LABEL_COLUMNS) if need is Need.PREDICTIONS and not asked else []
    if label and columns.prediction is None:
        found.append(f"texts are scored, and {label[0]!r:.60} is kept (--label-column: a model predicted it)")
    if need is Need.PREDICTIONS and is_of_vader(finder.names):
        found.append("neg, neu and pos of VADER are shares of a text, not probabilities: they are not read")
    if need is Need.TEXTS and finder.rows:
        predicted = find_prediction(finder.names, finder.rows, InputSettings())
        if predicted is not None and len(predicted.names) > 1:
            ignored = ", ".join(predicted.names)
            found.append(f"what another model predicted ({ignored}) is not looked at: texts are scored")
    return tuple(found)


def _format_notes(table: Table) -> Iterator[str]:
    if table.guessed:
        yield f"read as {table.encoding}, which is a guess (--encoding)"
    elif table.encoding not in ("", "utf-8", "utf-8-sig"):
        yield f"read as {table.encoding}"
    if table.sheet:
        yield f"the rows are those of the sheet {table.sheet!r:.60}"


def _column_notes(columns: InputColumns, time_format: TimeFormat | None) -> Iterator[str]:
    text, time, label, predicted = columns.text, columns.time, columns.label, columns.prediction
    if text is not None and text.why != "named" and plain_name(text.name) != "text":
        yield f"the text is in {text.name!r:.60}"
    if time is not None and (time.name != "timestamp" or time_format is not None):
        written = "" if time_format is None else f", written as {time_format.name}"
        yield f"the time is in {time.name!r:.60}{written}"
    if label is not None and label.why != "named" and plain_name(label.name) not in ("label", "sentiment"):
        yield f"the label is in {label.name!r:.60}"
    alone = predicted is not None and predicted.names == (predicted.label,)
    if predicted is not None and (alone or not has_our_names(InputColumns(prediction=predicted))):
        names = ", ".join(f"{name:.40}" for name in predicted.names)
        way_out = "; --label-column - scores the texts" if alone and text is not None else ""
        yield f"what another model predicted is in {names} ({predicted.kind}{way_out})"
    if predicted is not None and columns.unread:
        yield "'confidence' has no numbers from 0 to 1, and is not read"
