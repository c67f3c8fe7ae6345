"""The runs that tests fork from a loaded program are those of new processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ran, clean_environment
from tests.support.forks import fork_server
from tests.support.rows import rows

Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("metrics",), {}),
        (
            ("metrics", "--every", "1d"),
            {"TZ": "America/New_York", "SENTIMON_LOGS__NAIVE_TIME_ZONE": "Asia/Tokyo"},
        ),
        (("drift", "--no-create"), {}),
        (("predict", "-i", "nowhere.jsonl"), {}),
        (("logs", "query", "--limit", "x"), {"FORCE_COLOR": "1", "COLUMNS": "60"}),
        (("predict", "-", "--json"), {"PYTHONWARNINGS": "error"}),
    ],
    ids=lambda given: " ".join(given),
)
def test_it_says_what_a_new_process_says(
    run: Run, run_anew: Run, tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    assert run("log", "--input", "-", "-q", stdin=rows(3, 2, 1)).code == 0
    forked, new = (one(*arguments, stdin=b"I love this\n", **environment) for one in (run, run_anew))
    assert (forked.code, forked.out, forked.err) == (new.code, new.out, new.err)


def test_what_this_process_loads_leaves_the_runs_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    server = fork_server(torch=False)
    for name in ("OPENBLAS_NUM_THREADS", "ORT_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")
    assert server.takes(clean_environment(ROOT))


def test_what_libraries_read_when_they_are_loaded_asks_for_a_new_process() -> None:
    ours, server = clean_environment(ROOT), fork_server(torch=False)
    assert server.takes(ours | {"TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "1"})
    assert not server.takes(ours | {"OMP_NUM_THREADS": "2"})
    assert not server.takes(ours | {"PYTHONHASHSEED": "1"})


def test_the_command_of_a_trigger_gets_the_environment_of_the_run(run: Run, tmp_path: Path) -> None:
    assert run("log", "--input", "-", "-q", stdin=rows(200, 0, 0, confidence=0.5)).code == 0
    told = run("retrain-check", "--on-trigger", "env > given", MARK="of this run")
    assert told.code == 3, told.err
    assert "MARK=of this run" in (tmp_path / "given").read_text(encoding="utf-8").split("\n")
