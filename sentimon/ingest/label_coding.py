"""How a column of gold labels writes its classes: found out from all of its values, or asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from sentimon.errors import DataError, UsageError
from sentimon.ingest.cells import is_missing, number_of, shown
from sentimon.ingest.class_names import MOST_STARS, class_of_rating, named_class, rated_class
from sentimon.labels import LABELS, THREE, TWO_CLASSES, Classes, Sentiment, parse_label

_CODES = ((0, 1, 2), (-1, 0, 1))
"""The codes for negative, neutral, positive that are certain, where the first and the last are seen."""
_CODES_OF_TWO = ((0, 1), (-1, 1))
"""The same for negative and positive, where there is no third class."""
_LEGENDS = MappingProxyType(
    {
        5: "1-2 negative, 3 neutral, 4-5 positive",
        10: "1-4 negative, 5-6 neutral, 7-10 positive",
    }
)
_LONGEST_KEY = 100
_MOST_DISTINCT = 1000
_MOST_NAMED = 10
_NO_MAP: Mapping[str, str] = MappingProxyType({})
_HINT = (
    f"write the labels as {', '.join(LABELS)}, or say what they mean: "
    '--label-map "good=positive,bad=negative,so-so=neutral"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCoding:
    """How one column writes its classes."""

    name: str
    """For people: `names`, `numbers 0, 1, 2`, `stars 1 to 5`, `map`, or several of these."""
    legend: str = ""
    """Which number is which class; empty where the names say it."""
    classes: Mapping[str, Sentiment] = field(default_factory=dict)
    """The class of each value that has one by a code or a map, by `label_key`."""
    most_stars: int | None = None
    """Numbers are ratings from 1 to that, see `class_of_rating`; None where they are not."""
    class_names: tuple[str, ...] | None = None
    """Whole numbers are places among these names, which the file itself has."""
    present: Classes = THREE
    """The classes that there are."""

    def read(self, value: object) -> Sentiment:
        """Return the class that a value of the column means.

        >>> LabelCoding(name="names").read("Negativo")
        <Sentiment.NEGATIVE: 0>

        Raises:
            DataError: no label, or one without a class.
        """
        label = _in_names(value, self.class_names)
        if is_missing(label):
            raise DataError("no label", hint=_HINT)
        found = self.classes.get(label_key(label))
        if found is None:
            found = self._by_itself(label)
        if found is None:
            raise DataError(self._unread(label), hint=_HINT)
        if found not in self.present:
            raise DataError(
                f"label {shown(label)} is {found.label}, a class that is not there with {TWO_CLASSES}",
                hint=_absent_hint(label_key(label)),
            )
        return found

    def is_unlabelled(self, value: object) -> bool:
        """Return whether a value of the column says that the row has no label."""
        return is_missing(_in_names(value, self.class_names))

    def _by_itself(self, label: object) -> Sentiment | None:
        number = number_of(label)
        if number is not None:
            return None if self.most_stars is None else class_of_rating(number, self.most_stars)
        return _class_in_words(label)

    def _unread(self, label: object) -> str:
        if isinstance(label, list) and len(label) > 1:
            # As exports of annotation tools have it where annotators disagree.
            return f"several labels for one text: {', '.join(map(str, label)):.80}"
        if number_of(label) is None:
            return f"unknown label {shown(label)}"
        if self.most_stars is not None:
            return f"label {shown(label)} is no rating from 1 to {self.most_stars}"
        codes = [key for key in self.classes if number_of(key) is not None]
        return f"label {shown(label)} is none of {', '.join(codes) or 'the class names'}"


class LabelCodingFinder:
    """The evidence of a column's values, taken one at a time, for how the column writes its classes.

    It needs bounded memory for any number of values, and their order makes no difference. Names are read as
    `named_class` and `rated_class` read them. Numbers are codes only where they are 0, 1, 2 and both 0 and 2
    are seen, or -1, 0, 1 and both -1 and 1 are: 0 and 1 may be two classes, 1 and 2 may be stars, a lone -1
    may be no label. Where negative and positive are all the classes `present`, the codes are 0, 1 and -1, 1,
    both seen. Any other numbers need `labels` or `label_map`.
    """

    def __init__(
        self,
        labels: str = "",
        label_map: Mapping[str, str] = _NO_MAP,
        class_names: Sequence[str] | None = None,
        *,
        present: Classes = THREE,
    ) -> None:
        """Start without evidence.

        `labels` is a scale, `stars` for ratings from 1 to 5 or `stars10` for 1 to 10, or a list of classes
        for codes that count from 0 or from 1, such as `negative,neutral,positive`: whether from 0 or 1 is
        known where the file has a 0, or a number as large as the list is long. `label_map` says what single
        values mean and comes first: names in any case, numbers in any form.
        `class_names` are the names that the file has for the numbers of the column, which are places among
        them; -1 means there that a row has no label.

        Raises:
            UsageError: `labels` or `label_map` cannot be used as given.
        """
        self.unlabelled = 0
        self._most_stars = MOST_STARS.get(labels.strip().lower())
        self._list = () if self._most_stars or not labels.strip() else _listed(labels)
        self._given = _given(label_map)
        self._present = present
        _check_present([*self._list, *self._given.values()], present)
        self._class_names = None if class_names is None else tuple(class_names)
        self._counts: dict[str, int] = {}
        self._numbers: dict[Decimal, str] = {}
        self._unread: dict[str, str] = {}
        self._truth: str | None = None
        self._word: str | None = None
        self._mapped = False
        # Those of the file, be they seen or not, tell 0 and 1 of three from 0 and 1 of two.
        declared = [number_of(name) for name in class_names or ()]
        self._declared = {one for one in declared if one is not None}

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of rows of each label, the most frequent first; at most 1,000 labels."""
        return dict(sorted(self._counts.items(), key=lambda one: (-one[1], one[0])))

    def add(self, value: object) -> None:
        """Take one value of the column; those without a label are counted in `unlabelled`."""
        label = _in_names(value, self._class_names)
        if is_missing(label):
            self.unlabelled += 1
            return
        key = label_key(label)
        if key in self._counts:
            # Its evidence was taken the first time.
            self._counts[key] += 1
            return
        if len(self._counts) < _MOST_DISTINCT:
            self._counts[key] = 1
        if key in self._given:
            self._mapped = True
        elif key in ("true", "false"):
            self._truth = self._truth or shown(label)
        elif not self._note_number(label):
            self._note_word(key, label)

    def found(self) -> LabelCoding:
        """Return the coding of the column; one of names where there is no label at all.

        A name that means no class, such as `mixed`, does not change it, and `read` raises for it; where there
        is a map, or where nothing else has a class, it is an error of the whole column.

        Raises:
            DataError: the values do not say which class each one is.
        """
        if self._truth is not None:
            raise DataError(
                f"the label column has {self._truth}, which names no class",
                hint="say what it means: --label-map true=positive,false=negative",
            )
        classes = dict(self._given)
        kinds = ["map"] if self._mapped else []
        legend = ""
        if self._numbers:
            codes, kind, legend = self._meaning_of_numbers()
            classes |= codes
            kinds.append(kind)
        if self._unread and (self._given or not (self._numbers or self._word or self._mapped)):
            raise self._without_class(self._unread.items())
        if self._word or not kinds:
            kinds.append("names" if self._class_names is None else "class names of the file")
        if self._mapped:
            given = ", ".join(f"{key} {one.label}" for key, one in list(self._given.items())[:_MOST_NAMED])
            legend = "; ".join(filter(None, (given, legend)))
        return LabelCoding(
            name=" and ".join(kinds),
            legend=legend,
            classes=MappingProxyType(classes),
            most_stars=self._most_stars if self._numbers else None,
            class_names=self._class_names,
            present=self._present,
        )

    def _note_number(self, label: object) -> bool:
        number = number_of(label)
        if number is None:
            return False
        if label_key(label) not in self._given and len(self._numbers) <= _MOST_DISTINCT:
            self._numbers.setdefault(number, label_key(label))
        return True

    def _note_word(self, key: str, label: object) -> None:
        if _class_in_words(label) is not None:
            self._word = self._word or shown(label)
        elif len(self._unread) < _MOST_DISTINCT:
            self._unread.setdefault(key, shown(label))

    def _meaning_of_numbers(self) -> tuple[dict[str, Sentiment], str, str]:
        """Return the class of each number that is a code, the name of the coding, and its legend."""
        numbers = sorted(self._numbers)
        known = self._declared | set(numbers)
        if self._most_stars is not None:
            wrong = [one for one in numbers if class_of_rating(one, self._most_stars) not in self._present]
            if wrong:
                raise self._without_class((self._numbers[one], self._numbers[one]) for one in wrong)
            return {}, f"stars 1 to {self._most_stars}", _LEGENDS[self._most_stars]
        if self._list:
            return _coded(range(first := self._first_of_list(known), first + len(self._list)), self._list)
        if self._given:
            raise self._without_class((self._numbers[one], self._numbers[one]) for one in numbers)
        if self._word:
            raise self._ambiguous(f" beside names such as {self._word}")
        for codes in _CODES if self._present == THREE else _CODES_OF_TWO:
            if {codes[0], codes[-1]} <= known <= set(codes):
                return _coded(codes, self._present)
        raise self._ambiguous("")

    def _first_of_list(self, numbers: set[Decimal]) -> int:
        """Return the code of the first class of the list, 0 or 1.

        Raises:
            DataError: the numbers fit neither, or both.
        """
        last = len(self._list)
        fits = [first for first in (0, 1) if numbers <= set(range(first, first + last))]
        if len(fits) == 1:
            return fits[0]
        told = "both" if fits else "neither"
        raise DataError(
            f"--labels lists {last} classes, and the label column has the numbers {self._named_numbers()}: "
            f"{told} 0 to {last - 1} {'and' if fits else 'nor'} 1 to {last} may be meant",
            hint=self._map_hint(),
        )

    def _ambiguous(self, beside: str) -> DataError:
        return DataError(
            f"the label column has the numbers {self._named_numbers()}{beside}, "
            "which do not say which class each one is",
            hint=f"{self._map_hint()}; for ratings --labels stars (1 to 5) or --labels stars10 (1 to 10); "
            f"for codes that count from 0 or 1 --labels {','.join(one.label for one in self._present)}",
        )

    def _map_hint(self) -> str:
        keys = [self._numbers[one] for one in sorted(self._numbers)]
        classes = LABELS if len(keys) != 2 and self._present == THREE else (LABELS[0], LABELS[-1])
        pairs = [f"{key}={name}" for key, name in zip(keys, classes, strict=False)]
        more = ",..." if len(keys) > len(pairs) else ""
        return f"say what each one is, such as --label-map {','.join(pairs)}{more}"

    def _named_numbers(self) -> str:
        return _few([self._numbers[one] for one in sorted(self._numbers)])

    def _without_class(self, values: Iterable[tuple[str, str]]) -> DataError:
        """Return the error for labels, by key and as they are shown, that leave the column unread."""
        counted = sorted((-self._counts.get(key, 0), name) for key, name in values)
        named = _few([f"{name} ({-rows})" for rows, name in counted])
        return DataError(
            f"the label column has values without a class (rows of each): {named}",
            hint=self._hint_without_class(),
        )

    def _hint_without_class(self) -> str:
        if self._most_stars is None:
            return _HINT
        if self._present != THREE:
            return "the middle of the scale has no class of two: say what it is with --label-map 3=negative"
        return "leave out --labels stars, and use --label-map"


def parse_label_map(text: str) -> dict[str, str]:
    """Return the class of each value that `--label-map` names, as it is written there.

    >>> parse_label_map("1=negative, 2=neutral")
    {'1': 'negative', '2': 'neutral'}

    Raises:
        UsageError: a part is not VALUE=CLASS, there is no such class, or a value has two.
    """
    found: list[tuple[str, str]] = []
    for part in text.split(","):
        key, equals, name = (one.strip() for one in part.rpartition("="))
        if not equals or not key:
            raise UsageError(
                f"--label-map: {shown(part.strip())} is not VALUE=CLASS",
                hint="write it as 1=negative,2=neutral,3=positive",
            )
        found.append((key, name))
    _classes_of_map(found)
    return dict(found)


def label_key(value: object) -> str:
    """Return what all forms of one label have in common: 1, 1.0 and `1` are one, so are `Good` and `GOOD`.

    >>> label_key(1.0), label_key(" Good ")
    ('1', 'good')
    """
    if isinstance(value, bool):
        return str(value).lower()
    number = number_of(value)
    if number is not None:
        plain = number.normalize() + 0
        return f"{plain:f}" if abs(plain.adjusted()) <= 20 else str(plain)
    if isinstance(value, str) and len(value) <= _LONGEST_KEY:
        return value.strip().casefold()
    return shown(value)


def _in_names(value: object, class_names: tuple[str, ...] | None) -> object:
    """Return the name that a place among `class_names` means, None for no label; any other value as it is."""
    place = None if class_names is None or isinstance(value, str) else number_of(value)
    if place is None or class_names is None:
        return value
    if place == -1:
        return None
    if place == place.to_integral_value() and 0 <= place < len(class_names):
        return class_names[int(place)]
    return f"place {shown(value)} of {len(class_names)} classes"


def _class_in_words(label: object) -> Sentiment | None:
    if not isinstance(label, str):
        return None
    found = named_class(label)
    return rated_class(label) if found is None else found


def _coded(numbers: Iterable[int], classes: Sequence[Sentiment]) -> tuple[dict[str, Sentiment], str, str]:
    codes = {str(code): one for code, one in zip(numbers, classes, strict=True)}
    legend = ", ".join(f"{code} {one.label}" for code, one in codes.items())
    return codes, f"numbers {', '.join(codes)}", legend


def _absent_hint(key: str) -> str:
    return (
        f"say what it is, such as --label-map {key}=negative, leave such rows out, "
        'or set [labels] classes = "three"'
    )


def _check_present(classes: Iterable[Sentiment], present: Classes) -> None:
    """Raise UsageError where labels are said to mean a class that there is not."""
    for one in classes:
        if one not in present:
            raise UsageError(
                f"the labels of the file are said to mean {one.label}, a class that is not there "
                f"with {TWO_CLASSES}",
                hint='name negative and positive alone, or set [labels] classes = "three"',
            )


def _listed(labels: str) -> tuple[Sentiment, ...]:
    classes = [named_class(name) for name in labels.split(",")]
    found = tuple(one for one in classes if one is not None)
    if len(found) < len(classes) or len(found) == 1:
        raise UsageError(
            f"--labels {shown(labels)} is neither a scale nor a list of classes",
            hint="use stars, stars10, or a list such as negative,neutral,positive; or else --label-map",
        )
    return found


def _given(label_map: Mapping[str, str]) -> dict[str, Sentiment]:
    return _classes_of_map(list(label_map.items()))


def _classes_of_map(pairs: Sequence[tuple[str, str]]) -> dict[str, Sentiment]:
    found: dict[str, Sentiment] = {}
    for key, name in pairs:
        one = _class_called(name, key)
        first = found.setdefault(label_key(key), one)
        if first is not one:
            raise UsageError(
                f"the label map gives {shown(key)} two classes: {first.label} and {one.label}",
                hint="name each value once",
            )
    return found


def _class_called(name: str, key: str) -> Sentiment:
    found = named_class(name)
    try:
        return parse_label(name) if found is None else found
    except DataError as error:
        raise UsageError(
            f"the label map says that {shown(key)} is {shown(name)}, which is no class",
            hint=f"use one of: {', '.join(LABELS)}",
        ) from error


def _few(names: Sequence[str]) -> str:
    """Return the first ten of `names`, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
