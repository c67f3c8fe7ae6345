"""Predictions in part files, and a manifest that says which are whole: one sink of a resumable job.

The input is cut into parts, and where it is cut depends on the input and on the settings alone. A part is
written beside its place, forced onto the disk, and renamed; then the manifest is replaced in the same way.
So a part that the manifest names is whole, and any other is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from sentimon.errors import StoreError
from sentimon.files import open_regular
from sentimon.prediction_log.durable_files import replace_file
from sentimon.prediction_log.resumable_job import (
    Count,
    Digest,
    DoneStep,
    ResumableJob,
    Step,
    open_job,
    steps_left,
)
from sentimon.scoring.batch_scoring import Answers
from sentimon.scoring.scored_rows import Row

MANIFEST = "manifest.json"
LOCK = ".lock"
_PART_NAME = re.compile(r"part-\d{5,}\.jsonl$|\.(?:part-\d{5,}\.jsonl|manifest\.json)\.", re.ASCII)
"""Also of a file that a killed run has left half written."""


class PartFile(msgspec.Struct, frozen=True, kw_only=True):
    """A part file that is whole, and what it was made of."""

    file: Annotated[str, msgspec.Meta(pattern=r"^part-[0-9]{5,}\.jsonl$")]
    first_line: Count
    """Of the input, from 1."""
    last_line: Count
    rows: Count
    input_sha256: Digest
    predictions: Count
    truncated: Count
    """Texts that the model could not read to their end."""
    bad_lines: Count
    sha256: Digest
    unreadable: Count = 0
    """Texts in letters that the model does not know."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is done of a job."""

    asked: dict[str, Any]
    """What the job was asked to do."""
    model: str = ""
    revision: str = ""
    """Both empty before a text was scored."""
    parts: list[PartFile] = []
    """In the order of the input; some in between may be missing."""
    complete: bool = False

    def sum_of(self, field: str) -> int:
        """Return a number of all parts together."""
        return sum(getattr(part, field) for part in self.parts)


def is_part_name(name: str) -> bool:
    """Return whether a file of this name belongs to the folder of such a job, unfinished files included."""
    return name in (MANIFEST, LOCK) or _PART_NAME.match(name) is not None


class PartFolder:
    """The part files of a job, as a place for its steps to end; made by `open_parts`."""

    def __init__(self, folder: Path, job: ResumableJob[Manifest]) -> None:
        self._folder = folder
        self._job = job
        self._whole = {part.file: part for part in job.state.parts}

    @property
    def manifest(self) -> Manifest:
        """Return what is done."""
        return self._job.state

    def steps_left(self, rows: Iterable[Row], *, step_rows: int) -> Iterator[Step]:
        """Yield the steps of the input of which there is no part file yet.

        Raises:
            StoreError: a part file was made of other rows.
        """
        done = {_number_of(part): self._done(part) for part in self._whole.values()}
        return steps_left(rows, done, step_rows=step_rows)

    def add(
        self, step: Step, answers: Answers, lines: Sequence[bytes], *, truncated: int, unreadable: int = 0
    ) -> None:
        """Write the part file of a step, and name it in the manifest.

        Raises:
            StoreError: it cannot be written, or the parts before it were scored by another model.
        """
        manifest = self.manifest
        before, now = (manifest.model, manifest.revision), (answers.model, answers.revision)
        if answers.model and before[0] and before != now:
            raise StoreError(
                f"{self._folder}: was begun with {'@'.join(before)}, and this is {'@'.join(now)}",
                hint=f"name that model, or begin anew: remove {self._folder}",
            )
        content = b"".join(line + b"\n" for line in lines)
        part = PartFile(
            file=part_name(step.number),
            first_line=step.rows[0].line,
            last_line=step.rows[-1].line,
            rows=len(step.rows),
            input_sha256=step.digest,
            predictions=len(lines),
            truncated=truncated,
            unreadable=unreadable,
            bad_lines=len(step.rows) - len(lines),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        replace_file(self._folder / part.file, content)
        self._whole[part.file] = part
        model, revision = now if answers.model else before
        parts = sorted(self._whole.values(), key=_number_of)
        self._job.keep(Manifest(asked=manifest.asked, model=model, revision=revision, parts=parts))

    def finish(self) -> None:
        """Note that these are all parts."""
        self._job.finish()

    def _done(self, part: PartFile) -> DoneStep:
        path = self._folder / part.file
        changed = StoreError(
            f"{path}: lines {part.first_line} to {part.last_line} of the input have changed since",
            hint=f"begin anew: remove {self._folder}",
        )
        return DoneStep(rows=part.rows, digest=part.input_sha256, if_changed=changed)


def part_name(number: int) -> str:
    """Return the name of the file of a step."""
    return f"part-{number:05d}.jsonl"


def _number_of(part: PartFile) -> int:
    return int(part.file.removeprefix("part-").removesuffix(".jsonl"))


@contextlib.contextmanager
def open_parts(folder: Path, asked: Mapping[str, Any]) -> Iterator[PartFolder]:
    """Give the part files of a job, begun or to go on with; one that was changed since is made again.

    Raises:
        StoreError: another program is writing there, the job was asked otherwise, or the manifest cannot
            be used.
    """
    busy = StoreError(f"{folder}: another program is writing there", hint="name another folder")
    new = Manifest(asked=dict(asked))
    with open_job(folder / MANIFEST, new, lock=folder / LOCK, kind="manifest", busy=busy) as job:
        named = job.state.parts
        parts = [part for part in named if _is_whole(folder, part)]
        complete = job.state.complete and len(parts) == len(named)
        job.state = msgspec.structs.replace(job.state, parts=parts, complete=complete)
        yield PartFolder(folder, job)


def _is_whole(folder: Path, part: PartFile) -> bool:
    try:
        with open_regular(folder / part.file) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        return False
