"""`sentimon retrain` as a process, on tiny models that lie on disk as HuggingFace's do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentimon.config.settings import ModelSettings
from sentimon.scoring.scorer import load_scorer
from tests.conftest import clean_environment
from tests.support import tiny_models
from tests.support.plain_rows import labelled_rows, write_rows

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
RECIPE = ("--rate", "0.005", "--epochs", "4", "--seed", "3")
WRITTEN = (
    "MODEL_CARD.md",
    "config.json",
    "model.onnx",
    "model.safetensors",
    "tokenizer.json",
    "training.json",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.bert(tmp_path_factory.mktemp("base"))


def killed_after_its_first_checkpoint(arguments: list[str], folder: Path) -> None:
    # The parent of both kinds of file is made by the first checkpoint.
    process = subprocess.Popen(
        [sys.executable, "-m", "sentimon", *arguments],
        cwd=folder,
        env=clean_environment(folder) | ONE_THREAD,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob("*.part/checkpoint.safetensors")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes_as_one_that_was_not(
    run_with_torch, tmp_path, base
) -> None:  # type: ignore[no-untyped-def]
    data = write_rows(tmp_path / "rows.jsonl", labelled_rows(40))
    old = write_rows(tmp_path / "old.jsonl", labelled_rows(20, seed=9))
    common = ["retrain", "--data", str(data), "--replay", str(old), "--base", str(base), *RECIPE]
    whole = run_with_torch(*common, "--output", "whole", "--json", **ONE_THREAD)
    assert whole.code == 0, whole.err
    killed_after_its_first_checkpoint([*common, "--output", "again"], tmp_path)
    assert not (tmp_path / "again").exists()
    again = run_with_torch(*common, "--output", "again", **ONE_THREAD)
    assert again.code == 0, again.err
    assert "going on from again.part" in again.err
    assert not (tmp_path / "again.part").exists()
    for name in WRITTEN:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    found = whole.json
    assert found["new"]["after"]["macro_recall"]["value"] > found["new"]["before"]["macro_recall"]["value"]
    assert found["old"]["after"]["n"] == 12
    assert found["new"]["no_better_than_guessing"] is False
    lines = whole.err.strip().split("\n")
    assert lines[0].startswith("about ")
    assert lines[-1].startswith("pass 4: loss ")
    scorer = load_scorer(ModelSettings(name=str(tmp_path / "whole"), threads=1))
    assert scorer.revision == found["revision"]
    assert scorer.score(["awful xx"])[0].scores.label.label == "negative"
    card = (tmp_path / "whole/MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"Fingerprint `{found['fingerprint']}`" in card
    for part in (
        "## What it is for",
        "## Recipe",
        "| new, retrained | 24 |",
        "| old, difference | 12 |",
        "## Limits",
    ):
        assert part in card


def test_the_plan_of_the_model_that_ships_is_shown_and_nothing_is_written(run_with_torch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    data = write_rows(tmp_path / "rows.jsonl", labelled_rows(25))
    done = run_with_torch("retrain", "--data", data, "--output", "new", "--dry-run", "--json", **ONE_THREAD)
    assert done.code == 0, done.err
    plan = done.json
    assert plan["base"] == "sentimon-default"
    assert plan["per_class"] == {"negative": 20, "neutral": 20, "positive": 20}
    assert (plan["held_out"], plan["passes"], plan["steps"]) == (15, 4, 16)
    assert plan["seconds"] > 0
    (understood,) = plan["inputs"]
    assert (understood["rows"], understood["columns"]["label"]["name"]) == (75, "label")
    assert not (tmp_path / "new").exists()


def test_texts_that_the_model_cannot_read_are_said_with_what_helps(run_with_torch, tmp_path, base) -> None:  # type: ignore[no-untyped-def]
    rows = [{**row, "text": f"{at} لا اعرف شيئا عن هذا"} for at, row in enumerate(labelled_rows(25))]
    data = write_rows(tmp_path / "rows.jsonl", rows)
    ours = run_with_torch("retrain", "--data", data, "--output", "new", "--dry-run", "--json", **ONE_THREAD)
    assert ours.json["unknown_tokens"] > 0.3
    assert (
        "of the tokens of the new texts are unknown to sentimon-default: --grow-vocabulary 4000" in ours.err
    )
    other = run_with_torch(
        "retrain", "--data", data, "--base", base, "--output", "new", "--dry-run", **ONE_THREAD
    )
    assert f"are unknown to {base}: --base names one that reads them" in other.err


def test_labels_that_do_not_follow_from_the_texts_are_said_to_teach_nothing(
    run_with_torch, tmp_path, base
) -> None:  # type: ignore[no-untyped-def]
    texts = [row["text"] for row in labelled_rows(40)]
    labels = ("negative", "neutral", "positive")
    rows = [{"text": text, "label": labels[at * at // 7 % 3]} for at, text in enumerate(texts)]
    data = write_rows(tmp_path / "rows.jsonl", rows)
    done = run_with_torch("retrain", "--data", data, "--base", base, "--output", "new", *RECIPE, **ONE_THREAD)
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "new rows kept out it cannot be told from guessing (0.333)" in said
    assert "promote" not in said
    assert "cannot be told from guessing.**" in (tmp_path / "new/MODEL_CARD.md").read_text(encoding="utf-8")
    facts = json.loads((tmp_path / "new/training.json").read_text(encoding="utf-8"))
    assert facts["new"]["no_better_than_guessing"] is True


def test_what_cannot_be_learned_from_says_what_to_do(run_with_torch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    data = write_rows(tmp_path / "rows.jsonl", labelled_rows(19))
    full = run_with_torch("retrain", "--data", data, "--output", "full")
    assert (full.code, full.err.split("\n")[0]) == (1, "error: full: is there already, and not empty")
    nothing = run_with_torch("retrain", "--output", "new")
    assert (nothing.code, "hint: name labelled texts with --data" in nothing.err) == (2, True)
    write_rows(tmp_path / "odd.jsonl", [{"text": "a", "label": "sarcastic"}])
    odd = run_with_torch("retrain", "--data", "odd.jsonl", "--output", "new")
    assert odd.code == 1
    assert "values without a class (rows of each): 'sarcastic' (1)" in odd.err
    assert "sarcastic" in odd.err


def test_the_labels_of_a_log_are_learned_from(run_with_torch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    rows = [{"id": str(at), **row} for at, row in enumerate(labelled_rows(19))]
    write_rows(tmp_path / "labels.jsonl", rows)
    scores = {"negative": 0.2, "neutral": 0.5, "positive": 0.3}
    scored = [json.dumps({"id": row["id"], "text": row["text"], "scores": scores}) + "\n" for row in rows]
    assert run_with_torch("log", "--input", "-", "-q", "--format", "jsonl", stdin="".join(scored)).code == 0
    assert run_with_torch("label", "import", "labels.jsonl", "--key", "id", "-q").code == 0
    few = run_with_torch("retrain", "--labels-from", "logs", "--output", "new")
    assert (few.code, few.out) == (4, "")
    assert "19 labelled texts are negative, at least 20 of each class are needed" in few.err
    assert "hint: label more" in few.err
