"""Predictions into part files: a run that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from sentimon.cli.inputs import BadLines, note_truncated
from sentimon.cli.output import counted, leave, note, show_json
from sentimon.cli.progress import watched
from sentimon.config.paths import expanded
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session
    from sentimon.engine.part_files import Manifest, PartFolder
    from sentimon.ingest.input_row import InputRow
    from sentimon.jsonl import BadLine
    from sentimon.scoring.batch_scoring import Scoring


def part_folder(session: Session, output: str, source: str | None) -> Path:
    """Return the folder to write part files to: a new one, an empty one, or one of such a job.

    Raises:
        UsageError: it is that of a log, or holds the input or other things.
    """
    from sentimon.engine.part_files import MANIFEST, is_part_name

    def ours(name: str) -> bool:
        # Parts without the list of them may be of anything.
        return is_part_name(name) and (name[0] == "." or listed)

    listed = (expanded(output) / MANIFEST).is_file()
    return session.check_new_folder(output, inputs=[source], ours=ours)


def predict_into(
    folder: Path,
    rows: Iterator[InputRow | BadLine],
    scoring: Scoring,
    asked: Mapping[str, Any],
    *,
    as_json: bool,
) -> NoReturn:
    """Write the predictions of all rows into part files in `folder`, and say what there is.

    Raises:
        StoreError: another program writes there, or what is there was asked for otherwise.
    """
    from sentimon.engine.part_files import open_parts

    with open_parts(folder, asked) as parts:
        if parts.manifest.complete:
            note(f"{folder}: was complete already")
        else:
            if parts.manifest.parts:
                there = counted(parts.manifest.sum_of("predictions"), "prediction")
                note(f"{folder}: goes on after {there} in {counted(len(parts.manifest.parts), 'part')}")
            _write(parts, watched(rows, "texts read"), scoring, chunk_texts=asked["chunk_texts"])
        manifest = parts.manifest
    _say(folder, manifest, as_json=as_json)
    leave(ExitCode.FAILURE if manifest.sum_of("bad_lines") else ExitCode.OK)


def _write(
    parts: PartFolder, rows: Iterator[InputRow | BadLine], scoring: Scoring, *, chunk_texts: int
) -> None:
    from sentimon.engine.part_files import parts_of
    from sentimon.jsonl import encode
    from sentimon.reporting.prediction_table import prediction_object
    from sentimon.scoring.scored_rows import answered, texts_in

    bad = BadLines()
    every = parts_of(rows, chunk_texts=chunk_texts)
    for part, answers in scoring(parts.left(every), lambda one: texts_in(one.rows)):
        scored = list(bad.left_out(answered(part.rows, answers)))
        lines = [encode(prediction_object(text, one, model=answers.model)) for text, one in scored]
        parts.add(part, answers, lines, truncated=sum(one.truncated for _, one in scored))
    parts.finish()


def _say(folder: Path, manifest: Manifest, *, as_json: bool) -> None:
    fields = ("predictions", "bad_lines", "truncated")
    sums = {field: manifest.sum_of(field) for field in fields}
    if as_json:
        show_json(sums | {"parts": len(manifest.parts), "path": str(folder)})
        return
    note_truncated(sums["truncated"], sums["predictions"])
    bad = f"; {counted(sums['bad_lines'], 'bad line')} left out" if sums["bad_lines"] else ""
    total = counted(sums["predictions"], "prediction")
    note(f"{total} in {counted(len(manifest.parts), 'part')} in {folder}{bad}")
