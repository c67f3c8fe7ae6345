"""Telling of a trigger that fired: by a webhook, and by a command of the user's.

What becomes of it changes no decision.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sentimon.interrupts import deferred

if TYPE_CHECKING:
    from sentimon.workflows.workspace import Workspace

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


def tell_of_trigger(
    workspace: Workspace,
    trigger: Mapping[str, Any],
    *,
    command: str | None,
    environment: Mapping[str, str],
    output: int = subprocess.DEVNULL,
) -> None:
    """Tell whom the settings and `command` name of a trigger that fired, and say how it went.

    It comes after the decision is saved: neither a webhook that hangs nor a command that fails can
    take it back. The command gets `environment`, and its output goes to the descriptor `output`.
    """
    from sentimon.config.durations import parse_duration
    from sentimon.jsonl import encode

    settings = workspace.settings.notify
    if settings.webhook:
        from sentimon.workflows.webhook import send

        workspace.say(send(settings, encode(trigger)))
    if command and command.strip():
        limit = parse_duration(settings.command_timeout).total_seconds()
        content = encode(trigger) + b"\n"
        known = {**environment, **variables(trigger)}
        outcome = run_command(command, content, known, limit_seconds=limit, output=output)
        workspace.say(f"--on-trigger: {outcome}")


def run_command(
    command: str, content: bytes, environment: Mapping[str, str], *, limit_seconds: float, output: int
) -> str:
    """Run `command` in the shell with `content` on its stdin, and return in words how it ended.

    Its output goes to the descriptor `output`. After `limit_seconds` it is ended, with all that it
    started; what it leaves running in the background when it ends by itself goes on.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        # A signal in here comes only when it is known what to end.
        with deferred():
            process = _started(command, environment, output)
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


def _started(command: str, environment: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_SHELL, "-c", command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=environment,
        start_new_session=True,
    )


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("\0", "")


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
