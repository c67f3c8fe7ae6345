"""The README is true: its console examples are run in order, its Python is run, its sentences are checked.

Digits and bars are not compared: another processor rounds another way. With SENTIMON_GOLDEN=write in the
environment the recorded output is written anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sentimon.config.setting_keys import setting_keys
from sentimon.errors import ExitCode
from tests.conftest import ROOT, clean_environment

README = ROOT / "README.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


class Shell:
    """A shell that remembers its last exit code, in a folder that looks like a clone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._code = 0
        (folder / "sentimon").mkdir()
        (folder / "sentimon/sample").symlink_to(ROOT / "sentimon/sample")
        program = folder / "bin/sentimon"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sentimon "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self._environment = clean_environment(folder) | {"COLUMNS": "88"}
        self._environment["PATH"] = f"{program.parent}:{self._environment['PATH']}"

    def run(self, command: str) -> str:
        if command == "echo $?":
            return f"{self._code}\n"
        done = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=self._folder,
            env=self._environment,
            text=True,
            check=False,
        )
        self._code = done.returncode
        return "".join(line.rstrip() + "\n" for line in done.stdout.split("\n")[:-1])


def masked(block: str) -> str:
    """A block with what may differ between machines made equal; exit codes may not."""
    codes = re.findall(r"\$ echo \$\?\n(\d+)\n", block)
    return " ".join([_without_digits(block), *codes])


def _without_digits(output: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[█▏▎▍▌▋▊▉▁▂▃▄▅▆▇]+", "", re.sub(r"\d+", "#", output))).strip()


def test_each_console_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    text = README.read_text(encoding="utf-8")

    def again(block: re.Match[str]) -> str:
        commands = [line[2:] for line in block[1].split("\n") if line.startswith("$ ")]
        return "```console\n" + "".join(f"$ {command}\n{shell.run(command)}" for command in commands) + "```"

    found = _BLOCK.sub(again, text)
    if os.environ.get("SENTIMON_GOLDEN") == "write":
        README.write_text(found, encoding="utf-8")
        text = found
    for said, seen in zip(_BLOCK.findall(text), _BLOCK.findall(found), strict=True):
        assert masked(said) == masked(seen)


def test_the_python_example_runs_and_prints_what_its_comments_say(tmp_path: Path) -> None:
    (program,) = _PYTHON.findall(README.read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        check=True,
    )
    said = [line.split("#")[1].strip() for line in program.split("\n") if line.startswith("print(")]
    assert done.stdout.split() == said


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_is_listed(code: ExitCode) -> None:
    assert f"| {int(code)} |" in README.read_text(encoding="utf-8")


def test_every_key_the_readme_names_exists() -> None:
    text = README.read_text(encoding="utf-8")
    files = {
        "labels.py",
        "labels.jsonl",
        "metrics.jsonl",
        "model.onnx",
        "monitor.json",
        "model.safetensors",
        "training.json",
    }
    sections = "drift|retraining|monitor|model|logs|metrics|labels|notify|quality|training"
    named = set(re.findall(rf"`((?:{sections})\.\w+)`", text)) - files
    assert named
    assert named <= set(setting_keys())


def test_every_dependency_has_its_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = README.read_text(encoding="utf-8").split("## Dependencies")[1].split("##")[0]
    for requirement in project["dependencies"]:
        assert re.split(r"[><=;]", requirement)[0] in table


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target
