from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from sentimon.cli.app import LATER
from sentimon.cli.later import help_of
from tests.conftest import clean_environment

COMMANDS = [
    ["calibrate"], ["compare"], ["label", "import"], ["label", "status"], ["label", "next"], ["metrics"],
]  # fmt: skip


@pytest.mark.parametrize("name", LATER)
def test_the_list_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    module = importlib.import_module(f"sentimon.cli.{name}")
    own = module.app.info.help if hasattr(module, "app") else help_of(getattr(module, name))
    assert own.split("\n\n")[0] == LATER[name]


def test_the_list_of_commands_loads_none_of_them(tmp_path: Path) -> None:
    program = (
        "import sys; from sentimon.__main__ import main; sys.argv = ['sentimon', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=clean_environment(tmp_path),
        check=True,
    )
    assert all(f"  {name} " in done.stdout for name in LATER)
    assert not {f"sentimon.cli.{name}" for name in LATER} & set(done.stderr.split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example(run, command: list[str]) -> None:  # type: ignore[no-untyped-def]
    done = run(*command, "--help")
    assert (done.code, f"Example: sentimon {' '.join(command)} " in done.out) == (0, True)


def test_a_mistyped_command_is_told_the_nearest_one(run) -> None:  # type: ignore[no-untyped-def]
    done = run("compar")
    assert (done.code, "Did you mean 'compare'?" in done.err) == (2, True)
    unknown = run("label", "imprt")
    assert (unknown.code, "'import'" in unknown.err) == (2, True)
