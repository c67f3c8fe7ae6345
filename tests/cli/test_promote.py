"""`sentimon promote` and `models` as processes; the candidates are exports of the model that ships."""

import json
import shutil
from pathlib import Path

import pytest

from sentimon.scoring.scorer import DEFAULT_FOLDER
from tests.conftest import ROOT
from tests.support.plain_rows import write_rows
from tests.support.tiny_model import tiny_model

SAMPLE = (ROOT / "sentimon/sample/after.jsonl").read_text(encoding="utf-8").split("\n")[:55]
"""A few more rows than a comparison needs."""
LISTED = [{"text": "I love this", "label": "positive"}, {"text": "not good at all", "label": "negative"}]


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A candidate that is the model in use."""
    return shutil.copytree(DEFAULT_FOLDER, tmp_path_factory.mktemp("same") / "m")


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A candidate that knows nothing."""
    folder = tmp_path_factory.mktemp("worse")
    tiny_model().write(folder, temperature=1.0, texts=["good bad"])
    return folder


def test_a_model_that_is_not_worse_serves_and_can_be_taken_back(run, tmp_path, same) -> None:  # type: ignore[no-untyped-def]
    write_rows(tmp_path / "fixed.jsonl", LISTED)
    (tmp_path / "sample.jsonl").write_text("\n".join(SAMPLE) + "\n", encoding="utf-8")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/monitor.json").write_text("{}", encoding="utf-8")
    arguments = ("promote", same, "--data", "sample.jsonl", "--regressions", "fixed.jsonl", "--json")
    done = run(*arguments, "--reason", "as a trial")
    assert done.code == 0, done.err
    found = done.json
    assert (found["promoted"], found["version"], found["serving"]) == (True, "v0001", "sentimon-default")
    assert found["comparison"]["macro_recall_difference"]["value"] == 0
    assert found["regressions"] == {"listed": 2, "broken": []}
    assert not (tmp_path / "logs/monitor.json").exists()
    assert '[model] name = "models/current"' in done.err
    settings = {"SENTIMON_MODEL__NAME": "models/current"}
    served = run("predict", "I love this", "--json", **settings)
    assert json.loads(served.out)["model"] == "models/current"
    again = run(*arguments, "--force", **settings)
    assert (again.json["version"], again.json["serving"]) == ("v0002", "models/current")
    assert run("models", "rollback", "--reason", "no need").code == 0
    listed = run("models", "list", "--json").json
    assert (listed["current"], listed["versions"]) == ("v0001", ["v0001", "v0002"])
    assert [one["event"] for one in listed["entries"]] == ["promote", "promote", "rollback"]
    assert listed["entries"][0]["why"] == "as a trial"
    assert listed["entries"][0]["metrics"]["n"] == 55
    assert "as a trial" in run("models", "list").out
    assert "# The default model of sentimon" in run("models", "show", "v0001").out


def test_a_model_that_is_worse_is_refused_and_nothing_changes(run, tmp_path, worse) -> None:  # type: ignore[no-untyped-def]
    write_rows(tmp_path / "fixed.jsonl", LISTED)
    (tmp_path / "sample.jsonl").write_text("\n".join(SAMPLE) + "\n", encoding="utf-8")
    done = run("promote", worse, "--data", "sample.jsonl", "--regressions", "fixed.jsonl")
    assert done.code == 3
    assert "WORSE" in done.out
    assert "Of 2 listed texts" in done.out
    assert "refused: what served still does" in done.err
    assert not (tmp_path / "models").exists()


def test_too_few_rows_are_no_verdict_and_no_gate_is_a_wrong_usage(run, tmp_path, same) -> None:  # type: ignore[no-untyped-def]
    write_rows(tmp_path / "few.jsonl", LISTED)
    few = run("promote", same, "--data", "few.jsonl")
    assert (few.code, few.out) == (4, "")
    assert "2 labelled rows, at least 50 are needed" in few.err
    assert run("promote", same).code == 2
    assert not (tmp_path / "models/current").exists()
