"""The reference that later rows are compared with: a summary, its provenance, a check that it is steady."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from sentimon.errors import NoVerdictError, StoreError
from sentimon.labels import THREE, TWO, Classes
from sentimon.monitoring.slice_history import FieldHistory
from sentimon.monitoring.vocabulary import Vocabulary
from sentimon.prediction_log.summary import Counts, ModelKey, Summary
from sentimon.prediction_log.windows import Calendar
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.timestamps import HOUR_MICROSECONDS, from_microseconds

HOURS_OF_WEEK = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was normal: a summary of rows, with rows per hour and class, and its provenance."""

    name: str
    created: datetime
    source: str
    """The log folder that the rows come from."""
    summary: Summary
    vocabulary: Vocabulary | None = None
    """The words of the texts; None where too few texts were logged."""
    resumed: datetime | None = None
    """When its model came back into service after another one; rows in between are of the other."""
    classes: Classes = THREE
    """The classes that there were."""
    fields: Mapping[str, FieldHistory] = field(default_factory=dict)
    """The rows by the values of each field that divided them when it was made."""

    @property
    def last(self) -> datetime | None:
        """Return the moment after which rows are compared with it; None without rows.

        That is its latest row, or when it was created if that is earlier, or `resumed` if that is later.
        """
        if self.summary.last is None:
            return None
        # A row dated in the future must not hide the rows that come until then.
        last = min(self.created, from_microseconds(self.summary.last))
        return last if self.resumed is None else max(last, self.resumed)

    @property
    def watched_fields(self) -> tuple[str, ...]:
        """Return the fields whose slices are watched: those that it was made with, of few values."""
        return tuple(name for name, one in self.fields.items() if not one.slices.too_many)

    @property
    def known_models(self) -> Mapping[ModelKey, int]:
        """Return the number of rows per (model, revision), leaving out rows that name no model."""
        return named_models(self.summary)

    @property
    def hour_of_week(self) -> tuple[Counts, ...]:
        """Return rows per class in each of the 168 hours of the week, UTC, starting on Monday 00:00."""
        cells = [[0, 0, 0] for _ in range(HOURS_OF_WEEK)]
        for hour, counts in self.summary.hours.items():
            # The first hour of 1970 was on a Thursday, the fourth day of the week.
            cell = cells[(hour + 3 * 24) % HOURS_OF_WEEK]
            for place, count in enumerate(counts):
                cell[place] += count
        return tuple((cell[0], cell[1], cell[2]) for cell in cells)


def named_models(summary: Summary) -> Mapping[ModelKey, int]:
    """Return the number of rows per (model, revision), leaving out rows that name no model."""
    return {model: count for model, count in summary.models.items() if model[0] is not None}


def create_baseline(
    summary: Summary,
    vocabulary: Vocabulary | None = None,
    *,
    name: str,
    source: str,
    created: datetime,
    min_samples: int,
    classes: Classes = THREE,
    fields: Mapping[str, FieldHistory] | None = None,
) -> Baseline:
    """Return a baseline of the rows in `summary`, of the `vocabulary` of their texts, and by `fields`.

    Raises:
        NoVerdictError: fewer than `min_samples` rows: such a baseline could never be compared with.
    """
    if summary.count < min_samples:
        raise NoVerdictError(
            f"a baseline needs {min_samples} rows, {source} has {summary.count}",
            hint="log more predictions, choose a longer period, or lower drift.min_samples",
        )
    # Positions of bad lines mean nothing once the log has grown; their number does.
    return Baseline(
        name=name,
        created=created,
        source=source,
        summary=replace(summary, bad_lines=()),
        vocabulary=vocabulary,
        classes=classes,
        fields=fields or {},
    )


def check_classes(baseline: Baseline, classes: Classes, origin: str) -> None:
    """Raise StoreError unless the baseline in the file `origin` is of these classes.

    Raises:
        StoreError: it is of others, so that no share of it can be compared.
    """
    if baseline.classes != classes:
        was, now = ("two" if one == TWO else "three" for one in (baseline.classes, classes))
        raise StoreError(
            f'{origin}: the baseline is of {was} classes, and [labels] classes is "{now}"',
            hint=f'set [labels] classes = "{was}", or make a new one with `sentimon baseline create --force`',
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCheck:
    """One window of the baseline compared with the rest of it."""

    start: datetime
    count: int
    score: float
    """Wasserstein-1 distance of the window from the other rows, 0 .. 1."""
    low: float
    high: float
    """The interval of the score, wide enough that those of all windows cover at once."""
    departs: bool
    """Whether the score is above the threshold and a class share moved by more than chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCheck:
    """Whether the class mix is steady within a baseline."""

    windows: tuple[WindowCheck, ...]
    skipped: int
    """Windows with too few rows to compare."""

    @property
    def quiet(self) -> bool:
        """Return whether no window departs from the rest."""
        return not any(window.departs for window in self.windows)


def check_baseline(
    baseline: Baseline, calendar: Calendar, *, threshold: float, min_samples: int, confidence_level: float
) -> BaselineCheck:
    """Return how far each window of a baseline lies from the rest of it, in order of time.

    A window departs when its score is above `threshold` and, at a level shared among all windows
    (Bonferroni), the interval of the change of the negative or the positive share excludes zero. A
    baseline without change is quiet with a probability of at least `confidence_level`, however many
    windows it has. An hour belongs to the window that contains its start. Windows with fewer than
    `min_samples` rows, or with fewer than that left outside, are skipped.
    """
    windows: dict[datetime, list[int]] = {}
    for hour, counts in sorted(baseline.summary.hours.items()):
        start = calendar.start_of(from_microseconds(hour * HOUR_MICROSECONDS))
        window = windows.setdefault(start, [0, 0, 0])
        for place, count in enumerate(counts):
            window[place] += count
    total = baseline.summary.counts
    judged = {
        start: counts
        for start, counts in windows.items()
        if sum(counts) >= min_samples and sum(total) - sum(counts) >= min_samples
    }
    level = 1 - (1 - confidence_level) / max(1, len(judged))
    checks = tuple(_check_window(start, counts, total, threshold, level) for start, counts in judged.items())
    return BaselineCheck(windows=checks, skipped=len(windows) - len(judged))


def _check_window(
    start: datetime, counts: list[int], total: Counts, threshold: float, level: float
) -> WindowCheck:
    rest = [whole - own for whole, own in zip(total, counts, strict=True)]
    score = wasserstein_distance(rest, counts)
    low, high = wasserstein_interval(rest, counts, confidence_level=level)
    # The interval of the score starts above zero exactly where one of the two changes excludes zero.
    departs = score > threshold and low > 0
    return WindowCheck(start=start, count=sum(counts), score=score, low=low, high=high, departs=departs)
