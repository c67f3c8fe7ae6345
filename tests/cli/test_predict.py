import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sentimon.scoring.scorer import DEFAULT_MODEL
from tests.conftest import ROOT, Ran, clean_environment

Run = Callable[..., Ran]
SAMPLE = ROOT / "sentimon" / "sample"
HOSTILE = [
    "",
    "   ",
    "😀😡",
    "👩‍💻" * 50,
    "ok " * 20_000,
    "x" * 50_000,
    "[red]not markup[/red]",
    "\x1b[31mred\x1b[0m\x07",
    "<script>alert('x')</script>",
    "\u202eright to left",
    "a\x00b",
    "الخدمة سيئة جدا",
    "सेवा बहुत अच्छी है",
    "服务很差",
    "perché no?\u2028nuova riga",
    "@" * 1000,
    "http://" + ")" * 20_000,
]


def test_the_two_promises_hold_offline(run: Run) -> None:
    done = run("predict", "I love this", "Questo prodotto è ottimo", "--json")
    assert (done.code, done.err) == (0, "")
    assert [one["sentiment"] for one in done.lines] == ["positive", "positive"]


def test_scoring_leaves_nothing_in_the_home_of_the_user(run: Run, tmp_path: Path) -> None:
    # ONNX Runtime would keep a device id and a queue of events to report there.
    assert run("predict", "bello").code == 0
    assert list(tmp_path.rglob("*")) == []


def test_a_prediction_has_the_documented_keys(run: Run) -> None:
    (found,) = run("predict", "This is terrible", "--json").lines
    assert list(found) == ["text", "sentiment", "confidence", "scores", "model", "truncated"]
    assert found["text"] == "This is terrible"
    assert (found["sentiment"], found["model"], found["truncated"]) == ("negative", DEFAULT_MODEL, False)
    assert list(found["scores"]) == ["negative", "neutral", "positive"]
    assert sum(found["scores"].values()) == pytest.approx(1, abs=3e-6)
    assert found["confidence"] == max(found["scores"].values())


def test_a_text_in_letters_that_the_model_does_not_know_is_marked_and_said(run: Run) -> None:
    texts = ("хорошо", "good", "bello ж")
    done = run("predict", *texts, "--json")
    assert [(one.get("unknown"), one.get("unreadable")) for one in done.lines] == [
        (1.0, True), (None, None), (0.167, None),
    ]  # fmt: skip
    assert f"1 of 3 texts unreadable: mostly in letters that {DEFAULT_MODEL} does not know" in done.err
    table = run("predict", *texts)
    assert table.out.count("(unreadable) ") == table.out.count("(unreadable) хорошо") == 1
    assert "unreadable" not in run("predict", "good", "bello").err


def test_the_limit_of_unknown_letters_is_a_setting(run: Run) -> None:
    done = run("predict", "bello ж", "--json", SENTIMON_MODEL__MAX_UNKNOWN="0.1")
    assert done.lines[0]["unreadable"]


def test_an_unreadable_text_is_logged_and_counted_as_one(run: Run, tmp_path: Path) -> None:
    done = run("log", "хорошо", "ужасно", "good", "bello", "--json")
    assert done.json["unreadable"] == 2
    assert "2 texts unreadable" in done.err
    rows = [
        json.loads(line) for line in (tmp_path / "logs/predictions.jsonl").read_text("utf-8").splitlines()
    ]
    assert [one.get("unreadable") for one in rows] == [True, True, None, None]
    found = run("metrics", "--json").json
    assert (found["unreadable"]["value"], found["unreadable"]["n"]) == (0.5, 4)
    assert found["properties"]["unreadable"] == 2
    assert "Share of unreadable rows" in " ".join(run("metrics").out.split())


def test_any_text_gets_an_answer_and_keeps_its_place(run: Run, tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": text}) + "\n" for text in HOSTILE)
    (tmp_path / "hostile.jsonl").write_text(lines, encoding="utf-8")
    done = run("predict", "--input", "hostile.jsonl", "--json")
    assert done.code == 0
    texts = [one for one in HOSTILE if one.strip()]
    assert [one["text"] for one in done.lines] == texts
    assert f"{len(HOSTILE) - len(texts)} rows without a text left out" in done.err
    assert [one["truncated"] for one in done.lines].count(True) >= 2
    assert f"of {len(texts)} texts longer than the model reads" in done.err
    table = run("predict", "--input", "hostile.jsonl").out
    assert table.count("(cut) ") == [one["truncated"] for one in done.lines].count(True)
    assert "\x1b" not in table
    assert "\x07" not in table
    assert "[red]not markup[/red]" in table
    assert "\\x1b[31mred" in table
    assert "<script>" in table


def test_a_text_scores_alike_alone_and_in_a_batch(run: Run) -> None:
    texts = ["I love this", "Non mi piace per niente, davvero " * 20, "ok", "Where is my parcel?"]
    together = run("predict", *texts, "--json").lines
    for text, one in zip(texts, together, strict=True):
        (alone,) = run("predict", text, "--json").lines
        assert alone["scores"] == pytest.approx(one["scores"], abs=1e-5)


def test_texts_come_from_stdin_and_from_files(run: Run, tmp_path: Path) -> None:
    assert [one["text"] for one in run("predict", "--json", stdin="uno\ndue\n").lines] == ["uno", "due"]
    (tmp_path / "a.csv").write_text("id;testo\n1;bello, bello\n", encoding="utf-8")
    done = run("predict", "-i", "a.csv", "--column", "testo", "--json")
    assert [one["text"] for one in done.lines] == ["bello, bello"]


def test_bad_rows_are_named_and_the_good_ones_are_answered(run: Run) -> None:
    done = run(
        "predict",
        "-i",
        "-",
        "--json",
        stdin='{"text": "bello"}\n{"text": 1}\n{"x": 1}\nbroken\n{"text": "brutto"}',
    )
    assert done.code == 1
    assert [one["text"] for one in done.lines] == ["bello", "brutto"]
    *bad, left_out = done.err.strip().split("\n")
    assert [line.split(":")[2] for line in bad] == ["2", "4"]
    assert left_out == "stdin: 1 row without a text left out"


def test_an_empty_file_is_a_quiet_night_and_no_mistake(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    for command in ("predict", "log"):
        done = run(command, "--input", "empty.jsonl")
        assert done.code == 0
        assert "empty.jsonl: no rows" in done.err


@pytest.mark.parametrize("arguments", [["predict"], ["predict", "--json"]])
def test_nothing_to_score_is_wrong_usage(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "no text given" in done.err


def test_predictions_can_be_logged_as_they_are_made(run: Run, tmp_path: Path) -> None:
    done = run("predict", "bello", "brutto", "--log", "--logs", "deep/logs", "--json")
    rows = [
        json.loads(line)
        for line in (tmp_path / "deep/logs/predictions.jsonl").read_text("utf-8").split("\n")
        if line
    ]
    assert [row["scores"] for row in rows] == [one["scores"] for one in done.lines]
    assert rows[0]["model"] == DEFAULT_MODEL
    assert rows[0]["revision"]
    assert run("metrics", "--logs", "deep/logs", "--json").json["total_predictions"] == 2


def test_log_scores_shows_and_keeps(run: Run, tmp_path: Path) -> None:
    done = run("log", "Che bello!", SENTIMON_LABELS__POSITIVE="Positivo")
    assert done.code == 0
    assert "Positivo" in done.out
    assert "1 prediction logged to logs/predictions.jsonl" in done.err
    row = json.loads((tmp_path / "logs/predictions.jsonl").read_text(encoding="utf-8"))
    assert (row["text"], row["sentiment"]) == ("Che bello!", "positive")


def test_the_sample_walks_the_whole_way(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sentimon.sample"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"SENTIMON_DRIFT__THRESHOLD": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Drift: the share of negative rose" in done.stdout
    assert "What to try next" in done.stdout
    assert "Traceback" not in done.stderr


def test_evaluate_measures_the_sample(run: Run) -> None:
    done = run("evaluate", "--data", SAMPLE / "after.jsonl", "--json")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert found["n"] == 110
    assert found["accuracy"]["value"] > 0.8
    assert found["accuracy"]["low"] < found["accuracy"]["value"] < found["accuracy"]["high"]
    assert sum(map(sum, found["confusion_matrix"])) == 110
    assert "macro recall" in run("evaluate", "--data", SAMPLE / "after.jsonl").out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["evaluate", "--data", "none.jsonl"], 1, "none.jsonl"),
        (["evaluate"], 2, "--data"),
        (["evaluate", "--data", "~nobody-of-that-name/x.csv"], 2, "no such home folder"),
        (["predict", "--revision", "none", "x"], 1, "not none"),
        (["predict", "--logs", "logs", "x"], 2, "--log is not given"),
        (["predict", "--input", "none.txt"], 1, "none.txt: no such file"),
        (["evaluate", "--data", "no/such-dataset"], 1, "no/such-dataset"),
        (["predict", "--model", "no/such-model", "x"], 1, "no/such-model"),
        (["predict", "--model", "empty", "x"], 1, "empty"),
        (["predict", "--model", "file", "x"], 1, "file is a file"),
        (["predict", "--model", "broken", "x"], 1, "broken"),
    ],
)
def test_what_cannot_be_found_is_named(
    run: Run, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    for name in ("model.onnx", "tokenizer.json", "config.json"):
        (tmp_path / "broken" / name).write_text("{}", encoding="utf-8")
    done = run(*arguments)
    assert done.code == code, done.err
    assert says in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


def start(tmp_path: Path, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sentimon", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"SENTIMON_MODEL__BUFFER_SIZE": "1"},
        **options,  # type: ignore[call-overload]
    )


def test_an_interrupt_ends_with_130_and_keeps_what_was_said(tmp_path: Path) -> None:
    process = start(tmp_path, "predict", "--json", "--log")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"bello\n" * 2000)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not (tmp_path / "logs/predictions.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    logged = (tmp_path / "logs/predictions.jsonl").read_bytes()
    assert logged.endswith(b"\n")
    assert all(json.loads(line) for line in logged.splitlines())


def test_two_interrupts_at_once_end_like_one(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_bytes(b"bello davvero\n" * 20_000)
    process = start(tmp_path, "predict", "--input", "many.txt", "--json")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_a_closed_pipe_is_no_crash(tmp_path: Path) -> None:
    process = start(tmp_path, "predict", "--json")
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(b"bello\n" * 50, timeout=60)
    assert process.returncode == 1
    assert err == b""


def test_every_command_has_help_with_an_example(run: Run) -> None:
    listing = run("--help")
    assert listing.code == 0
    for command in (
        "predict",
        "log",
        "metrics",
        "baseline",
        "drift",
        "retrain-check",
        "evaluate",
        "logs",
        "config",
    ):
        assert command in listing.out
    commands = ["predict", "log", "metrics", "drift", "retrain-check", "evaluate", "config"]
    for command in [
        *([one] for one in commands),
        *(["baseline", one] for one in ("create", "show", "check")),
    ]:
        assert "Example: " in run(*command, "--help").out
    assert run("--version").out.startswith("sentimon ")


def test_completion_works(run: Run) -> None:
    done = run(_SENTIMON_COMPLETE="complete_bash", COMP_WORDS="sentimon retr", COMP_CWORD="1")
    assert "retrain-check" in done.out
