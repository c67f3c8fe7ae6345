import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from sentimon.labels import LABELS
from tests.conftest import Ran, clean_environment
from tests.support.loaded_modules import HEAVY, loaded_by
from tests.support.rows import lines, record, rows, written

Run = Callable[..., Ran]
ITALIAN = {
    "timestamp": "2026-02-06T10:49:40.101704",
    "text": "bello",
    "sentiment": "Positivo",
    "confidence": 0.9,
    "scores": {"Negativo": 0.04, "Neutro": 0.06, "Positivo": 0.9},
}
HOSTILE = ["[red]no[/red]", "\x1b[31mred", "\u202eback", "a\nb\u2028c", "🎉👩‍💻", "", "<script>"]


def full(place: int, minute: int = 0, confidence: float = 0.8, **rest: Any) -> dict[str, Any]:
    """A row as the log holds it."""
    return record(place, minute, confidence).to_dict() | rest


def logged(folder: Path, some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A log of these rows, which are returned."""
    written(folder / "logs", lines(some))
    return some


def texts(done: Ran) -> list[str]:
    assert done.code == 0, done.err
    return [one["text"] for one in done.lines]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], "abcdef"),
        (["--sentiment", "negative"], "ad"),
        (["--sentiment", "LABEL_0", "--sentiment", "Positivo"], "acdf"),
        (["--sentiment", "neu"], "be"),
        (["--min-confidence", "0.7"], "acdef"),
        (["--max-confidence", "0.7"], "bc"),
        (["--min-confidence", "0.7", "--max-confidence", "0.7"], "c"),
        (["--contains", "D"], "d"),
        (["--id", "7"], "e"),
        (["--model", "m"], "bf"),
        (["--since", "2026-09-07T08:02:00Z"], "cdef"),
        (["--since", "2026-09-07T08:02:00Z", "--until", "2026-09-07T08:04:00Z"], "cd"),
        (["--since", "2026-09-07T10:02:00", "--tz", "Europe/Rome"], "cdef"),
        (["--limit", "2"], "ab"),
        (["--limit", "100"], "abcdef"),
        (["--newest", "--limit", "3"], "fed"),
        (["--newest", "--limit", "1", "--sentiment", "negative"], "d"),
        (["--sentiment", "positive", "--max-confidence", "0.75", "--limit", "1"], "c"),
    ],
)
def test_each_option_narrows_the_rows(run: Run, tmp_path: Path, asked: list[str], found: str) -> None:
    confidences = [0.8, 0.6, 0.7, 0.8, 0.8, 0.9]
    some = [
        full(minute % 3, minute, one, text="abcdef"[minute]) | ({"model": "m"} if minute in (1, 5) else {})
        for minute, one in enumerate(confidences)
    ]
    some[4]["id"] = 7
    logged(tmp_path, some)
    assert "".join(texts(run("logs", "query", "--json", *asked))) == found


def test_rows_come_as_the_log_holds_them_with_fields_that_are_not_ours(run: Run, tmp_path: Path) -> None:
    some = logged(
        tmp_path,
        [full(place, place, text=text, shop={"city": text}) for text in HOSTILE for place in range(3)],
    )
    done = run("logs", "query", "--json", PYTHONIOENCODING="ascii")
    assert done.lines == some
    assert done.err == ""


def test_old_rows_come_out_canonical_and_what_was_assumed_is_said(run: Run, tmp_path: Path) -> None:
    logged(tmp_path, [ITALIAN | {"shop": "Roma"}])
    done = run("logs", "query", "--json", TZ="Europe/Rome")
    (found,) = done.lines
    assert found == {
        "timestamp": "2026-02-06T09:49:40.101704Z",
        "text": "bello",
        "sentiment": "positive",
        "confidence": 0.9,
        "scores": {"negative": 0.04, "neutral": 0.06, "positive": 0.9},
        "shop": "Roma",
    }
    assert "1 timestamp without a time zone read as local time" in done.err


def test_classes_have_their_configured_names(run: Run, tmp_path: Path) -> None:
    logged(tmp_path, [full(0), full(2, 1, text="evviva")])
    names = {"SENTIMON_LABELS__POSITIVE": "Contento", "SENTIMON_LABELS__NEGATIVE": "Scontento"}
    done = run("logs", "query", "--sentiment", "Contento", **names)
    assert "Contento" in done.out
    assert "evviva" in done.out
    assert "Scontento" not in done.out
    wrong = run("logs", "query", "--sentiment", "happy", **names)
    assert (wrong.code, wrong.out) == (2, "")
    assert "--sentiment: unknown label 'happy'" in wrong.err
    assert "Scontento, neutral, Contento" in wrong.err


def test_the_table_shows_twenty_and_says_how_many_match(run: Run, tmp_path: Path) -> None:
    logged(tmp_path, [full(0, minute) for minute in range(1300)] + [full(2, 2000)])
    done = run("logs", "query", "--sentiment", "negative", "--tz", "Europe/Rome")
    assert (done.code, done.err) == (0, "")
    shown = done.out.split("\n")
    assert shown[0].rstrip() == "Rows of the log, Europe/Rome time"
    assert [line.split()[-1] for line in shown[3:23]] == [str(number) for number in range(20)]
    assert shown[3].startswith("2026-09-07 10:00:00  negative       0.800  text 0")
    assert shown[24:] == ["20 of 1,300 rows shown; --limit shows more", ""]
    assert run("logs", "query", "--limit", "1301").out.endswith("\n1,301 of 1,301 rows shown\n")
    newest = run("logs", "query", "--newest").out.split("\n")
    assert [line.split()[-1] for line in newest[3:23]] == ["2000", *map(str, range(1299, 1280, -1))]
    assert newest[24] == "20 of 1,301 rows shown; --limit shows more"


def test_a_hostile_text_does_nothing_to_the_terminal(run: Run, tmp_path: Path) -> None:
    logged(tmp_path, [full(0, text=text, id=text) for text in HOSTILE])
    out = run("logs", "query", FORCE_COLOR="1", NO_COLOR="").out
    assert "\x1b[31mred" not in out
    assert "\\x1b[31mred" in out
    assert "[red]no[/red]" in out
    assert "\u202e" not in out


def test_bad_lines_are_counted_and_named_and_never_rows(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "logs", lines([full(0)]) + "broken\n" + lines([full(0, 1)]) + '{"torn": ')
    for asked in (["--json"], [], ["--output", "rows.jsonl"]):
        done = run("logs", "query", *asked)
        assert done.code == 0
        assert "2 bad lines left out (json 2)" in done.err
        assert "logs/predictions.jsonl:2: not valid JSON" in done.err
    assert len((tmp_path / "rows.jsonl").read_text(encoding="utf-8").split("\n")) == 3


def test_sealed_and_compressed_files_are_searched_too(run: Run, tmp_path: Path) -> None:
    for day in (1, 2):
        run("log", "--input", "-", stdin=rows(2, 0, 0, minute=day * 1440), SENTIMON_LOGS__ROTATE_DAILY="true")
    written(
        tmp_path / "logs",
        gzip.compress(lines([full(0, 0)]).encode()),
        "predictions-20260901T000000Z.jsonl.gz",
    )
    old = 1_700_000_000
    os.utime(tmp_path / "logs/predictions.jsonl", (old, old))
    run("log", "--input", "-", stdin=rows(1, 0, 0, minute=9999), SENTIMON_LOGS__ROTATE_DAILY="true")
    names = sorted(one.name for one in (tmp_path / "logs").glob("predictions*"))
    assert [name.split(".", 1)[1] for name in names] == ["jsonl.gz", "jsonl.zst", "jsonl"]
    found = texts(run("logs", "query", "--json"))
    assert found == ["text 0", "text 1440", "text 1441", "text 2880", "text 2881", "text 9999"]


def test_no_match_is_said_and_no_error(run: Run, tmp_path: Path) -> None:
    logged(tmp_path, [full(0)])
    for asked in (["--json"], [], ["--newest"]):
        done = run("logs", "query", "--sentiment", "positive", *asked)
        assert (done.code, done.out) == (0, "")
        assert done.err.startswith("no rows match")
    written(tmp_path / "logs", "")
    assert run("logs", "query").err.startswith("no rows match")


def test_texts_that_were_not_kept_are_not_passed_over_in_silence(run: Run, tmp_path: Path) -> None:
    some = [full(0, text="good"), full(0, 1, text=None), full(2, 2, text=None), full(0, 3, text="bad")]
    logged(tmp_path, some)
    done = run("logs", "query", "--json", "--contains", "OO", "--sentiment", "negative")
    assert texts(done) == ["good"]
    assert "1 row could not be searched: the text was not kept" in done.err
    assert run("logs", "query", "--json", "--sentiment", "negative").err == ""
    assert "(not kept)" in run("logs", "query").out


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_rows_go_into_a_file_that_is_private_and_counted(run: Run, tmp_path: Path, ending: str) -> None:
    some = logged(
        tmp_path,
        [
            full(number % 3, number, text=text, id=f"n{number}", n=number)
            for number, text in enumerate(HOSTILE)
        ],
    )
    path = tmp_path / "out" / f"rows.{ending}"
    path.parent.mkdir()
    done = run("logs", "query", "--sentiment", "negative", "--limit", "2", "--output", path)
    assert (done.code, done.out) == (0, "")
    assert f"2 of 3 rows that match written to {path}" in done.err
    assert path.stat().st_mode & 0o777 == 0o600
    assert rows_in(path) == [some[0], some[3]]
    again = run("logs", "query", "--output", path)
    assert again.code == 1
    assert f"{path}: is there already" in again.err
    assert "--force" in again.err
    assert rows_in(path) == [some[0], some[3]]
    newest = run("logs", "query", "--output", path, "--force", "--newest", "--limit", "3")
    assert "3 of 7 rows that match written" in newest.err
    assert rows_in(path) == some[:-4:-1]
    none = run("logs", "query", "--output", path, "--force", "--id", "nobody")
    assert none.code == 0
    assert "0 of 0 rows" in none.err
    assert "no rows match" in none.err
    assert rows_in(path) == []
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def rows_in(path: Path) -> list[dict[str, Any]]:
    """The rows of an exported file, as the log holds them."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return list(_parquet_rows(path))


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    for one in pyarrow.parquet.read_table(path).to_pylist():
        extra = json.loads(one.pop("extra"))
        moment = one.pop("timestamp").isoformat().replace("+00:00", "Z")
        scores = {label: one.pop(label) for label in LABELS}
        known = {name: value for name, value in one.items() if value is not None}
        yield {"timestamp": moment, "scores": scores} | known | extra


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_full_disk_is_an_error_that_names_the_file(run: Run, tmp_path: Path, ending: str) -> None:
    logged(tmp_path, [full(0, minute, text=os.urandom(500).hex()) for minute in range(300)])

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    done = subprocess.run(
        [sys.executable, "-m", "sentimon", "logs", "query", "--output", f"rows.{ending}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limited,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"rows.{ending}: cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(one.name for one in tmp_path.iterdir() if "rows" in one.name) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--limit", "0"], 2, "--limit is 0"),
        (["--limit", "-3"], 2, "--limit is -3"),
        (["--limit", "many"], 2, "--limit"),
        (["--min-confidence", "1.5"], 2, "--min-confidence is 1.5"),
        (["--max-confidence", "-0.1"], 2, "--max-confidence is -0.1"),
        (["--min-confidence", "nan"], 2, "--min-confidence is nan"),
        (["--min-confidence", "0.8", "--max-confidence", "0.7"], 2, "--min-confidence 0.8 is above"),
        (["--sentiment", "happy"], 2, "use one of: negative, neutral, positive"),
        (["--newest", "--json"], 2, "--newest needs --limit"),
        (["--newest", "--output", "rows.parquet"], 2, "--newest needs --limit"),
        (["--json", "--output", "rows.jsonl"], 2, "--json and --output exclude each other"),
        (["--output", "rows.csv"], 2, "end it in .jsonl or .parquet"),
        (["--output", "-"], 2, "end it in .jsonl or .parquet"),
        (["--force"], 2, "--force overwrites the file of --output, which is not given"),
        (["--output", "logs/rows.jsonl"], 2, "lies in the folder of the log"),
        (["--output", "logs/predictions.jsonl", "--force"], 2, "lies in the folder of the log"),
        (["--output", "link/predictions.jsonl", "--force"], 2, "lies in the folder of the log"),
        (["--output", "link.jsonl", "--force"], 2, "lies in the folder of the log"),
        (["--output", "loop.jsonl", "--logs", "nowhere"], 2, "loop.jsonl: is a link"),
        (["--output", "file/rows.jsonl"], 2, "file/rows.jsonl: file is no folder"),
        (["--output", "typo/rows.jsonl"], 2, "typo/rows.jsonl: there is no folder typo"),
        (["--output", "~nobody-of-that-name/x.jsonl"], 2, "no such home folder"),
        (["--output", "x" * 300 + ".jsonl"], 1, "File name too long"),
        (["--since", "soon"], 2, "--since: 'soon'"),
        (["--since", "2026-09-02", "--until", "2026-09-01"], 2, "is not before"),
        (["--tz", "Mars"], 2, "metrics.time_zone = 'Mars'"),
        (["--logs", "nowhere"], 1, "nowhere: no such folder"),
        (["--logs", "nowhere", "--output", "rows.jsonl"], 1, "nowhere: no such folder"),
    ],
)
def test_wrong_use_is_named_and_touches_nothing(
    run: Run, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    logged(tmp_path, [full(0)])
    written(tmp_path, "", "file")
    (tmp_path / "link").symlink_to("logs")
    (tmp_path / "link.jsonl").symlink_to("logs/predictions.jsonl")
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    run("logs", "query")
    before = sorted(tmp_path.rglob("*"))
    done = run("logs", "query", *arguments)
    assert (done.code, done.out) == (code, ""), done.err
    assert says in done.err
    assert "Traceback" not in done.err
    assert sorted(tmp_path.rglob("*")) == before
    assert texts(run("logs", "query", "--json")) == ["text 0"]


@pytest.mark.parametrize("asked", ["--json", "--limit 3000", "--json --newest --limit 3000"])
def test_a_reader_that_has_seen_enough_is_no_crash(run: Run, tmp_path: Path, asked: str) -> None:
    logged(tmp_path, [full(0, minute, text="x" * 100) for minute in range(3000)])
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m sentimon logs query {asked} | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        # Unbuffered, Python takes the part that was written before the reader left for all of it.
        env=clean_environment(tmp_path) | {"PYTHONUNBUFFERED": ""},
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_bad_lines_are_named_also_where_the_limit_comes_first(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "logs", lines([full(0), full(0, 1)]) + "broken\n")
    limited = run("logs", "query", "--json", "--limit", "1")
    assert (len(limited.lines), "1 bad line" in limited.err) == (1, True)
    assert limited.err == run("logs", "query", "--json").err


def test_the_help_has_an_example(run: Run) -> None:
    done = run("logs", "query", "--help")
    assert "Example: sentimon logs query" in done.out


@pytest.mark.parametrize("asked", [[], ["--json"], ["--output", "rows.jsonl"]])
def test_only_parquet_loads_anything_heavy(tmp_path: Path, asked: list[str]) -> None:
    logged(tmp_path, [full(0)])
    assert not loaded_by("logs", "query", *asked, folder=tmp_path) & HEAVY
    assert "pyarrow" in loaded_by("logs", "query", "--output", "rows.parquet", folder=tmp_path)
