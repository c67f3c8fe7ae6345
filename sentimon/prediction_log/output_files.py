"""Output files and folders that a user names: which paths may be written, and how.

These are refused before any work is done: files that belong to a log (under any spelling, through links in
the path, and hard links), inputs of the same command, anything but a regular file, links, and files in a
folder that does not exist. A file is written beside its path, forced onto the disk and renamed, so that
nobody sees half of it.

If the path itself is a link, it is refused and the message names the target: following the link would let
its author choose what is replaced, and replacing it would lose the link. Links to folders are followed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from sentimon.errors import StoreError, UsageError
from sentimon.files import PRIVATE, open_regular
from sentimon.prediction_log.durable_files import claim_name, errors_named, sync_name
from sentimon.prediction_log.locks import STATE_FOLDER

_MARKS = frozenset(
    {
        "predictions.jsonl",
        "monitor.json",
        "drift_reports.jsonl",
        "retraining_triggers.jsonl",
        "quarantine.jsonl",
        "erasures.jsonl",
    }
)
"""Names that mark a folder as that of a log, even of another log than the one a command works on."""
_LOG_FILES = _MARKS | {"labels.jsonl", "metrics.jsonl", STATE_FOLDER}
_LOG_FILE_NAMES = re.compile(
    r"predictions[^/]*\.jsonl[^/]*|quarantine-predictions[^/]*|baseline(?:\.next|\.before)?\.json|\..*"
)
"""The other files of a log: sealed files, damaged originals, baselines, half-written files."""
_SEALED = re.compile(r"predictions-\d{8}T\d{6}Z[^/]*\.jsonl[^/]*", re.ASCII)
_REPORT_TITLE = b"Sentiment monitoring report"
"""The title of each report, as HTML and as Markdown."""
_METRICS = re.compile(rb"# (?:HELP|TYPE) |[a-zA-Z_:][a-zA-Z0-9_:]*[{ ]")
"""How metrics of any program begin."""
_TEMPORARY = ".sentimon-"
_LARGEST = 1 << 26
"""Bytes of the largest file that is read to find out whether it is one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputKind:
    """A kind of output: what it may replace, where it may lie, and who may read it."""

    noun: str
    mode: int | None = None
    """The mode of the file; None: rw-rw-rw- less the umask."""
    replaces: Callable[[Path], bool] | None = None
    """Whether an existing file may be replaced; None: any regular file may."""
    beside_log: bool = True
    """Whether it may lie in the folder of a log, under a name that the log does not use."""
    own: str = ""
    """The file of a log that this kind is for; in the log's folder it replaces any file of that name."""


def _holds(path: Path, *choices: frozenset[str]) -> bool:
    """Return whether a file is a JSON object that has all the keys of one of the `choices`."""
    try:
        if path.stat().st_size > _LARGEST:
            return False
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(found, dict) and any(keys <= found.keys() for keys in choices)


def _is_exposition(path: Path) -> bool:
    start = _start(path)
    if not start or (start.startswith(b"#") and b" sentimon_" in start):
        return True
    # A damaged one is replaced, and one of another program is not.
    return is_prometheus_name(path) and _METRICS.match(start) is None


def _is_report(path: Path) -> bool:
    start = _start(path)
    return not start or _REPORT_TITLE in start


def _start(path: Path) -> bytes:
    with errors_named(path), open_regular(path) as file:
        return file.read(4096)


PROMETHEUS = OutputKind(noun="metrics for Prometheus", mode=0o644, replaces=_is_exposition)
"""Readable by all: node_exporter runs as a user of its own."""
REPORT = OutputKind(noun="a report", mode=PRIVATE, replaces=_is_report)
"""It shows words and texts that people wrote."""
CALIBRATION = OutputKind(
    noun="calibration", replaces=lambda path: _holds(path, frozenset({"kind", "weights", "biases"}))
)
BASELINE = OutputKind(
    noun="baseline",
    mode=PRIVATE,
    own="baseline.json",
    replaces=lambda path: _holds(
        path, frozenset({"classes", "hours", "models"}), frozenset({"distribution", "total_samples"})
    ),
)
"""Private like the log: it holds words."""
ROWS = OutputKind(noun="rows", mode=PRIVATE, beside_log=False)
"""Texts that people wrote. Not beside the log, where users would expect `logs erase` to reach them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A file that a user named as an output; made by `checked_output`."""

    path: Path
    kind: OutputKind
    log: Path | None = None
    """The folder of the log that the command works on."""
    inputs: tuple[Path, ...] = ()
    force: bool = True
    """Whether it may replace an existing file."""

    def __str__(self) -> str:
        return str(self.path)

    @property
    def exists(self) -> bool:
        """Return whether something exists at the path."""
        return os.path.lexists(self.path)

    def check(self) -> None:
        """Raise an error unless this file may be written.

        Raises:
            UsageError: it belongs to a log, is an input, no regular file, or of another kind; or its folder
                does not exist.
            StoreError: the path cannot be examined.
        """
        with errors_named(self.path):
            _check_folder_of(self.path)
            state = _state_of(self.path)
            _check_log(self.path, self.log, self.kind, state)
            if state is None:
                return
            _check_regular(self.path, state)
            _check_inputs(self.path, self.inputs, state)
            # In the folder of the log a file of that name is replaced even if it is damaged.
            ours = self.path.name == self.kind.own and _is_one(_real(self.path.parent), self.log)
            if not ours and self.kind.replaces is not None and not self.kind.replaces(self.path):
                raise UsageError(
                    f"{self.path}: holds something else than {self.kind.noun}, and is not replaced",
                    hint="name another file, or remove that one first",
                )

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Give a file to write to, which replaces this one in one step if the block ends without an error.

        Raises:
            StoreError: the folder cannot be written, the disk is full, or the path has become one that must
                not be replaced.
        """
        with errors_named(self.path):
            descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    os.fchmod(file.fileno(), _umasked() if self.kind.mode is None else self.kind.mode)
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                self._check_again()
                self._take_place(Path(name))
                sync_name(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _take_place(self, made: Path) -> None:
        if self.force:
            made.replace(self.path)
            return
        try:
            claim_name(made, self.path)
        except FileExistsError as error:
            # Another program created it since this command began.
            raise _taken(self.path) from error
        made.unlink(missing_ok=True)

    def _check_again(self) -> None:
        try:
            self.check()
        except UsageError as error:
            # The path was fine when the command began, so this is no wrong usage.
            raise StoreError(error.message, hint=error.hint) from error

    def write(self, content: bytes) -> None:
        """Write `content` in one step.

        Raises:
            StoreError: as `writing` does.
        """
        with self.writing() as file:
            file.write(content)


def checked_output(
    path: Path, kind: OutputKind, *, log: Path | None = None, inputs: Iterable[Path] = (), force: bool = True
) -> OutputFile:
    """Return the output file at `path`, after checking that it may be written.

    `log` is the folder of the log that the command works on, `inputs` are the files that it reads. Without
    `force`, nothing may exist at `path` yet.

    Raises:
        UsageError: it may not be written.
        StoreError: it exists already, or the path cannot be examined.
    """
    output = OutputFile(path=path, kind=kind, log=log, inputs=tuple(inputs), force=force)
    output.check()
    if not force and output.exists:
        raise _taken(path)
    return output


def _taken(path: Path) -> StoreError:
    return StoreError(f"{path}: is there already", hint="--force overwrites it")


def check_output_folder(
    folder: Path,
    *,
    log: Path | None = None,
    inputs: Iterable[Path] = (),
    ours: Callable[[str], bool] | None = None,
    parents: bool = False,
) -> None:
    """Raise an error unless a command may fill `folder` with files of its own.

    It may be a new folder, an empty one, or one in which each name is `ours` (None: any name). The folder
    above it has to exist, unless `parents` are to be made.

    Raises:
        UsageError: it is the folder of a log or belongs to one, holds an input or other files, or is no
            folder.
        StoreError: the path cannot be examined.
    """
    with errors_named(folder):
        above = folder.absolute()
        while parents and not above.parent.exists():
            above = above.parent
        _check_folder_of(above if parents else folder)
        place = _real(folder)
        _check_folder_is_free(folder, place, log)
        if not os.path.lexists(place):
            return
        if not place.is_dir():
            raise UsageError(f"{folder}: is no folder", hint="name a new folder, or one that is empty")
        for one in inputs:
            if place in _real(one).parents:
                raise UsageError(f"{folder}: the input {one} lies in it", hint="name another folder")
        names = sorted(one.name for one in place.iterdir())
        others = [one for one in names if ours is not None and not ours(one)]
        if others:
            raise UsageError(
                f"{folder}: holds other things, {others[0]} for one",
                hint="name a new folder, or an empty one",
            )


def _check_folder_is_free(folder: Path, place: Path, log: Path | None) -> None:
    """Raise UsageError if the folder with the real path `place` belongs to a log or to its state."""
    kept = _is_one(place.parent, log) or is_log_folder(place.parent)
    if (
        _is_one(place, log)
        or is_log_folder(place)
        or STATE_FOLDER in place.parts
        or (kept and belongs_to_log(place.name))
    ):
        raise _in_log(folder)


def is_prometheus_name(path: Path) -> bool:
    """Return whether node_exporter reads a file of this name."""
    return path.suffix == ".prom"


def is_log_folder(folder: Path) -> bool:
    """Return whether the files in `folder` show that it is the folder of a log."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name in _MARKS or _SEALED.fullmatch(entry.name) for entry in entries)
    except OSError:
        return False


def belongs_to_log(name: str) -> bool:
    """Return whether a log uses this name in its folder."""
    # On some file systems PREDICTIONS.JSONL is the same file.
    plain = name.casefold()
    return plain in _LOG_FILES or _LOG_FILE_NAMES.fullmatch(plain) is not None


def _check_folder_of(path: Path) -> None:
    folder = path.parent
    if not folder.exists():
        raise UsageError(f"{path}: there is no folder {folder}", hint=f"make it first: mkdir -p {folder}")
    if not folder.is_dir():
        raise UsageError(f"{path}: {folder} is no folder", hint="check the path")


def _state_of(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _check_log(path: Path, log: Path | None, kind: OutputKind, state: os.stat_result | None) -> None:
    # Check the path with the links to its folder followed, and its target if it is a link itself.
    folder = _real(path.parent)
    for place in {folder / path.name, _real(path)}:
        inside = STATE_FOLDER in place.parent.parts
        kept = _is_one(place.parent, log) or is_log_folder(place.parent)
        taken = belongs_to_log(place.name) and place.name != kind.own
        if inside or (kept and (taken or not kind.beside_log)):
            raise _in_log(path)
    if state is None or state.st_nlink == 1:
        return
    for one in {folder, *([] if log is None else [_real(log)])}:
        for known in _files_of(one):
            # For a moment, a file that is being created has its temporary name as well.
            if known == folder / path.name or known.name.startswith((f".{path.name}.", _TEMPORARY)):
                continue
            with contextlib.suppress(OSError):
                if os.path.samestat(known.lstat(), state):
                    raise _in_log(path)


def _in_log(path: Path) -> UsageError:
    return UsageError(
        f"{path}: lies in the folder of the log, or is a file of it",
        hint="write to another folder, under a name that the log does not use",
    )


def _is_one(folder: Path, log: Path | None) -> bool:
    return log is not None and folder == _real(log)


def _real(path: Path) -> Path:
    # Unlike Path.resolve, this works if a part is missing, or if links lead in circles.
    return Path(os.path.realpath(path))


def _files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of the log in `folder`, and of its state."""
    with contextlib.suppress(OSError):
        yield from (one for one in folder.iterdir() if belongs_to_log(one.name))
        yield from (folder / STATE_FOLDER).rglob("*")


def _check_regular(path: Path, state: os.stat_result) -> None:
    if stat.S_ISLNK(state.st_mode):
        target = path.readlink()
        raise UsageError(
            f"{path}: is a link, to {target}", hint="name the file that it leads to, or remove the link"
        )
    if not stat.S_ISREG(state.st_mode):
        says = "is a folder" if stat.S_ISDIR(state.st_mode) else "is no regular file"
        raise UsageError(f"{path}: {says}", hint="name a file, be it a new one")


def _check_inputs(path: Path, inputs: Iterable[Path], state: os.stat_result) -> None:
    for one in inputs:
        with contextlib.suppress(OSError):
            if os.path.samestat(one.stat(), state):
                raise UsageError(
                    f"{path}: is read by the same command (as {one})", hint="name another file to write"
                )


def _umasked() -> int:
    # The mask can be read only by setting it; the one set meanwhile makes files more private, not less.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
