"""The pages of the reference that follow from the program: `python docs/generate.py` writes them.

With `--check` it writes nothing, and fails where a page is out of date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main

from sentimon.cli.app import app
from sentimon.config.ranges import allowed, description
from sentimon.config.setting_keys import SECTIONS, setting_type

REFERENCE = Path(__file__).parent / "reference"
_MADE = "<!-- Made by `make docs`: edit the program, not this page. -->\n"
_ABOUT_SETTINGS = """\
A value is taken from the first of these that has it: a flag of the command, the environment
(`SENTIMON_DRIFT__THRESHOLD=0.1`), the project file, the file of the user, the default. See
[operations](../guides/operations.md#configuration). `sentimon config` shows what is in force and where it
came from. `configs/default.toml` has the same keys as a file to copy from.
"""


def pages() -> Mapping[Path, str]:
    """Return the text of each generated page."""
    return {
        REFERENCE / "commands.md": "".join(_commands_page()),
        REFERENCE / "settings.md": "".join(_settings_page()),
    }


def outdated() -> list[Path]:
    """Return the pages that are missing or do not say what the program says today."""
    return [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]


def commands(group: Any, *way: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command and group of commands below `group`, with the words that lead to it."""
    context = group.make_context("sentimon", [], resilient_parsing=True)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        yield (*way, name), command
        if hasattr(command, "list_commands"):
            yield from commands(command, *way, name)


def top_level_commands() -> list[str]:
    """Return the names of the commands, in the order of `--help`."""
    return [way[0] for way, _ in commands(typer.main.get_command(app)) if len(way) == 1]


def _commands_page() -> Iterator[str]:
    yield f"{_MADE}\n# Commands\n\n"
    yield "What `sentimon COMMAND --help` says, for every command. The guides show what each prints.\n"
    for way, command in commands(typer.main.get_command(app)):
        yield f"\n## sentimon {' '.join(way)}\n\n"
        yield from _about(inspect.cleandoc(command.help or ""))
        yield from _options(command, way)


def _about(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        line = " ".join(paragraph.split())
        example = line.removeprefix("Example: ")
        yield f"{_plain(line)}\n\n" if example == line else f"```sh\n{example}\n```\n\n"


def _options(command: Any, way: tuple[str, ...]) -> Iterator[str]:
    context = command.make_context(" ".join(way), [], resilient_parsing=True)
    records = [param.get_help_record(context) for param in command.get_params(context)]
    shown = [record for record in records if record and "--help" not in record[0]]
    if shown:
        yield "| option | meaning |\n|---|---|\n"
        yield from (f"| `{_cell(_name(name))}` | {_cell(_plain(meaning))} |\n" for name, meaning in shown)


def _settings_page() -> Iterator[str]:
    yield f"{_MADE}\n# Settings\n\n"
    yield _ABOUT_SETTINGS
    for section, kind in SECTIONS.items():
        defaults = kind()
        yield f"\n## {section}\n\n{_plain(inspect.cleandoc(kind.__doc__ or ''))}\n\n"
        yield "| key | default | allowed | meaning |\n|---|---|---|---|\n"
        for name in kind.__struct_fields__:
            note = setting_type(f"{section}.{name}")
            value = _toml(getattr(defaults, name))
            words = f"{_cell(_plain(allowed(note)))} | {_cell(_plain(description(note)))}"
            yield f"| `{section}.{name}` | `{value}` | {words} |\n"


def _name(text: str) -> str:
    """Return how an option or argument is given; what the library says of its type differs by its version."""
    text = re.sub(r" (?:<list\[\w+\]>|\[\w+\]\.\.\.)", "...", text)
    for kind, word in (("str", "TEXT"), ("int", "INTEGER"), ("float", "FLOAT"), ("path", "PATH")):
        text = text.replace(f"<{kind}>", word)
    # An argument has a name of its own, and needs no word for its type.
    return re.sub(r"^([A-Z_]+) (?:TEXT|PATH)$", r"\1", re.sub(r"[<>\[\]]", "", text))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _plain(text: str) -> str:
    """Return text that Markdown shows as it stands."""
    return text.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main() -> None:
    """Write the pages, or say which are out of date."""
    if "--check" not in sys.argv[1:]:
        for path, text in pages().items():
            path.write_text(text, encoding="utf-8")
        return
    late = outdated()
    if late:
        sys.exit(f"out of date, run `make docs`: {', '.join(str(path) for path in late)}")


if __name__ == "__main__":
    main()
