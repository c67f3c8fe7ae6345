"""The terminal while a live view has it: keys one by one, its size, being stopped; then all is put back."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

QUIT, RESIZED, STOPPED = "quit", "resized", "stopped"
_NEWS = {int(signal.SIGTSTP): STOPPED, int(signal.SIGWINCH): RESIZED}
_AT_ONCE = 64
"""Bytes of keys, or signals, that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A terminal that tells what happens to it."""

    keyboard: int | None
    """Descriptor; None where keys come from elsewhere than a terminal, and only Ctrl-C ends the view."""
    signals: int
    """Descriptor that the number of each signal is read from."""

    def wait(self, seconds: float) -> str | None:
        """Return what happens within so many seconds; None for another key, or nothing."""
        sources = [self.signals] if self.keyboard is None else [self.signals, self.keyboard]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self.signals in ready:
            numbers = os.read(self.signals, _AT_ONCE)
            return next((name for number, name in _NEWS.items() if number in numbers), None)
        if self.keyboard in ready:
            return self._pressed(self.keyboard)
        return None

    def give_way(self) -> None:
        """Stop, as Ctrl-Z asks, until the shell lets this program go on."""
        mode = None if self.keyboard is None else termios.tcgetattr(self.keyboard)
        # Nobody can catch this one, not even us.
        os.kill(os.getpid(), signal.SIGSTOP)
        if self.keyboard is not None and mode is not None:
            termios.tcsetattr(self.keyboard, termios.TCSADRAIN, mode)

    def _pressed(self, keyboard: int) -> str | None:
        try:
            keys = os.read(keyboard, _AT_ONCE)
        except OSError:
            # The terminal is gone.
            return QUIT
        return QUIT if not keys or b"q" in keys.lower() else None


@contextlib.contextmanager
def terminal() -> Iterator[Terminal]:
    """Give the terminal, with keys that come without Enter and are not shown; at the end it is as before.

    To be ended or hung up on raises, so that it is put back also then.
    """
    with contextlib.ExitStack() as stack:
        signals, wake = os.pipe()
        for end in (signals, wake):
            os.set_blocking(end, False)
            stack.callback(os.close, end)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(wake, warn_on_full_buffer=False))
        for number in map(signal.Signals, _NEWS):
            stack.callback(signal.signal, number, signal.signal(number, _tell))
        keyboard = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        stack.enter_context(_key_by_key(keyboard))
        yield Terminal(keyboard=keyboard, signals=signals)


@contextlib.contextmanager
def _key_by_key(keyboard: int | None) -> Iterator[None]:
    if keyboard is None:
        yield
        return
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield
    finally:
        # Where the terminal is gone there is nothing to put back.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _tell(_: int, __: FrameType | None) -> None:
    """Do nothing: the number of the signal has been written where it is read from."""
