"""What a container is: a log that may only be read, no home, and a user id without a name."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, clean_environment
from tests.samples.program import PLACE, Answer, ask, move

SAMPLE = ROOT / "tests/samples/v0.1.0"
ELSEWHERE = "ELSEWHERE"
"""Stands for a folder that can be written."""
LOOKS = {
    "metrics --json": 0,
    "metrics --every 1d --json": 0,
    f"metrics --prometheus {ELSEWHERE}/a.prom": 0,
    "metrics --quality --json": 4,
    "watch": 0,
    "baseline show --json": 0,
    "baseline check --json": 0,
    "baseline create --dry-run --json": 0,
    f"baseline create --baseline {ELSEWHERE}/b.json --json": 0,
    "drift --json": 3,
    "drift --monitor --dry-run --json": 3,
    "drift --monitor --json": 3,
    "drift --logs collecting --json": 4,
    "drift --baseline nowhere.json --json": 4,
    "drift --dry-run --json": 0,
    "retrain-check --json": 4,
    "retrain-check -q": 4,
    "retrain-check --since 30d --json": 4,
    "retrain-check --logs small --json": 3,
    "retrain-check --logs collecting --json": 4,
    "retrain-check --dry-run --json": 0,
    "label status --json": 0,
    f"label next -n 3 --output {ELSEWHERE}/c.csv --json": 0,
    "logs status --json": 0,
    "logs query --limit 2 --json": 0,
    "logs verify --json": 3,
    "logs repair --dry-run --json": 3,
    "logs erase --contains parcel --dry-run --json": 0,
    "logs prune --keep-days 1 --dry-run --json": 0,
    "models list --json": 0,
    "models show --json": 0,
    f"report --output {ELSEWHERE}/d.html": 0,
    f"report --output {ELSEWHERE}/e.md": 0,
    "export prometheus": 0,
    f"export prometheus --output {ELSEWHERE}/f.prom": 0,
    "cron show --json": 0,
    "doctor --json": 0,
    "config --json": 0,
}
WRITES = (
    "drift --save", "retrain-check --save", "metrics --save", "drift --reset --yes",
    "baseline create --force", "logs repair --yes", "logs erase --contains parcel --yes",
    "logs prune --keep-days 1 --yes",
)  # fmt: skip
ALL = """
import json, sys
from tests.samples.program import ask
answers = {}
for line in json.load(sys.stdin):
    answer = ask(*line.split())
    answers[line] = [answer.code, answer.out, answer.err]
json.dump(answers, sys.stdout)
"""


def copy_of_the_sample(place: Path) -> Path:
    shutil.copytree(SAMPLE, place, symlinks=True)
    (place / "hash.key").chmod(0o600)
    move(place, PLACE, str(place))
    # A checkout gives files the time of today, and retention asks for that of their last row.
    for sealed in place.rglob("predictions-*"):
        os.utime(sealed, times=(0, 0))
    return place


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """What each command says where the folder of log, baseline and models is mounted read-only."""
    place = copy_of_the_sample(tmp_path_factory.mktemp("read-only") / "samples")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    mounted = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'
    program = [sys.executable, "-c", ALL]
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    alone = [*namespace, "sh", "-c", mounted, str(place)]
    possible = (
        shutil.which("unshare")
        and not subprocess.run([*alone, "true"], capture_output=True, check=False).returncode
    )
    if not possible and os.geteuid() == 0:
        pytest.skip("nothing can be mounted here, and nothing is forbidden to root")
    folders = [] if possible else [place, *(one for one in place.rglob("*") if one.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    environment = clean_environment(elsewhere) | {"SENTIMON_MODEL__NAME": "sentimon-default"}
    done = subprocess.run(
        [*alone, *program] if possible else program,
        input=json.dumps([one.replace(ELSEWHERE, str(elsewhere)) for one in (*LOOKS, *WRITES)]),
        capture_output=True, text=True, check=False, cwd=place, env=environment,
    )  # fmt: skip
    for folder in folders:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        name.replace(str(elsewhere), ELSEWHERE): Answer(code=code, out=out, err=err)
        for name, (code, out, err) in found.items()
    }


@pytest.mark.parametrize("look", LOOKS)
def test_a_command_that_saves_nothing_answers_where_the_log_may_only_be_read(
    answers: dict[str, Answer], look: str
) -> None:
    answer = answers[look]
    assert answer.code == LOOKS[look], answer
    if "--json" in look:
        assert answer.value


@pytest.mark.parametrize("write", WRITES)
def test_what_is_to_be_written_there_is_an_error_that_names_the_place(
    answers: dict[str, Answer], write: str
) -> None:
    assert answers[write].code == 1
    assert "cannot be" in answers[write].err


def test_a_look_of_the_monitor_that_cannot_be_kept_says_so_once(
    answers: dict[str, Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = copy_of_the_sample(tmp_path / "samples")
    rows = (place / "small/predictions.jsonl").read_text(encoding="utf-8").replace("2026-09-0", "2026-09-2")
    monkeypatch.chdir(place)
    assert ask("log", "--input", "-", "-q", stdin=rows).code == 0
    kept = (place / "logs/monitor.json").read_bytes()
    from sentimon.prediction_log import locks

    def read_only(path: Path) -> int:
        raise OSError(30, "Read-only file system", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(locks, "_open", read_only)
        for command in ("retrain-check", "drift --monitor"):
            looked = ask(*command.split(), "--json")
            assert looked.err.count("this check is not remembered") == 1, looked
            assert looked.value["timestamp"]
        assert "not remembered" not in ask("drift", "--monitor", "--dry-run", "--json").err
        assert (place / "logs/monitor.json").read_bytes() == kept
    assert "not remembered" not in ask("retrain-check", "--json").err
    assert (place / "logs/monitor.json").read_bytes() != kept


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id without a name, and no HOME."""

    def nobody(uid: int) -> Any:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "LOGNAME", "USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    place = copy_of_the_sample(tmp_path / "samples")
    (place / "sentimon.toml").unlink()
    monkeypatch.chdir(place)


HOMELESS: dict[str, int] = {
    "--help": 0,
    "config --json": 0,
    "predict --json fine": 0,
    "log --logs new fine": 0,
    "metrics --json": 0,
    "metrics --quality --json": 4,
    "drift --json": 3,
    "drift --monitor --json": 3,
    "retrain-check --json": 4,
    "label status --json": 0,
    "report --output report.md": 0,
    "export prometheus": 0,
    "doctor --json": 0,
    "models list --json": 0,
    "logs status --json": 0,
    "cron show --json": 0,
}


@pytest.mark.usefixtures("no_home")
def test_without_a_home_every_command_works_or_says_what_it_misses() -> None:
    with pytest.raises(RuntimeError):
        Path.home()
    key = {"SENTIMON_LOGS__HASH_KEY_FILE": "hash.key"}
    answers = {command: ask(*command.split(), home=False, **key) for command in HOMELESS}
    assert {command: answer.code for command, answer in answers.items()} == HOMELESS, answers
    # Labels that came by their text are joined by its keyed hash, and nobody says where the key is.
    missed = ask("label", "status", home=False)
    assert (missed.code, "hash.key: the user has no home folder" in missed.err) == (2, True)
    assert "set HOME" in missed.err


@pytest.mark.usefixtures("no_home")
def test_xdg_folders_are_used_without_a_home(tmp_path: Path) -> None:
    folders = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "CACHE", "STATE")}
    settings = tmp_path / "CONFIG/sentimon/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[drift]\nthreshold = 0.5\n", encoding="utf-8")
    shown = ask("config", "--json", home=False, **folders)
    assert shown.value["drift.threshold"] == {"value": 0.5, "origin": str(settings)}
    hashed = ask("log", "--logs", "new", "-q", "fine", home=False, SENTIMON_LOGS__TEXT="hash", **folders)
    assert hashed.code == 0, hashed.err
    assert (settings.parent / "hash.key").exists()
