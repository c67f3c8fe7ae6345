"""The shell proposes the values of options, and never an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer.main

from sentimon.cli.app import app
from sentimon.cli.completion import completed_values
from sentimon.workflows.model_registry import CURRENT
from tests.support.commands import ALL
from tests.support.rows import logged, written

BASH, ZSH, FISH = "complete_bash", "complete_zsh", "complete_fish"


def proposed(run: Any, line: str, shell: str = BASH) -> list[str]:
    """What the shell is told for a line whose last word is not finished."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    if shell != BASH:
        words = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = run(_SENTIMON_COMPLETE=shell, **words)
    assert done.err == ""
    found: list[str] = done.out.split("\n")[:-1]
    return found


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        (BASH, ["uncertain"]),
        (ZSH, ["_arguments '*: :((\"uncertain\"))'"]),
        (FISH, ["uncertain"]),
    ],
)
def test_each_shell_is_told_in_its_way(run, shell: str, lines: list[str]) -> None:  # type: ignore[no-untyped-def]
    assert proposed(run, "sentimon label next --strategy un", shell) == lines


def values(name: str, begun: str = "", *, command: str = "drift", **given: Any) -> list[str] | None:
    return completed_values(name, command, given, begun)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "begun", "expected"),
    [
        ("strategy", "", ["random", "uncertain", "drifted", "diverse"]),
        ("engine", "r", ["ray"]),
        ("format", "j", ["jsonl"]),
        ("time-format", "epoch-m", ["epoch-ms"]),
        ("labels", "stars", ["stars", "stars10"]),
        ("key", "text", ["text-hash", "text"]),
        ("tz", "Europe/Rom", ["Europe/Rome"]),
        ("every", "1", ["15m", "1h", "1d", "1w"]),
        ("sentiment", "n", ["negative", "neutral"]),
        ("name", "", None),
    ],
)
def test_values_that_are_always_the_same(folder: Path, name: str, begun: str, expected: object) -> None:
    assert values(name, begun) == expected
    assert [*folder.iterdir()] == []


def test_models_are_the_one_that_ships_and_those_promoted(folder: Path) -> None:
    for version in ("v0001", "v0002", "other"):
        (folder / "models" / version).mkdir(parents=True)
    (folder / "models" / CURRENT).symlink_to("v0002")
    named = ["models/current", "models/v0001", "models/v0002"]
    assert values("model") == ["sentimon-default", *named]
    assert values("base", "models/") == values("model_a", "models/") == named
    assert values("version", command="show") == ["v0001", "v0002"]
    assert values("version", models="elsewhere") == []


def test_fields_are_those_of_the_settings_of_the_newest_row_and_of_every_row(folder: Path) -> None:
    (folder / "sentimon.toml").write_text('[segments]\nfields = ["shop"]\n')
    content = f"{logged(1, 0, 0)}{logged(0, 1, 0, extra={'channel': 'app'})}"
    written(folder / "logs", content)
    assert values("by") == ["shop", "channel", "@language", "@length", "@model", "@script"]
    assert values("segment", "@l", logs="nowhere") == ["@language", "@length"]


def test_baselines_are_files_of_the_log(folder: Path) -> None:
    for name in ("baseline.json", "september.json", "monitor.json", "baseline.next.json"):
        written(folder / "logs", "{}", name)
    assert values("baseline") == ["logs/baseline.json", "logs/september.json"]


def test_the_models_of_a_query_are_those_that_the_index_has_counted(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    written(folder / "logs", logged(2, 0, 0, model="old") + logged(2, 0, 0, model="new"))
    assert values("model", command="query") == []
    assert run("metrics").code == 0
    assert values("model", command="query") == ["new", "old"]


@pytest.mark.parametrize("name", ["by", "baseline", "model", "sentiment", "version"])
def test_what_cannot_be_read_says_nothing(folder: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    (folder / "sentimon.toml").write_text("not TOML")
    assert values(name) == []
    (folder / "sentimon.toml").write_text("[logs]\n")
    written(folder / "logs", b"\xff\xfe not a row\n")
    (folder / "logs/predictions-20260101T000000Z.jsonl").mkdir()
    assert values(name) is not None
    assert capfd.readouterr() == ("", "")


def test_a_name_that_would_spoil_the_line_is_not_proposed(folder: Path) -> None:
    written(folder / "logs", logged(1, 0, 0, extra={"two\nlines": 1, "plain": 2}))
    assert "plain" in (values("by") or [])
    assert not [one for one in values("by") or [] if "\n" in one]


def test_each_option_and_argument_asks_for_its_values() -> None:
    context = typer.main.get_command(app).make_context("sentimon", [], resilient_parsing=True)
    for _, command in ALL:
        for one in command.params:
            assert isinstance(one.shell_complete(context, "no such value"), list)
