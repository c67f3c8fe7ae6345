"""The options that say which rows a command reads: one definition, one meaning and one help text each.

Commands that score take texts, those that measure take labelled texts; each accepts the names of both.
"""

from __future__ import annotations

from typing import Annotated

import typer

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
LabelledOption = Annotated[str, LABELLED_SOURCE]
LabelledIfAnyOption = Annotated[str | None, LABELLED_SOURCE]
"""The same where a command can do without."""
ColumnOption = Annotated[
    str | None,
    typer.Option(
        "--column", "--text-column", metavar="NAME", help="Column or field of the text. (default: text, ...)"
    ),
]
LabelColumnOption = Annotated[
    str | None,
    typer.Option("--label-column", metavar="NAME", help="Column of the labels. (default: label, ...)"),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="txt, jsonl, csv, tsv, xlsx, parquet or arrow. (default: by the file's name)",
    ),
]
SplitOption = Annotated[
    str | None, typer.Option("--split", metavar="NAME", help="Split of a hub data set. (default: test)")
]
