"""Every setting: its default, its range, and the sentence that explains it wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError
from sentimon.labels import parse_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a value must satisfy, and the words that say so."""

    says: str
    holds: Callable[[Any], bool]


def setting(default: Any, doc: str, rule: Rule | None = None) -> Any:
    """Return a dataclass field that carries the sentence and the rule of its setting."""
    metadata = {"doc": doc, "rule": rule}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def _from_to(low: float, high: float) -> Rule:
    return Rule(says=f"a number from {low:g} to {high:g}", holds=lambda value: low <= value <= high)


def _at_least(low: int, *, most: int = 10**9) -> Rule:
    return Rule(says=f"a whole number from {low} to {most}", holds=lambda value: low <= value <= most)


def _one_of(*choices: str) -> Rule:
    return Rule(says="one of " + ", ".join(choices), holds=lambda value: value in choices)


def _is_duration(value: str) -> bool:
    try:
        parse_duration(value)
    except DataError:
        return False
    return True


def _is_time_zone(value: str) -> bool:
    if value in ("local", "UTC"):
        return True
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(value) is not None
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False


def _is_label_map(value: Mapping[str, str]) -> bool:
    try:
        return all(parse_label(label) is not None for label in value.values())
    except DataError:
        return False


_DURATION = Rule(says="a duration such as 90s, 15m, 24h, 7d", holds=_is_duration)
_TIME_ZONE = Rule(says="`local` or a time zone name such as UTC or Europe/Rome", holds=_is_time_zone)
_SHARE = _from_to(0, 1)
_PATH = Rule(says="a path", holds=lambda value: bool(value) and "\0" not in value)
_NAME = Rule(says="a name of 1 to 40 characters", holds=lambda value: 0 < len(value.strip()) <= 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model scores, and how hard it may work."""

    name: str = setting(
        "", "HuggingFace id or folder of the model; empty: the model that ships with sentimon."
    )
    revision: str = setting("", "Commit or tag of a HuggingFace model to pin; empty: its main branch.")
    threads: int = setting(0, "Threads used for scoring; 0: one per core.", _at_least(0, most=1024))
    batch_size: int = setting(
        32, "Most texts in one batch of a transformers model, which is bounded in tokens too.", _at_least(1)
    )
    buffer_size: int = setting(
        1024, "Texts held in memory at once, sorted by length, then batched.", _at_least(1)
    )
    label_map: Mapping[str, str] = setting(
        {},
        'A model\'s own labels onto ours, for example {joy = "positive"}.',
        Rule(says="a table of labels, each negative, neutral or positive", holds=_is_label_map),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """What the classes are called in tables and by the Python API; files keep the canonical names."""

    negative: str = setting("negative", "Name shown for the negative class.", _NAME)
    neutral: str = setting("neutral", "Name shown for the neutral class.", _NAME)
    positive: str = setting("positive", "Name shown for the positive class.", _NAME)

    @property
    def names(self) -> tuple[str, str, str]:
        """Return the three names in Sentiment order."""
        return (self.negative, self.neutral, self.positive)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Where predictions are kept, and how old rows are read."""

    dir: str = setting("logs", "Folder of the prediction log and of everything derived from it.", _PATH)
    text: str = setting(
        "full",
        "What of a text is kept: full, redact (contacts and numbers masked), hash (keyed), or omit.",
        _one_of("full", "redact", "hash", "omit"),
    )
    hash_key_file: str = setting(
        "~/.config/sentimon/hash.key", "Secret of `text = hash`, outside the log; made on first use.", _PATH
    )
    rotate_megabytes: int = setting(256, "Size at which the live file is sealed; 0: never.", _at_least(0))
    rotate_daily: bool = setting(
        False, "Whether the first row of a day (UTC) seals the file of the day before."
    )
    compression: str = setting("zstd", "How sealed files are compressed.", _one_of("zstd", "gzip", "none"))
    fsync: str = setting(
        "never",
        "When rows are forced onto the disk: never, once a command (batch), or on each append (always).",
        _one_of("never", "batch", "always"),
    )
    keep_days: int = setting(
        0, "Days after which `logs prune` removes a sealed file; 0: never.", _at_least(0, most=36_525)
    )
    keep_megabytes: int = setting(
        0,
        "Size of all files together above which `logs prune` removes the oldest; 0: no limit.",
        _at_least(0),
    )
    index: bool = setting(
        True, "Whether sums over the log are kept beside it, so that only what is new is read."
    )
    workers: int = setting(0, "Processes that read a long log; 0: one per core.", _at_least(0, most=1024))
    naive_time_zone: str = setting("local", "Time zone of logged timestamps that name none.", _TIME_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """How rows are summed up."""

    time_zone: str = setting("UTC", "Time zone whose calendar the windows follow.", _TIME_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSettings:
    """When a change of the class mix counts as drift."""

    threshold: float = setting(
        0.15, "Wasserstein-1 distance on negative 0, neutral 0.5, positive 1 above which it is drift.", _SHARE
    )
    min_samples: int = setting(
        50,
        "Fewest rows, in the baseline and now, that allow a verdict; below it the exit code is 4.",
        _at_least(1),
    )
    confidence_level: float = setting(0.95, "Coverage of every interval that is shown.", _from_to(0.5, 0.999))
    create_baseline: bool = setting(
        True, "Whether `drift` without a baseline makes one from the rows at hand; false: it refuses."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingSettings:
    """When retraining is recommended: enough new rows, and low confidence or drift."""

    min_samples_for_retraining: int = setting(
        50, "Fewest new predictions since the last trigger that fired.", _at_least(1)
    )
    confidence_threshold: float = setting(
        0.70, "Mean confidence below which retraining is recommended.", _SHARE
    )
    confidence_rule: str = setting(
        "mean",
        "What must lie below the threshold: the mean, or the upper end of its interval (fewer false alarms).",
        _one_of("mean", "interval"),
    )
    cooldown: str = setting("24h", "Shortest time between two triggers that fire.", _DURATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """How many labels an answer about quality needs, and how much worse counts as worse."""

    min_labels: int = setting(50, "Fewest labelled rows that allow a verdict on quality.", _at_least(1))
    min_labels_per_class: int = setting(
        30, "Fewest labelled rows of each class that allow estimates without labels.", _at_least(2)
    )
    reference_labels: int = setting(
        200, "First labels that later ones are judged against, where the baseline has too few.", _at_least(1)
    )
    tolerance: float = setting(
        0.05, "How far the error rate may rise above the reference before it is an alarm.", _SHARE
    )
    fit_level: float = setting(
        0.01, "Chance of calling scores that do fit a mixture of the labelled classes unfit.", _SHARE
    )
    new_words: float = setting(
        0.10,
        "Share of words that no labelled text has, beyond what is usual, that rules estimates out.",
        _SHARE,
    )
    compare_tolerance: float = setting(0.01, "How much worse `compare` lets the second model be.", _SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, a section each; what a command is given after every source was read and checked."""

    model: ModelSettings = field(default_factory=ModelSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    retraining: RetrainingSettings = field(default_factory=RetrainingSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
