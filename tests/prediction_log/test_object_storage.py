"""A log on object storage: a real server that speaks S3, on this machine, and the real program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Ran, runner
from tests.support.logs import write_log
from tests.support.nodes import free_port

pytest.importorskip("moto")
pytest.importorskip("s3fs")

ACCESS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
QUESTIONS = [
    ("metrics",),
    ("metrics", "--every", "1d", "--since", "2026-09-02T10:30:00Z"),
    ("metrics", "--by", "@length", "--since", "2026-09-02T10:30:00Z"),
    ("metrics", "--where", "@length=20-49"),
    ("baseline", "create", "--until", "2026-09-10", "--force"),
    ("logs", "query", "--limit", "3"),
    ("logs", "status"),
]
_FILES = "import sys, s3fs; files = s3fs.S3FileSystem(); "
SEALED = "predictions-20260910T000000Z.jsonl"


class Server:
    """An S3 server in a process of its own, which writes down what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.environment = ACCESS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        self._said = folder / "server.log"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("moto_server")), "-p", str(self.port)],
                stdout=said,
                stderr=said,
                env=os.environ | ACCESS,
            )
        self.do("files.mkdir('bucket')")

    def do(self, program: str, *arguments: str) -> None:
        """Run some Python with `files`, the file system of the server, and `sys`.

        In a process: its event loop would outlive the test.
        """
        for _ in range(200):
            done = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"import sys, s3fs; files = s3fs.S3FileSystem(); {program}",
                    *arguments,
                ],
                env=os.environ | self.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if "Could not connect" not in done.stderr:
                break
            time.sleep(0.1)
        assert done.returncode == 0, done.stderr

    def put(self, folder: Path, name: str) -> str:
        """Store the files of a folder, and return their address."""
        self.do("files.put(sys.argv[1], 'bucket/' + sys.argv[2] + '/', recursive=True)", f"{folder}/", name)
        return f"s3://bucket/{name}"

    def reads(self, ending: str) -> int:
        """Return how many ranges were read of objects whose names end so."""
        return len(re.findall(rf'GET /bucket/[^" ]*{re.escape(ending)}[ ?]', self._said.read_text()))

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    started.end()


@pytest.fixture
def ask(tmp_path: Path, server: Server) -> Callable[..., Ran]:
    run = runner(tmp_path, libraries=("s3fs",))
    return lambda *arguments, **more: run(*arguments, **(server.environment | more))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that nobody changes."""
    return write_log(tmp_path_factory.mktemp("written") / "logs", copies=1, rows=3_000)


@pytest.fixture
def log(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "logs")


@pytest.fixture(scope="module")
def stored(server: Server, written: Path) -> Callable[[tuple[str, ...]], str]:
    """Return the address of a copy of the log that is read for one question alone."""
    names = {question: "_".join(question).replace(":", "") for question in QUESTIONS}
    server.do(
        "[files.put(sys.argv[1], 'bucket/' + name + '/', recursive=True) for name in sys.argv[2:]]",
        f"{written}/",
        *names.values(),
    )
    return lambda question: f"s3://bucket/{names[question]}"


def without_places(text: str, place: object) -> str:
    text = re.sub(r"\S*baseline\.json", "BASELINE", text)
    # The two are asked one after the other.
    text = re.sub(r"[\d-]+ \d\d:\d\d UTC from", "NOW from", text)
    # Lines break where the name is longer.
    text = " ".join(re.sub(rf"\b{place}\b(?!\.)", "LOG", text).split())
    return re.sub(r"Index:.*", "", text)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_the_answer_is_that_of_a_folder(
    ask: Callable[..., Ran], stored: Callable[[tuple[str, ...]], str], log: Path, question: tuple[str, ...]
) -> None:
    address = stored(question)
    here, there = ask(*question, "--logs", "logs"), ask(*question, "--logs", address)
    assert here.code == there.code == 0, there.err
    assert without_places(there.out, address) == without_places(here.out, "logs")
    assert without_places(there.err, address) == without_places(here.err, "logs")


def test_baseline_and_monitor_of_such_a_log_are_kept_for_the_user(
    ask: Callable[..., Ran], server: Server, log: Path, tmp_path: Path
) -> None:
    address = server.put(log, "state")
    assert ask("baseline", "create", "--logs", address, "--until", "2026-09-10").code == 0
    drift = ask("drift", "--logs", f"{address}/")
    assert drift.code == 0
    assert "Stable" in drift.out
    assert ask("retrain-check", "--logs", address, "--save").code in (0, 3)
    (baseline,) = tmp_path.glob(".local/state/sentimon/*/baseline.json")
    assert (baseline.parent / "retraining_triggers.jsonl").exists()
    elsewhere = {"SENTIMON_LOGS__STATE_DIR": str(tmp_path / "mine")}
    assert ask("baseline", "create", "--logs", address, **elsewhere).code == 0
    assert (tmp_path / "mine/baseline.json").exists()


def test_what_one_machine_has_read_another_does_not_read_again(
    ask: Callable[..., Ran], server: Server, log: Path, tmp_path: Path
) -> None:
    address = server.put(log, "shared")
    ask("metrics", "--logs", address)
    first = ask("metrics", "--by", "@length", "--logs", address)
    reads = server.reads(f"shared/{SEALED}")
    assert reads > 0
    another = {"XDG_CACHE_HOME": str(tmp_path / "another")}
    second = ask("metrics", "--by", "@length", "--logs", address, **another)
    assert (second.out, second.err) == (first.out, first.err)
    assert server.reads(f"shared/{SEALED}") == reads
    # A zone of naive timestamps that is another one makes other sums of them.
    ask("metrics", "--logs", address, XDG_CACHE_HOME=str(tmp_path / "third"), TZ="Asia/Tokyo")
    assert server.reads(f"shared/{SEALED}") > reads


def test_an_object_written_anew_is_read_anew_and_one_removed_is_gone(
    ask: Callable[..., Ran], server: Server, log: Path
) -> None:
    address = server.put(log, "changing")
    assert ask("metrics", "--logs", address).code == 0
    segment = log / SEALED
    segment.write_bytes(segment.read_bytes().replace(b"positive", b"negative", 1))
    assert server.put(log, "changing") == address
    assert ask("metrics", "--logs", address).out == ask("metrics", "--logs", "logs").out
    segment.unlink()
    server.do("files.rm(sys.argv[1])", f"bucket/changing/{SEALED}")
    assert ask("metrics", "--logs", address).out == ask("metrics", "--logs", "logs").out


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, b"\0\0\0\0\x95"])
def test_what_is_kept_beside_an_object_may_be_damaged_or_gone(
    ask: Callable[..., Ran], server: Server, log: Path, tmp_path: Path, damage: bytes
) -> None:
    address = server.put(log, "damaged")
    first = ask("metrics", "--logs", address)
    kept = f"bucket/damaged/.sentimon/rollup/{SEALED}.msgpack"
    server.do(
        "files.info(sys.argv[1]); files.pipe_file(sys.argv[1], bytes.fromhex(sys.argv[2]))",
        kept,
        damage.hex(),
    )
    second = ask("metrics", "--logs", address, XDG_CACHE_HOME=str(tmp_path / "another"))
    assert (second.out, second.err) == (first.out, first.err)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("s3://bucket/nothing-here", "there is nothing there"),
        ("s3://no-such-bucket/logs", "there is nothing there"),
        ("s9://bucket/logs", "s9:// cannot be reached"),
        ("s3://", "s3://"),
    ],
)
def test_a_place_that_cannot_be_read_is_named(ask: Callable[..., Ran], address: str, says: str) -> None:
    done = ask("metrics", "--logs", address)
    assert done.code in (1, 2)
    assert says in done.err
    assert "hint:" in done.err
    assert "Traceback" not in done.err


def test_a_server_that_is_not_there_is_named(run: Callable[..., Ran]) -> None:
    # Asked once: by itself the library asks again for ten seconds.
    nowhere = ACCESS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    done = run("metrics", "--logs", "s3://bucket/logs", **nowhere)
    assert done.code == 1
    assert "s3://bucket/logs: cannot be reached" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "command",
    [
        ("log", "hello"),
        ("logs", "prune", "--keep-days", "1"),
        ("logs", "erase", "--id", "1"),
        ("logs", "repair"),
        ("watch",),
    ],
    ids=" ".join,
)
def test_what_writes_needs_a_folder(ask: Callable[..., Ran], command: tuple[str, ...]) -> None:
    done = ask(*command, "--logs", "s3://bucket/logs")
    assert done.code == 2
    assert "this command works on a log of this machine" in done.err
