"""A command of the user's, run for a trigger that fired."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from sentimon.interrupts import deferred

PREFIX = "SENTIMON_TRIGGER_"
_SHELL = "/bin/sh"
_GRACE_SECONDS = 2.0


def variables(trigger: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of a trigger as environment variables: plain values, and the value of each rule.

    >>> variables({"triggered": True, "rules": [{"name": "drift score", "value": 0.6}]})
    {'SENTIMON_TRIGGER_TRIGGERED': 'true', 'SENTIMON_TRIGGER_DRIFT_SCORE': '0.6'}
    """
    facts = {key: value for key, value in trigger.items() if not isinstance(value, list | dict)}
    facts |= {rule["name"]: rule["value"] for rule in trigger.get("rules", ())}
    return {PREFIX + re.sub(r"[^A-Z0-9]+", "_", key.upper()): _as_text(value) for key, value in facts.items()}


def run_command(command: str, content: bytes, environment: Mapping[str, str], *, limit_seconds: float) -> str:
    """Run `command` in the shell with `content` on its stdin, and return in words how it ended.

    Its output goes to stderr. After `limit_seconds` it is ended, with all that it started; what it
    leaves running in the background when it ends by itself goes on.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        # A signal in here comes only when it is known what to end.
        with deferred():
            process = _started(command, environment)
        process.communicate(content, timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"ended after {limit_seconds:g} s (notify.command_timeout); the decision stands"
    except (OSError, ValueError) as error:
        _end(process)
        return f"could not be run: {error}; the decision stands"
    except BaseException:
        # It has a session of its own, so that what ends us does not reach it.
        _end(process)
        raise
    if process.returncode < 0:
        return f"ended by signal {-process.returncode}; the decision stands"
    return f"exit code {process.returncode}" + ("; the decision stands" if process.returncode else "")


def _started(command: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_SHELL, "-c", command],
        stdin=subprocess.PIPE,
        stdout=_stderr(),
        stderr=_stderr(),
        env=environment,
        start_new_session=True,
    )


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("\0", "")


def _stderr() -> int:
    """Return the descriptor of stderr, or of nothing where that is closed."""
    try:
        sys.stderr.flush()
        return sys.stderr.fileno()
    except (OSError, ValueError):
        return subprocess.DEVNULL


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
