"""The values that the shell proposes: for each option that has some, by its name.

What is proposed from the disk is read quickly, and nothing is said where it cannot be read: whoever
presses Tab wants no error in the middle of a line.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sentimon.errors import SentimonError
from sentimon.jsonl import LineError, last_lines

if TYPE_CHECKING:
    from sentimon.workflows.workspace import Workspace

Params = Mapping[str, Any]
"""The options that were given before, by the names of the parameters."""


def completed_values(name: str, command: str, given: Params, incomplete: str) -> list[str] | None:
    """Return the values of an option or argument that begin with `incomplete`.

    None where nothing is known of it, so that the shell proposes what it always does: files.
    """
    values = _VALUES_OF_COMMANDS.get((command, name)) or _VALUES.get(name)
    if values is None:
        return None
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(*_UNREADABLE):
        return [one for one in values(given) if one.startswith(incomplete)]
    return []


_UNREADABLE = (SentimonError, LineError, OSError, sqlite3.Error, ValueError)


def _always(*values: str) -> Callable[[Params], Iterable[str]]:
    return lambda _: values


def _workspace(given: Params) -> Workspace:
    from sentimon.cli.opening import clock
    from sentimon.config import load_settings
    from sentimon.workflows.workspace import Workspace

    named = {"logs.dir": given.get("logs"), "training.models": given.get("models")}
    flags = {key: value for key, value in named.items() if value is not None}
    return Workspace(loaded=load_settings(given.get("config"), flags=flags), now=clock())


def _formats(_: Params) -> Iterable[str]:
    from sentimon.ingest.tables import FORMATS

    return FORMATS


def _time_formats(_: Params) -> Iterable[str]:
    from sentimon.ingest.time_formats import NAMED

    return NAMED


def _codings(_: Params) -> Iterable[str]:
    from sentimon.ingest.class_names import MOST_STARS
    from sentimon.labels import LABELS

    return (*MOST_STARS, ",".join(LABELS))


def _keys(_: Params) -> Iterable[str]:
    from sentimon.gold_labels.label_import import KEYS

    return KEYS


def _strategies(_: Params) -> Iterable[str]:
    from sentimon.gold_labels.sampling_strategies import STRATEGIES

    return STRATEGIES


def _zones(_: Params) -> Iterable[str]:
    import zoneinfo

    return ("local", *sorted(zoneinfo.available_timezones()))


def _classes(given: Params) -> Iterable[str]:
    workspace = _workspace(given)
    return dict.fromkeys(one for one in (*workspace.labels, *workspace.names) if one)


def _fields(given: Params) -> Iterable[str]:
    """Return the fields of the settings, those of the newest row, and those that are told from each row."""
    from sentimon.prediction_log.folder import LIVE_FILE
    from sentimon.prediction_log.record import parse_row
    from sentimon.prediction_log.slice_fields import DERIVED

    workspace = _workspace(given)
    fields = [*workspace.settings.segments.fields]
    with contextlib.suppress(*_UNREADABLE):
        newest = last_lines(workspace.folder / LIVE_FILE)[-1:]
        fields += [name for line in newest for name in parse_row(line, zone=None, whole=True).extra]
    return dict.fromkeys(one for one in (*fields, *DERIVED) if one.isprintable())


def _baselines(given: Params) -> Iterable[str]:
    """Return the files of the log folder that may be baselines."""
    workspace = _workspace(given)
    others = ("monitor.json", ".next.json")
    found = sorted(workspace.folder.glob("*.json"))
    return [str(path) for path in found if not path.name.endswith(others)]


def _models(given: Params) -> Iterable[str]:
    """Return the model that ships, and those promoted."""
    from sentimon.config.paths import expanded
    from sentimon.scoring.scorer import DEFAULT_MODEL
    from sentimon.workflows.model_registry import CURRENT

    folder = _workspace(given).settings.training.models
    current = [f"{folder}/{CURRENT}"] if (expanded(folder) / CURRENT).exists() else []
    return (DEFAULT_MODEL, *current, *(f"{folder}/{one}" for one in _versions(given)))


def _versions(given: Params) -> Iterable[str]:
    from sentimon.config.paths import expanded
    from sentimon.workflows.model_registry import versions_in

    return versions_in(expanded(_workspace(given).settings.training.models))


def _logged_models(given: Params) -> Iterable[str]:
    """Return the models that predicted what the index has counted."""
    from sentimon.prediction_log.index.file_snapshot import list_snapshots
    from sentimon.prediction_log.index.known_rows import known_rows

    workspace = _workspace(given)
    found = known_rows(workspace.index_places(), list_snapshots(workspace.folder))
    return () if found is None else found.models


_VALUES: Mapping[str, Callable[[Params], Iterable[str]]] = MappingProxyType(
    {
        "engine": _always("local", "ray"),
        "encoding": _always("auto", "utf-8", "utf-16", "cp1252", "latin-1"),
        "split": _always("train", "validation", "test"),
        "since": _always("1h", "24h", "7d", "30d"),
        "until": _always("1h", "24h", "7d"),
        "every": _always("15m", "1h", "6h", "1d", "1w"),
        "interval": _always("1s", "5s", "1m"),
        "format": _formats,
        "time-format": _time_formats,
        "labels": _codings,
        "key": _keys,
        "strategy": _strategies,
        "tz": _zones,
        "sentiment": _classes,
        "by": _fields,
        "segment": _fields,
        "baseline": _baselines,
        "model": _models,
        "base": _models,
        "model_a": _models,
        "model_b": _models,
        "version": _versions,
    }
)
"""Values by the long name of an option, or the name of an argument."""
_VALUES_OF_COMMANDS: Mapping[tuple[str, str], Callable[[Params], Iterable[str]]] = MappingProxyType(
    {("query", "model"): _logged_models}
)
"""Where an option of a command has other values than elsewhere."""
