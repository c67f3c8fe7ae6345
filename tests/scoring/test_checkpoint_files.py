"""The way from a hub id to files, against a hub that runs in this process, on the loopback address."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMIT = "3216a57f2a0d9c45a2e6c90157c20c49fb4bf9c7"
SMALL = {
    "config.json": b"{}",
    "vocab.json": b"{}",
    "merges.txt": b"#version: 0.2\n",
    "README.md": b"# A model",
}
BIN = {
    "pytorch_model.bin": b"pickled",
    "tf_model.h5": b"tf",
    "onnx/model.onnx": b"onnx",
    "onnx/config.json": b"{}",
}
MODELS = {
    "someone/bin": {**SMALL, **BIN},
    "someone/both": {**SMALL, **BIN, "model.safetensors": b"safe", "model.fp16.safetensors": b"half"},
    "someone/shards": {
        **SMALL,
        "model.safetensors.index.json": b"{}",
        "model-00001-of-00002.safetensors": b"one",
        "model-00002-of-00002.safetensors": b"two",
    },
    "someone/empty": {"README.md": b"# Nothing"},
    "someone/no-weights": SMALL,
}
PROGRAM = """
import sys
from pathlib import Path
from sentimon.errors import ModelError
from sentimon.scoring.checkpoint_files import fetch_weights, find_checkpoint
try:
    found = find_checkpoint(*sys.argv[1:])
    fetch_weights(found)
    print(found.revision, *sorted(path.name for path in Path(found.folder).rglob("*") if path.is_file()))
except ModelError as error:
    print(error.message, error.hint, sep=" | ")
"""


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's interface as a download needs."""

    requests: list[str]

    def do_GET(self) -> None:
        self.requests.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0].lstrip("/")
        api = path.startswith("api/models/")
        name = "/".join(path.removeprefix("api/models/").split("/")[:2])
        rest = path.removeprefix("api/models/").split("/")[2:]
        files = MODELS.get(name)
        if name == "someone/gated":
            self.answer(403, error="GatedRepo")
        elif files is None:
            self.answer(404, error="RepoNotFound")
        elif rest[1] not in ("main", "v1", COMMIT):
            self.answer(404, error="RevisionNotFound")
        elif api:
            siblings = [{"rfilename": file} for file in files]
            tree = [{"type": "file", "path": file, "size": len(files[file]), "oid": "0"} for file in files]
            found = tree if rest[0] == "tree" else {"id": name, "sha": COMMIT, "siblings": siblings}
            self.answer(200, json.dumps(found).encode())
        else:
            self.answer(200, files["/".join(rest[2:])])

    do_HEAD = do_POST = do_GET  # noqa: N815 -- names of the standard library

    def answer(self, status: int, body: bytes = b"{}", *, error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if error:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
def hub(requests: list[str]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Recording", (Hub,), {"requests": requests}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(endpoint: str, cache: Path, *arguments: str, **environment: str) -> str:
    """Return what is found for a name (and a revision) at this endpoint, in a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={
            **kept,
            "HF_ENDPOINT": endpoint,
            "HF_HUB_CACHE": str(cache),
            "NO_PROXY": "127.0.0.1",
            **environment,
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_bin_is_fetched_where_there_is_nothing_else_and_nobody_is_asked_to_convert_it(
    hub: str, requests: list[str], tmp_path: Path
) -> None:
    found = ask(hub, tmp_path, "someone/bin", HF_TOKEN="hf_secret")
    assert found == f"{COMMIT} config.json merges.txt pytorch_model.bin vocab.json"
    assert not [one for one in requests if one.startswith("POST") or "discussions" in one]


def test_safetensors_are_fetched_and_the_pickle_beside_them_is_not(
    hub: str, requests: list[str], tmp_path: Path
) -> None:
    found = ask(hub, tmp_path, "someone/both", "v1")
    assert found == f"{COMMIT} config.json merges.txt model.safetensors vocab.json"
    assert not [one for one in requests if "pytorch_model.bin" in one]


def test_weights_in_shards_are_fetched(hub: str, tmp_path: Path) -> None:
    found = ask(hub, tmp_path, "someone/shards").split()
    assert [one for one in found if one.startswith("model-0000")] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]


def test_a_download_that_was_interrupted_is_completed(hub: str, tmp_path: Path) -> None:
    found = ask(hub, tmp_path, "someone/shards")
    (lost,) = tmp_path.rglob("snapshots/*/model-00002-of-00002.safetensors")
    lost.unlink()
    assert ask(hub, tmp_path, "someone/shards") == found


def test_what_was_fetched_once_is_found_again_without_the_hub(hub: str, tmp_path: Path) -> None:
    found = ask(hub, tmp_path, "someone/bin")
    nowhere = "http://127.0.0.1:9"
    assert ask(nowhere, tmp_path, "someone/bin") == found
    assert ask(nowhere, tmp_path, "someone/bin", COMMIT, HF_HUB_OFFLINE="1") == found


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("someone/gated",), "someone/gated is gated on HuggingFace | accept its terms"),
        (
            ("someone/nothing",),
            "someone/nothing: no such model on HuggingFace, and no such folder | check the spelling",
        ),
        (("someone/bin", "v9"), "someone/bin has no revision 'v9' | give a branch, tag or commit"),
        (("someone/empty",), "someone/empty holds no config.json | name a transformers model"),
        (("someone/no-weights",), "someone/no-weights holds no weights | it needs model.safetensors"),
    ],
)
def test_what_the_hub_refuses_is_said_in_one_line_with_a_hint(
    hub: str, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    assert ask(hub, tmp_path, *arguments).startswith(says)


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_hub_that_cannot_be_reached_is_said_in_one_line_with_a_hint(tmp_path: Path, offline: str) -> None:
    said = ask("http://127.0.0.1:9", tmp_path, "someone/bin", HF_HUB_OFFLINE=offline)
    assert said.startswith(
        "someone/bin is not a folder, not in the local HuggingFace cache, and cannot be downloaded | "
    )
