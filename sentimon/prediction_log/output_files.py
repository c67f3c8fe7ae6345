"""The one door for files and folders that a user names as an output: what may be written there, and how.

Refused, before any work is done, are: what belongs to the folder of a log (through other spellings, links in
the way there, and hard links), an input of the same command, what is no regular file, a link, and a file in a
folder that does not exist. A file is written beside its place, forced onto the disk and renamed, so that
nobody ever sees half of one.

A link as the last part of a path is refused and its target is named: to follow it would let whoever made the
link choose what is replaced, and to replace it would lose the link. Links further up are followed.
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
from sentimon.files import PRIVATE
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
"""By these a folder is known as that of a log, whichever log a command was told to work on."""
_KEPT = _MARKS | {"labels.jsonl", "metrics.jsonl", STATE_FOLDER}
_KEPT_NAMES = re.compile(r"predictions[^/]*\.jsonl[^/]*|baseline(?:\.next|\.before)?\.json|\..*")
"""What else lies in such a folder: sealed files, damaged originals, baselines, half-written files."""
_SEALED = re.compile(r"predictions-\d{8}T\d{6}Z[^/]*\.jsonl[^/]*", re.ASCII)
_LARGEST = 1 << 26
"""Bytes of a file that may be one of ours: more is not read to find out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of output: what it may replace, where it may lie, and who may read it."""

    noun: str
    mode: int | None = None
    """Of the file; None: what the umask leaves of rw-rw-rw-."""
    replaces: Callable[[Path], bool] | None = None
    """Tells whether a file that is there may be replaced; None: any regular file may."""
    beside_log: bool = True
    """Whether it may lie in the folder of a log, under a name that is not one of the log's own."""
    own: str = ""
    """The one name in the folder of a log that this kind is for; there it replaces any file of that name."""


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
    if is_prometheus_name(path):
        return True
    with errors_named(path), path.open("rb") as file:
        start = file.read(4096)
    return not start or (start.startswith(b"#") and b" sentimon_" in start)


PROMETHEUS = Kind(noun="metrics for Prometheus", mode=0o644, replaces=_is_exposition)
"""Readable by all: node_exporter runs as a user of its own."""
REPORT = Kind(noun="report", mode=PRIVATE)
"""It shows words and texts that people wrote."""
CALIBRATION = Kind(
    noun="calibration", replaces=lambda path: _holds(path, frozenset({"kind", "weights", "biases"}))
)
BASELINE = Kind(
    noun="baseline",
    mode=PRIVATE,
    own="baseline.json",
    replaces=lambda path: _holds(
        path, frozenset({"classes", "hours", "models"}), frozenset({"distribution", "total_samples"})
    ),
)
"""Kept like the log: it holds words."""
ROWS = Kind(noun="rows", mode=PRIVATE, beside_log=False)
"""Texts that people wrote; `logs erase` must not seem to reach them because they lie beside the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that a user named as an output; made by `open_door`."""

    path: Path
    kind: Kind
    log: Path | None = None
    """The folder of the log that the command works on."""
    inputs: tuple[Path, ...] = ()
    force: bool = True
    """Whether it may take the place of a file that is there."""

    def __str__(self) -> str:
        return str(self.path)

    @property
    def exists(self) -> bool:
        """Return whether there is something already."""
        return os.path.lexists(self.path)

    def check(self) -> None:
        """Raise an error unless this file may be written.

        Raises:
            UsageError: it belongs to a log, is an input, no regular file, or of another kind; or its folder
                is not there.
            StoreError: the system does not tell what is there.
        """
        with errors_named(self.path):
            _check_folder_of(self.path)
            state = _state_of(self.path)
            _check_log(self.path, self.log, self.kind, state)
            if state is None:
                return
            _check_regular(self.path, state)
            _check_inputs(self.path, self.inputs, state)
            # In its own place also a damaged one is replaced.
            ours = self.path.name == self.kind.own and _is_one(_real(self.path.parent), self.log)
            if not ours and self.kind.replaces is not None and not self.kind.replaces(self.path):
                raise UsageError(
                    f"{self.path}: holds something else than {self.kind.noun}, and is not replaced",
                    hint="name another file, or remove that one first",
                )

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Give a file to write to, which takes the place of this one in one step if the block ends well.

        Raises:
            StoreError: the folder cannot be written, the disk is full, or what is there has become something
                that is not replaced.
        """
        with errors_named(self.path):
            descriptor, name = tempfile.mkstemp(prefix=".sentimon-", dir=self.path.parent)
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
            # Made by another program since this command began.
            raise _taken(self.path) from error
        made.unlink(missing_ok=True)

    def _check_again(self) -> None:
        try:
            self.check()
        except UsageError as error:
            # It was right when the command began.
            raise StoreError(error.message, hint=error.hint) from error

    def write(self, content: bytes) -> None:
        """Put `content` there in one step.

        Raises:
            StoreError: as `writing` does.
        """
        with self.writing() as file:
            file.write(content)


def open_door(
    path: Path, kind: Kind, *, log: Path | None = None, inputs: Iterable[Path] = (), force: bool = True
) -> Output:
    """Return the output at `path`, which may be written as far as can be told now.

    `log` is the folder of the log that the command works on, `inputs` are the files that it reads. Without
    `force` nothing may be there yet.

    Raises:
        UsageError: it may not be written.
        StoreError: it is there already, or the system does not tell what is there.
    """
    output = Output(path=path, kind=kind, log=log, inputs=tuple(inputs), force=force)
    output.check()
    if not force and output.exists:
        raise _taken(path)
    return output


def _taken(path: Path) -> StoreError:
    return StoreError(f"{path}: is there already", hint="--force overwrites it")


def check_folder(
    folder: Path,
    *,
    log: Path | None = None,
    inputs: Iterable[Path] = (),
    ours: Callable[[str], bool] | None = None,
    parents: bool = False,
) -> None:
    """Raise an error unless a command may fill `folder` with files of its own.

    It may be a new folder, an empty one, or one in which each name is `ours` (None: any name). The folder
    that it is in has to be there, unless `parents` are made.

    Raises:
        UsageError: it is the folder of a log or belongs to one, holds an input or other things, or is no
            folder.
        StoreError: the system does not tell what is there.
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
    """Raise UsageError where the folder at the real path `place` is that of a log, or of its state."""
    kept = _is_one(place.parent, log) or is_log(place.parent)
    if (
        _is_one(place, log)
        or is_log(place)
        or STATE_FOLDER in place.parts
        or (kept and belongs_to_log(place.name))
    ):
        raise _in_log(folder)


def is_prometheus_name(path: Path) -> bool:
    """Return whether node_exporter reads a file of this name."""
    return path.suffix == ".prom"


def is_log(folder: Path) -> bool:
    """Return whether `folder` is that of a log, told by what lies in it."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name in _MARKS or _SEALED.fullmatch(entry.name) for entry in entries)
    except OSError:
        return False


def belongs_to_log(name: str) -> bool:
    """Return whether a file of this name in the folder of a log is the log's own."""
    # A file system may take PREDICTIONS.JSONL for the same file.
    plain = name.casefold()
    return plain in _KEPT or _KEPT_NAMES.fullmatch(plain) is not None


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


def _check_log(path: Path, log: Path | None, kind: Kind, state: os.stat_result | None) -> None:
    # As it is spelled, with the links on the way there followed, and where it leads to if it is a link.
    folder = _real(path.parent)
    for place in {folder / path.name, _real(path)}:
        inside = STATE_FOLDER in place.parent.parts
        kept = _is_one(place.parent, log) or is_log(place.parent)
        taken = belongs_to_log(place.name) and place.name != kind.own
        if inside or (kept and (taken or not kind.beside_log)):
            raise _in_log(path)
    if state is None or state.st_nlink == 1:
        return
    for one in {folder, *([] if log is None else [_real(log)])}:
        for known in _files_of(one):
            with contextlib.suppress(OSError):
                if known != folder / path.name and os.path.samestat(known.lstat(), state):
                    raise _in_log(path)


def _in_log(path: Path) -> UsageError:
    return UsageError(
        f"{path}: lies in the folder of the log, or is a file of it",
        hint="write to another folder, under a name that the log does not use",
    )


def _is_one(folder: Path, log: Path | None) -> bool:
    return log is not None and folder == _real(log)


def _real(path: Path) -> Path:
    # Other than Path.resolve it goes on where a part is missing, or leads in circles.
    return Path(os.path.realpath(path))


def _files_of(folder: Path) -> Iterator[Path]:
    """Yield the files that the log in `folder` keeps there."""
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
    # There is no other way to ask; the mask that holds meanwhile only makes files more private.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
