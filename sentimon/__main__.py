"""`python -m sentimon`, and the entry point of the installed program."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from typing import NoReturn

from sentimon.errors import ENDED, ExitCode
from sentimon.interrupts import SIGNALS, end_by_exception


def main() -> None:
    """Run the command line; a signal ends it with its exit code also while it is still loading."""
    try:
        end_by_exception()
        # What is imported stays to the end; to look through it for garbage is a tenth of a short command.
        gc.set_threshold(100_000)
        from sentimon.cli.app import run

        run()
        return
    except KeyboardInterrupt:
        code = int(ExitCode.INTERRUPTED)
    except SystemExit as leaving:
        if leaving.code not in ENDED:
            raise
        code = int(leaving.code)
    # Out here the exception is gone, and with it whatever it kept open.
    _leave(code)


def _leave(code: int) -> NoReturn:
    # People press Ctrl-C twice, and a second one would break into what ends the threads.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if "multiprocessing" in sys.modules:
        import multiprocessing

        for child in multiprocessing.active_children():
            child.kill()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
