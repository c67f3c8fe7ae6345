"""The file beside the log that monitors remember themselves in; one program at a time changes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from sentimon.errors import ReadOnlyError, StoreError
from sentimon.files import read_if_there
from sentimon.monitoring.monitor_state import MonitorState, decode_monitors, encode_monitors
from sentimon.prediction_log.durable_files import errors_named, remove_file, replace_file
from sentimon.prediction_log.folder import check_folder
from sentimon.prediction_log.locks import only_monitor, where_writable

MONITOR_FILE = "monitor.json"


class MonitorFile:
    """The monitors of a log, held by this program alone; that of one baseline is looked at.

    Where its folder may only be read nothing is held, and nothing can be saved.
    """

    def __init__(self, path: Path, baseline: str, *, held: bool = True) -> None:
        self.path = path
        self._held = held
        self._baseline = baseline
        self._others: dict[str, MonitorState] = {}

    def read(self) -> MonitorState:
        """Return what the monitor of the baseline remembers.

        Raises:
            StoreError: the file cannot be read.
        """
        content = read_if_there(self.path)
        if content is not None:
            self._others = decode_monitors(content, origin=str(self.path))
        return self._others.pop(self._baseline, MonitorState())

    def save(self, state: MonitorState) -> None:
        """Write what it remembers from now on, in one step.

        Raises:
            StoreError: the file cannot be written; ReadOnlyError where its folder may only be read.
        """
        if not self._held:
            raise ReadOnlyError(f"{self.path}: cannot be written: its folder is read-only")
        replace_file(self.path, encode_monitors(self._others | {self._baseline: state}))


@contextlib.contextmanager
def deciding(folder: Path) -> Iterator[bool]:
    """Be the only program that decides on the log in `folder`; who decides already goes on.

    Gives whether that is so: where the folder may only be read nothing is held.

    Raises:
        StoreError: there is no such folder, or it cannot be written for another reason than that it may
            only be read.
    """
    with contextlib.ExitStack() as stack:
        check_folder(folder)
        with errors_named(folder):
            held = stack.enter_context(where_writable(only_monitor(folder)))
        yield held


@contextlib.contextmanager
def held_monitor(folder: Path, baseline: bytes) -> Iterator[MonitorFile]:
    """Hold the monitors of the log in `folder`, alone; `baseline` is the content of what is compared with.

    Raises:
        StoreError: there is no such folder, or it cannot be written for another reason than that it may
            only be read.
    """
    with deciding(folder) as held:
        yield MonitorFile(folder / MONITOR_FILE, _name_of(baseline), held=held)


def peek_monitor(folder: Path, baseline: bytes) -> MonitorState:
    """Return what the monitor of the baseline of that content remembers, and leave it to go on meanwhile.

    The file is replaced in one step, so that reading it takes no lock.

    Raises:
        StoreError: that file cannot be read.
    """
    return MonitorFile(folder / MONITOR_FILE, _name_of(baseline)).read()


def _name_of(baseline: bytes) -> str:
    return f"{crc32(baseline):08x}{crc32(baseline[::-1]):08x}"


def count_memory(folder: Path) -> tuple[int, int] | None:
    """Return how many (checks, open incidents) the monitors of the log in `folder` remember.

    None where there is nothing to forget: no file, or one that cannot be read back.
    """
    path = folder / MONITOR_FILE
    with contextlib.suppress(StoreError):
        content = read_if_there(path)
        if content is None:
            return None
        states = decode_monitors(content, origin=str(path)).values()
        return sum(one.checks for one in states), sum(one.incident is not None for one in states)
    return None


def forget_monitors(folder: Path) -> None:
    """Forget all looks and incidents of the log in `folder`.

    Raises:
        StoreError: the folder may not be written.
    """
    check_folder(folder)
    with errors_named(folder), only_monitor(folder):
        remove_file(folder / MONITOR_FILE)
