"""What rewrites or erases says how much, and asks; where nobody can be asked it needs --yes."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from sentimon.jsonl import encode
from tests.conftest import clean_environment
from tests.samples.program import ask
from tests.support.rows import records, written

CHANGES = [
    ("logs", "erase", "--contains", "t"),
    ("logs", "prune", "--keep-days", "1"),
    ("logs", "repair"),
    ("drift", "--reset"),
]
COUNTS = {
    "erase": "30 rows erased and 1 bad line removed in logs, for good",
    "prune": "1 file of logs, ",
    "repair": "1 bad line of 1 file moved to logs/quarantine.jsonl",
    "--reset": "1 check and 1 open incident of the monitor of logs forgotten",
}


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of two files, with a bad line and what a monitor remembers."""
    folder = written(tmp_path / "logs", stored(10, 0), "predictions-20260101T000000Z.jsonl")
    os.utime(folder / "predictions-20260101T000000Z.jsonl", (1_750_000_000, 1_750_000_000))
    written(folder, stored(0, 20) + b"torn\n")
    sample = Path(__file__).parents[1] / "samples/v0.1.0/logs/monitor.json"
    written(folder, sample.read_bytes(), "monitor.json")
    monkeypatch.chdir(tmp_path)
    return folder


def stored(negative: int, positive: int) -> bytes:
    made = records(negative, 0, positive)
    return b"".join(encode(one.to_dict()) + b"\n" for one in made)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("change", CHANGES)
def test_without_a_terminal_nothing_is_changed_unless_yes_is_given(
    logs: Path, change: tuple[str, ...]
) -> None:
    before = contents(logs)
    refused = ask(*change)
    assert refused.code == 2
    assert next(text for name, text in COUNTS.items() if name in change) in refused.err
    assert contents(logs) == before
    assert ask(*change, "--yes").code == 0
    assert contents(logs) != before
    # Where there is nothing left to change nobody is asked.
    assert ask(*change).code == 0


def on_a_terminal(folder: Path, answer: bytes, *change: str) -> tuple[int, str]:
    """Return (exit code, what was seen) of a command that is given an answer when it asks."""
    master, slave = pty.openpty()

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # In the background of a script it is ignored, and what is ignored is inherited.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(
        [sys.executable, "-m", "sentimon", *change],
        stdin=slave, stdout=slave, stderr=slave, cwd=folder,
        env=clean_environment(folder) | {"TERM": "xterm"}, start_new_session=True, preexec_fn=own_terminal,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    try:
        while piece := os.read(master, 4096):
            seen += piece
            if b"[y/N]" in seen and answer:
                os.write(master, answer)
                answer = b""
    except OSError:
        # The other end is closed.
        pass
    os.close(master)
    return process.wait(timeout=60), seen.decode()


@pytest.mark.parametrize(
    ("answer", "code"), [(b"n\n", 1), (b"\n", 1), (b"yesterday\n", 1), (b"\x04", 1), (b"\x03", 130)]
)
def test_every_answer_but_yes_changes_nothing(logs: Path, answer: bytes, code: int) -> None:
    before = contents(logs)
    ended, seen = on_a_terminal(logs.parent, answer, "logs", "erase", "--contains", "t")
    assert (ended, COUNTS["erase"] in seen) == (code, True)
    assert ("nothing was changed" in seen) is (code == 1)
    assert contents(logs) == before


@pytest.mark.parametrize("answer", [b"y\n", b"YES\n"])
def test_yes_goes_on(logs: Path, answer: bytes) -> None:
    ended, seen = on_a_terminal(logs.parent, answer, "logs", "repair")
    assert (ended, COUNTS["repair"] in seen) == (0, True)
    assert (logs / "quarantine.jsonl").exists()


@pytest.mark.parametrize(("answer", "texts"), [(b"y\n", ["Ottimo", "Pessimo"]), (b"n\n", ["reviews.csv"])])
def test_on_a_terminal_the_name_of_a_file_is_asked_about(
    tmp_path: Path, answer: bytes, texts: list[str]
) -> None:
    (tmp_path / "reviews.csv").write_text("recensione\nOttimo\nPessimo\n", encoding="utf-8")
    ended, seen = on_a_terminal(tmp_path, answer, "predict", "reviews.csv", "--json")
    assert ended == 0
    assert "reviews.csv is a file. Read the rows in it? [y/N]" in seen
    # On a terminal it is said what the file is read as.
    assert ("reviews.csv: csv, utf-8" in seen) is (answer == b"y\n")
    found = [json.loads(line)["text"] for line in seen.split("\r\n") if line.startswith("{")]
    assert found == texts


def test_a_file_that_was_named_as_a_text_is_known_again_when_it_is_logged_twice(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("text\nOttimo\n", encoding="utf-8")
    assert on_a_terminal(tmp_path, b"y\n", "log", "reviews.csv")[0] == 0
    ended, seen = on_a_terminal(tmp_path, b"y\n", "log", "reviews.csv")
    assert (ended, "was logged already, 1 row on" in seen) == (1, True)
