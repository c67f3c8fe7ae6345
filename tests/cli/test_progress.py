import os
import pty
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import clean_environment
from tests.support.rows import rows


def run_slowly(folder: Path, *, terminal: bool) -> tuple[bytes, bytes]:
    """Log rows that come in over more than a second; return (stdout, stderr)."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sentimon", "log", "--input", "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=slave if terminal else subprocess.PIPE,
        cwd=folder,
        env=clean_environment(folder) | {"TERM": "xterm"},
    )
    os.close(slave)
    assert process.stdin is not None
    process.stdin.write(rows(600, 0, 0).encode())
    process.stdin.flush()
    time.sleep(1.5)
    process.stdin.write(rows(600, 0, 0).encode())
    out, err = process.communicate(timeout=60)
    if terminal:
        err = b""
        try:
            while piece := os.read(master, 4096):
                err += piece
        except OSError:
            pass
    os.close(master)
    assert process.returncode == 0
    return out, err


def test_a_terminal_sees_progress_on_what_takes_longer_than_a_second(tmp_path: Path) -> None:
    out, err = run_slowly(tmp_path, terminal=True)
    assert b"rows read" in err
    assert out.startswith(b'{"logged":1200')
    assert out.count(b"\n") == 1


def test_a_pipe_sees_none(tmp_path: Path) -> None:
    out, err = run_slowly(tmp_path, terminal=False)
    assert err == b""
    assert out.startswith(b'{"logged":1200')
