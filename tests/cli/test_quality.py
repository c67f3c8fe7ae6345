from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rows import lines, row

DAY = 24 * 60


@pytest.fixture
def labelled(run):  # type: ignore[no-untyped-def]
    """Log rows of class negative, a minute apart, and label so many of them right and wrong."""

    def add(first: int, right: int, wrong: int, *, minute: int = 0) -> None:
        numbers = range(first, first + right + wrong)
        given = lines(row(0, minute + number, id=str(number)) for number in numbers)
        assert run("log", "--input", "-", "-q", stdin=given).code == 0
        labels = ["negative" if number < first + right else "neutral" for number in numbers]
        sheet = "".join(f"{number},{label}\n" for number, label in zip(numbers, labels, strict=True))
        done = run("label", "import", "-", "--format", "csv", "-q", stdin="id,label\n" + sheet)
        assert done.code == 0, done.err

    return add


def test_a_rise_of_the_error_rate_since_the_baseline_exits_3_and_names_both(run, labelled) -> None:  # type: ignore[no-untyped-def]
    labelled(0, 95, 5)
    assert run("baseline", "create").code == 0
    labelled(100, 60, 0, minute=DAY)
    quiet = run("metrics", "--quality", "--json")
    assert (quiet.code, quiet.json["risk"]["alarm"], quiet.json["risk"]["decided"]) == (0, False, True)
    assert quiet.json["labels"] == 160
    labelled(160, 20, 80, minute=2 * DAY)
    done = run("metrics", "--quality", "--every", "1d")
    assert done.code == 3
    assert "ALARM: the error rate rose by more than 0.05" in done.out
    assert "against 0.050 of 100 in the baseline" in " ".join(done.out.split())
    found = run("metrics", "--quality", "--every", "1d", "--json")
    assert found.code == 3
    assert run("metrics", "--quality", "--exit-zero", "--json").code == 0
    assert [one["labels"] for one in found.json["windows"]] == [100, 60, 100]
    assert found.json["windows"][2]["accuracy"]["value"] == pytest.approx(0.2)
    assert found.json["risk"]["reference"]["value"] == 0.05
    assert found.json["risk"]["reference"]["of"] == "the baseline"


def test_few_labels_give_no_verdict_and_none_say_what_to_do(run, labelled, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    labelled(0, 20, 0)
    done = run("metrics", "--quality", "--json")
    assert (done.code, done.json["risk"]["decided"], done.json["accuracy"]["value"]) == (4, False, 1.0)
    (tmp_path / "logs/labels.jsonl").unlink()
    without = run("metrics", "--quality")
    assert without.code == 4
    assert "sentimon label import" in without.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--quality", "--estimate"], "exclude each other"),
        (["--quality", "--save"], "--save keeps the plain metrics only"),
        (["--estimate", "--every", "1d"], "--estimate is about one period"),
        (["--quality", "--calibration", "c.json"], "exclude each other"),
    ],
)
def test_options_that_do_not_go_together_are_named(run, labelled, arguments: list[str], says: str) -> None:  # type: ignore[no-untyped-def]
    labelled(0, 1, 0)
    done = run("metrics", *arguments)
    assert done.code == 2
    assert says in done.err


def test_an_error_rate_that_rose_is_a_rule_of_retrain_check_and_told_once(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    calm = {"SENTIMON_RETRAINING__COOLDOWN": "0s", "SENTIMON_RETRAINING__CONFIDENCE_THRESHOLD": "0.5"}

    def log(count: int, minute: int) -> None:
        content = lines(row(2, minute + n, id=f"r{minute + n}") for n in range(count))
        assert run("log", "--input", "-", "-q", stdin=content).code == 0

    def label(count: int, first: int, wrong: int) -> None:
        names = ["negative" if n < wrong else "positive" for n in range(count)]
        content = lines({"id": f"r{first + n}", "label": name} for n, name in enumerate(names))
        path = tmp_path / "gold.jsonl"
        path.write_text(content, encoding="utf-8")
        assert run("label", "import", path).code == 0

    log(300, 0)
    assert run("baseline", "create").code == 0
    log(300, 300)
    assert len(run("retrain-check", "--json", **calm).json["rules"]) == 3
    label(300, 0, wrong=30)
    undecided = run("retrain-check", "--json", **calm).json
    assert [one["name"] for one in undecided["rules"]][3] == "error rate"
    assert undecided["rules"][3]["met"] is None
    assert (undecided["decided"], undecided["error_rate_met"]) == (True, False)
    label(200, 300, wrong=120)
    fired = run("retrain-check", "--save", "--json", **calm)
    assert (fired.code, fired.json["error_rate_met"]) == (3, True)
    assert "the error rate is 0.6" in fired.json["reason"]
    kept = tmp_path / "logs/.sentimon/error_rate.json"
    assert kept.exists()
    log(100, 600)
    told = run("retrain-check", "--save", "--json", **calm)
    assert (told.code, told.json["triggered"], told.json["recommended_action"]) == (0, False, "wait")
    # What is kept is derived: broken or gone, the answer is the same.
    kept.write_bytes(b"{}")
    assert run("retrain-check", "--json", **calm).json["rules"][3] == told.json["rules"][3]
    kept.unlink()
    assert run("retrain-check", "--json", **calm).json["rules"][3] == told.json["rules"][3]
    assert run("retrain-check", "--json", **calm, SENTIMON_RETRAINING__REPEAT="true").code == 3


def test_a_slice_whose_error_rate_rose_is_an_alarm_and_a_rule_of_its_own_and_told_once(  # type: ignore[no-untyped-def]
    run, tmp_path: Path
) -> None:
    """A fifth of the rows is mail; after the baseline three in four of these are wrong, of all but a few."""
    calm = {
        "SENTIMON_RETRAINING__COOLDOWN": "0s",
        "SENTIMON_RETRAINING__CONFIDENCE_THRESHOLD": "0.5",
        "SENTIMON_SEGMENTS__FIELDS": '["channel"]',
        "SENTIMON_QUALITY__TOLERANCE": "0.15",
    }

    def add(first: int, count: int, wrong: int) -> None:
        numbers = range(first, first + count)
        mail = [number for number in numbers if number % 5 == 0]
        content = lines(
            row(0, number, id=f"{number}", channel="[red]mail" if number % 5 == 0 else "app")
            for number in numbers
        )
        assert run("log", "--input", "-", "-q", stdin=content).code == 0
        gold = "".join(
            f"{number},{'neutral' if number in mail[:wrong] else 'negative'}\n" for number in numbers
        )
        done = run("label", "import", "-", "--format", "csv", "-q", stdin="id,label\n" + gold)
        assert done.code == 0, done.err

    add(0, 500, wrong=0)
    assert run("baseline", "create", **calm).code == 0
    add(500, 500, wrong=75)
    done = run("metrics", "--quality", **calm)
    words = " ".join(done.out.split())
    assert (done.code, "No alarm: the error rate is 0.150" in words) == (3, True), words
    assert "ALARM: the error rate of channel=[red]mail rose by more than 0.15: 0.750" in words
    found = run("metrics", "--quality", "--json", **calm).json["slice_risks"]
    assert [(one["value"], one["alarm"]) for one in found["slices"]] == [("app", False), ("[red]mail", True)]
    # The answer about one slice, or without declared fields, is about nothing else.
    alone = run("metrics", "--quality", "--where", "channel=app", "--json", **calm)
    assert (alone.code, "slice_risks" in alone.json) == (0, False)
    fired = run("retrain-check", "--save", "--json", **calm)
    assert (fired.code, fired.json["error_rate_met"], fired.json["slice_error_rate_met"]) == (3, False, True)
    assert fired.json["risen_slices"] == ["channel=[red]mail"]
    assert "the error rate of channel=[red]mail is 0.75" in fired.json["reason"]
    add(1000, 100, wrong=15)
    told = run("retrain-check", "--save", **calm)
    assert (told.code, "error rate of channel=[red]mail" in told.out.replace("\n", " ")) == (0, True)
    assert run("retrain-check", "--json", **calm, SENTIMON_RETRAINING__REPEAT="true").code == 3
