"""Text to scores in one call."""

from __future__ import annotations

from functools import lru_cache

from sentimon.config import load_settings
from sentimon.config.settings import ModelSettings
from sentimon.labels import Classes, by_name
from sentimon.scoring.normalise import normalise
from sentimon.scoring.scorer import Scorer, load_scorer


def analyze_sentiment(text: str) -> dict[str, float]:
    """Return the probability of each class, in Sentiment order, together 1; keys as `[labels]` names them.

    Of two classes (`labels.classes`) it has two keys.

    The model is the configured one, by default the one that ships; it is loaded on the first call.

    Raises:
        ModelError: the model cannot be loaded.
        ConfigError: the configuration is wrong.
    """
    settings = load_settings().settings
    model = settings.model
    chosen = tuple(sorted(model.label_map.items()))
    scorer = _scorer(
        model.name, model.revision, model.threads, model.batch_size, chosen, settings.labels.present
    )
    (scored,) = scorer.score([text])
    return dict(by_name(settings.labels.names, scored.scores.vector))


def preprocess(text: str) -> str:
    """Return `text` as the models see it: mentions as `@user`, links as `http`."""
    return normalise(text)


@lru_cache(maxsize=4)
def _scorer(
    name: str,
    revision: str,
    threads: int,
    batch_size: int,
    label_map: tuple[tuple[str, str], ...],
    present: Classes,
) -> Scorer:
    settings = ModelSettings(
        name=name, revision=revision, threads=threads, batch_size=batch_size, label_map=dict(label_map)
    )
    return load_scorer(settings, present=present)
