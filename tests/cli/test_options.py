"""Options that belong together reach a command as one value, and the command line one by one."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from sentimon.cli.options import SinceOption, flag, grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    since: SinceOption = None
    whole: Annotated[bool, flag("--all", help="All rows.")] = False


def test_a_group_is_spread_out_in_place_and_put_together_again(capsys: pytest.CaptureFixture[str]) -> None:
    @grouped
    def command(*, first: str = "a", rows: Rows, last: bool = False) -> None:
        """Do it."""
        typer.echo(f"{first} {rows} {last}")

    assert list(inspect.signature(command).parameters) == ["first", "since", "whole", "last"]
    app = typer.Typer()
    app.command()(command)
    app(["--all", "--since", "7d", "--last"], standalone_mode=False)
    assert capsys.readouterr().out == f"a {Rows(since='7d', whole=True)} True\n"
