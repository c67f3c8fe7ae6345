"""The commands that answers propose, as a shell reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sentimon.labels import Sentiment
from sentimon.reporting.command_steps import CommandOptions, after_drift, quoted
from sentimon.reporting.plain_text import visible
from tests.conftest import Ran
from tests.support.rows import lines, record, written

STRANGE = (
    "a\tb",
    "two\nlines",
    "\x1b[31mred",
    "a\u202eb",
    "it's\\ \t",
    "tail\n",
    "\u200b\\011",
    "caffè \x85",
    "x=y\t",
)


def words_of(commands: list[str]) -> list[list[str]]:
    """The arguments that bash makes of each command, pasted one after the other."""
    pasted = "".join(f"printf '%s\\0' {one}; printf '\\0'\n" for one in commands)
    done = subprocess.run(["bash", "-c", pasted], capture_output=True, check=True)
    return [one.decode().split("\0") for one in done.stdout.removesuffix(b"\0\0").split(b"\0\0")]


def test_a_shell_reads_back_what_is_quoted_and_all_of_it_can_be_seen() -> None:
    commands = [quoted(one) for one in STRANGE]
    assert [visible(one) for one in commands] == commands
    assert words_of(commands) == [[one] for one in STRANGE]


def test_the_step_after_drift_finds_the_rows_of_a_slice_with_a_strange_name(
    tmp_path: Path, run: Callable[..., Ran]
) -> None:
    rows = [record(0, minute).to_dict() | {"shop": one} for minute, one in enumerate(STRANGE)]
    written(tmp_path / "logs", lines(rows))
    steps = [
        after_drift(CommandOptions(logs="logs"), risen=Sentiment.NEGATIVE, onset=None, moved=("shop", one))[0]
        for one in STRANGE
    ]
    for one, (program, *arguments) in zip(STRANGE, words_of([each.command for each in steps]), strict=True):
        assert program == "sentimon"
        assert "1 of 1 rows shown" in run(*arguments).out, one


@pytest.mark.parametrize("moved", [("shop", "a\0b"), ("a=b", "c"), (" shop", "c")])
def test_a_slice_that_no_argument_can_name_is_said_not_to_be(moved: tuple[str, str]) -> None:
    step = after_drift(CommandOptions(logs="logs"), risen=None, onset=None, moved=moved)[0]
    assert step.text == "Read some of the rows that became more frequent (no --where can name their slice):"
    assert step.command == "sentimon logs query --newest --limit 20 --logs logs"
