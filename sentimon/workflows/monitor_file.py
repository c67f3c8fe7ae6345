"""The file beside the log that monitors remember themselves in; one program at a time changes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from sentimon.logbook.files import errors_named, read_file, remove_file, replace_file
from sentimon.logbook.locks import only_monitor
from sentimon.logbook.segments import check_folder
from sentimon.monitoring.monitor import MonitorState
from sentimon.monitoring.monitor_json import decode_monitors, encode_monitors

MONITOR_FILE = "monitor.json"


class MonitorFile:
    """The monitors of a log, held by this program alone; that of one baseline is looked at."""

    def __init__(self, path: Path, baseline: str) -> None:
        self.path = path
        self._baseline = baseline
        self._others: dict[str, MonitorState] = {}

    def read(self) -> MonitorState:
        """Return what the monitor of the baseline remembers.

        Raises:
            StoreError: the file cannot be read.
        """
        if self.path.exists():
            content = read_file(self.path, hint="run it again")
            self._others = decode_monitors(content, origin=str(self.path))
        return self._others.pop(self._baseline, MonitorState())

    def save(self, state: MonitorState) -> None:
        """Write what it remembers from now on, in one step.

        Raises:
            StoreError: the file cannot be written.
        """
        replace_file(self.path, encode_monitors(self._others | {self._baseline: state}))


@contextlib.contextmanager
def deciding(folder: Path) -> Iterator[None]:
    """Be the only program that decides on the log in `folder`; who decides already goes on.

    Raises:
        StoreError: there is no such folder, or it cannot be written.
    """
    with contextlib.ExitStack() as stack:
        check_folder(folder)
        with errors_named(folder):
            stack.enter_context(only_monitor(folder))
        yield


@contextlib.contextmanager
def held_monitor(folder: Path, baseline: bytes) -> Iterator[MonitorFile]:
    """Hold the monitors of the log in `folder`, alone; `baseline` is the content of what is compared with.

    Raises:
        StoreError: there is no such folder, or it cannot be written.
    """
    with deciding(folder):
        yield MonitorFile(folder / MONITOR_FILE, _name_of(baseline))


def peek_monitor(folder: Path, baseline: bytes) -> MonitorState:
    """Return what the monitor of the baseline of that content remembers, and leave it to go on meanwhile.

    The file is replaced in one step, so that reading it takes no lock.

    Raises:
        StoreError: that file cannot be read.
    """
    return MonitorFile(folder / MONITOR_FILE, _name_of(baseline)).read()


def _name_of(baseline: bytes) -> str:
    return f"{crc32(baseline):08x}{crc32(baseline[::-1]):08x}"


def forget_monitors(folder: Path) -> None:
    """Forget all looks and incidents of the log in `folder`.

    Raises:
        StoreError: the folder may not be written.
    """
    with deciding(folder):
        remove_file(folder / MONITOR_FILE)
