"""An installation without extras does all but what an extra is for, and says that in a sentence."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sentimon.errors import ExitCode, MissingPackageError
from sentimon.evaluation.datasets import load_labelled
from sentimon.extras import EXTRA_OF, TRAINING, TRANSFORMERS, is_installed, require
from sentimon.finetuning.working_folder import SUFFIX
from tests.conftest import ROOT, clean_environment
from tests.support.rows import rows

PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
SAMPLE = ROOT / "sentimon" / "sample"
MODULES = sorted((ROOT / "sentimon").rglob("*.py"))
DISTRIBUTIONS = {"upath": "universal-pathlib"}
ALWAYS_THERE = {"backports", "click"}
"""Under the name of one package that is required, or required by one."""

BASE_ALONE = """
import json, sys

class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT = set(sys.argv[1].split())
sys.meta_path.insert(0, Absent)
from sentimon.cli.app import run

codes = {}
for words in json.loads(sys.argv[2]):
    sys.argv = ["sentimon", *words]
    sys.stderr.write(f"$ {words}\\n")
    sys.stderr.flush()
    try:
        run()
        code = 0
    except SystemExit as leaving:
        code = leaving.code or 0
    sys.stderr.write(f"{int(code)}\\n")
assert not ABSENT & set(sys.modules)
"""
"""Runs commands, one after another, where some packages cannot be imported."""


def without(*packages: str, commands: list[list[str]], folder: Path) -> list[tuple[int, str]]:
    """The exit code of each command, and what it says on stderr, where `packages` are not installed."""
    done = subprocess.run(
        [sys.executable, "-c", BASE_ALONE, " ".join(packages), json.dumps(commands)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=clean_environment(folder) | {"SENTIMON_ENGINE__SMALLEST_TEXTS": "0"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^\$ \[.*\]\n((?:.*\n)*?)(\d+)$", done.stderr, re.MULTILINE)
    return [(int(code), said) for said, code in found]


def test_what_counts_and_scores_with_the_model_that_ships_needs_no_extra(tmp_path: Path) -> None:
    (tmp_path / "scored.jsonl").write_text(rows(30, 20, 50, model="m"), encoding="utf-8")
    (tmp_path / "texts.csv").write_text("id,text\n1,I love this\n2,I hate this\n", encoding="utf-8")
    some = (SAMPLE / "after.jsonl").read_text(encoding="utf-8").split("\n")[:12]
    (tmp_path / "gold.jsonl").write_text("\n".join(some), encoding="utf-8")
    commands = [
        ["predict", "I love this"],
        ["predict", "-i", "texts.csv", "--output", "scored.csv"],
        ["log", "a text of today", "--logs", "other"],
        ["log", "--input", "scored.jsonl"],
        ["metrics", "--every", "1h"],
        ["baseline", "create"],
        ["drift"],
        ["retrain-check", "--save"],
        ["report"],
        ["evaluate", "--data", "gold.jsonl", "--by", "@length"],
        ["compare", "sentimon-default", "sentimon-default", "--data", "gold.jsonl"],
        ["calibrate", "--data", "gold.jsonl", "--output", "calibration.json"],
        ["logs", "query", "--limit", "1"],
        ["logs", "verify"],
        ["label", "next", "--output", "next.csv"],
        ["export", "prometheus"],
        ["doctor"],
        ["config"],
    ]
    allowed = {ExitCode.OK, ExitCode.FINDING, ExitCode.NO_VERDICT}
    for words, (code, said) in zip(
        commands, without(*EXTRA_OF, commands=commands, folder=tmp_path), strict=True
    ):
        assert code in allowed, (words, said)


def needing_an_extra(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """A command for each door, with the extra that it needs and what it says."""
    for name in ("a.parquet", "a.arrow", "a.xlsx"):
        (folder / name).write_bytes(b"anything")
    (folder / "texts.csv").write_text("text\nI love this\n", encoding="utf-8")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint/config.json").write_text("{}", encoding="utf-8")
    (folder / "notify.urls").write_text("json://localhost\n", encoding="utf-8")
    (folder / "notify.toml").write_text('[notify]\nurls_file = "notify.urls"\n', encoding="utf-8")
    data = str(SAMPLE / "after.jsonl")
    return {
        "a.parquet: Parquet needs pyarrow": ("data", ["predict", "-i", "a.parquet"]),
        "a.arrow: Arrow needs pyarrow": ("data", ["log", "--input", "a.arrow"]),
        "a.xlsx: a workbook needs python_calamine": ("xlsx", ["evaluate", "--data", "a.xlsx"]),
        "out.parquet: Parquet needs pyarrow": ("data", ["logs", "query", "--output", "out.parquet"]),
        "no such file, and a data set of": ("data", ["evaluate", "--data", "owner/name"]),
        "no such folder, and a model of": ("transformers", ["predict", "--model", "owner/name", "x"]),
        "checkpoint: a model of transformers": ("transformers", ["predict", "--model", "checkpoint", "x"]),
        "training needs torch, transformers, safetensors, huggingface_hub, onnx, which are": (
            "train", ["retrain", "--data", data, "--output", "new"],
        ),
        "the Ray engine needs ray": ("ray", ["predict", "-i", "texts.csv", "--engine", "ray"]),
        "s3://bucket/logs needs s3fs, upath": ("s3", ["metrics", "--logs", "s3://bucket/logs"]),
        "gs://bucket/logs needs gcsfs, upath": ("gcs", ["metrics", "--logs", "gs://bucket/logs"]),
        "a message to a service needs apprise": (
            "notify", ["doctor", "--notify-test", "--config", "notify.toml"],
        ),
        "--by: @language needs py3langid": ("language", ["evaluate", "--data", data, "--by", "@language"]),
    }  # fmt: skip


def test_what_needs_an_extra_says_the_line_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "scored.jsonl").write_text(rows(1, 1, 1, model="m"), encoding="utf-8")
    wanted = needing_an_extra(tmp_path)
    commands = [["log", "--input", "scored.jsonl"], *(words for _, words in wanted.values())]
    (code, _), *found = without(*EXTRA_OF, commands=commands, folder=tmp_path)
    assert code == ExitCode.OK
    for (message, (extra, words)), (code, said) in zip(wanted.items(), found, strict=True):
        assert code == ExitCode.FAILURE, (words, said)
        error, hint = said.rstrip("\n").split("\n")
        assert error.startswith("error: "), words
        assert message in error
        assert error.endswith((", which is not installed", ", which are not installed")), error
        assert hint.startswith(f"hint: pip install 'sentimon[{extra}]'"), hint
    assert {extra for extra, _ in wanted.values()} == set(EXTRA_OF.values())
    assert not [
        one for one in tmp_path.iterdir() if one.name.startswith(("out", "new")) or one.suffix == SUFFIX
    ]


def test_a_folder_that_is_not_there_needs_no_extra_to_be_said(tmp_path: Path) -> None:
    ((code, said),) = without(*EXTRA_OF, commands=[["predict", "--model", "./nowhere", "x"]], folder=tmp_path)
    assert (code, said.split("\n")[0]) == (ExitCode.FAILURE, "error: ./nowhere: no such folder")


def test_all_that_is_missing_is_named_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        MissingPackageError, match=r"^it needs torch, onnx, which are not installed$"
    ) as caught:
        require("it", *TRAINING, extra="train", instead="leave it")
    assert caught.value.hint == "pip install 'sentimon[train]', or leave it"
    with pytest.raises(MissingPackageError, match=r"^it needs torch, which is not installed$") as caught:
        require("it", *TRANSFORMERS)
    assert caught.value.hint == "pip install 'sentimon[transformers]'"
    require("it", "json", "safetensors")


def test_the_library_raises_what_the_command_line_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert not is_installed("datasets")
    with pytest.raises(MissingPackageError, match="owner/name: no such file"):
        load_labelled("owner/name")


@cache
def packages_imported(path: Path) -> frozenset[tuple[str, bool]]:
    """Each package that a module imports, and whether it does so when it is loaded itself."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[tuple[str, bool]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_once = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from ((name.split(".")[0], id(node) in at_once) for name in names)


def distribution(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].replace("_", "-")


def test_every_package_is_of_the_base_or_of_an_extra() -> None:
    base = {distribution(one).replace("-", "_") for one in PROJECT["dependencies"]}
    own = {*sys.stdlib_module_names, "sentimon", *base, *ALWAYS_THERE}
    used = {(name, path) for path in MODULES for name, _ in packages_imported(path) if name not in own}
    assert not {(name, path) for name, path in used if name not in EXTRA_OF and name != "compression"}
    for package, extra in EXTRA_OF.items():
        name = DISTRIBUTIONS.get(package, package.replace("_", "-"))
        assert name in {distribution(one) for one in EXTRAS[extra]}, (package, extra)


def test_only_what_loads_behind_a_door_imports_a_package_of_an_extra_at_once() -> None:
    behind = {"finetuning", "transformers_backend", "pretrained_model", "tokenisation"}
    for path in MODULES:
        at_once = {name for name, now in packages_imported(path) if now and name in EXTRA_OF}
        assert not at_once or behind & {path.parent.name, path.stem}, (path, at_once)


def test_the_extra_all_is_every_extra_and_dev_is_all_of_them() -> None:
    (every,) = EXTRAS["all"]
    named = set(every.removeprefix("sentimon[").removesuffix("]").split(","))
    assert named == set(EXTRAS) - {"all", "dev", "docs", "excel"}
    assert "sentimon[all,docs]" in EXTRAS["dev"]
