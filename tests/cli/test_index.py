"""The law of the index at the command line: the same bytes and exit codes with it, without it, after changes.

Each command runs in a process of its own, forked from one that has everything loaded, at a fixed time:
what a command says of the time is then the same in both of two runs.
"""

from __future__ import annotations

import gc
import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sentimon.compression import ZstdFile
from tests.conftest import Ran, clean_environment
from tests.support.rows import lines, record, records, written

LOGS, INDEX = "logs", "logs/.sentimon/rollup.sqlite"
EARLY, LATE = "2026-10-26T12:00:00+00:00", "2099-01-01T00:00:00+00:00"
"""Two times of the clock: before the files were written, so that nothing is trusted, and long after."""


class Said(NamedTuple):
    """What a command said."""

    code: int
    out: bytes
    err: bytes


Ask = Callable[..., Said]


def serve() -> None:
    """Run the commands that stdin names, each in a copy of this process."""
    load()
    for line in sys.stdin:
        case = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                sys.stdin.close()
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                os.chdir(case["folder"])
                os.environ.update(case["environment"])
                time.tzset()
                run_command(case["arguments"], case["now"])
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            said = []
            for stream in (out, err):
                stream.seek(0)
                said.append(stream.read().decode("latin-1"))
        print(json.dumps([code, *said]), flush=True)


def load() -> None:
    """Load what the commands need, once."""
    import typer

    from sentimon.__main__ import main
    from sentimon.cli.app import app
    from tests.support import fork_server

    fork_server.load(torch=False)
    # What the program itself loads as it goes: by running it.
    said = io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(said), redirect_stderr(said), suppress(SystemExit):
        sys.argv[:] = ["sentimon", "metrics", "--logs", os.environ["HOME"], "--every", "1d"]
        main()
    built = typer.main.get_command(app)
    typer.main.get_command = lambda _: built
    gc.freeze()


def run_command(arguments: list[str], now: str) -> None:
    from sentimon.__main__ import main
    from sentimon.cli import opening

    opening.clock = lambda: datetime.fromisoformat(now)
    sys.argv[:] = ["sentimon", *arguments]
    code: Any = 70
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [sys.executable, "-c", f"from tests.cli.test_index import {serve.__name__} as serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(Path(home)),
        )
        yield server
        server.communicate()


@pytest.fixture
def ask(server: subprocess.Popen[str], tmp_path: Path) -> Ask:
    """Run a command in `tmp_path`, at a time of its own."""

    def invoke(*arguments: object, now: str = LATE, **environment: str) -> Said:
        assert server.stdin is not None
        assert server.stdout is not None
        case = {
            "arguments": list(map(str, arguments)),
            "folder": str(tmp_path),
            "environment": {"HOME": str(tmp_path), "TZ": "UTC"} | environment,
            "now": now,
        }
        server.stdin.write(json.dumps(case) + "\n")
        server.stdin.flush()
        code, out, err = json.loads(server.stdout.readline())
        return Said(code, out.encode("latin-1"), err.encode("latin-1"))

    return invoke


# A log with everything in it


def at(moment: str, place: int = 1, confidence: float = 0.75, **rest: Any) -> dict[str, Any]:
    return record(place, 0, confidence).to_dict() | {"timestamp": moment} | rest


def italian(moment: str) -> dict[str, Any]:
    return {
        "timestamp": moment,
        "text": "perché no? 😀",
        "sentiment": "Positivo",
        "confidence": 0.91,
        "scores": {"Negativo": 0.04, "Neutro": 0.05, "Positivo": 0.91},
    }


def hours_of(day: str, step: int = 30, **rest: Any) -> list[dict[str, Any]]:
    return [
        at(f"{day}T{minute // 60:02}:{minute % 60:02}:07.5Z", minute % 3, 0.4 + minute % 60 / 100, **rest)
        for minute in range(0, 1440, step)
    ]


OLD = (
    "\ufeff"
    + lines(one.to_dict() for one in records(20, 30, 40))
    + "\n\r\n{}{}\nnonsense\n"
    + lines([at("1969-12-31T23:59:59.5Z"), italian("2026-09-08T10:00:00")])
).encode() + b'\xff\xfe\n{"timestamp": 1}\n'
PACKED = lines([*hours_of("2026-09-20", 45, model="m"), italian("2026-09-21T00:00:00+05:30")]).encode()
CHANGE = [  # The hour that comes twice in Rome, and that which never comes.
    *hours_of("2026-10-25", 10),
    *(at(f"2026-10-25T02:{minute:02}:00", 2) for minute in range(0, 60, 7)),
    *(at(f"2026-03-29T02:{minute:02}:00", 0) for minute in range(0, 60, 13)),
    at("2026-10-25T02:30:00+02:00", 0),
    at("2026-10-25T02:30:00+01:00", 0),
    at("0001-01-01T00:00:00", 0),
]
LIVE = [
    *hours_of("2026-10-24", 20, revision="r"),
    italian("2026-10-24T23:59:59.999999"),
    *hours_of("2026-09-09", 90),  # Late.
    at("2026-12-24T18:00:00Z", text=None),  # Early.
    at("2026-10-26T11:59:00Z", text="  ", truncated=True),
]
TORN = json.dumps(at("2026-10-26T11:00:00Z"))[:-30].encode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of four files, with all that is difficult."""
    folder = tmp_path / LOGS
    written(folder, OLD, "predictions-20260901T000000Z.jsonl")
    written(folder, gzip.compress(PACKED), "predictions-20260920T000000Z.jsonl.gz")
    with ZstdFile(folder / "predictions-20261001T000000Z.jsonl.zst", "w") as file:
        file.write(lines(CHANGE).encode())
    written(folder, lines(LIVE).encode() + b"[1, 2]\n" + TORN)
    return folder


QUESTIONS = (
    ("metrics",),
    ("metrics", "--json"),
    ("metrics", "--every", "26w", "--tz", "Europe/Rome"),
    ("metrics", "--every", "1d", "--since", "2026-09-01", "--tz", "America/New_York", "--json"),
    ("metrics", "--every", "6h", "--since", "2026-10-23", "--until", "2026-10-27", "--tz", "Europe/Rome"),
    ("metrics", "--every", "15m", "--since", "2026-10-24T22:07:30Z", "--until", "2026-10-25T03:52:10Z"),
    ("metrics", "--every", "1h", "--since", "2026-10-25T02:30:00", "--tz", "Australia/Lord_Howe", "--json"),
    ("metrics", "--every", "15m", "--json"),
    ("metrics", "--since", "2026-10-25T00:30:07.5Z", "--json"),
    ("metrics", "--until", "2026-10-25T00:30:07.5Z", "--json"),
    ("metrics", "--since", "36h", "--json"),
    ("metrics", "--since", "2026-11-01", "--until", "2026-11-02"),
    ("drift",),
    ("drift", "--json"),
    ("drift", "--all", "--threshold", "0.001", "--json"),
    ("drift", "--since", "2026-10-24T10:10:00", "--threshold", "0.9"),
    ("retrain-check",),
    ("retrain-check", "--json", "--until", "2026-10-25T12:34:56Z"),
    ("retrain-check", "--since", "2026-12-01", "--json"),
    ("baseline", "create", "--force", "--json", "--since", "2026-09-07T08:10:30Z"),
    ("logs", "status"),
    ("logs", "status", "--json"),
    ("baseline", "check", "--baseline", "nowhere.json"),
)  # fmt: skip
SOME = (QUESTIONS[1], QUESTIONS[4], QUESTIONS[13], QUESTIONS[21])


def asked(ask: Ask, question: tuple[str, ...], *, index: bool, **rest: str) -> Said:
    return but_for_the_index(ask(*question, SENTIMON_LOGS__INDEX=str(index).lower(), **rest))


def but_for_the_index(said: Said) -> Said:
    """What was said, without where the index is kept: `logs status` tells that, too."""
    out = re.sub(rb',"index":(null|\{[^}]*\})', b"", said.out)
    return said._replace(out=re.sub(rb"\n\n(No index is kept\.|Index: .*)\n", b"\n", out))


def same(ask: Ask, questions: tuple[tuple[str, ...], ...] = SOME, **rest: str) -> None:
    """Each answer is the same without the index as with it."""
    for question in questions:
        truth = asked(ask, question, index=False, **rest)
        assert asked(ask, question, index=True, **rest) == truth, question


@pytest.fixture
def baseline(ask: Ask, log: Path) -> None:
    created = ask("baseline", "create", "--until", "2026-09-22", "--json", SENTIMON_LOGS__INDEX="false")
    assert created.code == 0


def test_all_answers_are_the_same_with_the_index_and_without(
    ask: Ask, log: Path, baseline: None, tmp_path: Path
) -> None:
    truths = {}
    for question in QUESTIONS:
        kept = (log / "baseline.json").read_bytes()
        truth = asked(ask, question, index=False)
        assert not (tmp_path / INDEX).exists()
        made = [(log / "baseline.json").read_bytes()]
        for _ in ("made", "used"):
            (log / "baseline.json").write_bytes(kept)
            assert asked(ask, question, index=True) == truth, question
            made.append((log / "baseline.json").read_bytes())
        assert made == made[:1] * 3
        (log / "baseline.json").write_bytes(kept)
        shutil.rmtree((tmp_path / INDEX).parent, ignore_errors=True)
        truths[question] = truth
    # Not a test of one answer: there are good ones, errors, findings, and too few rows.
    assert {truth.code for truth in truths.values()} == {0, 1, 3, 4}
    # All of them from one index.
    for question, truth in truths.items():
        if "create" not in question:
            assert asked(ask, question, index=True) == truth
    assert (tmp_path / INDEX).exists()


def test_the_index_is_used(ask: Ask, log: Path, tmp_path: Path) -> None:
    """The bytes of a sealed file that is at rest are not read again."""
    truth = ask("metrics", "--json")
    sealed = log / "predictions-20261001T000000Z.jsonl.zst"
    sealed.chmod(0)
    content = sealed.read_bytes()
    ask("metrics", "--json")
    sealed.write_bytes(content)
    assert ask("metrics", "--json") == truth
    reading = ask("metrics", "--json")
    assert reading == truth


def append(log: Path, content: bytes) -> None:
    with (log / "predictions.jsonl").open("ab") as file:
        file.write(content)


def edit(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes where they stand."""
    content = path.read_bytes()
    assert old in content
    with path.open("r+b") as file:
        file.write(content.replace(old, new))


def test_after_each_change_of_the_log_too(ask: Ask, log: Path, baseline: None, tmp_path: Path) -> None:
    live = log / "predictions.jsonl"
    rest = json.dumps(at("2026-10-26T11:00:00Z"))[-30:].encode()
    good = lines(one.to_dict() for one in records(3, 0, 60, minute=80_000))
    changes: tuple[Callable[[], object], ...] = (
        lambda: append(log, rest),
        lambda: append(log, b"\n" + lines(hours_of("2026-10-25", 97)).encode()),
        lambda: written(tmp_path, good, "input.jsonl"),
        # Not compressed: the next steps change a plain sealed file.
        lambda: ask("log", "--input", "input.jsonl", "-q", SENTIMON_LOGS__COMPRESSION="none"),
        lambda: edit(live, b'"revision": "r"', b'"revision": "s"'),
        lambda: edit(log / "predictions-20260901T000000Z.jsonl", b'"negative"', b'"positive"'),
        lambda: live.rename(log / "predictions-20261024T000000Z.jsonl"),
        lambda: append(log, lines(hours_of("2026-10-27", 333)).encode()),
        lambda: (log / "predictions-20260920T000000Z.jsonl.gz").write_bytes(gzip.compress(PACKED)[:-9]),
        lambda: (log / "predictions-20261001T000000Z.jsonl.zst").unlink(),
        lambda: os.truncate(log / "predictions-20261024T000000Z.jsonl", 3333),
        lambda: (tmp_path / INDEX).write_bytes(b"no index"),
        lambda: shutil.rmtree(log / ".sentimon"),
    )
    seen = set()
    same(ask)
    for number, change in enumerate(changes):
        change()
        same(ask, now=(LATE, EARLY)[number % 2])
        seen.add(ask("metrics", "--json").out)
    # Not a test of nothing: but for the input and what happens to the index, all changes show.
    assert len(seen) == len(changes) - 4


def test_a_zone_of_naive_timestamps_that_is_changed_counts_at_once(ask: Ask, log: Path) -> None:
    answers = set()
    for zone in ("UTC", "Europe/Rome", "America/New_York", "local", "Asia/Kolkata", "UTC", "local"):
        same(ask, SOME[:2], SENTIMON_LOGS__NAIVE_TIME_ZONE=zone, TZ="Europe/Rome")
        answers.add(ask(*SOME[1], SENTIMON_LOGS__NAIVE_TIME_ZONE=zone, TZ="Europe/Rome").out)
    assert len(answers) == 4


def test_a_change_of_local_time_counts_at_once(ask: Ask, log: Path) -> None:
    answers = set()
    for local in ("UTC", "Europe/Rome", "America/New_York", "XXX-5:30", "Europe/Berlin", "UTC"):
        same(ask, SOME[:2], TZ=local)
        answers.add(ask(*SOME[1], TZ=local).out)
    assert len(answers) == 4


def test_other_windows_need_no_other_index(ask: Ask, log: Path, tmp_path: Path) -> None:
    ask("metrics")
    index = (tmp_path / INDEX).read_bytes()
    for zone in ("Europe/Rome", "Asia/Kathmandu", "Australia/Lord_Howe"):
        for every in ("15m", "1h", "6h", "1w"):
            period = ("--since", "2026-10-23T10:20:00", "--until", "2026-10-27", "--tz", zone)
            same(ask, (("metrics", "--every", every, *period, "--json"),))
    assert (tmp_path / INDEX).read_bytes() == index


# Where the index is


def test_a_log_whose_folder_of_state_is_in_the_way_is_indexed_in_the_cache(
    ask: Ask, log: Path, baseline: None, tmp_path: Path
) -> None:
    # Made by the command that made the baseline.
    shutil.rmtree(log / ".sentimon")
    (log / ".sentimon").write_bytes(b"")
    cache = tmp_path / "my cache"
    same(ask, XDG_CACHE_HOME=str(cache))
    (index,) = cache.rglob("*.sqlite")
    assert index.parent.parent == cache / "sentimon"
    assert index.stat().st_mode & 0o777 == 0o600
    same(ask)
    assert len(list((tmp_path / ".cache" / "sentimon").rglob("*.sqlite"))) == 1
    (tmp_path / "file").write_bytes(b"")
    same(ask, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (log / ".sentimon").read_bytes() == b""


def test_an_index_that_is_turned_off_is_neither_made_nor_read(ask: Ask, log: Path, tmp_path: Path) -> None:
    truth = ask("metrics", "--json", SENTIMON_LOGS__INDEX="false")
    assert not (log / ".sentimon").exists()
    assert not (tmp_path / ".cache").exists()
    (tmp_path / INDEX).parent.mkdir()
    (tmp_path / INDEX).write_bytes(b"no index")
    assert ask("metrics", "--json", SENTIMON_LOGS__INDEX="false") == truth
    assert (tmp_path / INDEX).read_bytes() == b"no index"


def test_an_empty_log_and_none(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / LOGS).mkdir()
    same(ask)
    written(tmp_path / LOGS, b"")
    same(ask)
    shutil.rmtree(tmp_path / LOGS)
    same(ask)
    assert not (tmp_path / LOGS).exists()
    (tmp_path / LOGS).write_bytes(b"")
    same(ask)


# The real program


def without_time(said: Ran) -> tuple[int, str]:
    out = but_for_the_index(Said(said.code, said.out.encode(), b"")).out.decode()
    return said.code, re.sub(r'"timestamp":"[^"]*"', "", out)


def test_the_program_as_it_is_installed(run: Callable[..., Ran], log: Path, tmp_path: Path) -> None:
    for question in (("metrics", "--json"), ("logs", "status", "--json")):
        truth = without_time(run(*question, SENTIMON_LOGS__INDEX="false"))
        assert truth[0] == 0
        assert [without_time(run(*question)) for _ in range(2)] == [truth] * 2
    assert (tmp_path / INDEX).exists()


def test_each_answer_while_another_program_logs_is_that_of_a_whole_number_of_batches(
    ask: Ask, log: Path, baseline: None, tmp_path: Path
) -> None:
    before = json.loads(ask("metrics", "--json").out)["total_predictions"]
    program = (
        "import time\n"
        "from pathlib import Path\n"
        "from sentimon.config.settings import LogSettings\n"
        "from sentimon.prediction_log import rotation\n"
        "from sentimon.prediction_log.writer import LogWriter\n"
        "from tests.support.rows import START, records\n"
        "rotation.MEGABYTE = 50_000\n"
        "writer = LogWriter(Path('logs'), LogSettings(rotate_megabytes=1))\n"
        "while True: writer.append(records(2, 3, 2), now=START); time.sleep(0.004)\n"
    )
    environment = clean_environment(tmp_path)
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=environment) as writer:
        found = []
        try:
            while len(found) < 12 or found[-1] == before:
                said = ask("metrics", "--json", "--every", "4w")
                assert said.code == 0, said.err
                answer = json.loads(said.out)
                found.append(answer["total_predictions"])
                assert sum(one["total_predictions"] for one in answer["windows"]) == found[-1]
                assert writer.poll() is None
        finally:
            writer.send_signal(signal.SIGKILL)
    assert found == sorted(found)
    assert all((number - before) % 7 == 0 for number in found)
    same(ask)
