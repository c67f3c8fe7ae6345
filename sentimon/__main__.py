"""`python -m sentimon`, and the entry point of the installed program."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from typing import NoReturn

from sentimon.errors import ExitCode


def main() -> None:
    """Run the command line; an interrupt ends it with its exit code also while it is still loading."""
    # What is imported stays to the end; to look through it for garbage is a tenth of a short command.
    gc.set_threshold(100_000)
    try:
        from sentimon.cli.app import run

        run()
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as leaving:
        if leaving.code == ExitCode.INTERRUPTED:
            _interrupted()
        raise


def _interrupted() -> NoReturn:
    # People press Ctrl-C twice, and a second one would break into what ends the threads.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    os._exit(int(ExitCode.INTERRUPTED))


if __name__ == "__main__":
    main()
