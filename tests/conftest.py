"""What tests share: a clean environment, and the real program in a real process."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.forks import fork_server

# A busy machine is no failure: nothing is measured by the clock.
settings.register_profile(
    "sentimon", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50
)
settings.register_profile("slow", settings.get_profile("sentimon"), max_examples=200)
settings.load_profile("sentimon")

# As the program, the tests are compiled once, and not by each worker of each run, which takes it ten seconds.
sys.dont_write_bytecode = False

ROOT = Path(__file__).parent.parent
_PATIENCE_SECONDS = 120
_FORKS = [hasattr(os, "pidfd_open")]
"""Whether runs are forked."""


@dataclass(frozen=True)
class Ran:
    """A finished run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.split("\n") if line]


MAX_AGE = "SENTIMON_MONITOR__MAX_AGE"


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the developer's own: no settings, no home, no terminal, no network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SENTIMON_", "XDG_"))}
    # Without bytecode each of a thousand runs would compile the program again, a third of its time.
    # What commands that run in this process set for themselves is none of the others'.
    own = ("OPENBLAS_NUM_THREADS", "ORT_DISABLE_TELEMETRY")
    for name in ("FORCE_COLOR", "COLUMNS", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", *own):
        kept.pop(name, None)
    return kept | {
        "HOME": str(home),
        "TZ": "UTC",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "HF_HUB_OFFLINE": "1",
        "PYTHONUTF8": "1",
        "PYTHONPATH": str(ROOT),
        # The rows of the tests are older than the clock: that is news only where a test is about it.
        MAX_AGE: "5200w",
    }


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C and a lost terminal reach what tests start, also in the background and under nohup."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # In a new program it is at its default then, and this one goes on, as who has it ignored wants.
        signal.signal(signal.SIGHUP, lambda *_: None)
    if config.getoption("markexpr").startswith("slow"):
        _FORKS[0] = False
        settings.load_profile("slow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules that use a real cluster first.

    They need one between them: who has run out of tests takes some from the end of another's list, and would
    start a second one.
    """
    modules = {item.path for item in items if "nodes" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in modules)


def pytest_collection_finish() -> None:
    """Leave what was collected out of the search for garbage, which each test would have to go through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("SENTIMON_") and name != "SENTIMON_GOLDEN":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))


def runner(
    folder: Path, *, torch: bool = False, libraries: tuple[str, ...] = (), forked: bool = True
) -> Callable[..., Ran]:
    """Return what runs `sentimon` with some arguments in a folder; text or bytes go to its stdin.

    The process of a run is forked from one that has the program loaded, with torch or without, and with the
    other libraries that are named. It is a new one where `forked` is False, where the environment has what
    libraries read when they are loaded, and in the slow run of the tests.
    """

    def invoke(*arguments: object, stdin: str | bytes = b"", **environment: str) -> Ran:
        words, given = [*map(str, arguments)], stdin.encode() if isinstance(stdin, str) else stdin
        whole = clean_environment(folder) | environment
        if forked and _FORKS[0] and (server := fork_server(torch=torch, libraries=libraries)).takes(whole):
            code, out, err = server.run(
                words, folder=folder, environment=whole, stdin=given, timeout=_PATIENCE_SECONDS
            )
            return Ran(code=code, out=out.decode(), err=err.decode())
        done = subprocess.run(
            [sys.executable, "-m", "sentimon", *words],
            input=given,
            capture_output=True,
            cwd=folder,
            env=whole,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())

    return invoke


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ran]:
    """Run `sentimon` in `tmp_path`."""
    return runner(tmp_path)


@pytest.fixture
def run_with_torch(tmp_path: Path) -> Callable[..., Ran]:
    """Run `sentimon` in `tmp_path`, for commands that load torch."""
    return runner(tmp_path, torch=True)


@pytest.fixture
def run_anew(tmp_path: Path) -> Callable[..., Ran]:
    """Run `sentimon` in `tmp_path`, each time in a process that loads it, with hashes of its own."""
    return runner(tmp_path, forked=False)
