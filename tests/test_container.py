"""The image, the compose file and the manifest: no container engine is needed to see that they hold."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Ran, clean_environment
from tests.support.rows import rows

yaml = pytest.importorskip("yaml")
FOLDER = ROOT / "configs/container"
NOBODY = 65_534


def steps() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments."""
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8").split("\n")
    words = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return [(word, rest) for word, rest in words]


def named(word: str) -> list[str]:
    return [rest for one, rest in steps() if one == word]


def services() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]  # type: ignore[no-any-return]


def cron_job() -> dict[str, Any]:
    documents = yaml.safe_load_all((FOLDER / "cronjob.yaml").read_text(encoding="utf-8"))
    (found,) = (one for one in documents if one["kind"] == "CronJob")
    return found["spec"]["jobTemplate"]["spec"]  # type: ignore[no-any-return]


def test_the_image_runs_as_a_numbered_user_and_installs_no_extra() -> None:
    assert named("USER") == ["10001:0"]
    assert named("ENTRYPOINT") == ['["sentimon"]']
    assert named("HEALTHCHECK") == ["NONE"]
    assert "EXTRAS=" in named("ARG")
    assert {one.split(" ")[0].rpartition(":")[2] for one in named("FROM")} == {"3.12-slim"}


def test_the_builder_is_sent_all_that_is_copied_and_nothing_else() -> None:
    sent = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    copied = {
        word.removeprefix("./") for one in named("COPY") if "--from" not in one for word in one.split()[:-1]
    }
    assert {line[1:] for line in sent if line.startswith("!")} == copied
    assert "*" in sent
    assert all((ROOT / one).exists() for one in copied)


def test_services_and_job_write_nothing_but_their_volumes_and_are_nobody_special() -> None:
    for one in services().values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert (ROOT / one["build"]["dockerfile"]).is_file()
    pod = cron_job()["template"]["spec"]
    (check,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert check["securityContext"]["readOnlyRootFilesystem"] is True
    assert {one["name"] for one in check["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    # The rules on exit codes are for pods that are not started again in place.
    assert pod["restartPolicy"] == "Never"


@pytest.fixture
def in_image(run, tmp_path: Path) -> Callable[..., Ran]:  # type: ignore[no-untyped-def]
    """Run `sentimon` as in the image: with its variables, /logs being a folder here, and no home."""
    (tmp_path / "logs").mkdir()
    variables = dict(one.split("=", 1) for one in named("ENV"))
    variables = {key: value for key, value in variables.items() if key != "PATH"}
    variables |= {"SENTIMON_LOGS__DIR": str(tmp_path / "logs"), "XDG_CACHE_HOME": str(tmp_path / "tmp")}
    variables["HOME"] = "/nonexistent"

    def ran(*words: str, **rest: Any) -> Ran:
        return run(*words, **rest, **variables)  # type: ignore[no-any-return]

    return ran


def test_the_command_of_the_job_finds_drift_and_succeeds(in_image, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    job = cron_job()
    (check,) = job["template"]["spec"]["containers"]
    settings = tmp_path / "sentimon.toml"
    settings.write_text("[notify]\n", encoding="utf-8")
    words = [one.replace("/config/sentimon.toml", str(settings)) for one in check["args"]]
    in_image("log", "--input", "-", "-q", stdin=rows(70, 20, 10))
    in_image("baseline", "create")
    in_image("log", "--input", "-", "-q", stdin=rows(10, 20, 70, minute=240))
    done = in_image(*words)
    assert (done.code, "Retraining is recommended" in done.out) == (0, True)
    assert in_image(*(word for word in words if word != "--exit-zero")).code == 4
    settings.write_text("[notify]\nnobody = 1\n", encoding="utf-8")
    assert [in_image(*words).code] == job["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"]


def run_once(service: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of a service up to its first sleep, its volumes being folders here."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    program = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sentimon "$@"\n'
    for name, text in (("sentimon", program), ("sleep", "#!/bin/sh\nexit 1\n")):
        (bin_ / name).write_text(text, encoding="utf-8")
        (bin_ / name).chmod(0o755)
    (command,) = service["command"]
    environment = clean_environment(folder) | {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "SENTIMON_LOGS__DIR": str(folder / "logs"),
    }
    return subprocess.run(
        [*service["entrypoint"], command.replace("$$", "$").replace("/incoming", str(folder / "incoming"))],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=120,
        check=False,
    )


def test_one_service_logs_what_comes_in_and_the_other_checks_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming/a.jsonl").write_text(rows(70, 20, 10), encoding="utf-8")
    # 1 is that of `sleep` here, which ends the loop.
    appended = run_once(services()["append"], tmp_path)
    assert (appended.returncode, appended.stderr) == (1, "")
    assert [one.name for one in (tmp_path / "incoming").iterdir()] == ["a.jsonl.done"]
    checked = run_once(services()["check"], tmp_path)
    assert checked.returncode == 1
    assert "There is no baseline" in checked.stderr
    (tmp_path / "sentimon.toml").write_text("[nothing]\n", encoding="utf-8")
    (tmp_path / "incoming/b.jsonl").write_text(rows(7, 2, 1), encoding="utf-8")
    for name in ("append", "check"):
        assert run_once(services()[name], tmp_path).returncode == 2
    assert (tmp_path / "incoming/b.jsonl").is_file()


def test_a_file_with_a_bad_row_is_put_aside_and_the_next_one_is_logged(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    (incoming / "1.jsonl").write_text(rows(2, 0, 0) + "x{\n", encoding="utf-8")
    (incoming / "2.jsonl").write_text(rows(0, 3, 0), encoding="utf-8")
    (incoming / "3.jsonl").write_text(rows(0, 3, 0), encoding="utf-8")
    appended = run_once(services()["append"], tmp_path)
    assert sorted(one.name for one in incoming.iterdir()) == [
        "1.jsonl.failed",
        "2.jsonl.done",
        "3.jsonl.failed",
    ]
    assert "bad line: " in appended.stderr
    assert "3.jsonl: was logged already, 3 rows" in appended.stderr
    assert "1.jsonl: exit code 1; it is now " in appended.stderr
    live = tmp_path / "logs/predictions.jsonl"
    assert live.read_text(encoding="utf-8").count("\n") == 5


def test_a_file_that_was_logged_before_the_service_was_killed_is_done(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    (incoming / "1.jsonl").write_text(rows(2, 0, 0), encoding="utf-8")
    assert run_once(services()["append"], tmp_path).returncode == 1
    (incoming / "1.jsonl.done").rename(incoming / "1.jsonl")
    run_once(services()["append"], tmp_path)
    assert [one.name for one in incoming.iterdir()] == ["1.jsonl.done"]
    live = tmp_path / "logs/predictions.jsonl"
    assert live.read_text(encoding="utf-8").count("\n") == 2


def test_a_service_that_cannot_go_on_is_not_started_again_for_ever() -> None:
    assert {one["restart"] for one in services().values()} == {"on-failure:3"}


@pytest.mark.slow
def test_the_steps_of_the_image_make_a_program_that_another_user_can_run(tmp_path: Path) -> None:
    """The RUN and COPY lines in a clean folder; then a check with nothing to write but the log.

    It installs from the network.
    """
    image, source, logs = tmp_path / "image", tmp_path / "src", tmp_path / "logs"
    for folder in (image, source):
        folder.mkdir()
    venv = image / "sentimon"
    build = next(place for place, one in enumerate(steps()) if one[1].startswith("--from"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "EXTRAS": ""}
    for word, rest in steps()[:build]:
        if word == "COPY":
            *names, place = rest.split()
            for name in names:
                target = source / place if len(names) == 1 else source / name
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, target)  # type: ignore[operator]
        elif word == "RUN":
            line = rest.replace("/opt/sentimon", str(venv)).replace(
                "python -m venv", f"{sys.executable} -m venv"
            )
            subprocess.run(["/bin/sh", "-ec", line], cwd=source, env=environment, check=True)
    logs.mkdir(mode=0o770)
    # Root may become somebody else, where the Python of this environment is not in its own home.
    root = os.geteuid() == 0 and all(
        one.stat().st_mode & 0o001 for one in Path(sys.executable).resolve().parents
    )
    if root:
        for folder in (tmp_path, *tmp_path.parents[:2]):
            with contextlib.suppress(PermissionError):
                folder.chmod(folder.stat().st_mode | 0o055)
        os.chown(logs, NOBODY, 0)
    variables = dict(one.split("=", 1) for one in named("ENV"))
    variables |= {
        "SENTIMON_LOGS__DIR": str(logs),
        "XDG_STATE_HOME": str(logs / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "none"),
    }
    program = venv / "bin" / "sentimon"
    image.chmod(0o555)

    def ran(*words: str, given: str = "") -> int:
        return subprocess.run(
            [program, *words],
            input=given,
            text=True,
            env=variables,
            cwd=logs,
            check=False,
            user=NOBODY if root else None,
            group=0 if root else None,
            extra_groups=[] if root else None,
        ).returncode

    try:
        assert ran("--help") == 0
        assert ran("predict", "I love this, it is wonderful.") == 0
        assert ran("log", "--input", "-", "--quiet", given=rows(70, 20, 10)) == 0
        assert ran("baseline", "create") == 0
        assert ran("log", "--input", "-", "--quiet", given=rows(10, 20, 70, minute=240)) == 0
        assert ran("retrain-check", "--save", "--quiet") == 3
        assert ran("report", "--output", "/dev/null/report.html") != 0
    finally:
        image.chmod(0o755)
