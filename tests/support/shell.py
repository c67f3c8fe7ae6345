"""The console examples of a page, run one after the other in a folder that looks like a clone.

A plain `sentimon ...` runs in this process, which loads libraries and the model once for all pages; what the
shell has to do (pipes, files, other programs) it does itself.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from tests.conftest import MAX_AGE, ROOT, clean_environment

_PLAIN = re.compile(r"(?P<set>(?:[A-Z_]+=\S+ )*)sentimon (?P<words>[^|<>;&$`*]*?)(?P<rest>\s*(?:[|>].*)?)$")
_NEEDS_A_PROCESS = ("--on-trigger",)
"""A command that is started there writes to the descriptors of the process."""


class Shell:
    """A shell that remembers its last exit code."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._code = 0
        if not (folder / "bin").exists():
            _furnish(folder)
        self._environment = clean_environment(folder) | {"COLUMNS": "88"}
        # The pages show the sample as if its rows were new; a variable for that would be seen by `cron show`.
        age = self._environment.pop(MAX_AGE)
        settings = Path(self._environment["HOME"]) / ".config/sentimon/config.toml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(f'[monitor]\nmax_age = "{age}"\n', encoding="utf-8")
        self._environment["PATH"] = f"{folder / 'bin'}:{self._environment['PATH']}"

    def run(self, command: str) -> str:
        """Return what a command prints, stdout and stderr, without blanks at the ends of lines."""
        if command == "echo $?":
            return f"{self._code}\n"
        plain = _PLAIN.fullmatch(command)
        if plain and not any(word in command for word in _NEEDS_A_PROCESS):
            printed = self._run_here(plain)
        else:
            printed = self._run_in_bash(command)
        return "".join(line.rstrip() + "\n" for line in printed.split("\n")[:-1])

    def _run_here(self, plain: re.Match[str]) -> str:
        given = dict(word.split("=", 1) for word in shlex.split(plain["set"]))
        rest = plain["rest"].strip()
        # As a shell has it: what follows a pipe, or a file, gets stdout alone.
        said = _stream()
        out = _stream() if rest else said
        self._code = _call(shlex.split(plain["words"]), self._folder, self._environment | given, out, said)
        if not rest:
            return _text(said)
        return _text(said) + self._run_in_bash(f"cat {rest}", stdin=_text(out))

    def _run_in_bash(self, command: str, stdin: str = "") -> str:
        code = self._code
        done = subprocess.run(
            ["bash", "-c", command],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=self._environment,
            text=True,
            check=False,
        )
        # With `> FILE` the exit code is that of the program; after a pipe, that of the last one.
        self._code = code if command.startswith("cat >") else done.returncode
        return done.stdout


def _furnish(folder: Path) -> None:
    (folder / "sentimon").mkdir()
    (folder / "sentimon/sample").symlink_to(ROOT / "sentimon/sample")
    program = folder / "bin/sentimon"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sentimon "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def _call(
    words: list[str], folder: Path, environment: dict[str, str], out: io.TextIOWrapper, err: io.TextIOWrapper
) -> int:
    from sentimon.cli.app import run

    with (
        contextlib.chdir(folder),
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", ["sentimon", *words]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO())),
        patch.object(sys, "stdout", out),
        patch.object(sys, "stderr", err),
        _time_zone(),
    ):
        try:
            run()
        except SystemExit as leaving:
            return int(leaving.code or 0)
    return 0


@contextlib.contextmanager
def _time_zone() -> Iterator[None]:
    """Have TZ count, within and, as it was, after."""
    time.tzset()
    try:
        yield
    finally:
        time.tzset()
