"""The options that say which rows a command reads: one definition, one meaning and one help text each.

Commands that score take texts, those that measure take labelled texts; each accepts the names of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from sentimon.cli.options import flag

LABELLED_SOURCE = typer.Option(
    "--data", "--input", "-i", metavar="FILE|DATASET", help="Labelled file, or hub data set."
)
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        "--data",
        metavar="FILE",
        help="File of texts: .txt, .json(l), .csv, .tsv, .xlsx, .parquet; - is stdin.",
    ),
]
TextOption = Annotated[
    list[str] | None,
    typer.Option("--text", metavar="TEXT", help="A text, even if a file has that name; may be repeated."),
]
LabelledOption = Annotated[str, LABELLED_SOURCE]
LabelledIfAnyOption = Annotated[str | None, LABELLED_SOURCE]
"""The same where a command can do without."""
SplitOption = Annotated[
    str | None, typer.Option("--split", metavar="NAME", help="Split of a hub data set. (default: test)")
]


ShowInputFlag = Annotated[bool, flag("--dry-run", help="Only say how the file is understood.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions:
    """The options that say how a file is to be read, one for each setting of `[input]`."""

    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="txt, jsonl, csv, tsv, xlsx, parquet or arrow. (default: by its name)",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", metavar="NAME", help="utf-8, cp1252, ..., or auto to have it guessed."),
    ] = None
    text_column: Annotated[
        str | None,
        typer.Option("--text-column", "--column", metavar="NAME", help="Column of the text."),
    ] = None
    time_column: Annotated[
        str | None, typer.Option("--time-column", metavar="NAME", help="Column of the time.")
    ] = None
    time_format: Annotated[
        str | None,
        typer.Option(
            "--time-format", metavar="FORMAT", help='iso, epoch, epoch-ms, excel, or like "%d/%m/%Y %H:%M".'
        ),
    ] = None
    id_column: Annotated[
        str | None, typer.Option("--id-column", metavar="NAME", help="Column of the id.")
    ] = None
    label_column: Annotated[
        str | None,
        typer.Option(
            "--label-column",
            metavar="NAME",
            help="Column of the gold label, for `log` of the predicted one; - there: score the texts.",
        ),
    ] = None
    score_columns: Annotated[
        str | None,
        typer.Option(
            "--score-columns",
            "--score-column",
            metavar="NAMES",
            help="Column of the confidence, or those of the classes: negative=p0,neutral=p1,...",
        ),
    ] = None
    model_column: Annotated[
        str | None, typer.Option("--model-column", metavar="NAME", help="Column of the model's name.")
    ] = None
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels", metavar="CODING", help="What numbers mean: stars, stars10, or the classes in order."
        ),
    ] = None
    label_map: Annotated[
        str | None,
        typer.Option("--label-map", metavar="MAP", help="Labels of the file: 1=negative,2=neutral, ..."),
    ] = None

    def flags(self) -> dict[str, Any]:
        """Return the settings that these options are, None where an option is not given.

        Raises:
            UsageError: `--label-map` is no such map.
        """
        return {
            "input.format": self.file_format,
            "input.encoding": self.encoding,
            "input.text_column": self.text_column,
            "input.time_column": self.time_column,
            "input.time_format": self.time_format,
            "input.id_column": self.id_column,
            "input.label_column": self.label_column,
            "input.score_columns": self.score_columns,
            "input.model_column": self.model_column,
            "input.labels": self.labels,
            "input.label_map": None if self.label_map is None else _label_map(self.label_map),
        }


def _label_map(text: str) -> dict[str, str]:
    from sentimon.ingest.label_coding import parse_label_map

    return parse_label_map(text)
