"""Where a row says what a model predicted: full scores, a class with its probability, or a class alone.

Read are our own fields, the output of a HuggingFace pipeline (`{label, score}`, and lists of them from
`top_k=None`), and a column per class (`negative, neutral, positive`, `prob_neg, prob_neu, prob_pos`, ...).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sentimon.config.settings import InputSettings
from sentimon.errors import DataError
from sentimon.ingest.cells import is_missing, number_of, shown
from sentimon.ingest.class_names import named_class
from sentimon.ingest.column_names import plain_name
from sentimon.jsonl import LineError
from sentimon.labels import ALIASES, TWO, Sentiment

NO_PREDICTION = "-"
"""The `--label-column` by which texts are scored, whatever the file says of classes."""
SCORES = "scores"
PREDICTED = (
    "sentiment",
    "prediction",
    "predicted_label",
    "predicted_class",
    "predicted_sentiment",
    "predicted",
    "pred_label",
    "pred",
    "model_output",
    "predizione",
)
"""Usual names of a column of predicted classes."""
OUR_PREDICTION = frozenset({"scores", "sentiment", "confidence"})
"""The fields of the log that say what a model predicted."""
_WITH_SCORE = ("label", "class", "feeling")
"""Names that mean a predicted class where a probability stands beside them, else mostly a gold label."""
CONFIDENCES = (
    "confidence",
    "score",
    "probability",
    "prob",
    "proba",
    "predicted_probability",
    "prediction_score",
    "prediction_probability",
    "model_confidence",
    "confidenza",
)
"""Usual names of a column of the probability of the predicted class."""
_OF_OUR_SHEETS = frozenset({"draw", "row_id"})
"""Columns of `label next`: there, `probability` is that of the draw."""
_CLASS_NAMES = tuple(
    tuple(alias for alias, one in ALIASES.items() if one is place and not alias.startswith("label"))
    for place in Sentiment
)
_LONGEST_PRINTED = 10_000
"""Characters of the longest cell that is read as Python prints it, as pandas writes lists to csv."""
_LOOKED_AT = 20
_NEVER_SCORES = frozenset({"text"})
_NESTING = 3
"""Lists within lists that a pipeline may give for one text."""

ReadLabel = Callable[[object], Sentiment]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionColumns:
    """The columns that say what a model predicted; at least one of them is set."""

    label: str | None = None
    confidence: str | None = None
    """The probability of the class in `label`."""
    scores: str | None = None
    """An object of scores by class, or a list of objects with `label` and `score`."""
    by_class: tuple[str | None, str | None, str | None] | None = None
    """The column of the score of each class, in Sentiment order; None for a class that the model lacks."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all these columns."""
        found = (self.label, self.confidence, self.scores, *(self.by_class or ()))
        return tuple(one for one in found if one is not None)

    @property
    def kind(self) -> str:
        """Return how much a row says, in words."""
        if self.scores or self.by_class:
            return "scores of each class"
        return "class and probability" if self.confidence else "class alone"

    def lacks_neutral(self, rows: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether the rows have scores, and all of them are of negative and positive alone."""
        if self.by_class is not None:
            return self.by_class[Sentiment.NEUTRAL] is None
        if self.scores is None:
            return False
        found = [{*map(_class_named, pairs)} for row in rows if (pairs := self._labels_of(row))]
        return bool(found) and all(one == set(TWO) for one in found)

    def _labels_of(self, row: Mapping[str, Any]) -> list[object]:
        try:
            return [label for label, _ in _pairs(row.get(self.scores or ""))]
        except LineError:
            return []

    def labels_in(self, row: Mapping[str, Any]) -> Iterator[object]:
        """Yield the names of classes that a row uses, as far as it can be read."""
        if self.label is not None and not is_missing(row.get(self.label)):
            yield row[self.label]
        if self.scores is not None and not self.by_class:
            yield from self._labels_of(row)

    def read(self, row: Mapping[str, Any], read_label: ReadLabel) -> dict[str, Any]:
        """Return `scores`, `sentiment` and `confidence` of a row as fields of the log, as far as it has them.

        Raises:
            LineError: a class is unknown, or a number is none.
        """
        found: dict[str, Any] = {}
        if self.by_class is not None:
            found["scores"] = {
                place.label: 0.0 if name is None else number(row.get(name), name)
                for place, name in zip(Sentiment, self.by_class, strict=True)
            }
        elif self.scores is not None and not is_missing(row.get(self.scores)):
            found["scores"] = _scores_of(row[self.scores], read_label)
        if self.label is not None and not is_missing(row.get(self.label)):
            found["sentiment"] = _class_of(row[self.label], read_label).label
        if self.confidence is not None and not is_missing(row.get(self.confidence)):
            found["confidence"] = number(row[self.confidence], self.confidence)
        return found


def find_prediction(
    names: Sequence[str], rows: Sequence[Mapping[str, Any]], settings: InputSettings
) -> PredictionColumns | None:
    """Return the columns that hold what a model predicted, by `settings` or by their usual names.

    `rows` are the first rows of the file. None: the file says nothing of that kind.

    Raises:
        DataError: a column that `settings` name does not exist.
    """
    if settings.label_column == NO_PREDICTION:
        return None
    plain = {plain_name(name): name for name in reversed(names)}
    named = score_columns(settings.score_columns)
    for name in (*named.values(), settings.label_column):
        if name and name not in names:
            raise missing_column(name, names)
    by_class = _by_settings(named) or (None if is_of_vader(names) else _wide(plain))
    scores = _scores_column(plain, rows)
    confidence = named.get("") or _confidence_column(plain, rows)
    certain = by_class or scores or confidence
    label = settings.label_column or _label_column(plain, certain=bool(certain))
    if by_class is not None or scores is not None:
        # The label beside the scores may be the gold one.
        label = settings.label_column or _first(plain, PREDICTED)
        confidence = named.get("") or (confidence if plain_name(confidence or "") == "confidence" else None)
        return PredictionColumns(
            label=label, confidence=confidence, scores=None if by_class else scores, by_class=by_class
        )
    return None if label is None else PredictionColumns(label=label, confidence=confidence)


def unread_columns(
    names: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    settings: InputSettings,
    prediction: PredictionColumns | None,
) -> frozenset[str]:
    """Return the columns under names of the log that are not to be read as such.

    All of them where texts are to be scored anyway; `confidence` beside a class, where the first rows have
    no number from 0 to 1 in it, as when a language model was asked for a percentage or a word.
    """
    if settings.label_column == NO_PREDICTION:
        return OUR_PREDICTION & {*names}
    if prediction is None or prediction.names != (prediction.label,):
        return frozenset()
    values = [value for row in rows if not is_missing(value := row.get("confidence"))]
    unread = bool(values) and not any(_is_share(value) for value in values)
    return frozenset({"confidence"}) if unread else frozenset()


def _is_share(value: object) -> bool:
    try:
        return 0 <= number(value, "confidence") <= 1
    except LineError:
        return False


def is_of_vader(names: Sequence[str]) -> bool:
    """Return whether a table holds the output of VADER: there, `pos` is a share of the words of a text.

    The class that is meant follows from `compound` alone, and most texts have more neutral words than others.
    """
    return {"neg", "neu", "pos", "compound"} <= {plain_name(name) for name in names}


def score_columns(text: str) -> dict[str, str]:
    """Return the columns that `input.score_columns` names, by class; by "" the one of the confidence.

    >>> score_columns("negative=p0, positive=p1")
    {'negative': 'p0', 'positive': 'p1'}

    Raises:
        DataError: a class is unknown or named twice, or negative or positive is not named.
    """
    if "=" not in text:
        return {"": text.strip()} if text.strip() else {}
    found: dict[str, str] = {}
    hint = "write --score-columns negative=COLUMN,neutral=COLUMN,positive=COLUMN, or one COLUMN"
    for part in text.split(","):
        name, _, column = (one.strip() for one in part.partition("="))
        place = ALIASES.get(name.lower())
        if place is None or not column or place.label in found:
            raise DataError(f"--score-columns: {part.strip()!r:.60} names no class and its column", hint=hint)
        found[place.label] = column
    if not {"negative", "positive"} <= found.keys():
        raise DataError("--score-columns names no column for negative or for positive", hint=hint)
    return found


def missing_column(name: str, names: Sequence[str]) -> DataError:
    """Return the error for a column that was asked for and is not there."""
    return DataError(f"has no column {name!r:.60}", hint=f"there are: {', '.join(names) or 'none'}")


def number(value: object, column: str) -> float:
    """Return the number in a cell, be it text, with a point or a decimal comma.

    Raises:
        LineError: it is no finite number.
    """
    if isinstance(value, str) and value.count(",") == 1 and "." not in value:
        value = value.replace(",", ".")
    found = number_of(value)
    if found is None:
        raise LineError("field", f"{column} is not a number but {shown(value)}")
    return float(found)


def _by_settings(named: Mapping[str, str]) -> tuple[str | None, str | None, str | None] | None:
    if not named or "" in named:
        return None
    return (named["negative"], named.get("neutral"), named["positive"])


def _wide(plain: Mapping[str, str]) -> tuple[str | None, str | None, str | None] | None:
    """Return the columns of the classes, which differ in the name of the class alone."""
    for name in plain:
        for negative in _CLASS_NAMES[Sentiment.NEGATIVE]:
            before, found, after = name.partition(negative)
            if not found or (before and before[-1] != "_") or (after and after[0] != "_"):
                continue
            neutral, positive = (
                next((plain[one] for alias in aliases if (one := f"{before}{alias}{after}") in plain), None)
                for aliases in _CLASS_NAMES[1:]
            )
            if positive is not None:
                return (plain[name], neutral, positive)
    return None


def _scores_column(plain: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the column of scores: `scores`, or one whose cells are scores of the classes by their form."""
    name = plain.get(SCORES)
    values = [row.get(name) for row in rows] if name else []
    if any(isinstance(_opened(value), Mapping | list) for value in values):
        return name
    others = (one for one in plain.values() if one != name and one not in _NEVER_SCORES)
    return next((one for one in others if _are_scores([row.get(one) for row in rows])), None)


def _are_scores(values: Sequence[object]) -> bool:
    """Return whether cells, those that are not empty, give the scores of at least two classes."""
    found = [value for value in values[:_LOOKED_AT] if not is_missing(value)]
    return bool(found) and all(_give_scores(value) for value in found)


def _give_scores(value: object) -> bool:
    if not isinstance(_opened(value), Mapping | list):
        return False
    try:
        pairs = _pairs(value)
    except LineError:
        return False
    classes = {ALIASES.get(str(label).strip().lower()) for label, _ in pairs}
    return {Sentiment.NEGATIVE, Sentiment.POSITIVE} <= classes


def _confidence_column(plain: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the column of the confidence: all its numbers lie from 0 to 1, and some are no whole numbers."""
    for usual in CONFIDENCES:
        name = plain.get(usual)
        if name is None or (usual == "probability" and _OF_OUR_SHEETS & plain.keys()):
            continue
        values = [value for row in rows if not is_missing(value := row.get(name))]
        try:
            numbers = [number(value, name) for value in values]
        except LineError:
            continue
        if all(0 <= one <= 1 for one in numbers) and not all(one.is_integer() for one in numbers):
            return name
    return None


def _label_column(plain: Mapping[str, str], *, certain: bool) -> str | None:
    return _first(plain, (*PREDICTED, *_WITH_SCORE) if certain else PREDICTED)


def _first(plain: Mapping[str, str], usual: Iterable[str]) -> str | None:
    return next((plain[one] for one in usual if one in plain), None)


def _opened(value: object) -> object:
    """Return a cell that holds JSON, or a list or a dictionary as Python prints it, as what that says."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    for read in (json.loads, ast.literal_eval):
        if read is json.loads or len(value) <= _LONGEST_PRINTED:
            with suppress(ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                return read(value.strip())
    return value


def _pairs(value: Any) -> list[tuple[object, float]]:
    """Return (label, score) of each class, of an object of scores or a list of objects.

    Raises:
        LineError: it is neither.
    """
    value = _opened(value)
    for _ in range(_NESTING):
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
    if isinstance(value, Mapping) and not {"label", "score"} <= value.keys():
        return [(name, number(one, f"scores of {name}")) for name, one in value.items()]
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(one, Mapping) and {"label", "score"} <= one.keys() for one in items):
        raise LineError("scores", "scores are neither an object by class nor a list of label and score")
    return [(one["label"], number(one["score"], "score")) for one in items]


def _scores_of(value: object, read_label: ReadLabel) -> object:
    if isinstance(value, Mapping) and all(str(name).strip().lower() in ALIASES for name in value):
        # Our own form: what is wrong with it is said where rows are checked.
        return value
    return _summed(_pairs(value), read_label)


def _summed(pairs: Sequence[tuple[object, float]], read_label: ReadLabel) -> dict[str, float]:
    """Return the score of each class; labels that mean the same class are added up."""
    found: dict[str, float] = {}
    for label, score in pairs:
        place = _class_of(label, read_label).label
        found[place] = found.get(place, 0.0) + score
    return found


def _class_of(label: object, read_label: ReadLabel) -> Sentiment:
    try:
        return read_label(label)
    except DataError as error:
        raise LineError("label", error.message) from error


def _class_named(label: object) -> Sentiment | None:
    return named_class(label) if isinstance(label, str) else None
