import subprocess
import sys
from pathlib import Path

import pytest

from sentimon.cli.later import LATER
from tests.conftest import clean_environment
from tests.support.in_process import said
from tests.support.rows import rows

PROGRAM = (
    "import sys; from sentimon.__main__ import main; sys.argv = ['sentimon', *sys.argv[1:]]\n"
    "try: main()\nexcept SystemExit: pass\n"
    "print(*sorted(sys.modules), file=sys.stderr)"
)
OFTEN = ["metrics", "drift", "retrain-check", "config"]
ONLY_LATER = {
    *(f"sentimon.cli.{name}" for name in LATER if name not in OFTEN),
    "sentimon.workflows.quality",
    "sentimon.evaluation.estimate",
    "sentimon.workflows.report",
    "sentimon.statistics.calibration_error",
    "sentimon.reporting.report",
    "sentimon.workflows.doctor",
    "sentimon.workflows.labelling",
    "sentimon.workflows.log_maintenance",
    "sentimon.workflows.trigger_delivery",
    "sentimon.workflows.webhook",
    "sentimon.config.webhook",
    "sentimon.reporting.retrain_tables",
    "sentimon.reporting.model_tables",
    "sentimon.workflows.model_registry",
    "sentimon.evaluation.model_comparison",
    "sentimon.finetuning",
    "sentimon.reporting.setup_tables",
    "sentimon.reporting.prometheus_text",
    "sentimon.reporting.schedule",
    "sentimon.workflows.watch",
    "sentimon.cli.terminal",
    "sentimon.reporting.live_view",
    "http.client",
    "ssl",
}


@pytest.mark.parametrize("command", ["--help", *OFTEN])
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
    others = {f"sentimon.cli.{name.replace('-', '_')}" for name in OFTEN if name != command}
    # The settings are shown in one module with what `doctor` found.
    own = {"sentimon.reporting.setup_tables"} if command == "config" else set()
    assert not set(done.stderr.strip().split("\n")[-1].split()) & ((ONLY_LATER | others) - own)


def test_all_are_listed_and_completed(run) -> None:  # type: ignore[no-untyped-def]
    text = run("--help").out
    assert all(f"  {name:<14} {line}\n" in text for name, line in LATER.items())
    words = {"_SENTIMON_COMPLETE": "complete_bash", "COMP_CWORD": "1", "COMP_WORDS": "sentimon "}
    assert set(run(**words).out.split()) >= set(LATER)


@pytest.mark.parametrize("name", LATER)
def test_each_has_its_help(name: str) -> None:
    code, text = said(name, "--help")
    assert (code, f"Usage: sentimon {name}" in text) == (0, True)


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


def test_a_name_that_is_nearly_right_is_known(run) -> None:  # type: ignore[no-untyped-def]
    done = run("doctr")
    assert done.code == 2
    assert "Did you mean 'doctor'?" in done.err
    unknown = run("label", "imprt")
    assert unknown.code == 2
    assert "'import'" in unknown.err
