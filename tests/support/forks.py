"""Runs of the program in processes that are forked from one that has the libraries loaded."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parent.parent.parent
_READ_WHILE_LOADING = ("PYTHON", "LD_", "OMP_", "MKL_", "OPENBLAS_", "ORT_", "MALLOC_")
"""What Python and the libraries read once, when they are loaded."""
_START_SECONDS = 0.06
"""No program starts sooner after a file was written; an index takes up none changed in the 50 ms before."""


class ForkServer:
    """One such process; it ends with this one."""

    def __init__(self, environment: Mapping[str, str], *, torch: bool, libraries: Sequence[str] = ()) -> None:
        self._loaded_with = _read_while_loading(environment)
        # A process of several threads cannot be forked.
        settings = {"OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Pipes, as the streams of a run are.
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.fork_server",
                str(theirs.fileno()),
                *["torch"][:torch],
                *libraries,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            cwd=_ROOT,
            env={**environment, **settings},
        )
        theirs.close()
        atexit.register(self._end)

    def _end(self) -> None:
        self._control.close()
        self._process.communicate()

    def takes(self, environment: Mapping[str, str]) -> bool:
        """Whether a run in this environment finds the libraries as if it had loaded them itself."""
        given = _read_while_loading(environment)
        return given == self._loaded_with or given == self._loaded_with | {"OMP_NUM_THREADS": "1"}

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdin: bytes,
        timeout: float,
    ) -> tuple[int, bytes, bytes]:
        """Return the exit code, as `subprocess` has it, and the bytes on stdout and stderr."""
        time.sleep(_left_to_wait(folder, arguments))
        ours, theirs = socket.socketpair()
        pipes = [os.pipe() for _ in range(3)]
        (its_in, to_in), (from_out, its_out), (from_err, its_err) = pipes
        given = (its_in, its_out, its_err)
        request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        with (
            ours,
            os.fdopen(to_in, "wb") as source,
            os.fdopen(from_out, "rb") as out,
            os.fdopen(from_err, "rb") as err,
        ):
            socket.send_fds(self._control, [b"."], [*given, theirs.fileno()])
            theirs.close()
            for descriptor in given:
                os.close(descriptor)
            ours.sendall(json.dumps(request).encode())
            ours.shutdown(socket.SHUT_WR)
            ours.settimeout(timeout)
            with ThreadPoolExecutor(3) as threads, ours.makefile("r") as answers:
                threads.submit(_feed, source, stdin)
                said = [threads.submit(stream.read) for stream in (out, err)]
                number = int(answers.readline())
                try:
                    code = int(answers.readline())
                except BaseException:
                    os.kill(number, signal.SIGKILL)
                    raise
                return code, said[0].result(), said[1].result()


def _feed(stream: IO[bytes], content: bytes) -> None:
    # A program need not read to the end.
    try:
        stream.write(content)
        stream.close()
    except BrokenPipeError:
        pass


def _left_to_wait(folder: Path, arguments: Sequence[str]) -> float:
    """Return the seconds until the logs in the folder are as old as a program that starts finds them."""
    if any(one.startswith(("/", "..")) for one in arguments):
        return _START_SECONDS
    changed = [path.lstat().st_ctime for path in folder.rglob("*.jsonl*")]
    left = max(changed, default=0.0) + _START_SECONDS - time.time()
    return min(max(left, 0.0), _START_SECONDS)


def _read_while_loading(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_WHILE_LOADING)}


@functools.cache
def fork_server(*, torch: bool, libraries: tuple[str, ...] = ()) -> ForkServer:
    """Return the one of this process that has these loaded, too; it starts when it is first asked for."""
    from tests.conftest import clean_environment

    return ForkServer(clean_environment(_ROOT), torch=torch, libraries=libraries)
