"""The file beside the log that monitors remember themselves in; one program at a time changes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from sentimon.logbook.files import errors_named, read_file, remove_file, replace_file
from sentimon.logbook.locks import only_monitor
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
def held_monitor(folder: Path, baseline: Path) -> Iterator[MonitorFile]:
    """Hold the monitors of the log in `folder`, alone; `baseline` is the file that is compared with.

    Raises:
        StoreError: the folder cannot be written, or the baseline cannot be read.
    """
    with errors_named(folder), only_monitor(folder):
        content = read_file(baseline, hint="make one with `sentimon baseline create`")
        yield MonitorFile(folder / MONITOR_FILE, _key_of(content))


def remembered(folder: Path, baseline: Path) -> MonitorState:
    """Return what the monitor of a baseline remembers, without looking: nothing is held, made or changed.

    Raises:
        StoreError: the memory or the baseline cannot be read.
    """
    content = read_file(baseline, hint="make one with `sentimon baseline create`")
    return MonitorFile(folder / MONITOR_FILE, _key_of(content)).read()


def forget_monitors(folder: Path) -> None:
    """Forget all looks and incidents of the log in `folder`.

    Raises:
        StoreError: the folder may not be written.
    """
    with errors_named(folder), only_monitor(folder):
        remove_file(folder / MONITOR_FILE)


def _key_of(content: bytes) -> str:
    """Return what a monitor is remembered under: it is that of one baseline, and a new one starts anew."""
    return f"{crc32(content):08x}{crc32(content[::-1]):08x}"
