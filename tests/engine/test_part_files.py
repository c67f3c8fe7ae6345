"""Part files and their manifest: what it names is whole, whatever else happened."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sentimon.engine.part_files import MANIFEST, open_parts, part_name
from sentimon.errors import StoreError
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine
from sentimon.prediction_log.resumable_job import Step, steps_left
from sentimon.scoring.batch_scoring import Answers
from tests.support.faults import force_nothing, in_new_process, killed_at

ASKED: dict[str, Any] = {"input": "in.txt", "chunk_texts": 2}
COUNT = 70
MODULES = [
    "sentimon.engine.part_files",
    "sentimon.prediction_log.resumable_job",
    "sentimon.prediction_log.durable_files",
]


def rows(count: int = COUNT) -> list[InputRow | BadLine]:
    """Texts, and a bad line after every seven."""
    return [
        BadLine(path="in.txt", line=number, kind="json", reason="broken")
        if number % 8 == 0
        else InputRow(path="in.txt", line=number, text=f"text {number}", fields={})
        for number in range(1, count + 1)
    ]


def lines_of(part: Step) -> list[bytes]:
    return [row.text.encode() for row in part.rows if isinstance(row, InputRow) and row.text]


def job(
    folder: Path,
    given: list[InputRow | BadLine] | None = None,
    *,
    asked: dict[str, Any] = ASKED,
    revision: str = "1",
    parts: int = 100,
) -> list[str]:
    """Make the parts that are left, or so many of them; return their names."""
    made = []
    with open_parts(folder, asked) as made_before:
        for part in made_before.steps_left(given or rows(), step_rows=16 * asked["chunk_texts"]):
            if len(made) == parts:
                return made
            answers = Answers(answers=[], model="m", revision=revision)
            made_before.add(part, answers, lines_of(part), truncated=0)
            made.append(part_name(part.number))
        made_before.finish()
    return made


def manifest(folder: Path) -> Any:
    return json.loads((folder / MANIFEST).read_bytes())


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*.jsonl")))


WHOLE = b"".join(row.text.encode() + b"\n" for row in rows() if isinstance(row, InputRow) and row.text)


def test_the_manifest_names_each_part_and_the_rows_in_it(tmp_path: Path) -> None:
    assert job(tmp_path) == ["part-00000.jsonl", "part-00001.jsonl", "part-00002.jsonl"]
    assert content(tmp_path) == WHOLE
    found = manifest(tmp_path)
    assert (found["asked"], found["model"], found["revision"], found["complete"]) == (ASKED, "m", "1", True)
    assert [(part["first_line"], part["last_line"], part["rows"]) for part in found["parts"]] == [
        (1, 32, 32), (33, 64, 32), (65, 70, 6),
    ]  # fmt: skip
    first = found["parts"][0]
    assert (first["predictions"], first["bad_lines"]) == (28, 4)
    assert first["sha256"] == hashlib.sha256((tmp_path / first["file"]).read_bytes()).hexdigest()
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_stopped_job_makes_only_what_is_left(tmp_path: Path) -> None:
    job(tmp_path, parts=2)
    (tmp_path / "part-00002.jsonl").write_text("of nobody")
    assert job(tmp_path) == ["part-00002.jsonl"]
    assert content(tmp_path) == WHOLE
    assert job(tmp_path) == []


def test_a_part_that_was_changed_or_lost_is_made_again(tmp_path: Path) -> None:
    job(tmp_path)
    (tmp_path / "part-00000.jsonl").unlink()
    (tmp_path / "part-00002.jsonl").write_text("changed")
    assert job(tmp_path) == ["part-00000.jsonl", "part-00002.jsonl"]
    assert content(tmp_path) == WHOLE
    assert manifest(tmp_path)["complete"]


def test_parts_may_be_made_in_any_order(tmp_path: Path) -> None:
    with open_parts(tmp_path, ASKED) as parts:
        for part in reversed(list(steps_left(rows(), {}, step_rows=32))):
            parts.add(part, Answers(answers=[], model="m", revision="1"), lines_of(part), truncated=0)
    assert [part["file"][-7:-6] for part in manifest(tmp_path)["parts"]] == ["0", "1", "2"]
    assert content(tmp_path) == WHOLE


def kill_jobs(place: str) -> None:
    force_nothing()
    steps = 0
    for number in range(1, 10_000, 7):
        folder = Path(place, str(number))
        if not killed_at(number, lambda folder=folder: job(folder), *MODULES):  # type: ignore[misc]
            break
        before = [part["file"] for part in manifest(folder)["parts"]] if (folder / MANIFEST).exists() else []
        assert not set(job(folder)) & set(before)
        assert content(folder) == WHOLE
        assert manifest(folder)["complete"]
        steps += 1
    assert steps > 50


def test_killed_at_any_line_the_parts_come_out_the_same(tmp_path: Path) -> None:
    in_new_process(kill_jobs, str(tmp_path))


def changed(at: int) -> list[InputRow | BadLine]:
    given = rows()
    given[at] = InputRow(path="in.txt", line=at + 1, text="another", fields={})
    return given


@pytest.mark.parametrize(
    ("given", "asked", "revision", "says"),
    [
        (changed(0), ASKED, "1", "part-00000.jsonl: lines 1 to 32 of the input have changed since"),
        (rows(), ASKED, "2", "was begun with m@1, and this is m@2"),
        (rows(), {**ASKED, "chunk_texts": 3}, "1", "was begun with chunk_texts 2, not 3"),
    ],
)
def test_another_job_is_not_taken_for_this_one(
    tmp_path: Path, given: list[InputRow | BadLine], asked: dict[str, Any], revision: str, says: str
) -> None:
    job(tmp_path, parts=1)
    with pytest.raises(StoreError, match=says):
        job(tmp_path, given, asked=asked, revision=revision)
    assert len(manifest(tmp_path)["parts"]) == 1


def test_two_runs_into_one_folder_at_once_are_one_too_many(tmp_path: Path) -> None:
    with (
        open_parts(tmp_path, ASKED),
        pytest.raises(StoreError, match="another program is writing there"),
        open_parts(tmp_path, ASKED),
    ):
        pass


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(StoreError, match="is no manifest"):
        job(tmp_path)
