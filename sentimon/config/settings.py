"""Every setting: its default, its range, and the sentence that explains it wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sentimon.config.engine import EngineSettings
from sentimon.config.rules import (
    DURATION,
    LABEL_MAP,
    NAME,
    PATH,
    PATH_OR_NONE,
    SHARE,
    SOME_TIME,
    TIME_ZONE,
    WEBHOOK,
    at_least,
    from_to,
    one_of,
    setting,
)
from sentimon.config.training import TrainingSettings

# No section is printed or compared as a whole, and to make what that takes is a third of loading them.


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ModelSettings:
    """Which model scores, and how hard it may work."""

    name: str = setting(
        "", "HuggingFace id or folder of the model; empty: the model that ships with sentimon."
    )
    revision: str = setting("", "Commit or tag of a HuggingFace model to pin; empty: its main branch.")
    threads: int = setting(0, "Threads used for scoring; 0: one per core.", at_least(0, most=1024))
    batch_size: int = setting(
        32, "Most texts in one batch of a transformers model, which is bounded in tokens too.", at_least(1)
    )
    buffer_size: int = setting(
        1024, "Texts held in memory at once, sorted by length, then batched.", at_least(1)
    )
    label_map: Mapping[str, str] = setting(
        {},
        'A model\'s own labels onto ours, for example {joy = "positive"}.',
        LABEL_MAP,
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LabelSettings:
    """What the classes are called in tables and by the Python API; files keep the canonical names."""

    negative: str = setting("negative", "Name shown for the negative class.", NAME)
    neutral: str = setting("neutral", "Name shown for the neutral class.", NAME)
    positive: str = setting("positive", "Name shown for the positive class.", NAME)

    @property
    def names(self) -> tuple[str, str, str]:
        """Return the three names in Sentiment order."""
        return (self.negative, self.neutral, self.positive)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LogSettings:
    """Where predictions are kept, and how old rows are read."""

    dir: str = setting(
        "logs", "Folder of the prediction log, or its address on object storage (s3://, gs://).", PATH
    )
    state_dir: str = setting(
        "",
        "Folder of baseline, monitor and histories of a log on object storage; empty: one of the user's.",
        PATH_OR_NONE,
    )
    text: str = setting(
        "full",
        "What of a text is kept: full, redact (contacts and numbers masked), hash (keyed), or omit.",
        one_of("full", "redact", "hash", "omit"),
    )
    hash_key_file: str = setting(
        "~/.config/sentimon/hash.key", "Secret of the hashes, outside the log; made on first use.", PATH
    )
    token_hashes: bool = setting(
        False, "Whether rows without text (hash, omit) keep keyed hashes of their words, to tell new words."
    )
    rotate_megabytes: int = setting(256, "Size at which the live file is sealed; 0: never.", at_least(0))
    rotate_daily: bool = setting(
        False, "Whether the first row of a day (UTC) seals the file of the day before."
    )
    compression: str = setting("zstd", "How sealed files are compressed.", one_of("zstd", "gzip", "none"))
    fsync: str = setting(
        "never",
        "When rows are forced onto the disk: never, once a command (batch), or on each append (always).",
        one_of("never", "batch", "always"),
    )
    keep_days: int = setting(
        0, "Days after which `logs prune` removes a sealed file; 0: never.", at_least(0, most=36_525)
    )
    keep_megabytes: int = setting(
        0,
        "Size of all files together above which `logs prune` removes the oldest; 0: no limit.",
        at_least(0),
    )
    index: bool = setting(
        True, "Whether sums over the log are kept beside it, so that only what is new is read."
    )
    max_line_bytes: int = setting(
        67_108_864, "Bytes of the longest line that is read; a longer one is a bad line.", at_least(4096)
    )
    naive_time_zone: str = setting("local", "Time zone of logged timestamps that name none.", TIME_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MetricsSettings:
    """How rows are summed up."""

    time_zone: str = setting("UTC", "Time zone whose calendar the windows follow.", TIME_ZONE)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class DriftSettings:
    """When a change of the class mix counts as drift."""

    threshold: float = setting(
        0.15, "Wasserstein-1 distance on negative 0, neutral 0.5, positive 1 above which it is drift.", SHARE
    )
    min_samples: int = setting(
        50,
        "Fewest rows, in the baseline and now, that allow a verdict; below it the exit code is 4.",
        at_least(1),
    )
    confidence_level: float = setting(0.95, "Coverage of every interval that is shown.", from_to(0.5, 0.999))
    rule: str = setting(
        "threshold",
        "What `drift` judges by: the score of one look, or a monitor that may look again and again.",
        one_of("threshold", "monitor"),
    )
    create_baseline: bool = setting(
        True, "Whether `drift` without a baseline makes one from the rows at hand; false: it refuses."
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MonitorSettings:
    """When a monitor, which looks again and again, raises an alarm: evidence and effect together."""

    alpha: float = setting(
        0.05, "Probability that it ever raises a false alarm, however often it looks.", from_to(1e-6, 0.5)
    )
    delta: float = setting(0.05, "Smallest change of a share that is worth an alarm.", from_to(0.005, 0.5))
    tau: float = setting(
        0.0075,
        "Change of a share that is no news; 0.02 where shares waver from day to day.",
        from_to(0, 0.5),
    )
    look_backs: int = setting(
        9, "How far each look goes back: over the newest 1, 2, 4 ... 2**(n-1) checks.", at_least(1, most=16)
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class RetrainingSettings:
    """When retraining is recommended: enough new rows, and low confidence or drift."""

    min_samples_for_retraining: int = setting(
        50, "Fewest new predictions since the last trigger that fired.", at_least(1)
    )
    confidence_threshold: float = setting(
        0.70, "Mean confidence below which retraining is recommended.", SHARE
    )
    confidence_rule: str = setting(
        "mean",
        "What must lie below the threshold: the mean, or the upper end of its interval (fewer false alarms).",
        one_of("mean", "interval"),
    )
    drift_rule: str = setting(
        "auto",
        "What judges drift: threshold, monitor, or the monitor from 2,000 baseline rows on (auto).",
        one_of("auto", "threshold", "monitor"),
    )
    repeat: bool = setting(False, "Whether drift that a trigger has fired on may fire again while it lasts.")
    cooldown: str = setting("24h", "Shortest time between two triggers that fire.", DURATION)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NotifySettings:
    """Who is told of a retraining trigger that fires; the command is named by --on-trigger alone."""

    command_timeout: str = setting(
        "60s", "Time after which the command of --on-trigger, and all it started, is ended.", SOME_TIME
    )
    webhook: str = setting(
        "",
        "URL that each trigger that fires is sent to: https, or http to this machine; empty: none.",
        WEBHOOK,
    )
    webhook_secret_file: str = setting(
        "", "File of the secret that signs what is sent (HMAC-SHA256); empty: not signed.", PATH_OR_NONE
    )
    webhook_timeout: str = setting("10s", "Time that the webhook has for each try.", SOME_TIME)
    webhook_tries: int = setting(
        3, "Most tries, with a pause of 1, 2, 4 ... seconds between them.", at_least(1, most=10)
    )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class QualitySettings:
    """How many labels an answer about quality needs, and how much worse counts as worse."""

    min_labels: int = setting(50, "Fewest labelled rows that allow a verdict on quality.", at_least(1))
    min_labels_per_class: int = setting(
        30, "Fewest labelled rows of each class that allow estimates without labels.", at_least(2)
    )
    reference_labels: int = setting(
        200, "First labels that later ones are judged against, where the baseline has too few.", at_least(1)
    )
    tolerance: float = setting(
        0.05, "How far the error rate may rise above the reference before it is an alarm.", SHARE
    )
    fit_level: float = setting(
        0.01, "Chance of calling scores that do fit a mixture of the labelled classes unfit.", SHARE
    )
    new_words: float = setting(
        0.10,
        "Share of words that no labelled text has, beyond what is usual, that rules estimates out.",
        SHARE,
    )
    compare_tolerance: float = setting(0.01, "How much worse `compare` lets the second model be.", SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, a section each; what a command is given after every source was read and checked."""

    model: ModelSettings = field(default_factory=ModelSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    retraining: RetrainingSettings = field(default_factory=RetrainingSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
