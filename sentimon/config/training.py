"""The settings of `retrain` and `promote`."""

from __future__ import annotations

from dataclasses import dataclass

from sentimon.config.rules import PATH, SHARE, at_least, from_to, one_of, setting


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class TrainingSettings:
    """How `retrain` fine-tunes a model, and where `promote` keeps those that serve."""

    epochs: int = setting(4, "Most passes over the labelled rows.", at_least(1, most=1000))
    rate: float = setting(5e-5, "Learning rate after the warm-up.", from_to(1e-7, 0.1))
    batch: int = setting(16, "Rows a step.", at_least(1, most=4096))
    max_tokens: int = setting(128, "Tokens of a text that training reads.", at_least(8, most=512))
    held_out: float = setting(0.2, "Share of the labelled rows that is kept out of training.", SHARE)
    patience: int = setting(2, "Passes without a better held-out loss after which it stops.", at_least(1))
    min_per_class: int = setting(20, "Fewest labelled rows of each class.", at_least(2))
    replay_share: float = setting(
        0.5, "Share of old rows (--replay) among those of a pass, against forgetting.", from_to(0, 0.95)
    )
    precision: str = setting(
        "auto",
        "Number type of training; auto: bfloat16 where the processor has instructions for it.",
        one_of("auto", "float32", "bfloat16"),
    )
    models: str = setting(
        "models", "Folder of the promoted models; the one that serves is its `current`.", PATH
    )
    baseline_rows: int = setting(
        0,
        "First rows of a model that has just begun to serve which become the baseline; 0: none is made.",
        at_least(0, most=100_000),
    )
