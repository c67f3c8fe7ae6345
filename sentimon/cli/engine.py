"""The option that says where the work of a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="local|ray", help="Where long work runs; see [engine]. (default: local)"
    ),
]
