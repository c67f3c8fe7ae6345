from __future__ import annotations

from pathlib import Path

import pytest

from tests.rows import lines, row

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
