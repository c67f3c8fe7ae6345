import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from sentimon.config import Settings, load_settings
from sentimon.config.check import SECTIONS

CONFIGS = Path(__file__).parent.parent.parent / "configs"


def test_the_default_file_has_every_key_with_its_default_and_its_sentence() -> None:
    text = (CONFIGS / "default.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    defaults = Settings()
    flat = " ".join(text.replace("\n# ", " ").split())
    assert list(document) == list(SECTIONS)
    for section, kind in SECTIONS.items():
        expected = {one.name: getattr(getattr(defaults, section), one.name) for one in fields(kind)}
        assert document[section] == expected
        for one in fields(kind):
            assert one.metadata["doc"] in flat


@pytest.mark.parametrize("name", ["default.toml", "strict.toml", "italian.toml"])
def test_each_profile_loads(name: str) -> None:
    assert load_settings(CONFIGS / name, environment={}).settings


def test_the_italian_profile_speaks_italian() -> None:
    settings = load_settings(CONFIGS / "italian.toml", environment={}).settings
    assert settings.labels.names == ("Negativo", "Neutro", "Positivo")
