from pathlib import Path

import pytest

from sentimon.config import Settings, load_settings
from sentimon.errors import ConfigError


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_defaults_of_the_specification() -> None:
    settings = Settings()
    assert settings.drift.threshold == 0.15
    assert settings.retraining.min_samples_for_retraining == 50
    assert settings.retraining.confidence_threshold == 0.70


def test_a_later_layer_wins_and_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    written(
        tmp_path / "xdg/sentimon/config.toml",
        "[drift]\nthreshold = 0.1\nmin_samples = 10\n[model]\nthreads = 1\n",
    )
    project = written(tmp_path / "project.toml", "[drift]\nthreshold = 0.2\nmin_samples = 20\n")
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), "SENTIMON_DRIFT__THRESHOLD": "0.3"}
    loaded = load_settings(project, environment=environment)
    assert loaded.settings.model.threads == 1
    assert loaded.settings.drift.min_samples == 20
    assert loaded.settings.drift.threshold == 0.3
    assert loaded.origins["drift.threshold"] == "$SENTIMON_DRIFT__THRESHOLD"
    assert loaded.origins["drift.min_samples"] == str(project)
    assert loaded.origins["model.threads"].endswith("sentimon/config.toml")
    assert loaded.origins["logs.dir"] == "default"
    flagged = load_settings(project, environment=environment, flags={"drift.threshold": 0.4})
    assert (flagged.settings.drift.threshold, flagged.origins["drift.threshold"]) == (0.4, "flag")


def test_the_project_file_is_named_by_flag_or_environment_or_found(tmp_path: Path) -> None:
    written(tmp_path / "sentimon.toml", "[drift]\nthreshold = 0.2\n")
    other = written(tmp_path / "other.toml", "[drift]\nthreshold = 0.3\n")
    third = written(tmp_path / "third.toml", "[drift]\nthreshold = 0.4\n")
    nothing = {"HOME": str(tmp_path / "nobody")}
    assert load_settings(environment=nothing, directory=tmp_path).settings.drift.threshold == 0.2
    named = nothing | {"SENTIMON_CONFIG": str(other)}
    assert load_settings(environment=named, directory=tmp_path).settings.drift.threshold == 0.3
    assert load_settings(third, environment=named, directory=tmp_path).settings.drift.threshold == 0.4


@pytest.mark.parametrize(
    ("toml", "says", "hint"),
    [
        ("[drift]\ntreshold = 0.2", "unknown key drift.treshold", "did you mean drift.threshold"),
        ("[drfit]\nthreshold = 0.2", "unknown key drfit", "did you mean drift"),
        ("threshold = 0.2", "unknown key threshold", "drift"),
        ("drift = 3", "drift is a section", r"\[drift\]"),
        ("[drift]\nthreshold = 2", "drift.threshold = 2", "a number from 0 to 1"),
        ("[drift]\nthreshold = nan", "drift.threshold = nan", "a number from 0 to 1"),
        ("[drift]\nthreshold = true", "drift.threshold = True", "a number from 0 to 1"),
        ("[drift]\nmin_samples = 1.5", "drift.min_samples = 1.5", "whole number"),
        ("[drift]\ncreate_baseline = 'no'", "drift.create_baseline", "true or false"),
        ("[retraining]\ncooldown = '1 day'", "retraining.cooldown", "24h"),
        ("[metrics]\ntime_zone = 'Europe/Roma'", "metrics.time_zone", "Europe/Rome"),
        ("[model.label_map]\njoy = 'great'", "model.label_map", "negative, neutral or positive"),
        ("[labels]\nnegative = ''", "labels.negative", "a name"),
        ("[drift\n", "not valid TOML", ""),
        ("x = " + "[" * 5000, "not valid TOML", ""),
        ("[drift]\nthreshold = 1" + "0" * 400, "drift.threshold", "a number from 0 to 1"),
        ("[drift]\nmin_samples = 1" + "0" * 5000, "not valid TOML", ""),
        ("[retraining]\ncooldown = '9999999w'", "retraining.cooldown", "24h"),
        ("[logs]\ndir = ''", "logs.dir", "a path"),
        ('[logs]\ndir = "a\\u0000b"', "logs.dir", "a path"),
    ],
)
def test_a_wrong_file_is_named_with_the_key_and_what_is_allowed(
    tmp_path: Path, toml: str, says: str, hint: str
) -> None:
    path = written(tmp_path / "bad.toml", toml)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environment={})
    assert str(path) in caught.value.message
    assert says in caught.value.message
    assert hint.replace("\\", "") in (caught.value.hint or "")


@pytest.mark.parametrize("path", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_an_error_of_configuration(path: str) -> None:
    with pytest.raises(ConfigError, match=r"no such file|Is a directory"):
        load_settings(Path(path), environment={})


def test_the_environment_is_read_as_the_key_s_own_type() -> None:
    environment = {
        "SENTIMON_DRIFT__CREATE_BASELINE": "false",
        "SENTIMON_MODEL__NAME": "0.5",
        "SENTIMON_MODEL__THREADS": "3",
        "SENTIMON_CONFIG": "",
    }
    settings = load_settings(environment=environment).settings
    assert settings.drift.create_baseline is False
    assert settings.model.name == "0.5"
    assert settings.model.threads == 3


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("x", "X ", "y"), "names two classes alike"),
        (("positive", "neutral", "negative"), "calls negative 'positive'"),
        (("Negativo", "Positivo", "z"), "calls neutral 'Positivo'"),
    ],
)
def test_display_names_must_tell_the_classes_apart(names: tuple[str, str, str], says: str) -> None:
    environment = {
        f"SENTIMON_LABELS__{label.upper()}": name
        for label, name in zip(("negative", "neutral", "positive"), names, strict=True)
    }
    with pytest.raises(ConfigError, match=says):
        load_settings(environment=environment)


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"\$SENTIMON_DRIFT__LIMIT: unknown key drift.limit"):
        load_settings(environment={"SENTIMON_DRIFT__LIMIT": "0.2"})


def test_one_underscore_too_few_is_said() -> None:
    with pytest.raises(ConfigError, match="SENTIMON_MODEL_THREADS: is no setting") as caught:
        load_settings(environment={"SENTIMON_MODEL_THREADS": "1"})
    assert "two underscores" in str(caught.value.hint)
