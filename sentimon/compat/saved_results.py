"""Results of the Python classes: the fields of the replaced program, all further facts in `details`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, cast

from sentimon.compat.label_names import DisplayNames
from sentimon.prediction_log.durable_files import remove_file
from sentimon.prediction_log.history import append_entry, read_entries

E = TypeVar("E")
_DETAILS = "details"


def entry_of(kind: type[E], content: Mapping[str, Any]) -> E:
    """Return a result of class `kind` with its fields from `content`; the other keys become its details."""
    make = cast(Any, kind)
    names = [one.name for one in fields(make) if one.name != _DETAILS]
    rest = {key: value for key, value in content.items() if key not in names}
    return cast(E, make(**{name: content.get(name) for name in names}, details=rest))


def content_of(entry: Any) -> dict[str, Any]:
    """Return the dictionary of a result: its fields, then its details."""
    content = {one.name: getattr(entry, one.name) for one in fields(entry)}
    details: dict[str, Any] = content.pop(_DETAILS)
    return content | details


class History:
    """A file of saved results of one class, one per line, in the order in which they were saved."""

    def __init__(self, path: Path, naming: DisplayNames) -> None:
        self.path = path
        self._naming = naming

    def append(self, entry: Any) -> None:
        """Append one result.

        Raises:
            StoreError: the file cannot be written.
        """
        append_entry(self.path, self._naming.canonical(content_of(entry)))

    def read(self, kind: type[E]) -> list[E]:
        """Return all results; lines that hold none are skipped, and a missing file is empty.

        Raises:
            StoreError: the file cannot be read.
        """
        entries, _ = read_entries(self.path)
        needed = {one.name for one in fields(cast(Any, kind))} - {_DETAILS}
        return [entry_of(kind, self._naming.shown(one)) for one in entries if needed <= one.keys()]

    def clear(self) -> None:
        """Remove all results.

        Raises:
            StoreError: the file may not be removed.
        """
        remove_file(self.path)
