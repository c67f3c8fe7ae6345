"""A process that has the program and its libraries loaded, and forks one for each run.

To load them is nine tenths of a short run. Started by `tests.support.forks`.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import socket
import sys
import threading
import time
from collections.abc import Iterable

import sentimon
from sentimon.cli import notify

_PROGRAMS = ("sentimon.__main__", "sentimon.sample")
"""What runs when it is loaded."""
_USED = (
    "sentimon.scoring.onnx_backend",
    "sentimon.scoring.scorer",
    "encodings.ascii",
    "multiprocessing.spawn",
    "numpy.random",
    "rich.progress",
    "rich.table",
    "typer._adapters",
    "typer._click._textwrap",
    "typer._click.decorators",
    "typer.main",
    "zoneinfo",
)
"""What else a run without torch loads, at its beginning or where it needs it."""
_NEED_TORCH = ("sentimon.finetuning", "sentimon.scoring")
"""They alone load torch, on whose pages each fork would spend a third more."""


def load(*, torch: bool, libraries: Iterable[str] = ()) -> None:
    """Import the program and what it needs; what is there now no run has to look through for garbage."""
    passed = _PROGRAMS if torch else (*_PROGRAMS, *_NEED_TORCH)
    for module in pkgutil.walk_packages(sentimon.__path__, "sentimon."):
        if not module.name.startswith(passed):
            importlib.import_module(module.name)
    for name in (*_USED, *libraries):
        importlib.import_module(name)
    if torch:
        importlib.import_module("transformers.models.auto.modeling_auto")
    gc.collect()
    gc.freeze()


def serve(control: socket.socket) -> list[str] | None:
    """Fork for each run; return in the new process the arguments of the run, and None at the end."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for ready in select.select([control, *running], [], [])[0]:
            if ready is not control:
                number, asking = running.pop(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
                os.close(ready)
                _say(asking, code)
                asking.close()
                continue
            message, given, _, _ = socket.recv_fds(control, 1, 4)
            if not message:
                return None
            asking = socket.socket(fileno=given.pop())
            number = os.fork()
            if not number:
                for handle, (_, other) in running.items():
                    os.close(handle)
                    other.close()
                control.close()
                return _become(asking, given)
            for descriptor in given:
                os.close(descriptor)
            _say(asking, number)
            running[os.pidfd_open(number)] = (number, asking)


def _say(asking: socket.socket, number: int) -> None:
    # Who asked may have given up.
    with contextlib.suppress(OSError):
        asking.sendall(b"%d\n" % number)


def _become(asking: socket.socket, streams: list[int]) -> list[str]:
    """Take over the streams, the folder and the environment of a run; return its arguments."""
    with asking.makefile("rb") as request:
        wanted = json.load(request)
    asking.close()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    notify._GIVEN = dict(os.environ)
    # As `python -m` has it.
    sys.path[0] = wanted["folder"]
    arguments: list[str] = wanted["arguments"]
    return arguments


def _run(arguments: list[str]) -> None:
    """Run the program; the process ends with its exit code."""
    sys.argv = ["sentimon", *arguments]
    try:
        runpy.run_module("sentimon", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        if not isinstance(leaving.code, int | None):
            raise
        code = leaving.code or 0
    # What the interpreter does at its end, without freeing the libraries: that is most of a short run.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    load(torch="torch" in sys.argv[2:], libraries=[name for name in sys.argv[2:] if name != "torch"])
    words = serve(socket.socket(fileno=int(sys.argv[1])))
    if words is not None:
        _run(words)
