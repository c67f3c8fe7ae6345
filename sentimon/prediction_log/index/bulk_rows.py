"""Sum whole blocks of lines with numpy, if each line holds a row in the common form.

The common form is a part of what `parse_row` accepts, and gives the same sums; tests hold that. Blocks with
any other line are refused, and their lines are left to `parse_row`.
"""

from __future__ import annotations

import contextlib
import functools
import math
import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
import numpy as np
import numpy.typing as npt

from sentimon.labels import LABELS
from sentimon.prediction_log.index.cells import CellTable, SlotFunction, TimeCell
from sentimon.prediction_log.index.slice_sums import ValueCodes, add_slices
from sentimon.prediction_log.index.text_sums import Flags, Floats, Integers, floats, integers, sum_texts
from sentimon.prediction_log.record import AGREEMENT, LEAST_CONFIDENCE, OptionalFields
from sentimon.prediction_log.summary import CONFIDENCE_BINS, POLARITY_BINS, GrowingSummary
from sentimon.scoring.scores import SCALE, SUM_TOLERANCE
from sentimon.timestamps import HOUR_MICROSECONDS, from_microseconds, to_microseconds

if TYPE_CHECKING:
    from sentimon.prediction_log.slice_fields import SliceCondition, SliceField


class CommonScores(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The scores under their canonical names; not yet checked to be a distribution."""

    negative: float
    neutral: float
    positive: float


class CommonRow(OptionalFields, kw_only=True, gc=False):
    """The fields of a row that are summed."""

    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    sentiment: Literal["negative", "neutral", "positive"]
    confidence: float | None = None
    scores: CommonScores | None = None


class _StrictRow(CommonRow, kw_only=True, gc=False, forbid_unknown_fields=True):
    pass


class BlockDecoders:
    """Decode the rows of a block: those with known fields alone, and any; `keys` are further known fields."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        # A name that is none of Python's, so that a field may be called anything.
        attributes = {key: f"slice_{place}" for place, key in enumerate(keys)}
        columns = [(name, Any, msgspec.UNSET) for name in attributes.values()]
        rename = {name: key for key, name in attributes.items()}
        self._ours, self._any = (
            msgspec.json.Decoder(
                msgspec.defstruct(
                    base.__name__,
                    columns,
                    bases=(base,),
                    rename=rename,
                    forbid_unknown_fields=strict,
                    gc=False,
                )
                if keys
                else base
            ).decode_lines
            for base, strict in ((_StrictRow, True), (CommonRow, False))
        )
        self.attributes: Mapping[str, str] = attributes
        """The attribute of a row that holds each of the further fields; UNSET in a row without it."""

    def decode(self, block: bytes | memoryview) -> Sequence[CommonRow]:
        """Return the rows of a block.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: a line is no row in the common form.
        """
        with contextlib.suppress(msgspec.ValidationError):
            return cast(Sequence[CommonRow], self._ours(block))
        # The decoder checks only the fields it keeps for valid UTF-8; the others have to be valid, too.
        for line in bytes(block).split(b"\n"):
            line.isascii() or str(line, "utf-8")
        return cast(Sequence[CommonRow], self._any(block))


@functools.lru_cache(maxsize=8)
def block_decoders(keys: tuple[str, ...]) -> BlockDecoders:
    """Return the decoders for rows with these keys; to make them takes as long as to read a thousand rows."""
    return BlockDecoders(keys)


def decode_block(
    block: bytes | memoryview, decoders: BlockDecoders
) -> tuple[Sequence[CommonRow], npt.NDArray[np.int64]] | None:
    """Return (the rows of a block, one a line; where each line begins, and where the last one ends).

    Return None if a line holds something else. The decoder takes values one after the other, wherever
    lines end. But no string holds a bare newline, and a brace that closes is followed by one that opens
    only between two values. So where each line begins with a brace and ends with one, each newline lies
    between two values; and if there are as many values as lines, each line holds one.
    """
    characters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    offsets = np.concatenate(([0], ends + 1))
    if (
        offsets[-1] != len(block)
        or (characters[offsets[:-1]] != ord("{")).any()
        or (characters[ends - 1] != ord("}")).any()
    ):
        return None
    try:
        rows = decoders.decode(block)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return (rows, offsets) if len(rows) == len(ends) else None


MOST_ROWS = 8192
MOST_CELLS = 256
"""Most rows and cells, about, that wait to be summed."""
_CLOSE = 1e-5
"""Rows nearer than this to a limit are left to `parse_row`, which rounds before it compares."""
_CODES = {label: code for code, label in enumerate(LABELS)}
_CLASSES = len(LABELS)


_NO_SCORES = CommonScores(negative=math.nan, neutral=math.nan, positive=math.nan)


class RowColumns:
    """The classes, confidences and scores of some rows, one array each; what a row lacks is NaN.

    `slices` holds the numbers of the values of the fields that divide the rows, by the names of the fields.
    """

    def __init__(self, rows: Sequence[CommonRow]) -> None:
        self.slices: Mapping[str, Integers] = {}
        self.classes = integers([_CODES[row.sentiment] for row in rows])
        self.confidence = _confidences(rows)
        self.negative, self.neutral, self.positive = _scores(rows)

    def are_valid(self) -> bool:
        """Return whether the numbers of all rows pass the checks of `parse_row` by a safe margin."""
        lacking = np.isnan(self.positive)
        if not lacking.any():
            return self._agree(slice(None))
        # A row with scores alone would be NaN in the confidence, which no comparison passes.
        given = self.confidence[lacking]
        known = given[~np.isnan(given)]
        in_range = not len(known) or (known.min() >= LEAST_CONFIDENCE + _CLOSE and known.max() <= 1)
        return bool(in_range and (lacking.all() or self._agree(~lacking)))

    def _agree(self, places: slice | Flags) -> bool:
        """Return whether the numbers of some rows, at least one, all of which have scores, agree."""
        negative, neutral, positive = self.negative[places], self.neutral[places], self.positive[places]
        confidence = self.confidence[places]
        highest = np.maximum(np.maximum(negative, neutral), positive)
        lowest = np.minimum(np.minimum(negative, neutral), positive)
        if min(lowest.min(), confidence.min()) < 0 or max(highest.max(), confidence.max()) > 1:
            # The sums of such numbers may overflow.
            return False
        own = np.choose(self.classes[places], (negative, neutral, positive))
        return bool(
            abs(negative + neutral + positive - 1).max() < SUM_TOLERANCE - _CLOSE
            and (highest - own).max() < AGREEMENT - _CLOSE
            and abs(confidence - own).max() < AGREEMENT - _CLOSE
        )


def _confidences(rows: Sequence[CommonRow]) -> Floats:
    given = cast(list[float], [row.confidence for row in rows])
    try:
        # Mostly no row lacks it, and to check each would cost all logs for the few that do.
        return floats(given)
    except struct.error:
        return floats([math.nan if one is None else one for one in given])


def _scores(rows: Sequence[CommonRow]) -> tuple[Floats, Floats, Floats]:
    given = cast(list[CommonScores], [row.scores for row in rows])
    try:
        positive = floats([one.positive for one in given])
    except AttributeError:
        given = [one or _NO_SCORES for one in given]
        positive = floats([one.positive for one in given])
    return floats([one.negative for one in given]), floats([one.neutral for one in given]), positive


class PendingColumns:
    """Columns that wait to be summed, with the cells that their rows belong to."""

    def __init__(self, fields: Sequence[SliceField] = ()) -> None:
        self.codes = {field.name: ValueCodes() for field in fields}
        """Of each field that divides the rows, the numbers of its values."""
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._columns: list[RowColumns] = []
        self._cells: dict[int, TimeCell] = {}
        self._runs: list[tuple[int, int]] = []

    def add(self, columns: RowColumns, runs: Sequence[tuple[TimeCell, int]]) -> None:
        """Add at most MOST_ROWS rows; a run is (a cell, how many of the next rows belong to it).

        The sum of the cell knows its first and last row already; both lie in one hour.
        """
        if self._count + len(columns.classes) > MOST_ROWS or len(self._cells) > MOST_CELLS:
            self.sum_up()
        self._count += len(columns.classes)
        self._columns.append(columns)
        for cell, length in runs:
            self._cells[id(cell)] = cell
            self._runs.append((id(cell), length))

    def sum_up(self) -> None:
        """Add the waiting rows to the sums of their cells."""
        if self._columns:
            self._sum_up()
        self._clear()

    def _sum_up(self) -> None:
        confidence = _millionths([one.confidence for one in self._columns])
        positive = _millionths([one.positive for one in self._columns])
        polarity = positive - _millionths([one.negative for one in self._columns])
        path_at = {key: place for place, key in enumerate(self._cells)}
        cells = list(self._cells.values())
        places = np.array([path_at[key] for key, _ in self._runs])
        cell_places = np.repeat(places, [length for _, length in self._runs])
        classes = np.concatenate([one.classes for one in self._columns])
        groups = cell_places * _CLASSES + classes
        if self.codes:
            codes = {name: np.concatenate([one.slices[name] for one in self._columns]) for name in self.codes}
            texts = {name: one.texts for name, one in self.codes.items()}
            add_slices(cells, cell_places, codes, texts, classes, confidence)
        tallies = [tally for cell in cells for tally in cell.sums.classes]
        counts = np.bincount(groups, minlength=len(tallies))
        sure, confidence = _present(groups, confidence)
        scored, polarity = _present(groups, polarity)
        totals = [_total(sure, one, counts) for one in (confidence, confidence * confidence)]
        totals.append(_total(scored, polarity, counts))
        by_confidence = _histograms(sure, confidence, CONFIDENCE_BINS, 0, len(tallies))
        by_polarity = _histograms(scored, polarity, POLARITY_BINS, -SCALE, len(tallies))
        for place, (tally, count, *sums) in enumerate(zip(tallies, counts.tolist(), *totals, strict=True)):
            tally.count += count
            tally.confidence += sums[0]
            tally.confidence_squares += sums[1]
            tally.polarity += sums[2]
            _include(tally.confidence_histogram, by_confidence[place])
            _include(tally.polarity_histogram, by_polarity[place])
        for cell in cells:
            # A cell lies within an hour, so its counts are those of the hour.
            if cell.sums.ends:
                first, second, third = (tally.count for tally in cell.sums.classes)
                cell.sums.hours[cell.sums.ends[0] // HOUR_MICROSECONDS] = (first, second, third)


def _include(histogram: array[int], counts: Integers) -> None:
    held = np.frombuffer(histogram, np.int64)
    held += counts


def _millionths(columns: Sequence[Floats]) -> Floats:
    return np.rint(np.concatenate(columns) * SCALE)


def _present(groups: Integers, values: Floats) -> tuple[Integers, Floats]:
    """Return the values that are numbers, and the groups of their rows."""
    missing = np.isnan(values)
    return (groups[~missing], values[~missing]) if missing.any() else (groups, values)


def _total(groups: Integers, weights: Floats, counts: Integers) -> list[int]:
    totals: list[int] = np.bincount(groups, weights=weights, minlength=len(counts)).astype(np.int64).tolist()
    return totals


def _histograms(groups: Integers, values: Floats, width: int, lowest: int, amount: int) -> Integers:
    """Return shape (amount, width): for each group its rows in equal bins from `lowest` to SCALE."""
    bins = np.minimum((values.astype(np.int64) - lowest) // ((SCALE - lowest) // width), width - 1)
    counts: Integers = np.bincount(groups * width + bins, minlength=amount * width)
    return counts.reshape(amount, width)


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Rows with other dates are left to `parse_row`: these are far from the limits of the calendar."""


class BulkReader:
    """Adds blocks of rows in the common form to their cells."""

    def __init__(self, cells: CellTable, slot: SlotFunction, where: Sequence[SliceCondition] = ()) -> None:
        """Add rows to `cells`, those for which all conditions of `where` hold."""
        self._cells = cells
        self._slot = slot
        self._where = where
        self._pending = PendingColumns(cells.fields)
        fields = (*cells.fields, *(one.field for one in where))
        keys = [key for field in fields if not field.derived for key in field.keys]
        self._decoders = block_decoders(tuple(dict.fromkeys(keys)))

    def add_block(self, block: bytes | memoryview, begin: int) -> int:
        """Add a block of whole lines that begins at byte `begin` of the file; return the number of its rows.

        Return 0, and add nothing, if a row is not in the common form, holds numbers near a limit, or if
        there are more rows than can be summed at once.
        """
        decoded = decode_block(block, self._decoders)
        if decoded is None or not 0 < len(decoded[0]) <= MOST_ROWS:
            return 0
        rows, offsets = decoded
        times = [row.timestamp for row in rows]
        order: Sequence[int] = range(len(rows))
        in_order = times == sorted(times)
        if not in_order:
            order = sorted(order, key=times.__getitem__)
            rows, times = [rows[place] for place in order], sorted(times)
        columns = RowColumns(rows)
        if times[0] < EARLIEST or times[-1] >= LATEST or not columns.are_valid():
            return 0
        if self._where:
            chosen = self._chosen(rows)
            if not chosen:
                return len(decoded[0])
            if len(chosen) < len(rows):
                order, in_order = [order[place] for place in chosen], False
                rows, times = [rows[place] for place in chosen], [times[place] for place in chosen]
                columns = RowColumns(rows)
        if self._cells.fields:
            columns.slices = {
                field.name: self._pending.codes[field.name].codes(self._held(rows, field))
                for field in self._cells.fields
            }
        found = list(self._runs(times))
        texts = sum_texts([row.text for row in rows], [first for _, first, _ in found])
        runs = []
        for (key, first, end), properties in zip(found, texts, strict=True):
            cell, part, places = self._cells[key], rows[first:end], order[first:end]
            low, high = (first, end - 1) if in_order else (min(places), max(places))
            cell.add_range(begin + int(offsets[low]), begin + int(offsets[high + 1]))
            cell.sums.span(to_microseconds(times[first]), to_microseconds(times[end - 1]))
            cell.sums.add_properties(properties)
            _add_origins(cell.sums, part)
            runs.append((cell, end - first))
        self._pending.add(columns, runs)
        return len(decoded[0])

    def _held(self, rows: Sequence[CommonRow], field: SliceField) -> Sequence[str]:
        from sentimon.prediction_log.slice_fields import held_values

        keys, attributes = () if field.derived else field.keys, self._decoders.attributes
        columns = {key: list(map(attrgetter(attributes[key]), rows)) for key in keys}
        return held_values(rows, field, columns)

    def _chosen(self, rows: Sequence[CommonRow]) -> list[int]:
        """Return the places of the rows for which all conditions hold."""
        from sentimon.prediction_log.slice_fields import value_text

        columns = []
        for one in self._where:
            held = self._held(rows, one.field)
            columns.append((held, {text for text in {*held} if value_text(text) == one.value}))
        return [place for place in range(len(rows)) if all(held[place] in wanted for held, wanted in columns)]

    def finish(self) -> None:
        """Complete the sums of the cells."""
        self._pending.sum_up()

    def _runs(self, times: Sequence[datetime]) -> Iterator[tuple[int, int, int]]:
        """Yield (key, first row, row after the last) for each cell that some ordered times fall into."""
        first = 0
        while first < len(times):
            key, after = self._slot(to_microseconds(times[first]))
            end = max(first + 1, bisect_left(times, from_microseconds(after), first))
            yield key, first, end
            first = end


def _add_origins(sums: GrowingSummary, rows: Sequence[CommonRow]) -> None:
    models, revisions = [row.model for row in rows], [row.revision for row in rows]
    # Mostly all rows are of one model, and to check that is cheaper than to count.
    if models.count(models[0]) == len(rows) == revisions.count(revisions[0]):
        sums.add_model((models[0], revisions[0]), len(rows))
    else:
        for model, count in Counter(zip(models, revisions, strict=True)).items():
            sums.add_model(model, count)
    # Mostly no row has either, and one pass over the rows tells.
    if True in [row.truncated or row.unreadable for row in rows]:
        sums.add_property("truncated", [row.truncated for row in rows].count(True))
        sums.add_property("unreadable", [row.unreadable for row in rows].count(True))
