"""A job that was stopped, and is gone on with: what `predict --output` and `log --resume` have in common.

`open_job` locks the job and reads its state: what it was asked, and what of it is done. Asked otherwise, it
is refused. `steps_left` cuts the input into steps, passes over those that are done once it has seen that
their rows are still the same, and yields the others. A sink (part files, or the log) makes a step durable,
and then has the job `keep` the state that says so. A run may be killed between any two lines of this.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from sentimon.errors import StoreError
from sentimon.files import read_if_there
from sentimon.jsonl import decode_file, encode
from sentimon.prediction_log.durable_files import errors_named, replace_file
from sentimon.prediction_log.locks import only_one
from sentimon.scoring.scored_rows import Row, content_of, length_of, texts_in
from sentimon.scoring.scorer import bounded

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
"""Of rows, lines or bytes."""
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256, in hexadecimal."""
STEP_CHUNKS = 16
"""Chunks of texts in a step: small enough to do again, large enough that their number stays small."""
_CONTENT = ("bytes", "modified_ns")
"""What is asked of the input itself: by these it is known again."""
_ONCE_ASKED = ("chunk_texts",)
"""What earlier versions asked of every job, and now makes no difference to some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Some rows of the input, which become durable together."""

    number: int
    """From 0, in the order of the input."""
    rows: list[Row]
    digest: str
    """SHA-256 of its rows."""
    digest_so_far: str
    """SHA-256 of all rows of the input up to its end."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def texts(self) -> list[str]:
        """Return what there is to score."""
        return texts_in(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneStep:
    """A step that an earlier run has done."""

    rows: int
    digest: str
    if_changed: StoreError
    """What is raised where these rows are no longer what they were."""


class JobState(Protocol):
    """What is kept of a job; each sink has a type of its own, a msgspec.Struct."""

    @property
    def asked(self) -> dict[str, Any]:
        """Return what the job was asked to do, in plain JSON: who goes on with it must be asked the same."""

    @property
    def complete(self) -> bool:
        """Return whether all of the input is done."""


State = TypeVar("State", bound=JobState)


class ResumableJob(Generic[State]):
    """A job that this process alone is at work on; made by `open_job`."""

    def __init__(self, path: Path, state: State) -> None:
        self.path = path
        self.state = state

    def keep(self, state: State) -> None:
        """Put `state` on the disk in the place of the one before.

        Raises:
            StoreError: it cannot be written.
        """
        replace_file(self.path, encode(state) + b"\n")
        self.state = state

    def finish(self) -> None:
        """Note that all of the input is done.

        Raises:
            StoreError: that cannot be written.
        """
        done: Any = self.state
        self.keep(msgspec.structs.replace(done, complete=True))


@contextlib.contextmanager
def open_job(
    path: Path,
    new: State,
    *,
    lock: Path,
    kind: str,
    busy: StoreError,
    anew_if_changed: bool = False,
) -> Iterator[ResumableJob[State]]:
    """Give the job whose state is kept at `path`: begun, complete, or `new` where nothing is kept.

    With `anew_if_changed` a complete job whose input has changed since is taken for a new one.

    Raises:
        StoreError: another program is at work on it (`busy`), it was begun otherwise than `new` asks, or
            what is kept is no such `kind` of file.
    """
    with contextlib.ExitStack() as stack:
        with errors_named(path):
            alone = stack.enter_context(only_one(lock))
        if not alone:
            raise busy
        content = read_if_there(path)
        if content is not None:
            decode = msgspec.json.Decoder(type(new)).decode
            kept = decode_file(content, decode, origin=str(path), what=kind, hint="remove it")
            if not (anew_if_changed and kept.complete and _is_other_input(kept.asked, new.asked)):
                _check_asked(kept.asked, new.asked, path)
                new = kept
        yield ResumableJob(path, new)


def steps_left(rows: Iterable[Row], done: Mapping[int, DoneStep], *, step_rows: int) -> Iterator[Step]:
    """Yield the steps of the input that are not `done`, by their numbers.

    A step has at most `step_rows` rows; where it is cut depends on the input and on what is done already.

    Raises:
        StoreError: the rows of a step that is done are no longer what they were.
    """
    rest, so_far = iter(rows), hashlib.sha256()
    last = max(done, default=-1)
    for number in count():
        own = hashlib.sha256()
        before = done.get(number)
        if before is not None:
            for row in islice(rest, before.rows):
                _add((own, so_far), row)
            if own.hexdigest() != before.digest:
                raise before.if_changed
            continue
        chunk = next(bounded(rest, count=step_rows, length=length_of), None)
        if chunk is None:
            if number < last:
                raise done[last].if_changed
            return
        for row in chunk:
            _add((own, so_far), row)
        yield Step(number=number, rows=chunk, digest=own.hexdigest(), digest_so_far=so_far.hexdigest())


def _add(digests: Iterable[Any], row: Row) -> None:
    content = content_of(row)
    for digest in digests:
        digest.update(content)


def _is_other_input(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether the input is no longer the file that it was, whatever is to be done with it."""
    return any(before.get(key) != now.get(key) for key in _CONTENT)


def _check_asked(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Raise StoreError where a job was asked otherwise, or its input has changed: the first difference."""
    for key in dict.fromkeys((*before, *now)):
        if key in _ONCE_ASKED and key not in now:
            continue
        was, given = before.get(key), now.get(key)
        if was != given:
            raise StoreError(
                f"{path}: was begun with {key} {was!r}, not {given!r}",
                hint=f"run it as it was begun, or begin anew: remove {path}",
            )
