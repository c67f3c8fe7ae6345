"""The wheel: built, installed where there is no checkout, and run."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_model_and_the_sample_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("model.onnx", "tokenizer.json", "config.json", "MODEL_CARD.md"):
        assert f"sentimon/scoring/default_model/{name}" in names
    assert "sentimon/sample/before.jsonl" in names
    assert "sentimon/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_the_wheel_runs_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True, capture_output=True
    )
    # Its dependencies, minutes to install, are borrowed from here; the wheel itself is found first.
    site = next(home.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    environment = clean_environment(tmp_path)
    del environment["PYTHONPATH"]
    where = subprocess.run(
        [python, "-c", "import sentimon; print(sentimon.__file__)"],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=True,
    )  # fmt: skip
    assert where.stdout.strip().startswith(str(site))
    done = subprocess.run(
        [home / "bin" / "sentimon", "predict", "I love this", "--json"],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=True,
    )  # fmt: skip
    assert '"sentiment":"positive"' in done.stdout
