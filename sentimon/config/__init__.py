"""Settings: what there is to set, what each key allows, and where each value came from.

Read in this order:

- `settings`: every section and key, declared once with its type, range, default and description
- `label_settings`: which classes there are, and what they are called
- `ranges`: the types that several keys share, and the words for what a type allows
- `setting_keys`: checks one value against its key; suggests the nearest key for one that does not exist
- `layers`: flag > environment > project TOML > user TOML > default; each value remembers its layer
- `durations`, `paths`, `webhook`: how a length of time, a path and the URL of a webhook are written
- `secrets`: hides passwords and secrets in what is shown
- `template`: configs/default.toml, generated from `settings`
"""

from __future__ import annotations

from sentimon.config.layers import LoadedSettings, load_settings
from sentimon.config.settings import Settings

__all__ = ["LoadedSettings", "Settings", "load_settings"]
