import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import clean_environment
from tests.support.rows import lines, row, rows, written


def logged(folder: Path) -> list[dict[str, object]]:
    text = (folder / "logs/predictions.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def test_rows_scored_elsewhere_are_kept_with_their_own_fields(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    given = row(2, id=7, model="m", revision="r", shop="Roma") | {"sentiment": "Positivo", "confidence": 0.8}
    done = run("log", "--input", "-", "--json", stdin=lines([given, row(0, 1)]))
    assert (done.code, done.err) == (0, "")
    assert done.json == {"logged": 2, "bad_lines": 0, "unreadable": 0, "path": "logs/predictions.jsonl"}
    first, second = logged(tmp_path)
    assert list(first) == [
        "timestamp", "text", "sentiment", "confidence", "scores", "id", "model", "revision", "shop",
    ]  # fmt: skip
    assert first["sentiment"] == "positive"
    assert first["id"] == "7"
    assert second["sentiment"] == "negative"
    assert second["timestamp"] == "2026-09-07T08:01:00Z"


def test_predictions_without_all_scores_are_kept_as_they_came_and_that_is_said(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rows = [
        {"text": "a", "sentiment": "positive", "confidence": 0.9, "timestamp": "2026-09-07T08:00:00Z"},
        {"text": "b", "sentiment": "Negativo", "confidence": None, "timestamp": "2026-09-07T08:01:00Z"},
        row(0, 2),
    ]
    for resume in ([], ["--resume", "--again"]):
        (tmp_path / "rows.jsonl").write_text(lines(rows), encoding="utf-8")
        done = run("log", "--input", "rows.jsonl", "--logs", "logs", *resume)
        assert done.code == 0
        assert (
            "3 predictions logged to logs/predictions.jsonl; 2 without all scores kept as they came"
            in done.err
        )
    best, alone, full = logged(tmp_path)[:3]
    assert (best["sentiment"], best["confidence"], best["scores"]) == ("positive", 0.9, None)
    assert (alone["sentiment"], alone["confidence"], alone["scores"]) == ("negative", None, None)
    assert full["scores"] is not None


def test_bad_rows_are_named_left_out_and_end_in_exit_code_1(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    bad = [
        row(0, scores={"negative": 0.5, "neutral": 0.4, "positive": 0.4}),
        row(0, scores={"negative": 1, "neutral": 0, "joy": 0}),
        row(0, timestamp="tomorrow"),
        row(0, sentiment="positive"),
        row(0) | {"confidence": 0.1},
        {"text": "no class", "confidence": 0.9},
        {"scores": None},
        {"text": 5},
        [1, 2],
    ]
    text = lines([row(0, 0), *bad, row(1, 1)]) + '{"torn": '
    done = run("log", "--input", "-", "--logs", "logs", stdin=text)
    assert done.code == 1
    assert [one["sentiment"] for one in logged(tmp_path)] == ["negative", "neutral"]
    reported = [line for line in done.err.split("\n") if line.startswith("bad line: stdin:")]
    assert [int(line.split(":")[2]) for line in reported] == [*range(2, 8), 9, 10, 12]
    for reason in (
        "sum to 1.3",
        "'joy'",
        "'tomorrow'",
        "negative scores higher",
        "confidence is 0.1",
        "neither a sentiment nor scores",
    ):
        assert any(reason in line for line in reported), reason
    assert "2 predictions logged to logs/predictions.jsonl; 9 bad lines left out" in done.err
    assert "stdin: 1 row without a text left out" in done.err


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("full", "mail a@b.example"), ("redact", "mail [email]"), ("hash", None), ("omit", None)],
)
def test_texts_are_kept_as_the_settings_say(run, tmp_path: Path, mode: str, kept: str | None) -> None:  # type: ignore[no-untyped-def]
    given = lines([row(0, text="mail a@b.example")])
    assert run("log", "--input", "-", stdin=given, SENTIMON_LOGS__TEXT=mode).code == 0
    other = lines([{"body": "mail a@b.example", "scores": row(0)["scores"], "shop": "Roma"}])
    assert run("log", "--input", "-", "--column", "body", stdin=other, SENTIMON_LOGS__TEXT=mode).code == 0
    stored, second = logged(tmp_path)
    assert stored["text"] == second["text"] == kept
    assert second["shop"] == "Roma"
    assert "body" not in second
    assert ("text_hash" in stored) == (mode == "hash")
    assert run("metrics", "--json").json["total_predictions"] == 2


def test_a_bad_row_s_text_cannot_act_on_the_terminal(run) -> None:  # type: ignore[no-untyped-def]
    done = run("log", "--input", "-", stdin=lines([row(0, scores={"\x1b[31mjoy": 1.0})]))
    assert done.code == 1
    assert "\x1b" not in done.err


def test_metrics_sum_the_log_up(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", stdin=rows(10, 30, 60))
    done = run("metrics", "--json", "--save")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert found["total_predictions"] == 100
    assert found["sentiment_distribution"] == {"negative": 10, "neutral": 30, "positive": 60}
    assert found["sentiment_percentages"] == {"negative": 10, "neutral": 30, "positive": 60}
    assert found["average_confidence"] == 0.8
    assert found["shares"]["positive"]["value"] == 0.6
    assert found["shares"]["positive"]["low"] < 0.6 < found["shares"]["positive"]["high"]
    assert found["shares"]["positive"]["n"] == 100
    assert (found["first"], found["last"]) == ("2026-09-07T08:00:00Z", "2026-09-07T09:39:00Z")
    # Where the first bad lines stood, and what they said, is shown and not kept.
    del found["bad_lines"]["first"]
    saved = json.loads((tmp_path / "logs/metrics.jsonl").read_text(encoding="utf-8"))
    assert saved.pop("traffic")["verdict"]
    assert saved == found


def test_metrics_of_a_period_and_per_window(run) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", stdin=rows(10, 0, 0) + rows(0, 0, 20, minute=180))
    part = run("metrics", "--since", "2026-09-07T09:00:00Z", "--until", "2026-09-08", "--json").json
    assert part["sentiment_distribution"] == {"negative": 0, "neutral": 0, "positive": 20}
    windows = run("metrics", "--every", "1h", "--tz", "Europe/Rome", "--json").json["windows"]
    assert [window["start"] for window in windows] == [
        f"2026-09-07T{hour:02d}:00:00Z" for hour in (8, 9, 10, 11)
    ]
    assert [window["total_predictions"] for window in windows] == [10, 0, 0, 20]
    assert windows[1]["average_confidence"] is None
    assert windows[1]["shares"]["negative"] == {"value": None, "low": None, "high": None, "n": 0}
    table = run("metrics", "--every", "1h", "--tz", "Europe/Rome").out
    assert "2026-09-07 10:00" in table
    assert "█" in table


def test_bad_lines_and_naive_times_in_the_log_are_counted_and_named(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    old = {
        "timestamp": "2026-02-06T10:49:40.101704",
        "text": "bello",
        "sentiment": "Positivo",
        "confidence": 0.9,
        "scores": {"Negativo": 0.04, "Neutro": 0.06, "Positivo": 0.9},
    }
    written(
        tmp_path / "logs",
        b"\xef\xbb\xbf" + lines([old, old]).encode().replace(b"\n", b"\r\n") + b"\x00\xff\nhalf",
    )
    done = run("metrics", "--json")
    assert done.code == 0
    assert done.json["total_predictions"] == 2
    assert done.json["bad_lines"]["count"] == 2
    assert done.json["bad_lines"]["kinds"] == {"encoding": 1, "json": 1}
    assert [line["line"] for line in done.json["bad_lines"]["first"]] == [3, 4]
    assert done.json["properties"]["naive_timestamp"] == 2
    assert "2 bad lines left out (encoding 1, json 1)" in done.err
    assert "logs/predictions.jsonl:3: not valid UTF-8" in done.err
    assert "2 timestamps without a time zone read as local time" in done.err


def test_a_quiet_night_is_a_result_not_an_error(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", "")
    done = run("metrics", "--json")
    assert (done.code, done.json["total_predictions"], done.json["average_confidence"]) == (0, 0, None)
    assert run("metrics", "--every", "1d").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["metrics", "--logs", "nowhere"], 1, "nowhere: no such folder"),
        (["metrics", "--logs", "file"], 1, "file: is a file, not a folder"),
        (["metrics", "--since", "soon"], 2, "--since: 'soon'"),
        (["metrics", "--every", "7m"], 2, "--every: windows of 7m do not fit the calendar"),
        (["metrics", "--every", ""], 2, "--every"),
        (["metrics", "--logs", ""], 2, "logs.dir = ''"),
        (["metrics", "--logs", "~nobody-of-that-name/x"], 2, "no such home folder"),
        (["metrics", "--logs", "x" * 300], 1, "x" * 300),
        (["metrics", "--since", "2026-09-02", "--until", "2026-09-01"], 2, "is not before"),
        (["metrics", "--logs", "pipes"], 1, "is a pipe"),
        (["log", "--input", "rows.jsonl", "--logs", "pipes"], 1, "is a pipe"),
        (["log", "--input", "sheet.docx"], 2, ".docx files are not known"),
        (["log", "--input", "/proc/self/mem"], 1, "/proc/self/mem: cannot be read"),
        (["baseline", "check", "--every", "15m"], 2, "shorter than an hour"),
        (["baseline", "create", "--name", " "], 2, "--name is empty"),
        (["metrics", "--tz", "Mars"], 2, "metrics.time_zone = 'Mars'"),
        (["metrics", "--config", "none.toml"], 2, "none.toml: no such file"),
        (["metrics", "--nonsense"], 2, "nonsense"),
        (["log", "--input", "none.jsonl"], 1, "none.jsonl: no such file"),
        (["log", "--input", "."], 1, "Is a directory"),
        (["log", "text", "--input", "file"], 2, "exclude each other"),
        (["log", "--input", "file", "--format", "xml"], 2, "unknown format 'xml'"),
        (["log"], 2, "no text given"),
        (["log", "--input", "table.csv"], 1, "no column has a usual name of a column of texts"),
        (["log", "--input", "table.parquet"], 1, "not a valid Parquet file"),
        (["log", "--input", "rows.jsonl", "--logs", "file"], 1, "file"),
    ],
)
def test_wrong_use_is_named_with_its_exit_code(
    run, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").mkdir()
    written(tmp_path, "", "file")
    written(tmp_path, "a,b\n1,2\n", "table.csv")
    written(tmp_path, "nothing", "table.parquet")
    written(tmp_path, rows(1, 0, 0), "rows.jsonl")
    written(tmp_path, "", "sheet.docx")
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes" / "predictions.jsonl")
    done = run(*arguments)
    assert done.code == code, done.err
    assert says in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


def test_a_file_that_may_not_grow_loses_no_row_in_silence(tmp_path: Path) -> None:
    program = f"ulimit -f 0; exec {sys.executable} -m sentimon log --input -"
    done = subprocess.run(
        ["/bin/sh", "-c", program],
        input=rows(1, 0, 0).encode(),
        capture_output=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        check=False,
    )
    assert done.returncode == 1
    assert b"File too large" in done.stderr
    assert b"raise the limit" in done.stderr


def test_a_full_standard_output_is_a_failure(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", stdin=rows(5, 0, 0))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sentimon", "metrics", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            check=False,
        )
    assert done.returncode == 1
    assert b"standard output: cannot be used: No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_json_is_utf_8_and_strict_whatever_the_terminal_is(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", "--logs", "lögs-日本", stdin=rows(60, 0, 0))
    for environment in (
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    ):
        made = run("baseline", "create", "--logs", "lögs-日本", "--force", "--json", **environment)
        assert made.code == 0
        assert made.json["source"] == "lögs-日本"
    assert run("metrics", "--logs", "lögs-日本", PYTHONIOENCODING="ascii").code == 0


def test_a_log_that_stops_midway_says_what_it_has_kept(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.jsonl").write_text(rows(3, 0, 0), encoding="utf-8")
    program = (
        "import os, sys; from sentimon.prediction_log import writer; real = writer.write_at_end\n"
        "def fails(path, lines, **rest):\n"
        "    if path.exists(): raise OSError(28, 'No space left on device')\n"
        "    return real(path, lines, **rest)\n"
        "writer.write_at_end = fails; from sentimon.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "log", "--input", "a.jsonl"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"SENTIMON_MODEL__BUFFER_SIZE": "2"},
        check=False,
    )
    assert done.returncode == 1
    assert "2 predictions logged before it stopped" in done.stderr
    assert "No space left" in done.stderr
    assert len(logged(tmp_path)) == 2


def test_narrow_terminals_lose_no_digit(run) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", stdin=rows(10, 30, 60))
    for columns in ("0", "20", "400"):
        assert "0.600" in run("metrics", COLUMNS=columns).out


@pytest.mark.parametrize("command", ["metrics", "log", "drift", "--help"])
def test_closed_streams_are_said_not_crashed_on(run, tmp_path: Path, command: str) -> None:  # type: ignore[no-untyped-def]
    for closed in (">&-", "<&-", "2>&-"):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m sentimon {command} {closed}"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            check=False,
        )
        assert done.returncode in (0, 1, 2)
        assert "Traceback" not in done.stderr


def test_one_bad_line_does_not_flood_the_terminal(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", lines([row(0) | {"sentiment": "x" * 1_000_000, "confidence": 0.8}]))
    assert len(run("metrics").err) < 1000


def test_rows_carry_the_time_they_came_not_the_time_the_command_began(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    timeless = row(0)
    del timeless["timestamp"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sentimon", "log", "--input", "-", "-q"],
        stdin=subprocess.PIPE,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"SENTIMON_MODEL__BUFFER_SIZE": "1"},
    )
    assert process.stdin is not None
    begun = datetime.now(UTC)
    for number in range(2):
        process.stdin.write(lines([timeless]).encode())
        process.stdin.flush()
        # The next row comes once this one is in the log.
        for _ in range(600):
            if (tmp_path / "logs/predictions.jsonl").exists() and len(logged(tmp_path)) > number:
                break
            time.sleep(0.1)
    process.communicate(timeout=60)
    first, second = (datetime.fromisoformat(str(one["timestamp"])) for one in logged(tmp_path))
    assert begun < first < second
