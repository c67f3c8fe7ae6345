"""The text of configs/default.toml, made from the declarations of the settings (`make defaults`)."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator

from sentimon.config.ranges import allowed, description
from sentimon.config.setting_keys import SECTIONS, setting_type

_WIDTH = 110
_HEAD = """\
# Every setting with its default and what it allows. Copy what you change into sentimon.toml;
# `sentimon config` shows what is in force.
# Each key can also be set in the environment: SENTIMON_DRIFT__THRESHOLD=0.1
"""
_UNBOUNDED = ("text in quotes", "true or false")


def default_toml() -> str:
    """Return a TOML file with every key, its sentence, what it allows, and its default."""
    return _HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    for section, kind in SECTIONS.items():
        defaults = kind()
        entries = (
            _comment(f"{section}.{name}") + f"{name} = {json.dumps(getattr(defaults, name))}\n"
            for name in kind.__struct_fields__
        )
        yield f"\n[{section}]\n" + "\n".join(entries)


def _comment(key: str) -> str:
    kind = setting_type(key)
    allows = allowed(kind)
    lines = [description(kind)] + ([] if allows in _UNBOUNDED else [f"Allowed: {allows}."])
    return "".join(
        textwrap.fill(line, _WIDTH, initial_indent="# ", subsequent_indent="# ") + "\n" for line in lines
    )


if __name__ == "__main__":
    sys.stdout.write(default_toml())
