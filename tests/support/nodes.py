"""A real Ray cluster of several nodes on this machine, whose processes tests kill."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

STORE = 100_000_000
PATIENCE_SECONDS = 120


class Nodes:
    """A head without CPUs, and workers with one each."""

    def __init__(self, **environment: str) -> None:
        # Short: the paths of sockets lie below it.
        self.folder = Path(tempfile.mkdtemp(prefix="sr-"))
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONPATH": str(ROOT),
            # A lost node is noticed in seconds, not in half a minute.
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "3000",
            "RAY_health_check_failure_threshold": "3",
            # On a busy machine a node may take its time to start.
            "RAY_raylet_start_wait_time_s": str(PATIENCE_SECONDS),
            **environment,
        }
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._started: list[subprocess.Popen[str]] = []
        client = free_port()
        self.client_address = f"ray://127.0.0.1:{client}"
        ports = (f"--port={self.port}", f"--ray-client-server-port={client}")
        folder = f"--temp-dir={self.folder}"
        self._start("--head", *ports, "--num-cpus=0", "--include-dashboard=false", "--no-monitor", folder)

    def add(self) -> subprocess.Popen[str]:
        """Start a node with one CPU."""
        # That of the head sees the output of all nodes, as all are on this machine.
        return self._start(f"--address={self.address}", "--num-cpus=1", "--include-log-monitor=false")

    def newest(self) -> subprocess.Popen[str]:
        """Return the node that was started last."""
        return self._started[-1]

    def kill(self, node: subprocess.Popen[str]) -> None:
        """Kill all processes of a node at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)
        if node.stdout and not node.stdout.closed:
            node.communicate()

    def end(self) -> None:
        """Kill what is left."""
        for node in reversed(self._started):
            self.kill(node)
        shutil.rmtree(self.folder, ignore_errors=True)

    def workers(self) -> list[int]:
        """Return the processes that are at work on tasks or as actors."""
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                name = place.read_bytes()
                token = self.environment["RAY_AUTH_TOKEN"].encode()
                known = token in Path(place.parent, "environ").read_bytes()
                alive = b"State:\tZ" not in Path(place.parent, "status").read_bytes()
                if known and alive and name.startswith((b"ray::_", b"ray::Worker")):
                    found.append(int(place.parent.name))
        return sorted(found)

    def _start(self, *options: str) -> subprocess.Popen[str]:
        node = subprocess.Popen(
            [str(Path(sys.executable).with_name("ray")), "start", *options, f"--object-store-memory={STORE}",
             "--disable-usage-stats", "--block"],
            env=os.environ | self.environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        self._started.append(node)
        assert node.stdout is not None
        said = ""
        begun = time.monotonic()
        for line in node.stdout:
            said += line
            if "Ray runtime started" in line:
                return node
            assert time.monotonic() - begun < PATIENCE_SECONDS, said
        raise AssertionError(said)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def cluster(nodes: int, **environment: str) -> Iterator[Nodes]:
    """Start a cluster of so many nodes with a CPU, and end it."""
    started = Nodes(**environment)
    try:
        for _ in range(nodes):
            started.add()
        yield started
    finally:
        started.end()
