"""Programs that die: killed at a line of their code, or told by the system that something cannot be done."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.conftest import clean_environment


def in_new_process(work: Callable[..., None], *arguments: Any, timeout: float = 300) -> None:
    """Call `work` in a process that may fork; what it asserts counts here.

    It is also a small one: to fork a process that has run a thousand tests takes many times as long.
    """
    call = f"from {work.__module__} import {work.__name__} as work; work(*{arguments!r})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", call],
        capture_output=True,
        text=True,
        env=clean_environment(Path.home()),
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def forked(work: Callable[[], object]) -> int:
    """Start `work` in a child, and return the child's process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def force_nothing() -> None:
    """Let this process and its children force nothing onto the disk, what short jobs wait for.

    What a killed process wrote is there all the same; only a machine that loses its power could tell.
    """
    os.fsync = lambda _: None  # type: ignore[assignment]


def killed_at(step: int, work: Callable[[], object], *modules: str) -> bool:
    """Run `work` in a process of its own, killed at that line of the modules; False where it ended before.

    Who does this for hundreds of lines does it `in_new_process`, and may `force_nothing`.
    """
    with warnings.catch_warnings():
        # Other tests may have started threads; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            sys.settrace(_killing(step, modules))
            work()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), "the work failed by itself"
    return status == signal.SIGKILL


def _killing(step: int, modules: tuple[str, ...]) -> Callable[[FrameType, str, Any], Any]:
    left = step

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if event == "call":
            return trace if frame.f_globals.get("__name__") in modules else None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> Iterator[list[int]]:
    """Let the n-th call of `os.name` fail for want of room; the list counts the calls."""
    real, calls = getattr(os, name), [0]

    def fail(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        yield calls
