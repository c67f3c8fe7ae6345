"""Each command and subcommand has an example: in its `--help`, where it can be given, and in the manual."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.commands import ALL

_SHELL = re.compile(r"```(?:console|sh)\n(.*?)```", re.DOTALL)
MANUAL = [ROOT / "README.md", ROOT / "docs/tutorial.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
_INLINE = re.compile(r"`(sentimon [^`]+)`")


each = pytest.mark.parametrize(("way", "command"), ALL, ids=[" ".join(way) for way, _ in ALL])


def test_the_walk_finds_them_all() -> None:
    found = {way for way, _ in ALL}
    assert {("predict",), ("drift",), ("drift", "simulate"), ("logs", "erase"), ("cron", "show")} <= found
    assert len(found) >= 30


@each
def test_its_help_shows_an_example_that_can_be_given(way: tuple[str, ...], command: Any) -> None:
    example = re.search(r"Example: (.+?)(?:\n\n|$)", command.help, re.DOTALL)
    assert example, "no example"
    words = [word for word in shlex.split(example[1].split(" | ")[-1]) if "=" not in word or word[0] == "-"]
    assert words[: len(way) + 1] == ["sentimon", *way]
    given = command.make_context(" ".join(way), words[len(way) + 1 :])
    assert given.info_name == " ".join(way)


@pytest.mark.parametrize("group", ["baseline", "logs", "label", "models", "export", "cron"])
def test_a_group_says_where_the_examples_are(run, group: str) -> None:  # type: ignore[no-untyped-def]
    assert f"An example of each: sentimon {group} COMMAND --help" in run(group, "--help").out


@each
def test_the_manual_shows_how_it_is_given(way: tuple[str, ...], command: Any) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in MANUAL)
    lines = [*"".join(_SHELL.findall(text)).split("\n"), *_INLINE.findall(text)]
    start = re.compile(rf"(?:.*\s)?sentimon {' '.join(way)}(?:\s|$)")
    assert any(start.match(line) for line in lines)
    assert command.name == way[-1]
