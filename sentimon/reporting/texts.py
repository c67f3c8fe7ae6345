"""What the texts are made of, in sentences and as the object behind `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sentimon.monitoring.texts import LENGTH, TextProperty

_SAYS = {
    "links": "texts with a link",
    "emoji": "texts with an emoji",
    "non_latin": "texts mostly of non-Latin letters",
    "empty": "empty texts",
    "truncated": "texts too long for the model",
}


def texts_object(properties: Sequence[TextProperty]) -> dict[str, Any] | None:
    """Return each property with its values before and now, and the change; None where no texts are kept."""
    return {one.name: _property(one) for one in properties} or None


def explain_texts(properties: Sequence[TextProperty]) -> list[str]:
    """Return a sentence for each property that moved by more than chance."""
    return [_sentence(one) for one in properties if one.moved]


def _property(one: TextProperty) -> dict[str, Any]:
    change = one.change
    return {
        "before": one.before.to_dict(),
        "now": one.now.to_dict(),
        "change": None if change is None else {"value": change.value, "low": change.low, "high": change.high},
    }


def _sentence(one: TextProperty) -> str:
    before, now = one.before.value or 0.0, one.now.value or 0.0
    verb = "rose" if now > before else "fell"
    if one.name == LENGTH:
        return f"The mean length of a text {verb} from {before:.1f} to {now:.1f} characters."
    return f"The share of {_SAYS[one.name]} {verb} from {before:.3f} to {now:.3f}."
