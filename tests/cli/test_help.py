"""Each command has an example, a short line, and panels of options that mean the same everywhere."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from typing import Any

import pytest
import typer.main

from sentimon.cli.app import app
from sentimon.cli.help_panels import COMMANDS, PANELS, long_name, panel_of
from tests.conftest import ROOT
from tests.support.commands import ALL
from tests.support.in_process import said

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


WIDTH, LONGEST = 80, 45
PROGRAM = typer.main.get_command(app)


def _groups() -> list[tuple[tuple[str, ...], Any]]:
    context = PROGRAM.make_context("sentimon", [], resilient_parsing=True)
    loaded = [(name, PROGRAM.resolve_command(context, [name])[1]) for name in PROGRAM.list_commands(context)]
    return [((name,), command) for name, command in loaded if hasattr(command, "list_commands")]


GROUP_COMMANDS = _groups()
GROUP_WAYS = [way for way, _ in GROUP_COMMANDS]
OTHER_WORDS = {
    "--every": "the length of a window, or how often to check",
    "--model": "the model to use, or the one whose rows are asked for",
    "--by": "what is also shown by slices, or drawn from each",
    "--force": "a file to overwrite, or a gate to pass",
    "--since": "the rows of this run, or of each run to come",
}
"""What one option says in other words, because the commands do different things with it."""


def options_of(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "option"]


def help_at(command: Any, way: tuple[str, ...], width: int) -> str:
    context = command.make_context(" ".join(("sentimon", *way)), [], resilient_parsing=True)
    context.terminal_width = width
    return str(command.get_help(context))


def test_each_command_and_subcommand_has_a_line_that_fits() -> None:
    lines = [line for panel in COMMANDS.values() for line in panel.values()]
    lines += [command.short_help or "" for way, command in ALL if len(way) > 1]
    assert [line for line in lines if not 0 < len(line) <= LONGEST or line[-1] != "."] == []


@pytest.mark.parametrize("way", [(), *GROUP_WAYS], ids=" ".join)
def test_nothing_is_cut_where_the_commands_are_listed(way: tuple[str, ...]) -> None:
    text = help_at(dict(GROUP_COMMANDS)[way] if way else PROGRAM, way, WIDTH)
    assert "..." not in text.partition("Commands:")[2] if way else "Score:\n" in text
    assert not re.search(r"^  [a-z-]+ {2,}.*\.\.\.$", text, re.MULTILINE)
    assert max(map(len, text.split("\n"))) <= WIDTH


@pytest.mark.parametrize("width", [60, 80, 120])
@each
def test_its_help_fits_the_terminal_and_cuts_nothing(way: tuple[str, ...], command: Any, width: int) -> None:
    text = help_at(command, way, width)
    shown = "".join(text.split())
    assert [one.help for one in options_of(command) if "".join(one.help.split()) not in shown] == []
    # What is given is never broken; what it means is.
    assert [line for line in text.split("\n") if len(line) > width and "  " in line.strip()] == []


@each
def test_each_option_stands_in_one_panel(way: tuple[str, ...], command: Any) -> None:
    headings = re.compile(rf"^({'|'.join(PANELS)}):$", re.MULTILINE)
    _, *parts = headings.split(help_at(command, way, WIDTH))
    shown = {name: re.findall(r"^  (?:-\w, )?--([\w-]+)", text, re.MULTILINE) for name, text in _pairs(parts)}
    assert [name for name in PANELS if name in shown] == list(shown)
    found = Counter(option for options in shown.values() for option in options)
    assert found == Counter([*map(long_name, options_of(command)), "help"])
    for one in options_of(command):
        assert long_name(one) in shown[panel_of(one)]


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


def test_an_option_is_the_same_wherever_it_is() -> None:
    forms: dict[str, set[tuple[object, ...]]] = {}
    words: dict[str, set[str]] = {}
    for _, command in ALL:
        for one in options_of(command):
            short = tuple(name for name in one.opts if not name.startswith("--"))
            forms.setdefault(f"--{long_name(one)}", set()).add((short, one.metavar, one.is_flag))
            words.setdefault(f"--{long_name(one)}", set()).add(" ".join(one.help.split()[:2]))
    assert {name: found for name, found in forms.items() if len(found) > 1} == {}
    # Where the sentence differs, it begins with the same words.
    assert {name for name, found in words.items() if len(found) > 1} == set(OTHER_WORDS)


def test_a_short_name_has_one_meaning() -> None:
    found: dict[str, set[str]] = {}
    for _, command in ALL:
        for one in options_of(command):
            for name in one.opts:
                if not name.startswith("--"):
                    found.setdefault(name, set()).add(long_name(one))
    # Texts and labelled texts: each is what the command reads, and each takes the name of the other.
    assert found == {"-i": {"input", "data"}, "-o": {"output"}, "-q": {"quiet"}, "-n": {"limit"}}


@pytest.mark.parametrize(("long", "short"), [("--help", "-h"), ("--version", "-V")])
def test_help_and_version_have_short_names(long: str, short: str) -> None:
    assert said(short) == said(long)


@each
def test_each_has_short_help(way: tuple[str, ...], command: Any) -> None:
    assert command.get_help_option_names(command.make_context("x", [], resilient_parsing=True))[0] == "-h"
    assert way
