"""How the program ends when it is asked to: Ctrl-C, SIGTERM and SIGHUP leave through every `finally`.

The first signal raises: KeyboardInterrupt for SIGINT, `Ended` for the others. So every child is ended and
every temporary file removed on the way out. The second is passed over, because it would break into just
that; a third raises again, in case the way out hangs. A signal that the parent had ignored, as nohup does,
stays ignored.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(SystemExit):
    """A signal asks the program to end."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        """What the process ends with."""
        super().__init__(self.exit_code)


class _Asked:
    """What signals have asked so far."""

    times = 0
    deferred = 0
    waiting: int | None = None


_asked = _Asked()


def end_by_exception() -> None:
    """Have the signals that ask the program to end raise from now on."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def end_at_once() -> None:
    """Have SIGTERM and SIGHUP end this process as they do by themselves: it has nothing to tidy up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Put what signals raise off to the end of the block."""
    _asked.deferred += 1
    try:
        yield
    finally:
        _asked.deferred -= 1
        number, _asked.waiting = _asked.waiting, None
        if number is not None and not _asked.deferred:
            _raise(number)


@contextlib.contextmanager
def handlers_kept() -> Iterator[None]:
    """Put back the handlers of signals that a library replaces in the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    _asked.times += 1
    if _asked.times == 2:
        return
    if _asked.deferred:
        _asked.waiting = number
        return
    _raise(number)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Ended(number)
