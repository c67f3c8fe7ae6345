"""Asking before something is rewritten or erased: on a terminal by a question, elsewhere by `--yes`."""

from __future__ import annotations

import sys
from typing import Annotated

from sentimon.cli.options import flag
from sentimon.cli.output import leave, note
from sentimon.errors import ExitCode, UsageError

YesFlag = Annotated[bool, flag("--yes", help="Do not ask. Needed where there is no terminal to ask on.")]
_AGREED = ("y", "yes")


def ask_before(change: str, *, yes: bool) -> None:
    """Return if the user agrees to `change`, which says what would be done and to how much; else end.

    With `yes` nothing is asked. Every answer but y or yes ends the command with 1, and nothing was changed.

    Raises:
        UsageError: there is no terminal to ask on.
    """
    if yes:
        return
    if not can_ask():
        raise UsageError(
            f"{change}: not done without being asked", hint="--yes does it; --dry-run only looks"
        )
    if not confirmed(f"{change}. Go on?"):
        note("nothing was changed")
        leave(ExitCode.FAILURE)


def can_ask() -> bool:
    """Return whether there is a terminal to ask on."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> bool:
    """Ask on the terminal, and return whether the answer is y or yes."""
    from sentimon.reporting.plain_text import visible

    sys.stderr.write(f"{visible(question)} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        # The end of the input was typed, and no line break.
        sys.stderr.write("\n")
    return answer.strip().lower() in _AGREED
