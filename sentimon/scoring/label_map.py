"""A model's own labels mapped onto the three classes, or an error that shows how to map them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sentimon.errors import DataError, ModelError
from sentimon.ingest.class_names import named_class, rated_class
from sentimon.labels import Sentiment, parse_label

_NUMBERED = re.compile(r"label_\d+", re.IGNORECASE)


def map_labels(
    id2label: Mapping[int, str], *, label_map: Mapping[str, str] | None = None
) -> tuple[Sentiment, ...]:
    """Return the class of each of a model's outputs, in output order.

    The probabilities of outputs with the same class are to be summed: five star ratings become three
    classes, `very negative` counts as negative. `LABEL_0..2` is read as negative, neutral, positive
    only where there are exactly three. `label_map` (the model's label -> ours) comes before all that.

    >>> map_labels({0: "positive", 1: "negative", 2: "neutral"})
    (<Sentiment.POSITIVE: 2>, <Sentiment.NEGATIVE: 0>, <Sentiment.NEUTRAL: 1>)

    Raises:
        ModelError: a label is unknown, or negative or positive has no output.
    """
    labels = [id2label[index] for index in sorted(id2label)]
    chosen = {name.strip().lower(): label for name, label in (label_map or {}).items()}
    numbered = all(_NUMBERED.fullmatch(label.strip()) for label in labels)
    if numbered and len(labels) != len(Sentiment) and not chosen:
        raise _unmapped(labels, f"{len(labels)} numbered labels do not say which class each one is")
    try:
        classes = tuple(_class_of(label, chosen) for label in labels)
    except DataError as error:
        raise _unmapped(labels, error.message) from error
    for needed in (Sentiment.NEGATIVE, Sentiment.POSITIVE):
        if needed not in classes:
            raise _unmapped(labels, f"no label means {needed.label}")
    return classes


def _class_of(label: str, chosen: Mapping[str, str]) -> Sentiment:
    name = label.strip().lower()
    if name in chosen:
        return parse_label(chosen[name])
    found = named_class(label)
    if found is None:
        found = rated_class(label)
    # What is left are the names that count as certain for models alone: LABEL_0 to LABEL_2.
    return parse_label(label) if found is None else found


def _unmapped(labels: list[str], reason: str) -> ModelError:
    names = ", ".join(f'"{label}" = "..."' for label in labels)
    return ModelError(
        f"the model's labels {labels} cannot be mapped onto negative, neutral, positive: {reason}",
        hint=f"map them in the configuration: [model.label_map] with {names}",
    )
