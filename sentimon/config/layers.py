"""Load the settings from five layers: a later layer wins, and each value remembers where it came from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sentimon.config.paths import config_folder, expanded
from sentimon.config.setting_keys import (
    SECTIONS,
    check_names,
    check_value,
    read_text,
    setting_keys,
    unknown_key,
)
from sentimon.config.settings import Settings
from sentimon.errors import ConfigError
from sentimon.files import MOST_SETTINGS, read_regular

PREFIX = "SENTIMON_"
PROJECT_FILE = "sentimon.toml"
DEFAULT_ORIGIN = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """The settings, and for each key (`drift.threshold`) where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    config: Path | None = None,
    *,
    flags: Mapping[str, Any] = MappingProxyType({}),
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> LoadedSettings:
    """Return the settings in force: flag > environment > project TOML > user TOML > default.

    `config` is the project file named by `--config`; without it `$SENTIMON_CONFIG`, then
    `sentimon.toml` in `directory` (the current one) if there is one. `flags` maps keys such as
    `drift.threshold` to values that were given on the command line.

    Raises:
        ConfigError: a file that cannot be read, an unknown key, or a value out of range; the message
            names the source and the key.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origins = dict.fromkeys(setting_keys(), DEFAULT_ORIGIN)
    for origin, key, value in _layers(config, flags, environment, directory or Path()):
        values[key] = check_value(key, value, origin)
        origins[key] = origin
    settings = _build(values)
    check_names(settings.labels.names)
    return LoadedSettings(settings=settings, origins=MappingProxyType(origins))


def user_file(environment: Mapping[str, str]) -> Path | None:
    """Return the path of the user's own TOML file, whether it exists or not; None without a home."""
    folder = config_folder(environment)
    return None if folder is None else folder / "config.toml"


def _layers(
    config: Path | None, flags: Mapping[str, Any], environment: Mapping[str, str], directory: Path
) -> Iterator[tuple[str, str, Any]]:
    user = user_file(environment)
    if user is not None and os.path.lexists(user):
        yield from _from_file(user)
    named = config or environment.get(PREFIX + "CONFIG")
    if named:
        yield from _from_file(expanded(named))
    elif os.path.lexists(directory / PROJECT_FILE):
        yield from _from_file(directory / PROJECT_FILE)
    yield from _from_environment(environment)
    for key, value in flags.items():
        yield "flag", key, value


def _from_file(path: Path) -> Iterator[tuple[str, str, Any]]:
    origin = str(path)
    try:
        document = tomllib.loads(read_regular(path, most=MOST_SETTINGS).decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file", hint="check --config and $SENTIMON_CONFIG") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="check --config and $SENTIMON_CONFIG") from error
    except (ValueError, RecursionError) as error:
        # Also raised by numbers of thousands of digits and by brackets nested too deep.
        hint = "`sentimon config` shows what each key may be"
        raise ConfigError(f"{path}: not valid TOML: {error}", hint=hint) from error
    for section, content in document.items():
        if section not in SECTIONS:
            raise unknown_key(section, origin, list(SECTIONS))
        if not isinstance(content, dict):
            raise ConfigError(
                f"{origin}: {section} is a section", hint=f"write [{section}] and its keys below it"
            )
        for name, value in content.items():
            yield origin, f"{section}.{name}", value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    # Only names with two underscores are settings: SENTIMON_CONFIG and the completion variables are not.
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and "__" in variable:
            key = variable.removeprefix(PREFIX).lower().replace("__", ".", 1)
            yield f"${variable}", key, read_text(key, environment[variable])
        elif variable.startswith(tuple(f"{PREFIX}{section.upper()}_" for section in SECTIONS)):
            hint = "write two underscores between section and key: SENTIMON_DRIFT__THRESHOLD"
            raise ConfigError(f"${variable}: is no setting", hint=hint)


def _build(values: Mapping[str, Any]) -> Settings:
    sections = {}
    for section, kind in SECTIONS.items():
        keys = {name: f"{section}.{name}" for name in kind.__struct_fields__}
        sections[section] = kind(**{name: values[key] for name, key in keys.items() if key in values})
    return Settings(**sections)
