"""Checks of text for Prometheus."""

from __future__ import annotations

import shutil
import subprocess

import pytest

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="PROMTOOL IS MISSING: nobody checked what Prometheus reads; install Debian's package prometheus",
)


def check_metrics(text: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
