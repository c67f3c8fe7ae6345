"""Names of the classes: display names for callers, canonical names in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentimon.errors import DataError
from sentimon.labels import LABELS, Sentiment, parse_label


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayNames:
    """The display names of the classes, in Sentiment order; "" for one that there is not."""

    names: tuple[str, str, str]

    def parse(self, name: str) -> Sentiment:
        """Return the class called `name`, by its display name or any name that `parse_label` knows.

        Raises:
            DataError: no class has that name.
        """
        return Sentiment(self.names.index(name)) if name and name in self.names else parse_label(name)

    def shown(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return `content` with every mapping from classes keyed by display names."""
        return {key: self._renamed(value, self.names) for key, value in content.items()}

    def canonical(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return `content` with every mapping from classes keyed by canonical names."""
        return {key: self._renamed(value, LABELS) for key, value in content.items()}

    def _renamed(self, value: Any, names: Sequence[str]) -> Any:
        if not isinstance(value, dict) or not value:
            return value
        try:
            places = {self.parse(str(key)): one for key, one in value.items()}
        except DataError:
            # Not a mapping from classes.
            return value
        return {names[place]: one for place, one in places.items() if names[place]}
