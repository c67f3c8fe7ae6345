"""The loop on the sample, every step the program itself; the figures are those of benchmarks/loop.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment


@pytest.mark.slow
def test_the_loop_walks_from_drift_to_a_promotion_or_a_refusal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/loop.py"],
        # Two threads of torch on two cores that other tests share take three times as long as one.
        env=clean_environment(tmp_path) | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "drift found" in done.stdout
    for strategy in ("uncertain", "random", "drifted", "diverse"):
        assert f"| 80 {strategy} | " in done.stdout
    assert "promoted: model-" in done.stdout or ": refused (" in done.stdout
