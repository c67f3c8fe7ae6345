"""Rows to label as a CSV file that annotation tools read, Label Studio and Argilla among them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from sentimon.csv_cells import guarded
from sentimon.gold_labels.gold_label import ID, ROW_ID
from sentimon.gold_labels.sampling import Drawn
from sentimon.prediction_log.output_files import OutputFile
from sentimon.timestamps import format_moment

COLUMNS = ("id", "text", ROW_ID, "text_hash", "probability", "draw")
"""Not among them is what the model said: who labels with it in view agrees with it too often.

The id stands there twice, for annotation tools put their own into a column of that name.
"""


def write_sheet(output: OutputFile, rows: Iterable[Drawn], *, draw: datetime) -> None:
    """Write `rows` to `output` in one step, UTF-8.

    `label import` reads it back once a column of labels is added: rows are named by their id, those
    without one by the keyed hash of their text; `draw` is the moment that they share. No cell acts on a
    spreadsheet or a terminal: what `cells.guarded` does to ids and texts is undone as they are read.

    Raises:
        StoreError: the file cannot be written.
    """
    with output.writing() as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        # All quoted: a lone carriage return in a tweet would end the row otherwise.
        sheet = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        sheet.writerow(COLUMNS)
        for one in rows:
            kind, value = one.key
            row_id, text_hash = (value, "") if kind == ID else ("", value)
            name, text = guarded(row_id), guarded(one.record.text or "")
            cells = (name, text, name, text_hash, repr(one.probability), format_moment(draw))
            sheet.writerow(cells)
        out.detach()
