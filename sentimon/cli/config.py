"""`sentimon config`: every setting, its value, and where it came from."""

from __future__ import annotations

from typing import Any

from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag
from sentimon.cli.output import show, show_json


def config(config: ConfigOption = None, as_json: JsonFlag = False) -> None:
    """Show every setting, its value, and where it came from; secrets are hidden.

    Example: SENTIMON_DRIFT__THRESHOLD=0.1 sentimon config
    """
    from sentimon.config.secrets import shown_value
    from sentimon.reporting.setup_tables import settings_table

    loaded = open_workspace(config).loaded

    def value_of(key: str) -> Any:
        section, name = key.split(".")
        return shown_value(key, getattr(getattr(loaded.settings, section), name))

    if as_json:
        show_json({key: {"value": value_of(key), "origin": origin} for key, origin in loaded.origins.items()})
    else:
        show(settings_table((key, value_of(key), origin) for key, origin in loaded.origins.items()))
