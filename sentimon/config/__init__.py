"""Settings: defaults < user TOML < project TOML < environment < flags, checked, each with its origin."""

from __future__ import annotations

from sentimon.config.layers import LoadedSettings, load_settings
from sentimon.config.settings import Settings

__all__ = ["LoadedSettings", "Settings", "load_settings"]
