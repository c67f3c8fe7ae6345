"""The file of a baseline: JSON that other programs can read, and that reads back exactly."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import decode_file, encode
from sentimon.labels import LABELS, THREE, TWO, Classes, Sentiment, parse_label
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.slice_history import FieldHistory, HourlyCounts
from sentimon.monitoring.text_changes import OF_TEXTS
from sentimon.monitoring.vocabulary import MILLION, Vocabulary
from sentimon.monitoring.watched_events import MOST_ROWS, Counted, Rows
from sentimon.prediction_log.slices import MOST_VALUES, Slices, SliceTally
from sentimon.prediction_log.summary import CONFIDENCE_BINS, POLARITY_BINS, Summary, Tally
from sentimon.scoring.scores import SCALE
from sentimon.timestamps import (
    HOUR_MICROSECONDS,
    format_microseconds,
    format_moment,
    from_microseconds,
    parse_moment,
    to_microseconds,
)

FORMAT = 1
_AGAIN = "make a new one with `sentimon baseline create --force`"


class _Class(msgspec.Struct, frozen=True):
    count: Rows
    confidence_sum_millionths: int
    confidence_squares_millionths: int
    polarity_sum_millionths: int
    confidence_histogram: list[Rows]
    polarity_histogram: list[Rows]


class _Model(msgspec.Struct, frozen=True):
    model: str | None
    revision: str | None
    count: Rows


class _Hour(msgspec.Struct, frozen=True):
    hour: str
    counts: tuple[Rows, Rows, Rows]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A vocabulary in a file. `hashes` and `frequencies` are four bytes a word, little-endian, in base64."""

    keyed: bool
    texts: int
    hashes: bytes
    frequencies: bytes
    cuts_millionths: list[int]
    reference_texts: int
    reference_counts: list[int]


class _Slice(msgspec.Struct, frozen=True):
    value: str
    counts: tuple[Rows, Rows, Rows]
    with_confidence: Rows
    confidence_sum_millionths: int
    confidence_squares_millionths: int
    hours: bytes | None = None
    """Packed as HourlyCounts, from the first hour of the baseline on; None where they are not kept."""


class _Field(msgspec.Struct, frozen=True):
    too_many_values: bool
    values: Annotated[list[_Slice], msgspec.Meta(max_length=MOST_VALUES)]


class _File(msgspec.Struct, frozen=True):
    format: int
    name: str
    timestamp: str
    source: str
    first: str | None
    last: str | None
    models: list[_Model]
    classes: dict[str, _Class]
    hours: list[_Hour]
    properties: dict[str, Annotated[int, msgspec.Meta(ge=0)]]
    bad: dict[str, Rows]
    words: Words | None = None
    resumed: str | None = None
    samples_with_confidence: Rows | None = None
    """None in files of versions that knew no rows without: then all rows have a confidence and scores."""
    samples_with_scores: Rows | None = None
    labels: list[str] | None = None
    """The classes that there are; None where they are three."""
    slices: dict[str, _Field] | None = None
    """The rows by the values of each field; None where no field divided them."""


_decode_file = msgspec.json.Decoder(_File).decode


def encode_baseline(baseline: Baseline) -> bytes:
    """Return the content of the file of `baseline`: indented JSON.

    For other programs it also holds `total_samples`, `samples_with_confidence`, `samples_with_scores`,
    `distribution`, `average_confidence` (null where no row has one) and `hour_of_week` (168 rows of counts,
    UTC, from Monday 00:00).
    """
    summary = baseline.summary
    total, sure = summary.total, summary.with_confidence
    shown: dict[str, Any] = {
        "total_samples": summary.count,
        "distribution": {
            label: tally.count / summary.count for label, tally in zip(LABELS, summary.classes, strict=True)
        },
        "average_confidence": total.confidence / (sure * SCALE) if sure else None,
    }
    document = msgspec.to_builtins(_to_file(baseline)) | shown | {"hour_of_week": baseline.hour_of_week}
    for name in ("labels", "slices"):
        if document[name] is None:
            del document[name]
    return msgspec.json.format(encode(document), indent=1) + b"\n"


# `retrain-check` reads it twice: for the rules, and again while it holds the lock of the monitor.
@lru_cache(maxsize=1)
def decode_baseline(content: bytes, *, origin: str) -> Baseline:
    """Return the baseline in a file; `origin` names the file in errors.

    Raises:
        StoreError: the content is no baseline, is of another format, or contradicts itself.
    """
    return decode_file(content, _from_content, origin=origin, what="baseline", hint=_AGAIN)


def _from_content(content: bytes) -> Baseline:
    file = _decode_file(content)
    if file.format != FORMAT:
        raise DataError(f"is of format {file.format}, this version reads {FORMAT}")
    return _from_file(file)


def _to_file(baseline: Baseline) -> _File:
    summary = baseline.summary
    return _File(
        format=FORMAT,
        name=baseline.name,
        timestamp=format_moment(baseline.created),
        source=baseline.source,
        first=format_microseconds(summary.first),
        last=format_microseconds(summary.last),
        models=[
            _Model(model, revision, count)
            for (model, revision), count in sorted(summary.models.items(), key=lambda item: str(item[0]))
        ],
        classes={label: _to_class(tally) for label, tally in zip(LABELS, summary.classes, strict=True)},
        hours=[
            _Hour(format_moment(from_microseconds(hour * HOUR_MICROSECONDS)), counts)
            for hour, counts in sorted(summary.hours.items())
        ],
        properties=dict(sorted(summary.properties.items())),
        bad=dict(sorted(summary.bad.items())),
        words=None if baseline.vocabulary is None else to_words(baseline.vocabulary),
        resumed=None if baseline.resumed is None else format_moment(baseline.resumed),
        samples_with_confidence=summary.with_confidence,
        samples_with_scores=summary.with_scores,
        labels=None if baseline.classes == THREE else [one.label for one in baseline.classes],
        slices={name: _to_field(one) for name, one in baseline.fields.items()} or None,
    )


def _to_field(history: FieldHistory) -> _Field:
    tallies = history.slices.tallies
    # Those with their hours first, so that their order is kept.
    values = [*history.hourly, *sorted(tallies.keys() - history.hourly.keys())]
    return _Field(
        too_many_values=history.slices.too_many,
        values=[
            _Slice(
                value,
                tallies[value].counts,
                tallies[value].with_confidence,
                tallies[value].confidence,
                tallies[value].confidence_squares,
                history.hourly[value].packed if value in history.hourly else None,
            )
            for value in values
        ],
    )


def _from_field(field: _Field, summary: Summary) -> FieldHistory:
    slices = Slices(
        tallies={one.value: _from_slice(one) for one in field.values}, too_many=field.too_many_values
    )
    if len(slices.tallies) != len(field.values) or slices.total.counts != summary.counts:
        raise DataError("the slices of a field do not add up to its rows")
    first = min(summary.hours)
    hourly = {
        one.value: HourlyCounts(first=first, packed=one.hours)
        for one in field.values
        if one.hours is not None
    }
    for value, hours in hourly.items():
        hours.check(slices.tallies[value].counts)
    return FieldHistory(slices=slices, hourly=hourly)


def _from_slice(one: _Slice) -> SliceTally:
    tally = SliceTally(
        *one.counts,
        one.with_confidence,
        one.confidence_sum_millionths,
        one.confidence_squares_millionths,
    )
    if tally.with_confidence > tally.count:
        raise DataError("more rows of a slice have a confidence than there are")
    _check_confidence(tally.confidence, tally.confidence_squares, tally.with_confidence)
    return tally


def _check_confidence(total: int, squares: int, count: int) -> None:
    possible = 0 <= total <= count * SCALE and total * total <= count * squares and squares <= total * SCALE
    if not possible:
        raise DataError("its sums of confidence and polarity cannot be")


def _to_class(tally: Tally) -> _Class:
    return _Class(
        count=tally.count,
        confidence_sum_millionths=tally.confidence,
        confidence_squares_millionths=tally.confidence_squares,
        polarity_sum_millionths=tally.polarity,
        confidence_histogram=list(tally.confidence_histogram),
        polarity_histogram=list(tally.polarity_histogram),
    )


def _from_file(file: _File) -> Baseline:
    classes = [Tally(), Tally(), Tally()]
    for label, one in file.classes.items():
        classes[parse_label(label)] = _from_class(one)
    summary = Summary(
        classes=(classes[0], classes[1], classes[2]),
        hours={_microseconds(one.hour) // HOUR_MICROSECONDS: one.counts for one in file.hours},
        models={(one.model, one.revision): one.count for one in file.models},
        properties=file.properties,
        first=None if file.first is None else _microseconds(file.first),
        last=None if file.last is None else _microseconds(file.last),
        bad=file.bad,
    )
    _check(summary)
    _check_scores(file, summary)
    created, _ = parse_moment(file.timestamp, None)
    words = None if file.words is None else from_words(file.words)
    return Baseline(
        name=file.name,
        created=created,
        source=file.source,
        summary=summary,
        vocabulary=words,
        resumed=None if file.resumed is None else parse_moment(file.resumed, None)[0],
        classes=_classes(file.labels, summary),
        fields={name: _from_field(one, summary) for name, one in (file.slices or {}).items()},
    )


def _classes(labels: list[str] | None, summary: Summary) -> Classes:
    if labels is None:
        return THREE
    found = tuple(parse_label(one) for one in labels)
    if found not in (THREE, TWO):
        raise DataError("its labels are neither the three classes nor negative and positive")
    if any(summary.counts[place] for place in Sentiment if place not in found):
        raise DataError("it has rows of a class that is none of its labels")
    return found


def _from_class(one: _Class) -> Tally:
    tally = Tally(
        count=one.count,
        confidence=one.confidence_sum_millionths,
        confidence_squares=one.confidence_squares_millionths,
        polarity=one.polarity_sum_millionths,
        confidence_histogram=tuple(one.confidence_histogram),
        polarity_histogram=tuple(one.polarity_histogram),
    )
    histograms = (tally.confidence_histogram, tally.polarity_histogram)
    if tuple(map(len, histograms)) != (CONFIDENCE_BINS, POLARITY_BINS):
        raise DataError("a histogram has the wrong number of bins")
    # A row without a confidence is in neither, one without all scores not in that of the polarity.
    if not tally.with_scores <= tally.with_confidence <= tally.count:
        raise DataError("a histogram does not add up to its count")
    _check_confidence(tally.confidence, tally.confidence_squares, tally.with_confidence)
    if abs(tally.polarity) > tally.with_scores * SCALE:
        raise DataError("its sums of confidence and polarity cannot be")
    return tally


def _check(summary: Summary) -> None:
    if not summary.count:
        raise DataError("it is of no rows")
    cells = list(summary.hours.values())
    if tuple(map(sum, zip(*cells, strict=True))) != summary.counts:
        raise DataError("its rows per hour do not add up to its rows per class")
    if sum(summary.models.values()) != summary.count:
        raise DataError("its rows per model do not add up to its rows")
    _check_properties(summary.properties, summary.count)
    for moment, hour in ((summary.first, min(summary.hours)), (summary.last, max(summary.hours))):
        if moment is None or moment // HOUR_MICROSECONDS != hour:
            raise DataError("its first and last row are not in its first and last hour")


def _check_scores(file: _File, summary: Summary) -> None:
    known = (file.samples_with_confidence, file.samples_with_scores)
    expected = tuple(summary.count if one is None else one for one in known)
    if expected != (summary.with_confidence, summary.with_scores):
        raise DataError("a histogram does not add up to its count")


def _check_properties(known: Mapping[str, int], count: int) -> None:
    sums = ("characters", "squared_characters")
    filled = count - known.get("empty", 0) - known.get("without_text", 0)
    if any(amount > count for name, amount in known.items() if name not in sums):
        raise DataError("more rows have a property than there are rows")
    if filled < 0 or any(known.get(name, 0) > filled for name in OF_TEXTS):
        raise DataError("more texts have a property than there are texts")
    if sums[1] in known:
        length, squares = known.get(sums[0], -1), known[sums[1]]
        if length < filled or squares < length or length * length > filled * squares:
            raise DataError("its sums over the lengths of texts cannot be")


def _microseconds(text: str) -> int:
    return to_microseconds(parse_moment(text, None)[0])


def to_words(vocabulary: Vocabulary) -> Words:
    """Return `vocabulary` as a file holds it."""
    return Words(
        keyed=vocabulary.keyed,
        texts=vocabulary.texts,
        hashes=_pack(vocabulary.hashes),
        frequencies=_pack(vocabulary.frequencies),
        cuts_millionths=list(vocabulary.cuts),
        reference_texts=vocabulary.reference.n,
        reference_counts=list(vocabulary.reference.counts),
    )


def from_words(words: Words) -> Vocabulary:
    """Return the vocabulary in a file; the inverse of `to_words`.

    Raises:
        DataError: the words contradict themselves.
    """
    vocabulary = Vocabulary(
        keyed=words.keyed,
        texts=words.texts,
        hashes=_unpack(words.hashes),
        frequencies=_unpack(words.frequencies),
        cuts=tuple(words.cuts_millionths),
        reference=Counted(words.reference_texts, tuple(words.reference_counts)),
    )
    hashes, frequencies, cuts = vocabulary.hashes, vocabulary.frequencies, vocabulary.cuts
    if len(hashes) != len(frequencies) or not _ascends(hashes):
        raise DataError("its words are not in order")
    if frequencies and not 0 < min(frequencies) <= max(frequencies) <= vocabulary.texts:
        raise DataError("a word is in no text, or in more than there are")
    if vocabulary.texts < 1 or not hashes or vocabulary.reference.n > MOST_ROWS:
        raise DataError("its words are of no texts, or of too many")
    counts = vocabulary.reference.counts
    in_range = counts[0] > 0 and counts[-1] <= vocabulary.reference.n if counts else False
    if len(cuts) != len(counts) or not in_range or not _ascends(cuts) or not _ascends(counts):
        raise DataError("its counts of new words cannot be")
    if not 0 <= cuts[0] <= cuts[-1] < MILLION:
        raise DataError("its shares of new words cannot be")
    return vocabulary


def _ascends(numbers: Sequence[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))


def _pack(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _unpack(content: bytes) -> tuple[int, ...]:
    count, rest = divmod(len(content), 4)
    if rest:
        raise DataError("a number of four bytes is cut")
    return struct.unpack(f"<{count}I", content)
