"""Every setting, declared once: its type and range, its default, and its description."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from sentimon.config.label_settings import LabelSettings
from sentimon.config.notify_settings import NotifySettings
from sentimon.config.ranges import (
    MOST,
    Count,
    CountOrZero,
    Duration,
    EngineAddress,
    LabelMap,
    OptionalDuration,
    OptionalPath,
    PathName,
    Share,
    TimeZone,
)
from sentimon.config.segment_settings import SegmentSettings


class ModelSettings(Struct, frozen=True, kw_only=True):
    """Which model scores, and how many threads and how much memory it may use."""

    name: Annotated[
        str,
        Meta(description="HuggingFace id or folder of the model; empty: the model that ships with sentimon."),
    ] = ""
    revision: Annotated[
        str, Meta(description="Commit or tag of a HuggingFace model to pin; empty: its main branch.")
    ] = ""
    threads: Annotated[int, Meta(ge=0, le=1024, description="Threads used for scoring; 0: one per core.")] = 0
    batch_size: Annotated[
        Count,
        Meta(description="Most texts in one batch of a transformers model, which is bounded in tokens too."),
    ] = 32
    buffer_size: Annotated[
        Count, Meta(description="Texts held in memory at once, sorted by length, then batched.")
    ] = 1024
    label_map: Annotated[
        LabelMap, Meta(description='A model\'s own labels onto ours, for example {joy = "positive"}.')
    ] = {}
    max_unknown: Annotated[
        Share, Meta(description="Share of unknown letters above which a text is unreadable; 1: none is.")
    ] = 0.5


class InputSettings(Struct, frozen=True, kw_only=True):
    """How the files that commands are given are read; each setting has an option of its name."""

    format: Annotated[
        str,
        Meta(description="Format of the file, such as csv; empty: what its name or its first bytes say."),
    ] = ""
    encoding: Annotated[
        str,
        Meta(
            description="Encoding, such as cp1252; auto: guessed from the bytes; empty: UTF-8, or what the "
            "file itself says."
        ),
    ] = ""
    text_column: Annotated[str, Meta(description="Column of the text; empty: one with a usual name.")] = ""
    time_column: Annotated[
        str, Meta(description="Column of the time of a prediction; empty: one with a usual name.")
    ] = ""
    time_format: Annotated[
        str,
        Meta(
            description="How times are written: iso, epoch, epoch-ms, excel, or a pattern such as "
            "%d/%m/%Y %H:%M; empty: what all values fit."
        ),
    ] = ""
    id_column: Annotated[str, Meta(description="Column of the row's id; empty: `id`.")] = ""
    label_column: Annotated[
        str, Meta(description="Column of the gold label, in `log` of the predicted one; empty: a usual name.")
    ] = ""
    score_columns: Annotated[
        str,
        Meta(description="Column of the confidence, or of each class: negative=p0,neutral=p1,positive=p2."),
    ] = ""
    model_column: Annotated[str, Meta(description="Column of the model's name; empty: `model`.")] = ""
    labels: Annotated[
        str,
        Meta(
            description="What numbers among labels mean: stars (1 to 5), stars10 (1 to 10), or the classes "
            "in the order of their codes: negative,neutral,positive."
        ),
    ] = ""
    label_map: Annotated[
        LabelMap, Meta(description='A file\'s own labels onto ours, for example {"1" = "negative"}.')
    ] = {}


class LogSettings(Struct, frozen=True, kw_only=True):
    """Where predictions are kept, and how old rows are read."""

    dir: Annotated[
        PathName,
        Meta(description="Folder of the prediction log, or its address on object storage (s3://, gs://)."),
    ] = "logs"
    state_dir: Annotated[
        OptionalPath,
        Meta(
            description="Folder of baseline, monitor and histories of a log on object storage; empty: "
            "one of the user's."
        ),
    ] = ""
    text: Annotated[
        Literal["full", "redact", "hash", "omit"],
        Meta(
            description="What of a text is kept: full, redact (contacts and numbers masked), hash "
            "(keyed), or omit."
        ),
    ] = "full"
    hash_key_file: Annotated[
        PathName, Meta(description="Secret of the hashes, outside the log; made on first use.")
    ] = "~/.config/sentimon/hash.key"
    token_hashes: Annotated[
        bool,
        Meta(
            description="Whether rows without text (hash, omit) keep keyed hashes of their words, to "
            "tell new words."
        ),
    ] = False
    rotate_megabytes: Annotated[
        CountOrZero, Meta(description="Size at which the live file is sealed; 0: never.")
    ] = 256
    rotate_daily: Annotated[
        bool, Meta(description="Whether the first row of a day (UTC) seals the file of the day before.")
    ] = False
    compression: Annotated[
        Literal["zstd", "gzip", "none"], Meta(description="How sealed files are compressed.")
    ] = "zstd"
    fsync: Annotated[
        Literal["never", "batch", "always"],
        Meta(
            description="When rows are forced onto the disk: never, once a command (batch), or on each "
            "append (always)."
        ),
    ] = "never"
    keep_days: Annotated[
        int,
        Meta(ge=0, le=36_525, description="Days after which `logs prune` removes a sealed file; 0: never."),
    ] = 0
    keep_megabytes: Annotated[
        CountOrZero,
        Meta(
            description="Size of all files together above which `logs prune` removes the oldest; 0: no limit."
        ),
    ] = 0
    index: Annotated[
        bool,
        Meta(description="Whether sums over the log are kept beside it, so that only what is new is read."),
    ] = True
    max_line_bytes: Annotated[
        int,
        Meta(
            ge=4096,
            le=MOST,
            description="Bytes of the longest line that is read; a longer one is a bad line.",
        ),
    ] = 67_108_864
    naive_time_zone: Annotated[
        TimeZone, Meta(description="Time zone of logged timestamps that name none.")
    ] = "local"


class MetricsSettings(Struct, frozen=True, kw_only=True):
    """How rows are summed up."""

    time_zone: Annotated[TimeZone, Meta(description="Time zone whose calendar the windows follow.")] = "UTC"


class DriftSettings(Struct, frozen=True, kw_only=True):
    """When a change of the class mix counts as drift."""

    threshold: Annotated[
        Share,
        Meta(
            description="Wasserstein-1 distance on negative 0, neutral 0.5, positive 1 above which it is "
            "drift."
        ),
    ] = 0.15
    min_samples: Annotated[
        Count,
        Meta(
            description="Fewest rows, in the baseline and now, that allow a verdict; below it the exit "
            "code is 4."
        ),
    ] = 50
    confidence_level: Annotated[
        float, Meta(ge=0.5, le=0.999, description="Coverage of every interval that is shown.")
    ] = 0.95
    rule: Annotated[
        Literal["threshold", "monitor"],
        Meta(
            description="What `drift` judges by: the score of one look, or a monitor that may look again "
            "and again."
        ),
    ] = "threshold"
    create_baseline: Annotated[
        bool,
        Meta(
            description="Whether `drift` without a baseline makes one from the rows at hand; false: it "
            "refuses."
        ),
    ] = True


class MonitorSettings(Struct, frozen=True, kw_only=True):
    """When a monitor, which looks again and again, raises an alarm, and when a log is silent."""

    alpha: Annotated[
        float,
        Meta(
            ge=1e-06,
            le=0.5,
            description="Probability that it ever raises a false alarm, however often it looks.",
        ),
    ] = 0.05
    delta: Annotated[
        float, Meta(ge=0.005, le=0.5, description="Smallest change of a share that is worth an alarm.")
    ] = 0.05
    tau: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            description="Change of a share that is no news; 0.02 where shares waver from day to day.",
        ),
    ] = 0.0025
    look_backs: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            description="How far looks go back: over the newest 1, 2, 4 ... 2**(n-1) checks, each once a "
            "quarter of it is new.",
        ),
    ] = 9
    max_age: Annotated[
        OptionalDuration,
        Meta(
            description="Age of the newest row from which on the log is silent; empty: told from the gaps "
            "between rows."
        ),
    ] = ""


class RetrainingSettings(Struct, frozen=True, kw_only=True):
    """When retraining is recommended: enough new rows, and low confidence or drift."""

    min_samples_for_retraining: Annotated[
        Count, Meta(description="Fewest new predictions since the last trigger that fired.")
    ] = 50
    confidence_threshold: Annotated[
        Share, Meta(description="Mean confidence below which retraining is recommended.")
    ] = 0.70
    confidence_rule: Annotated[
        Literal["mean", "interval"],
        Meta(
            description="What must lie below the threshold: the mean, or the upper end of its interval "
            "(fewer false alarms)."
        ),
    ] = "mean"
    drift_rule: Annotated[
        Literal["auto", "threshold", "monitor"],
        Meta(
            description="What judges drift: threshold, monitor, or the monitor from 2,000 baseline rows "
            "on (auto)."
        ),
    ] = "auto"
    repeat: Annotated[
        bool, Meta(description="Whether drift that a trigger has fired on may fire again while it lasts.")
    ] = False
    cooldown: Annotated[Duration, Meta(description="Shortest time between two triggers that fire.")] = "24h"


class QualitySettings(Struct, frozen=True, kw_only=True):
    """How many labels an answer about quality needs, and how much worse counts as worse."""

    min_labels: Annotated[
        Count, Meta(description="Fewest labelled rows that allow a verdict on quality.")
    ] = 50
    min_labels_per_class: Annotated[
        int,
        Meta(
            ge=2,
            le=MOST,
            description="Fewest labelled rows of each class that allow estimates without labels.",
        ),
    ] = 30
    reference_labels: Annotated[
        Count,
        Meta(description="First labels that later ones are judged against, where the baseline has too few."),
    ] = 200
    tolerance: Annotated[
        Share, Meta(description="How far the error rate may rise above the reference before it is an alarm.")
    ] = 0.05
    fit_level: Annotated[
        Share,
        Meta(description="Chance of calling scores that do fit a mixture of the labelled classes unfit."),
    ] = 0.01
    new_words: Annotated[
        Share,
        Meta(
            description="Share of words that no labelled text has, beyond what is usual, that rules "
            "estimates out."
        ),
    ] = 0.10
    compare_tolerance: Annotated[
        Share, Meta(description="How much worse `compare` lets the second model be.")
    ] = 0.01


class TrainingSettings(Struct, frozen=True, kw_only=True):
    """How `retrain` fine-tunes a model, and where `promote` keeps those that serve."""

    epochs: Annotated[int, Meta(ge=1, le=1000, description="Most passes over the labelled rows.")] = 4
    rate: Annotated[float, Meta(ge=1e-07, le=0.1, description="Learning rate after the warm-up.")] = 5e-5
    batch: Annotated[int, Meta(ge=1, le=4096, description="Rows a step.")] = 16
    max_tokens: Annotated[int, Meta(ge=8, le=512, description="Tokens of a text that training reads.")] = 128
    held_out: Annotated[
        Share, Meta(description="Share of the labelled rows that is kept out of training.")
    ] = 0.2
    patience: Annotated[
        Count, Meta(description="Passes without a better held-out loss after which it stops.")
    ] = 2
    min_per_class: Annotated[int, Meta(ge=2, le=MOST, description="Fewest labelled rows of each class.")] = 20
    replay_share: Annotated[
        float,
        Meta(
            ge=0,
            le=0.95,
            description="Share of old rows (--replay) among those of a pass, against forgetting.",
        ),
    ] = 0.5
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Meta(
            description="Number type of training; auto: bfloat16 where the processor has instructions for it."
        ),
    ] = "auto"
    models: Annotated[
        PathName, Meta(description="Folder of the promoted models; the one that serves is its `current`.")
    ] = "models"
    baseline_rows: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000,
            description="First rows of a model that has just begun to serve which become the baseline; "
            "0: none is made.",
        ),
    ] = 0


class EngineSettings(Struct, frozen=True, kw_only=True):
    """Where a long log is read and many texts are scored: on this machine, or on a Ray cluster."""

    name: Annotated[
        Literal["local", "ray"],
        Meta(description="Where long work runs: local (all cores of this machine) or ray."),
    ] = "local"
    address: Annotated[
        EngineAddress,
        Meta(
            description="Ray cluster: HOST:PORT, ray://HOST:PORT, auto, or a file that says it; empty: "
            "one is started here."
        ),
    ] = ""
    workers: Annotated[
        int,
        Meta(
            ge=0,
            le=4096,
            description="Workers that read and score; 0: one per core, or per CPU of the cluster.",
        ),
    ] = 0
    cpus_per_worker: Annotated[
        float, Meta(ge=0, le=1024, description="CPUs that Ray sets aside for a worker.")
    ] = 1.0
    gpus_per_worker: Annotated[
        float, Meta(ge=0, le=64, description="GPUs that Ray sets aside for a scoring worker.")
    ] = 0.0
    chunk_megabytes: Annotated[
        int, Meta(ge=16, le=4096, description="How much of a log a task of Ray reads, in steps of 16.")
    ] = 64
    chunk_texts: Annotated[
        int, Meta(ge=1, le=1_000_000, description="How many texts a worker of Ray scores at once.")
    ] = 1024
    smallest_megabytes: Annotated[
        CountOrZero,
        Meta(description="Size of log to read below which this machine reads it, and no cluster."),
    ] = 2000
    smallest_texts: Annotated[
        CountOrZero, Meta(description="Texts to score below which this machine scores them, and no cluster.")
    ] = 20_000


class Settings(Struct, frozen=True, kw_only=True):
    """All settings, one section each, after every source has been read and checked."""

    model: ModelSettings = field(default_factory=ModelSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    input: InputSettings = field(default_factory=InputSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    retraining: RetrainingSettings = field(default_factory=RetrainingSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
