import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MAX_AGE, ROOT, clean_environment
from tests.support.rows import rows


def command_of(crontab: str) -> str:
    """What cron hands to the shell."""
    return crontab.rstrip("\n").split("\n")[-1].split(" ", 5)[5].replace("\\%", "%")


def of_unit(text: str, key: str) -> str:
    """What a unit says of a key, its specifiers resolved."""
    (value,) = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return str(value).replace("%%", "%")


def words_of_unit(line: str) -> list[str]:
    """The words of ExecStart, as systemd.service(5) takes them apart."""
    quoted = r'"((?:[^"\\]|\\.)*)"'
    words = [
        re.sub(r"\\(.)", r"\1", inner) if inner or plain == "" else plain
        for inner, plain in re.findall(rf"{quoted}|(\S+)", line)
    ]
    assert not any(re.search(r"(?<!\$)\$(\$\$)*(?!\$)", word) for word in words), "a variable"
    return [word.replace("$$", "$") for word in words]


def test_it_prints_the_line_and_the_units(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").mkdir()
    done = run("cron", "show", "--every", "6h", "--mailto", "ops@example.com", "--name", "shop")
    # All that would not work by itself is the limit that the tests set.
    assert (done.code, done.err.count("\n"), done.err.count(MAX_AGE)) == (0, 1, 1)
    assert done.out.startswith("# crontab -e\nMAILTO=ops@example.com\n0 */6 * * * cd ")
    assert f" --logs {tmp_path}/logs --since 7d --save --quiet\n" in done.out
    assert "# ~/.config/systemd/user/shop.service\n[Unit]\n" in done.out
    assert "systemctl --user enable --now shop.timer\n[Unit]\nDescription=Run shop.service\n" in done.out
    assert "\nSuccessExitStatus=3 4\n" in done.out
    assert set(run("cron", "show", "--json").json) == {"crontab", "service", "timer"}


def test_the_line_runs_as_cron_runs_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shop = tmp_path / "my 'shop' 100% $HOME"
    logs = shop / "the logs"
    logs.mkdir(parents=True)
    run("log", "--input", "-", "-q", "--logs", logs, stdin=rows(70, 20, 10))
    run("baseline", "create", "--logs", logs)
    run("log", "--input", "-", "-q", "--logs", logs, stdin=rows(10, 20, 70, minute=240))
    settings = shop / "my settings.toml"
    settings.write_text("[drift]\nthreshold = 0.2\n", encoding="utf-8")
    command = 'printf "%s" "$SENTIMON_TRIGGER_DRIFT_SCORE" > "the score"'
    shown = run(
        "cron", "show", "--logs", logs, "--config", settings, "--since", "2026-09-07T11:00:00Z",
        "--prometheus", shop / "x.prom", "--json", "--on-trigger", command,
    )  # fmt: skip
    assert shown.code == 0
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    environment["PYTHONPATH"] = clean_environment(tmp_path)["PYTHONPATH"]

    def fire() -> subprocess.CompletedProcess[bytes]:
        command = ["/bin/sh", "-c", command_of(shown.json["crontab"])]
        return subprocess.run(command, capture_output=True, cwd="/", env=environment, check=False)

    done = fire()
    assert done.returncode == 3, done.stderr
    assert b"Retraining is recommended" in done.stdout
    assert b"0.2" in done.stdout
    assert (tmp_path / "the score").read_text(encoding="utf-8") == "0.6"
    assert (shop / "x.prom").exists()
    silent = fire()
    assert (silent.returncode, silent.stdout, silent.stderr) == (4, b"", b"")
    with subprocess.Popen(["flock", logs, "sleep", "60"]) as holding:
        # Another run still goes: this one does nothing, and that is no failure.
        for _ in range(100):
            skipped = fire()
            if skipped.returncode == 0:
                break
        holding.terminate()
    assert (skipped.returncode, skipped.stdout, skipped.stderr) == (0, b"", b"")


def test_the_service_runs_as_systemd_runs_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shop = tmp_path / "my 'shop' 100% $HOME"
    logs = shop / "logs"
    shop.mkdir()
    run("log", "--input", "-", "-q", "--logs", logs, stdin=rows(70, 20, 10))
    run("baseline", "create", "--logs", logs)
    run("log", "--input", "-", "-q", "--logs", logs, stdin=rows(10, 20, 70, minute=240))
    command = 'printf "%s" "$SENTIMON_TRIGGER_DRIFT_SCORE" > "the score"'
    service = run(
        "cron", "show", "--logs", logs, "--since", "2026-09-07T11:00:00Z", "--on-trigger", command, "--json"
    ).json["service"]
    # No shell, no variables, and of the environment only what a user manager gives.
    done = subprocess.run(
        words_of_unit(of_unit(service, "ExecStart")),
        capture_output=True,
        cwd=of_unit(service, "WorkingDirectory"),
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert str(done.returncode) in of_unit(service, "SuccessExitStatus").split()
    assert b"Retraining is recommended" in done.stdout
    assert (tmp_path / "the score").read_text(encoding="utf-8") == "0.6"


def test_the_configuration_in_force_here_is_named_and_the_environment_is_missed(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").mkdir()
    (tmp_path / "sentimon.toml").touch()
    done = run("cron", "show", "--json", SENTIMON_DRIFT__THRESHOLD="0.1")
    assert f" --config {tmp_path}/sentimon.toml " in done.json["crontab"]
    assert "neither cron nor systemd knows $SENTIMON_DRIFT__THRESHOLD" in done.err
    (tmp_path / "other.toml").touch()
    named = run("cron", "show", "--json", SENTIMON_CONFIG="other.toml")
    assert f" --config {tmp_path}/other.toml " in named.json["crontab"]


def test_a_log_that_is_not_there_yet_is_said_and_no_lock_makes_a_file_of_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("cron", "show", "--json")
    assert f"{tmp_path}/logs: no such folder yet" in done.err
    words = shlex.split(command_of(done.json["crontab"]))
    assert f"{tmp_path}/logs/" in words
    failed = subprocess.run(
        ["/bin/sh", "-c", command_of(done.json["crontab"])], capture_output=True, check=False
    )
    assert failed.returncode not in (0, 3, 4)
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--every", "7m"],
        ["--every", "often"],
        ["--mailto", "a@b.c\nSHELL=/bin/evil"],
        ["--mailto", "a b"],
        ["--name", "../../x"],
        ["--since", "whenever"],
        ["--logs", "a\nb"],
        ["--on-trigger", "one\ntwo"],
        ["--logs", "/".join(["x" * 100] * 9)],
    ],
)
def test_what_no_crontab_can_hold_is_wrong_usage(run, options: list[str]) -> None:  # type: ignore[no-untyped-def]
    done = run("cron", "show", *options)
    assert (done.code, done.out) == (2, "")
    assert "hint: " in done.err


def test_where_the_monitor_judges_each_row_once_no_period_is_chosen(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", "-q", stdin=rows(1400, 400, 200))
    assert run("baseline", "create").code == 0
    assert "--since" not in run("cron", "show", "--json").json["crontab"]
    assert (
        "--since 7d"
        in run("cron", "show", "--json", SENTIMON_RETRAINING__DRIFT_RULE="threshold").json["crontab"]
    )
    assert "--since 3d" in run("cron", "show", "--json", "--since", "3d").json["crontab"]
    refused = run("cron", "show", "--since", "3d", SENTIMON_RETRAINING__DRIFT_RULE="monitor")
    assert (refused.code, refused.out) == (2, "")
