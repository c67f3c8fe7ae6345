"""`sentimon report`, the real program on real files."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sentimon.prediction_log.folder import LIVE_FILE
from tests.conftest import MAX_AGE, Ran
from tests.reporting.report.pages import check_page
from tests.support.reports import traffic
from tests.support.rows import rows

KEYS = {
    *("timestamp", "version", "log", "conclusion", "finding", "decided", "reason", "facts", "onset", "steps"),
    *("answers", "period", "every", "windows", "baseline", "drift", "monitor", "incidents"),
    *("traffic", "saved_checks"),
    *("unreadable_saved_checks", "retraining", "last_trigger", "grown_words", "latest_texts", "no_words"),
    *("slices", "explained", "quality", "settings"),
}
NOW = ("--now", "2026-09-08T00:00:00Z")


def moved(run: Callable[..., Ran]) -> None:
    assert run("log", "--input", "-", "-q", stdin=traffic(20, 30, 50)).code == 0
    assert run("baseline", "create").code == 0
    assert run("log", "--input", "-", "-q", stdin=traffic(60, 30, 10, minute=240)).code == 0


@pytest.fixture
def log(begin_with, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A log of 100 rows of a baseline and 100 that moved."""
    begin_with(moved)
    return tmp_path / "logs"


def page(run, tmp_path: Path, *options: object, **environment: str):  # type: ignore[no-untyped-def]
    done = run("report", *NOW, *options, **environment)
    assert done.code == 0, done.err
    assert done.out == ""
    return check_page((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_it_tells_what_the_other_commands_tell(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = page(run, tmp_path).text
    drift = run("drift", "--json").json
    assert f"{drift['score']['value']:.3f} [{drift['score']['low']:.3f}" in text
    for sentence in drift["recommendations"]:
        assert sentence in text
    assert run("retrain-check", "--json").json["reason"] in text
    assert "Settings at their defaults" in text


def test_as_json_it_is_one_object_of_what_the_page_and_the_other_commands_tell(run, log: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("report", *NOW, "--json")
    assert done.code == 3
    assert not Path(log.parent / "report.html").exists()
    told = done.json
    assert set(told) == KEYS
    assert (told["conclusion"], told["finding"], told["decided"]) == ("drift", True, True)
    for part, command in (("drift", "drift"), ("retraining", "retrain-check"), ("period", "metrics")):
        other = run(command, "--json").json
        # The report has the traffic once, of its own.
        other.pop("traffic", None)
        assert told[part].keys() == other.keys()
        assert {**told[part], "timestamp": ""} == {**other, "timestamp": ""}
    assert (
        sum(one["total_predictions"] for one in told["windows"]) == told["period"]["total_predictions"] == 200
    )
    assert told["baseline"]["total_predictions"] == 100
    page(run, log.parent)
    assert all(
        one in (log.parent / "report.html").read_text(encoding="utf-8")
        for step in told["steps"]
        for one in step["commands"]
    )


def test_the_exit_code_of_the_object_is_that_of_its_conclusion_and_a_written_file_is_done(
    run,  # type: ignore[no-untyped-def]
    log: Path,
    tmp_path: Path,
) -> None:
    assert run("report", "--json", "--exit-zero").code == 0
    both = run("report", "--json", "--output", "both.html")
    assert (both.code, both.json["conclusion"]) == (3, "drift")
    check_page((tmp_path / "both.html").read_text(encoding="utf-8"))
    assert run("report", "--output", "both.html").code == 0
    assert run("report", "--json", "--until", "2026-09-07T09:00:00Z").json["conclusion"] != "drift"
    assert run("baseline", "create", "--force").code == 0
    nothing_new = run("report", *NOW, "--json")
    assert (nothing_new.code, nothing_new.json["conclusion"]) == (4, "no verdict")


def test_the_commands_to_type_run_as_they_are_printed(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "shop.toml").write_text("[drift]\nmin_samples = 40\n", encoding="utf-8")
    told = run("report", "--json", "--logs", log, "--config", "shop.toml").json
    said = [one for step in told["steps"] for one in step["commands"]]
    assert [one.split()[1] for one in said] == ["logs", "label", "label", "retrain", "baseline"]
    for command in said:
        words = shlex.split(command)[1:]
        if words[:2] == ["label", "import"]:
            continue
        done = run(*words, *(["--dry-run"] if words[0] == "retrain" else []))
        # Nothing is labelled yet, which training says.
        assert done.code in ((0,) if words[0] != "retrain" else (0, 1, 4)), (command, done.err)
        assert "No such option" not in done.err
    assert run("report", *NOW, "--json").json["conclusion"] == "no verdict"


def test_a_log_that_went_silent_says_so_on_top(run, log: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("baseline", "create", "--force").code == 0
    silent = run("report", "--now", "2026-10-20T00:00:00Z", "--json", **{MAX_AGE: ""})
    assert (silent.code, silent.json["conclusion"]) == (3, "no new rows")
    assert silent.json["reason"].startswith("No row has come for 42 days")
    # A report on the past does not ask whether rows still come.
    past = run("report", "--now", "2026-10-20T00:00:00Z", "--json", "--until", "2026-10-01").json
    assert past["traffic"] is None


def test_a_saved_trigger_is_told_and_the_drift_is_still_drift(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("retrain-check", "--save", "-q").code == 3
    told = run("report", "--json").json
    assert told["conclusion"] == "drift"
    assert told["last_trigger"]["certain"] is True
    (retraining,) = [one for one in told["answers"] if one["about"] == "Retraining"]
    assert retraining["answer"] == "Trigger fired"
    assert retraining["detail"].startswith("A trigger fired on 20")
    assert "no other fires before" in retraining["detail"]
    assert "Since then there are 0 new predictions" in retraining["detail"]


def test_same_input_and_now_give_the_same_bytes(run_anew, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    # Each with hashes of its own, which may decide the order of what is in a set.
    for name in ("a.html", "b.html", "a.md", "b.md"):
        assert run_anew("report", *NOW, "--output", name).code == 0
    for form in ("html", "md"):
        assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()
    assert (tmp_path / "a.html").stat().st_mode & 0o777 == 0o600
    shutil.rmtree(log / ".sentimon")
    assert run_anew("report", *NOW, "--output", "c.html", SENTIMON_LOGS__INDEX="false").code == 0
    chosen = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert (
        chosen.split("Score history")[0] == (tmp_path / "a.html").read_text("utf-8").split("Score history")[0]
    )


def test_it_only_reads_and_makes_no_check_in_the_monitors_place(run, log: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("drift", "--monitor", "--save", "-q").code == 3
    before = {path: path.read_bytes() for path in log.iterdir() if path.is_file()}
    assert run("log", "--input", "-", "-q", stdin=rows(60, 30, 10, minute=400)).code == 0
    before[log / LIVE_FILE] = (log / LIVE_FILE).read_bytes()
    assert run("report").code == 0
    assert {path: path.read_bytes() for path in log.iterdir() if path.is_file()} == before
    # The new rows are still there for its next look.
    assert run("drift", "--monitor", "--json").json["new_samples"] == 100


def test_the_open_incident_is_on_top_and_shaded(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("drift", "--monitor", "--save", "-q").code == 3
    path = log / "monitor.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    (monitor,) = state["monitors"].values()
    monitor["incident"]["since"] = "2026-09-07T12:30:00Z"
    path.write_text(json.dumps(state), encoding="utf-8")
    root = page(run, tmp_path)
    assert "Open incident" in root.text
    assert "Events of the open incident" in root.text
    marks = [one for one in root.all("rect") if one.attributes["class"] == "incident"]
    assert len(marks) == 2  # in the charts of the confidence and the score


def test_a_memory_that_is_broken_or_of_other_events_is_named(run, log: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("drift", "--monitor", "-q").code == 3
    path = log / "monitor.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    (monitor,) = state["monitors"].values()
    monitor["incident"]["findings"][0]["place"] = 7
    for content in (json.dumps(state), "{", ""):
        path.write_text(content, encoding="utf-8")
        done = run("report")
        assert done.code == 1
        assert "monitor.json" in done.err
        assert "drift --reset" in done.err
        assert "Traceback" not in done.err


def test_a_saved_check_that_is_no_check_and_a_bad_line_are_told(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("drift", "--save", "-q").code == 3
    with (log / "drift_reports.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"timestamp": 3}\nnot json\n')
    with (log / LIVE_FILE).open("a", encoding="utf-8") as file:
        file.write("<script>alert(1)</script>\n")
    done = run("report", *NOW)
    assert "1 bad line left out" in done.err
    root = check_page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Saved drift reports that could not be read: 2" in root.text
    assert f"{LIVE_FILE}:201" in root.text


def test_labels_beside_the_log_give_a_confusion_matrix_and_a_curve(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    content = [
        json.loads(one) | {"id": str(number)} for number, one in enumerate(rows(20, 20, 20).split("\n")[:-1])
    ]
    assert run("log", "--input", "-", "-q", stdin="\n".join(map(json.dumps, content))).code == 0
    labels = [{"id": str(number), "label": "negative"} for number in range(60)]
    assert (
        run("label", "import", "-", "-q", "--key", "id", stdin="\n".join(map(json.dumps, labels))).code == 0
    )
    text = page(run, tmp_path).text
    assert "60 labelled rows, from labels.jsonl beside the log" in text
    assert "gold negative20 (0.333)20 (0.333)20 (0.333)60" in text
    assert "Calibration: how often" in text


def test_a_file_of_labels_is_scored(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "gold.csv").write_text(
        "text,label\nI love this,positive\nI hate this,negative\n", encoding="utf-8"
    )
    text = page(run, tmp_path, "--evaluate", "gold.csv").text
    assert "2 labelled rows, from gold.csv, scored by sentimon-default" in text
    assert run("report", "--evaluate", "nowhere.csv").code == 1


def test_a_log_without_baseline_or_rows_has_a_report_too(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").mkdir()
    assert "No verdict" in page(run, tmp_path).text
    assert run("log", "--input", "-", "-q", stdin=rows(20, 30, 50)).code == 0
    assert "there is no baseline to compare with" in page(run, tmp_path).text
    assert not (tmp_path / "logs/baseline.json").exists()
    assert run("report", "--output", "r.md", *NOW).code == 0
    assert "**No verdict.**" in (tmp_path / "r.md").read_text(encoding="utf-8")


def test_a_webhook_and_texts_stay_where_they_are(run, log: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = page(run, tmp_path, SENTIMON_NOTIFY__WEBHOOK="https://hooks.example.com/secret").text
    assert "secret" not in text.replace("webhook_secret_file", "")
    assert "(set, not shown)" in text
    assert "text 250" not in text


@pytest.mark.parametrize(
    "options",
    [
        ("--output", "report.pdf"),
        ("--output", "report"),
        ("--every", "7m"),
        ("--now", "soon"),
        ("--since", "2026-09-08", "--until", "2026-09-07"),
    ],
)
def test_what_cannot_be_done_is_refused(run, log: Path, options) -> None:  # type: ignore[no-untyped-def]
    done = run("report", *options)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert done.out == ""


def test_too_many_windows_are_refused_with_what_to_do(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    content = rows(1, 0, 0) + rows(1, 0, 0, minute=60 * 24 * 200)
    assert run("log", "--input", "-", "-q", stdin=content).code == 0
    done = run("report", "--every", "1h")
    assert done.code == 2
    assert "at most 3000 windows" in done.err
    assert run("report", "-q").code == 0
    assert (tmp_path / "report.html").exists()
