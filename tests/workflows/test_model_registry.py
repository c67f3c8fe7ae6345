import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentimon.errors import ModelError, StoreError, UsageError
from sentimon.workflows import model_registry as registry
from sentimon.workflows.model_registry import promote_model, read_registry, roll_back
from tests.conftest import clean_environment

FACTS = {"timestamp": "2026-11-24T12:00:00Z", "who": "anna", "why": "more Italian"}


def model(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "model.onnx").write_text(content, encoding="utf-8")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_promoted_model_is_copied_and_current_leads_to_it(tmp_path: Path) -> None:
    source, models = model(tmp_path / "new", "one"), tmp_path / "models"
    assert promote_model(models, source, FACTS) == "v0001"
    (source / "model.onnx").write_text("changed later", encoding="utf-8")
    assert (models / "current/model.onnx").read_text(encoding="utf-8") == "one"
    found = read_registry(models)
    assert (found.current, found.versions, found.previous) == ("v0001", ("v0001",), None)
    assert found.entries == ({**FACTS, "event": "promote", "version": "v0001", "previous": None},)
    assert sorted(one.name for one in models.iterdir()) == [".sentimon", "current", "registry.jsonl", "v0001"]


def test_going_back_leads_to_the_version_before_and_is_written_down(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("one", "two"):
        promote_model(models, model(tmp_path / name, name), FACTS)
    assert roll_back(models, None, FACTS | {"why": "worse"}) == "v0001"
    assert (models / "current/model.onnx").read_text(encoding="utf-8") == "one"
    found = read_registry(models)
    assert [one["event"] for one in found.entries] == ["promote", "promote", "rollback"]
    assert found.entries[-1]["previous"] == "v0002"
    assert roll_back(models, "v0002", FACTS) == "v0002"
    promote_model(models, model(tmp_path / "three", "three"), FACTS)
    assert read_registry(models).versions == ("v0001", "v0002", "v0003")


def test_there_is_no_way_back_to_what_never_served(tmp_path: Path) -> None:
    models = tmp_path / "models"
    with pytest.raises(StoreError, match="no version served before"):
        roll_back(models, None, FACTS)
    promote_model(models, model(tmp_path / "one", "one"), FACTS)
    with pytest.raises(UsageError, match="has no version 'v0009'"):
        roll_back(models, "v0009", FACTS)
    with pytest.raises(UsageError, match="v0001 serves already"):
        roll_back(models, "v0001", FACTS)


SWITCHING = """
import sys
from pathlib import Path
from sentimon.workflows.model_registry import roll_back
number = 0
while True:
    number += 1
    roll_back(Path("models"), f"v000{1 + number % 2}", {"why": str(number)})
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_model_and_a_true_history(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("one", "two"):
        promote_model(models, model(tmp_path / name, name), FACTS)
    # The version that the loop asks for first must not serve already.
    roll_back(models, "v0001", FACTS)
    for pause in (0.0, 0.003, 0.007, 0.011, 0.02):
        process = subprocess.Popen(
            [sys.executable, "-c", SWITCHING],
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        served = (models / "current/model.onnx").read_text(encoding="utf-8")
        found = read_registry(models)
        assert {"v0001": "one", "v0002": "two"}[found.current or ""] == served
        assert found.entries[-1]["version"] == found.current
        assert not found.bad_lines
        assert not (models / "pending.json").exists()
        for before, after in zip(found.entries, found.entries[1:], strict=False):
            assert after["previous"] == before["version"]
        if found.current != "v0001":
            roll_back(models, "v0001", FACTS)


@pytest.mark.parametrize("switched", [True, False])
def test_a_switch_that_was_cut_short_is_settled_by_the_next_look(tmp_path: Path, switched: bool) -> None:
    models = tmp_path / "models"
    for name in ("one", "two"):
        promote_model(models, model(tmp_path / name, name), FACTS)
    entry = {"event": "rollback", "version": "v0001" if switched else "v0003", "previous": "v0002"}
    (models / "pending.json").write_text(json.dumps(entry), encoding="utf-8")
    if switched:
        (models / "current").unlink()
        (models / "current").symlink_to("v0001")
    found = read_registry(models)
    assert len(found.entries) == (3 if switched else 2)
    assert found.current == ("v0001" if switched else "v0002")
    assert not (models / "pending.json").exists()


def hub_snapshot(tmp_path: Path) -> Path:
    """Write a model as the cache of the hub holds it: links to blobs beside it."""
    root = tmp_path / "models--owner--name"
    (root / "blobs").mkdir(parents=True)
    (root / "snapshots" / "abc").mkdir(parents=True)
    for name in ("model.onnx", "config.json"):
        (root / "blobs" / f"hash-of-{name}").write_text(name, encoding="utf-8")
        (root / "snapshots" / "abc" / name).symlink_to(f"../../blobs/hash-of-{name}")
    return root / "snapshots" / "abc"


def test_a_model_of_the_hubs_cache_is_copied_as_files(tmp_path: Path) -> None:
    source = hub_snapshot(tmp_path)
    (source / "same.json").symlink_to("config.json")
    promote_model(tmp_path / "models", source, FACTS)
    copied = tmp_path / "models" / "v0001"
    assert sorted(one.name for one in copied.iterdir()) == ["config.json", "model.onnx", "same.json"]
    assert not any(one.is_symlink() for one in copied.iterdir())
    assert (copied / "same.json").read_text(encoding="utf-8") == "config.json"


@pytest.mark.parametrize("leads_to", ["secret", "other/blobs/secret", "nowhere", "leak.txt"])
def test_what_a_link_out_of_the_folder_leads_to_is_not_copied(tmp_path: Path, leads_to: str) -> None:
    source = hub_snapshot(tmp_path)
    for secret in (tmp_path / "secret", tmp_path / "other" / "blobs" / "secret"):
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("secret", encoding="utf-8")
    where = source / "leak.txt" if leads_to == "leak.txt" else tmp_path / leads_to
    (source / "leak.txt").symlink_to(where)
    with pytest.raises(ModelError, match=r"leak\.txt: is a link that leads out of the folder"):
        promote_model(tmp_path / "models", source, FACTS)
    assert [one.name for one in (tmp_path / "models").iterdir()] == [".sentimon"]


def test_a_copy_is_as_private_as_the_file_and_runs_nothing(tmp_path: Path) -> None:
    source = model(tmp_path / "new", "one")
    (source / "model.onnx").chmod(0o4755)
    (source / "config.json").chmod(0o600)
    os.mkfifo(source / "pipe")
    with pytest.raises(ModelError, match="pipe: is a pipe"):
        promote_model(tmp_path / "models", source, FACTS)
    (source / "pipe").unlink()
    promote_model(tmp_path / "models", source, FACTS)
    modes = [
        (tmp_path / "models/v0001" / name).stat().st_mode & 0o7777 for name in ("model.onnx", "config.json")
    ]
    assert modes == [0o644, 0o600]


@pytest.mark.parametrize("stops", ["copyfileobj", "replace_file", "sync"])
def test_a_full_disk_leaves_nothing_of_the_copy_and_what_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: str
) -> None:
    models = tmp_path / "models"
    promote_model(models, model(tmp_path / "one", "one"), FACTS)
    before = sorted(models.iterdir())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(shutil if stops == "copyfileobj" else registry, stops, refuse)
        with pytest.raises(StoreError, match="No space left"):
            promote_model(models, model(tmp_path / "two", "two"), FACTS)
    assert sorted(models.iterdir()) == before
    assert read_registry(models).current == "v0001"


def test_a_file_that_may_not_grow_leaves_nothing_of_the_copy(tmp_path: Path) -> None:
    source, limits = model(tmp_path / "one", "x" * 70_000), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="File too large"):
            promote_model(tmp_path / "models", source, FACTS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [one.name for one in (tmp_path / "models").iterdir()] == [".sentimon"]


@pytest.mark.parametrize("link", [True, False])
def test_what_a_killed_promotion_left_goes_with_the_next(tmp_path: Path, link: bool) -> None:
    models = tmp_path / "models"
    state = models / ".sentimon"
    state.mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    if link:
        (state / "incoming").symlink_to(tmp_path / "kept")
    else:
        model(state / "incoming", "half")
    promote_model(models, model(tmp_path / "one", "one"), FACTS)
    assert sorted(one.name for one in models.iterdir()) == [".sentimon", "current", "registry.jsonl", "v0001"]
    assert [one.name for one in state.iterdir()] == ["lock"]
    assert (tmp_path / "kept" / "file").exists()


def test_what_else_lies_in_the_folder_of_the_models_stays(tmp_path: Path) -> None:
    models = tmp_path / "models"
    mine = [models / ".incoming" / "mine", models / "incoming" / "mine", models / "candidate" / "mine"]
    for path in mine:
        path.parent.mkdir(parents=True)
        path.touch()
    promote_model(models, model(tmp_path / "one", "one"), FACTS)
    assert all(path.exists() for path in mine)


def test_a_pending_switch_that_says_nothing_is_named_with_the_way_out(tmp_path: Path) -> None:
    models = tmp_path / "models"
    promote_model(models, model(tmp_path / "one", "one"), FACTS)
    (models / "pending.json").write_text("{}", encoding="utf-8")
    for ask in (read_registry, lambda folder: roll_back(folder, None, FACTS)):
        with pytest.raises(StoreError, match=r"pending\.json: is no switch of models") as caught:
            ask(models)
        assert "pending.json" in str(caught.value.hint)
    (models / "registry.jsonl").unlink()
    (models / "registry.jsonl").symlink_to(tmp_path / "target")
    (models / "pending.json").unlink()
    with pytest.raises(StoreError):
        promote_model(models, tmp_path / "one", FACTS)
    assert not (tmp_path / "target").exists()
