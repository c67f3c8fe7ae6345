"""A column of gold labels, in whatever way a data set writes them, as classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from sentimon.errors import DataError
from sentimon.labels import LABELS, Sentiment, parse_label

_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_HINT = f"write the labels as {', '.join(LABELS)}"

LABEL_COLUMNS = ("label", "labels", "sentiment", "feeling")
"""The usual names of a column of gold labels; the first that exists is taken."""


def label_reader(
    values: Iterable[object], class_names: Sequence[str] | None = None
) -> Callable[[object], Sentiment]:
    """Return a function from one value of the column to its class; it raises DataError for a bad one.

    Names are read as `parse_label` does. Whole numbers, also as text, are places: in `class_names`
    where the data set has them, otherwise 0, 1, 2 in Sentiment order, or -1, 0, 1 in a column that
    has a -1 and no 2. That is why all `values` are looked at first.

    >>> label_reader(["-1", "0"])("0")
    <Sentiment.NEUTRAL: 1>

    Raises:
        DataError: a class name means no class; or 0 and 1 are the only numbers, so that 1 may be
            neutral as well as positive.
    """
    if class_names is not None:
        return _of_class_names(class_names)
    numbers = {number for value in values if (number := _whole(value)) is not None}
    return _reader(_places(numbers))


def _of_class_names(class_names: Sequence[str]) -> Callable[[object], Sentiment]:
    of_name = label_reader(class_names)
    try:
        return _reader({at: of_name(name) for at, name in enumerate(class_names)})
    except DataError as error:
        raise DataError(
            f"the label column has the classes {', '.join(class_names)}: {error.message}",
            hint="name another label column, or map the labels to negative, neutral, positive in a file",
        ) from error


def _places(numbers: set[int]) -> dict[int, Sentiment]:
    if -1 in numbers and numbers <= {-1, 0, 1}:
        return {one - 1: one for one in Sentiment}
    if max(numbers, default=0) == 1:
        raise DataError(
            "the label column has only the numbers 0 and 1, and 1 may mean neutral or positive", hint=_HINT
        )
    return {int(one): one for one in Sentiment}


def _reader(places: dict[int, Sentiment]) -> Callable[[object], Sentiment]:
    def read(value: object) -> Sentiment:
        number = _whole(value)
        if number is not None:
            found = places.get(number)
            if found is None:
                raise DataError(f"label {number} is none of {', '.join(map(str, places))}", hint=_HINT)
            return found
        if isinstance(value, str) and value.strip():
            return parse_label(value)
        if isinstance(value, list):
            said = ", ".join(map(str, value))
            raise DataError(
                f"several labels for one text: {said:.80}", hint="let the annotators agree on one"
            )
        if value is None or value == "":
            raise DataError("no label", hint=_HINT)
        raise DataError(f"label {value!r} is neither a name nor a whole number", hint=_HINT)

    return read


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    return None
