import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentimon.api.registry import promote_model, read_registry, roll_back
from sentimon.errors import StoreError, UsageError
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
from sentimon.api.registry import roll_back
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
