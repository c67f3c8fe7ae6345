from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sentimon.labels import LABELS
from sentimon.statistics.score_scaling import softmax
from tests.conftest import ROOT
from tests.support.onnx_folders import write_folder
from tests.support.rows import lines, row

SAMPLE = ROOT / "sentimon/sample/after.jsonl"
FEW = {"SENTIMON_QUALITY__MIN_LABELS_PER_CLASS": "15"}
DAY = 24 * 60
WORDS = ["the", "parcel", "came", "late", "and", "nobody", "answers", "my", "calls", "about", "it"]


def rows(random: np.random.Generator, n: int, first: int, *, clear: float, words: list[str]):  # type: ignore[no-untyped-def]
    """Rows as another program scores them, their gold labels, and the classes that they show."""
    gold = random.choice(3, n, p=[0.3, 0.4, 0.3])
    scores = softmax(clear * np.eye(3)[gold] + random.normal(size=(n, 3)))
    given = [
        row(0, first // 300 * DAY + number, id=str(first + number), text=" ".join(random.choice(words, 6)))
        | {"scores": dict(zip(LABELS, map(float, one), strict=True)), "model": "m", "revision": "1"}
        for number, one in enumerate(scores)
    ]
    return given, gold


@pytest.fixture
def log(run):  # type: ignore[no-untyped-def]
    """A labelled day, a second day like it with some labels, and a third of another kind."""
    random = np.random.default_rng(0)
    days = [
        rows(random, 300, 0, clear=2.0, words=WORDS),
        rows(random, 300, 300, clear=2.0, words=WORDS),
        rows(random, 300, 600, clear=0.3, words=["altre", "parole", "mai", "viste", "prima", "qui"]),
    ]
    content = lines(one for given, _ in days for one in given)
    assert run("log", "--input", "-", "-q", stdin=content).code == 0
    gold = [int(one) for _, labels in days for one in labels]
    sheet = "".join(f"{number},{LABELS[gold[number]]}\n" for number in range(360))
    assert run("label", "import", "-", "--format", "csv", "-q", stdin="id,label\n" + sheet).code == 0
    return gold


def test_a_day_like_the_labelled_one_is_estimated_and_its_own_labels_tell_how_far_off(run, log) -> None:  # type: ignore[no-untyped-def]
    arguments = ("metrics", "--estimate", "--since", "2026-09-08", "--until", "2026-09-09")
    done = run(*arguments, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["rows"], found["trustworthy"], found["reasons"]) == (300, True, [])
    assert found["accuracy"]["low"] < found["accuracy"]["value"] < found["accuracy"]["high"]
    assert found["realised"]["accuracy"]["n"] == 60
    assert set(found["mix"]) == {
        "counting",
        "confusion_matrix",
        "expectation_maximisation",
        "preferred",
        "best",
    }
    assert found["calibration"]["from"] is None
    table = run(*arguments)
    assert "realised - estimated" in table.out
    assert "Assumed: only the class mix differs from the 300 labelled rows" in table.out
    assert "what is logged stays raw" in " ".join(table.out.split())


def test_a_day_of_another_kind_is_not_estimated_and_exits_4(run, log) -> None:  # type: ignore[no-untyped-def]
    done = run("metrics", "--estimate", "--since", "2026-09-09")
    assert done.code == 4
    words = " ".join(done.out.split())
    assert "Not trustworthy here. The scores fit no mixture of the labelled classes" in words
    assert "The words are new: 1.000 of them are in no labelled text" in words
    found = run("metrics", "--estimate", "--since", "2026-09-09", "--json")
    assert (found.code, found.json["accuracy"], found.json["trustworthy"]) == (4, None, False)
    assert len(found.json["reasons"]) == 2
    assert found.json["mix"]["counting"]["negative"]["n"] == 300


def test_few_labels_and_no_rows_exit_4_with_the_next_step(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    none = run("metrics", "--estimate", "--since", "2027-01-01")
    assert (none.code, none.out) == (4, "")
    assert "no predictions in that period" in none.err
    (tmp_path / "logs/labels.jsonl").unlink()
    few = run("metrics", "--estimate")
    assert (few.code, few.out) == (4, "")
    assert "0 labelled rows are negative, at least 30" in few.err
    assert "sentimon label next" in few.err


def test_a_calibration_of_another_model_is_refused(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    made = run("calibrate", "--data", SAMPLE, "--output", "c.json", **FEW)
    assert made.code == 0, made.err
    assert "Calibration of sentimon-default, 110 rows" in made.out
    assert made.out.count("taken") == 1
    assert "calibration saved to c.json; the log keeps raw scores" in made.err
    kept = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert (kept["version"], kept["model"], kept["rows"]) == (1, "sentimon-default", 110)
    assert set(kept["held_out_log_loss"]) == {"none", "temperature", "vector"}
    refused = run("metrics", "--estimate", "--calibration", "c.json")
    assert refused.code == 1
    assert "the calibration is for sentimon-default@" in refused.err
    (tmp_path / "c.json").write_text(json.dumps(kept | {"model": "m", "revision": "1"}), encoding="utf-8")
    done = run(
        "metrics", "--estimate", "--calibration", "c.json", "--since", "2026-09-08", "--until", "2026-09-09"
    )
    assert done.code == 0, done.err
    assert "from c.json" in done.out


def test_calibrate_does_not_overwrite_and_refuses_few_rows(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write_folder(tmp_path / "untrained")
    quick = {"SENTIMON_MODEL__NAME": "untrained"}
    few = run("calibrate", "--data", SAMPLE, "--output", "c.json", **quick)
    assert few.code == 4
    assert "18 labelled rows are positive, at least 30" in few.err
    assert not (tmp_path / "c.json").exists()
    (tmp_path / "c.json").write_text("mine", encoding="utf-8")
    again = run("calibrate", "--data", SAMPLE, "--output", "c.json", **quick)
    assert (again.code, "c.json: holds something else than" in again.err) == (2, True)
    assert (tmp_path / "c.json").read_text(encoding="utf-8") == "mine"
    (tmp_path / "c.json").write_bytes(b"")
    empty = run("calibrate", "--data", SAMPLE, "--output", "c.json", **quick)
    assert (empty.code, (tmp_path / "c.json").read_bytes()) == (2, b"")


def test_compare_finds_a_model_equal_to_itself_and_an_untrained_one_worse(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write_folder(tmp_path / "untrained")
    same = run("compare", "untrained", "untrained", "--data", SAMPLE, "--json")
    assert same.code == 0, same.err
    assert (same.json["worse"], same.json["agreement"], same.json["n"]) == (False, 1, 110)
    assert [one["part"] for one in same.json["parts"] if one["part"].startswith("language")] == [
        "language en", "language it",
    ]  # fmt: skip
    assert same.json["seconds_per_text"]["ratio"] > 0
    worse = run("compare", "sentimon-default", "untrained", "--data", SAMPLE)
    assert worse.code == 3, worse.err
    assert "WORSE: B may be worse by more than 0.01" in worse.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["sentimon-default", "", "--data", SAMPLE], 2, "a model has no name"),
        (["sentimon-default", "sentimon-default", "--data", "few.jsonl"], 4, "2 labelled rows, at least 50"),
        (
            ["sentimon-default", "sentimon-default", "--data", SAMPLE, "--segment", "country"],
            1,
            "no column 'country'",
        ),
        (
            ["sentimon-default", "sentimon-default", "--data", SAMPLE, "--tolerance", "2"],
            2,
            "compare_tolerance",
        ),
    ],
)
def test_compare_names_a_mistake(run, tmp_path: Path, arguments: list[str], code: int, says: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "few.jsonl").write_text(lines([{"text": "a", "label": "neutral"}] * 2), encoding="utf-8")
    done = run("compare", *arguments)
    assert (done.code, says in done.err) == (code, True), done.err
    assert "Traceback" not in done.err
