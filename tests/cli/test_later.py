import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from sentimon.cli.later import LATER
from sentimon.cli.options import plain_help
from tests.conftest import clean_environment
from tests.rows import rows

PROGRAM = (
    "import sys; from sentimon.__main__ import main; sys.argv = ['sentimon', *sys.argv[1:]]\n"
    "try: main()\nexcept SystemExit: pass\n"
    "print(*sorted(sys.modules), file=sys.stderr)"
)
ONLY_LATER = {
    *(f"sentimon.cli.{name}" for name in LATER),
    "sentimon.cli.quality",
    "sentimon.cli.estimate",
    "sentimon.evaluation.estimate",
    "sentimon.workflows.report",
    "sentimon.cli.report_labels",
    "sentimon.evaluation.calibration_error",
    "sentimon.reporting.report",
    "sentimon.cli.doctor_log",
    "sentimon.cli.doctor_host",
    "sentimon.cli.hook",
    "sentimon.cli.webhook",
    "sentimon.config.webhook",
    "sentimon.reporting.retrain_tables",
    "sentimon.reporting.model_tables",
    "sentimon.workflows.model_registry",
    "sentimon.evaluation.promotion_gate",
    "sentimon.finetuning",
    "sentimon.reporting.setup_tables",
    "sentimon.reporting.prometheus_text",
    "sentimon.reporting.schedule",
    "sentimon.workflows.watch",
    "sentimon.cli.terminal",
    "sentimon.prediction_log.index.logged_rows",
    "sentimon.reporting.live_view",
    "http.client",
    "ssl",
}


@pytest.mark.parametrize("command", ["--help", "metrics", "drift", "retrain-check", "config"])
def test_the_other_commands_load_nothing_of_those_that_come_later(run, command: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", "-q", stdin=rows(70, 20, 10))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        check=True,
    )
    # The settings are shown in one module with what `doctor` found.
    own = {"sentimon.reporting.setup_tables"} if command == "config" else set()
    assert not set(done.stderr.strip().split("\n")[-1].split()) & (ONLY_LATER - own)


@pytest.mark.parametrize("name", sorted(LATER))
def test_each_is_listed_completed_and_has_its_help(run, name: str) -> None:  # type: ignore[no-untyped-def]
    # The list has a line for each, cut at its end.
    assert f"  {name:<14} {LATER[name][:40]}" in run("--help").out
    words = {"_SENTIMON_COMPLETE": "complete_bash", "COMP_CWORD": "1", "COMP_WORDS": f"sentimon {name[:3]}"}
    assert name in run(**words).out.split()
    assert "Usage: sentimon " + name in run(name, "--help").out


COMMANDS = [
    ["watch"],
    ["calibrate"],
    ["compare"],
    ["retrain"],
    ["promote"],
    ["models", "list"],
    ["models", "show"],
    ["models", "rollback"],
    ["label", "import"],
    ["label", "status"],
    ["label", "next"],
    ["report"],
    ["export", "prometheus"],
    ["cron", "show"],
    ["doctor"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_has_an_example_and_completes_its_options(run, command: list[str]) -> None:  # type: ignore[no-untyped-def]
    text = run(*command, "--help").out
    assert f"Example: sentimon {' '.join(command)}" in text
    line = f"sentimon {' '.join(command)} --con"
    done = run(_SENTIMON_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(command) + 1))
    assert "--config" in done.out.split()


@pytest.mark.parametrize("name", LATER)
def test_the_list_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    module = importlib.import_module(f"sentimon.cli.{name}")
    own = module.app.info.help if hasattr(module, "app") else plain_help(getattr(module, name))
    assert own.split("\n\n")[0] == LATER[name]


def test_a_name_that_is_nearly_right_is_known(run) -> None:  # type: ignore[no-untyped-def]
    done = run("doctr")
    assert done.code == 2
    assert "Did you mean 'doctor'?" in done.err
    unknown = run("label", "imprt")
    assert unknown.code == 2
    assert "'import'" in unknown.err
