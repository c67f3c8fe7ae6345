"""Predictions in part files, and a manifest that says which are whole: what a killed run goes on from.

The input is cut into parts, and where it is cut depends on the input and on the settings alone. A part is
written beside its place, forced onto the disk, and renamed; then the manifest is replaced in the same way.
So a part that the manifest names is whole, and any other is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from sentimon.errors import StoreError
from sentimon.files import open_regular
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine, encode
from sentimon.prediction_log.durable_files import errors_named, replace_file
from sentimon.prediction_log.job_state import Count, Digest, check_asked, read_job
from sentimon.prediction_log.locks import only_one
from sentimon.scoring.batch_scoring import Answers
from sentimon.scoring.scored_rows import content_of, length_of
from sentimon.scoring.scorer import bounded

MANIFEST = "manifest.json"
_LOCK = ".lock"
_PART_NAME = re.compile(r"part-\d{5,}\.jsonl$|\.(?:part-\d{5,}\.jsonl|manifest\.json)\.", re.ASCII)
"""Also of a file that a killed run has left half written."""
PART_CHUNKS = 16
"""Chunks of texts in a part: small enough to do again, large enough that their number stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some rows of the input, which make one file."""

    number: int
    rows: list[InputRow | BadLine]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"part-{self.number:05d}.jsonl"

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its rows."""
        content = hashlib.sha256()
        for row in self.rows:
            content.update(content_of(row))
        return content.hexdigest()


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


_decode_manifest = msgspec.json.Decoder(Manifest).decode


def is_part_name(name: str) -> bool:
    """Return whether a file of this name belongs to the folder of such a job, unfinished files included."""
    return name in (MANIFEST, _LOCK) or _PART_NAME.match(name) is not None


def parts_of(rows: Iterable[InputRow | BadLine], *, chunk_texts: int) -> Iterator[Part]:
    """Yield the rows in parts."""
    chunks = bounded(rows, count=PART_CHUNKS * chunk_texts, length=length_of)
    for number, part in enumerate(chunks):
        yield Part(number=number, rows=part)


class PartFolder:
    """The folder that a job writes its parts to; made by `open_parts`."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder = folder
        self._known = {part.file: part for part in manifest.parts}

    def left(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Yield the parts that are still to be made.

        Raises:
            StoreError: one that is made was made of other rows.
        """
        for part in parts:
            known = self._known.get(part.name)
            if known is None:
                yield part
            elif known.input_sha256 != part.digest:
                raise StoreError(
                    f"{self._folder / part.name}: lines {known.first_line} to {known.last_line} of the input "
                    "have changed since",
                    hint=f"begin anew: remove {self._folder}",
                )

    def add(self, part: Part, answers: Answers, lines: Sequence[bytes], *, truncated: int) -> None:
        """Write the file of a part, and name it in the manifest.

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
        replace_file(self._folder / part.name, content)
        self._known[part.name] = PartFile(
            file=part.name,
            first_line=part.rows[0].line,
            last_line=part.rows[-1].line,
            rows=len(part.rows),
            input_sha256=part.digest,
            predictions=len(lines),
            truncated=truncated,
            bad_lines=len(part.rows) - len(lines),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        model, revision = now if answers.model else before
        parts = sorted(self._known.values(), key=lambda one: one.first_line)
        self._keep(Manifest(asked=manifest.asked, model=model, revision=revision, parts=parts))

    def finish(self) -> None:
        """Note that these are all parts."""
        self._keep(msgspec.structs.replace(self.manifest, complete=True))

    def _keep(self, manifest: Manifest) -> None:
        replace_file(self._folder / MANIFEST, encode(manifest) + b"\n")
        self.manifest = manifest


@contextlib.contextmanager
def open_parts(folder: Path, asked: Mapping[str, Any]) -> Iterator[PartFolder]:
    """Give the folder of a job, begun or to go on with; a part file that was changed since is not taken.

    Raises:
        StoreError: another program is writing there, the job was asked otherwise, or the manifest cannot
            be used.
    """
    with contextlib.ExitStack() as stack:
        with errors_named(folder):
            alone = stack.enter_context(only_one(folder / _LOCK))
        if not alone:
            raise StoreError(f"{folder}: another program is writing there", hint="name another folder")
        yield PartFolder(folder, _read_manifest(folder, dict(asked)))


def _read_manifest(folder: Path, asked: dict[str, Any]) -> Manifest:
    path = folder / MANIFEST
    manifest = read_job(path, _decode_manifest, kind="manifest")
    if manifest is None:
        return Manifest(asked=asked)
    check_asked(manifest.asked, asked, path)
    parts = [part for part in manifest.parts if _is_whole(folder, part)]
    complete = manifest.complete and len(parts) == len(manifest.parts)
    return msgspec.structs.replace(manifest, parts=parts, complete=complete)


def _is_whole(folder: Path, part: PartFile) -> bool:
    try:
        with open_regular(folder / part.file) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        return False
