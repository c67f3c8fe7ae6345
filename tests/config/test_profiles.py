import tomllib
from pathlib import Path

import msgspec
import pytest

from sentimon.config import Settings, load_settings
from sentimon.config.ranges import allowed, description
from sentimon.config.setting_keys import check_value, setting_keys, setting_type
from sentimon.config.template import default_toml

CONFIGS = Path(__file__).parent.parent.parent / "configs"


def test_the_default_file_is_what_the_settings_declare() -> None:
    text = (CONFIGS / "default.toml").read_text(encoding="utf-8")
    assert text == default_toml(), "run `make defaults`"


def test_the_default_file_has_every_key_with_its_default() -> None:
    document = tomllib.loads(default_toml())
    # Through JSON: a list in TOML is a tuple here.
    assert document == msgspec.json.decode(msgspec.json.encode(Settings()))
    assert [f"{section}.{key}" for section, keys in document.items() for key in keys] == setting_keys()


def test_every_setting_has_a_sentence_and_a_default_that_it_allows() -> None:
    defaults = Settings()
    for key in setting_keys():
        section, name = key.split(".")
        assert description(setting_type(key)).endswith("."), key
        value = getattr(getattr(defaults, section), name)
        assert check_value(key, value, "default") == value


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("drift.threshold", "a number from 0 to 1"),
        ("training.rate", "a number from 1e-07 to 0.1"),
        ("drift.min_samples", "a whole number from 1 to 1000000000"),
        ("logs.keep_days", "a whole number from 0 to 36525"),
        ("logs.fsync", "one of never, batch, always"),
        ("logs.index", "true or false"),
        ("model.name", "text in quotes"),
        ("logs.dir", "a path"),
    ],
)
def test_what_a_setting_allows_is_told_from_its_declaration(key: str, says: str) -> None:
    assert allowed(setting_type(key)) == says


@pytest.mark.parametrize("name", ["default.toml", "strict.toml", "italian.toml"])
def test_each_profile_loads(name: str) -> None:
    assert load_settings(CONFIGS / name, environment={}).settings


def test_the_italian_profile_speaks_italian() -> None:
    settings = load_settings(CONFIGS / "italian.toml", environment={}).settings
    assert settings.labels.names == ("Negativo", "Neutro", "Positivo")
