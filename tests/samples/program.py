"""The program in this process, at a stated time, and what it answers about the samples of a version."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from typer.testing import CliRunner

import sentimon.cli
from sentimon.errors import SentimonError

ASKED_AT = datetime(2026, 9, 20, 12, tzinfo=UTC)
"""The time at which the samples are asked."""
QUESTIONS: dict[str, tuple[str, ...]] = {
    "metrics": ("metrics", "--json"),
    "metrics every day": ("metrics", "--every", "1d", "--since", "2026-09-07", "--json"),
    "metrics of the replaced program": ("metrics", "--until", "2026-09-01", "--json"),
    "quality": ("metrics", "--quality", "--json"),
    "estimate with a calibration": ("metrics", "--estimate", "--calibration", "calibration.json", "--json"),
    "baseline": ("baseline", "show", "--json"),
    "drift": ("drift", "--until", "2100-01-01", "--json"),
    "drift of a week": ("drift", "--since", "2026-09-14", "--json"),
    "the monitor": ("drift", "--monitor", "--dry-run", "--json"),
    "retraining": ("retrain-check", "--json"),
    "labels": ("label", "status", "--json"),
    "a row": ("logs", "query", "--id", "late-0", "--json"),
    "bad lines": ("logs", "verify", "--json"),
    "models": ("models", "list", "--json"),
    "a model": ("models", "show", "--json"),
    "settings": ("config", "--json"),
    "a small baseline": ("drift", "--logs", "small", "--json"),
    "a small retraining": ("retrain-check", "--logs", "small", "--json"),
    "a baseline being collected": ("drift", "--logs", "collecting", "--json"),
    "retraining while collecting": ("retrain-check", "--logs", "collecting", "--json"),
    "parts that are complete": ("predict", "--input", "texts.txt", "--output", "parts", "--json"),
    "parts that were begun": ("predict", "--input", "texts.txt", "--output", "begun", "--json"),
    "a job that is complete": ("log", "--input", "done.jsonl", "--logs", "jobs", "--resume", "--json"),
    "a job that was begun": ("log", "--input", "begun.jsonl", "--logs", "jobs", "--resume", "--json"),
    "the job's rows": ("metrics", "--logs", "jobs", "--json"),
}
"""Asked one after the other in the folder of the samples."""


PLACE = "/place/of/the/samples"
"""Stands in them for the folder that they lie in."""
MODIFIED = 1_789_000_000
"""Seconds since 1970: the time that the inputs of jobs must have, by which a job knows them again."""
INPUTS = ("texts.txt", "done.jsonl", "begun.jsonl")


def move(folder: Path, before: str, after: str) -> None:
    """Have the jobs in a folder of samples, which named their inputs in `before`, name them in `after`."""
    for path in [*folder.glob("*/manifest.json"), *folder.glob("*/.sentimon/jobs/*.json")]:
        path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    for name in INPUTS:
        os.utime(folder / name, (MODIFIED, MODIFIED))
        # A journal is found by the name of its input.
        journal = folder / "jobs/.sentimon/jobs" / f"{_digest(f'{before}/{name}')}.json"
        if journal.exists():
            journal.rename(journal.with_name(f"{_digest(f'{after}/{name}')}.json"))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The JSON on stdout: one object, or a list of them."""
        objects = [json.loads(line) for line in self.out.split("\n") if line]
        return objects[0] if len(objects) == 1 else objects


@contextlib.contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let the commands read `moment` off their clock, wherever it is defined and imported."""
    # Commands are loaded when they are called; one that is loaded in here would keep this clock.
    for found in pkgutil.iter_modules(sentimon.cli.__path__):
        importlib.import_module(f"sentimon.cli.{found.name}")
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("sentimon.")]
    with contextlib.ExitStack() as stack:
        for module in modules:
            if callable(vars(module).get("clock")):
                stack.enter_context(mock.patch.object(module, "clock", return_value=moment))
        yield


def ask(
    *arguments: str, stdin: str = "", moment: datetime = ASKED_AT, home: bool = True, **environment: str
) -> Answer:
    """Run the program in this process and in the current folder; no setting of the developer is read."""
    from sentimon.cli.app import app

    runner = CliRunner()
    settings = {"TZ": "UTC", "NO_COLOR": "1", "COLUMNS": "100", "HF_HUB_OFFLINE": "1"}
    # Where these are given, nothing is read from a home.
    settings |= {"XDG_CONFIG_HOME": os.devnull, "XDG_CACHE_HOME": os.devnull} if home else {}
    settings |= environment
    try:
        with at(moment):
            done = runner.invoke(app, list(arguments), input=stdin.encode(), env=settings)
    finally:
        # `report` switches it off, since its process ends.
        gc.enable()
    code, err = done.exit_code, done.stderr
    if isinstance(done.exception, SentimonError):
        code, err = int(done.exception.exit_code), f"{err}{done.exception.message}\n{done.exception.hint}\n"
    elif done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Answer(code=code, out=done.stdout, err=err)
