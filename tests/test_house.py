"""The house rules, read off the source: who may import whom, and how large things may grow."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment
from tests.support.loaded_modules import HEAVY, loaded_by

PACKAGE = ROOT / "sentimon"
ROOMS = [
    "errors", "extras", "interrupts", "labels", "files", "jsonl", "csv_cells", "compression", "config",
    "timestamps", "ingest", "scoring", "prediction_log", "statistics", "monitoring", "gold_labels",
    "evaluation", "finetuning", "reporting", "engine", "workflows", "compat", "cli",
]  # fmt: skip
FENCES = {
    "typer": {"cli"},
    "rich": {"reporting", "cli"},
    "torch": {"scoring", "finetuning"},
    "transformers": {"scoring", "finetuning"},
    "onnxruntime": {"scoring"},
    "ray": {"engine"},
    "recipes": set(),
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
RECIPES = sorted((ROOT / "recipes").rglob("*.py"))
RECIPE_ROOMS = {"errors", "labels", "scoring", "statistics", "evaluation", "finetuning"}
"""What a recipe may use of the package: torch it may import itself."""


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports(path: Path) -> Sequence[str]:
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.append(node.module or "")
            found += [f"{node.module}.{alias.name}" for alias in node.names if node.module == "sentimon"]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_to_its_left(path: Path) -> None:
    room = room_of(path)
    if room not in ROOMS:
        # The face of the package and its entry point; the sample starts the program as a process.
        assert room in ("__init__", "__main__", "sample")
        return
    for name in imports(path):
        if name.startswith("sentimon."):
            other = name.split(".")[1]
            assert other == room or ROOMS.index(other) < ROOMS.index(room), f"{path} imports {name}"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_recipe_uses_nothing_of_the_package_but_models_and_their_training(path: Path) -> None:
    used = {name.split(".")[1] for name in imports(path) if name.startswith("sentimon.")}
    assert used <= RECIPE_ROOMS
    assert not {name.split(".")[0] for name in imports(path)} & {"typer", "rich", "ray"}


def test_no_module_of_finetuning_or_of_a_recipe_imports_one_that_imports_it() -> None:
    paths = [path for path in MODULES if room_of(path) == "finetuning"] + RECIPES
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    left = {name: {one for one in imports(path) if one in names} for name, path in names.items()}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_stays_behind_its_fence(path: Path) -> None:
    for name in imports(path):
        library = name.split(".")[0]
        assert room_of(path) in FENCES.get(library, {room_of(path)}), f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 450
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 65, f"{path}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_onnx_runtime_is_loaded_in_one_place_which_silences_it(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imports(path)}
    assert "onnxruntime" not in libraries or path == PACKAGE / "scoring" / "onnx_runtime.py"


@pytest.mark.parametrize("command", ["--help", "metrics", "drift", "retrain-check", "baseline", "config"])
def test_commands_that_only_count_load_nothing_heavy(command: str, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    arguments = ("baseline", "show") if command == "baseline" else (command,)
    loaded = loaded_by(*arguments, folder=tmp_path)
    assert "sentimon" in loaded
    assert not loaded & HEAVY


def test_a_default_that_is_a_path_is_not_checked_by_pydantic(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    assert "pydantic" not in loaded_by("report", folder=tmp_path)


@pytest.mark.parametrize("model", ["empty", "./nowhere"])
def test_a_folder_that_is_no_model_is_said_before_torch_is_loaded(tmp_path: Path, model: str) -> None:
    (tmp_path / "empty").mkdir()
    loaded = loaded_by("predict", "--model", model, "x", folder=tmp_path)
    assert "sentimon.scoring.checkpoint_files" in loaded
    assert not loaded & {"torch", "transformers", "huggingface_hub"}


def test_scoring_a_text_loads_nothing_of_monitoring(tmp_path: Path) -> None:
    loaded = loaded_by("predict", "x", folder=tmp_path)
    assert "sentimon.reporting.prediction_table" in loaded
    assert "sentimon.monitoring" not in loaded


def test_importing_the_package_loads_nothing_of_ours_and_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys, sentimon; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=clean_environment(tmp_path),
        check=True,
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("sentimon")} == {"sentimon"}
    assert not loaded & (HEAVY | {"rich", "typer", "msgspec"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_free_pickle_and_no_remote_code(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for danger in ("pickle.load", "Unpickler(", "joblib", "weights_only=False", "trust_remote_code=True"):
        assert danger not in source
