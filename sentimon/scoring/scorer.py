"""The seam between sentimon and any model, and the choice of the backend behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from sentimon.config.paths import expanded
from sentimon.config.settings import ModelSettings
from sentimon.errors import ModelError
from sentimon.extras import TRANSFORMERS, require
from sentimon.labels import THREE, TWO_CLASSES, Classes, Sentiment
from sentimon.scoring.scores import ScoredText

DEFAULT_MODEL = "sentimon-default"
DEFAULT_FOLDER = Path(__file__).parent / "default_model"
ONNX_FILE = "model.onnx"
MOST_CHARACTERS = 1_000_000
T = TypeVar("T")


class Scorer(Protocol):
    """Anything that scores texts; a text's scores do not depend on the texts around it (within 1e-5)."""

    @property
    def model(self) -> str:
        """Return the name under which predictions of this model are logged."""

    @property
    def revision(self) -> str:
        """Return what tells this version of the weights from another: a commit or a content hash."""

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Return one result a text, in input order; raw texts, normalised inside."""


def model_name(settings: ModelSettings) -> str:
    """Return the name under which predictions of the model that `settings` names are logged."""
    return settings.name or DEFAULT_MODEL


def load_scorer(
    settings: ModelSettings | None = None,
    *,
    present: Classes = THREE,
    say: Callable[[str], None] = lambda message: None,
) -> Scorer:
    """Return the scorer of the model that `settings` names; without a name the one that ships.

    A folder with a `model.onnx` runs on ONNX Runtime and never imports torch; any other folder or
    HuggingFace id runs on transformers. Its outputs are of the classes that are `present`; where it has none
    for neutral, of three, that is said.

    Raises:
        ModelError: it cannot be found or loaded, its labels cannot be mapped, or one of them means a class
            that is not there.
        MissingPackageError: it is a model of transformers, which is not installed.
    """
    scorer = _loaded(settings or ModelSettings())
    _check_outputs(scorer, present)
    if missing_class(scorer, present):
        say(missing_class(scorer, present))
    return scorer


class _ScorerOfOutputs(Scorer, Protocol):
    """A scorer that says which class each output of its model means."""

    @property
    def classes(self) -> tuple[Sentiment, ...]:
        """Return the class of each output."""


def _check_outputs(scorer: _ScorerOfOutputs, present: Classes) -> None:
    for one in scorer.classes:
        if one not in present:
            raise ModelError(
                f"{scorer.model} has an output for {one.label}, a class that is not there with {TWO_CLASSES}",
                hint='name a model of two classes, or set [labels] classes = "three"',
            )


def missing_class(scorer: Scorer, present: Classes = THREE) -> str:
    """Return what people should know of a model that lacks a class that is `present`; empty if it has all."""
    outputs = getattr(scorer, "classes", present)
    if set(present) <= set(outputs):
        return ""
    return f"{scorer.model} has no output for neutral, whose score is always 0: set {TWO_CLASSES}"


def _loaded(settings: ModelSettings) -> _ScorerOfOutputs:
    ships = settings.name in ("", DEFAULT_MODEL)
    folder = DEFAULT_FOLDER if ships else expanded(settings.name)
    if folder.is_file():
        raise ModelError(
            f"{folder} is a file", hint="name the folder that holds the model, or a HuggingFace id"
        )
    if ships or (folder / ONNX_FILE).is_file():
        from sentimon.scoring.onnx_backend import OnnxScorer

        scorer = OnnxScorer.load(
            # A link is followed once: `current` may be switched between two of the files.
            folder.resolve(),
            name=DEFAULT_MODEL if ships else settings.name,
            threads=settings.threads or None,
            label_map=settings.label_map or None,
            max_unknown=settings.max_unknown,
        )
        if settings.revision not in ("", scorer.revision):
            hint = "leave out --revision, or name the folder of that version"
            raise ModelError(
                f"{scorer.model} is revision {scorer.revision}, not {settings.revision}", hint=hint
            )
        return scorer
    from sentimon.scoring.checkpoint_files import check_place

    # Before torch and transformers, which take seconds to load.
    check_place(settings.name)
    kind = (
        "a model of transformers" if folder.is_dir() else "no such folder, and a model of the HuggingFace hub"
    )
    require(f"{settings.name}: {kind}", *TRANSFORMERS, instead="name a folder with a model.onnx")
    from sentimon.scoring.transformers_backend import HuggingFaceScorer

    return HuggingFaceScorer.load(settings)


def score_stream(
    scorer: Scorer, texts: Iterable[str], *, buffer_size: int
) -> Iterator[tuple[str, ScoredText]]:
    """Yield each text with its result, in input order, holding no more at once than `bounded` gives."""
    for chunk in bounded(texts, count=buffer_size, length=len):
        yield from zip(chunk, scorer.score(chunk), strict=True)


def bounded(items: Iterable[T], *, count: int, length: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield `items` in lists of at most `count`, and of about MOST_CHARACTERS where they are long."""
    chunk: list[T] = []
    characters = 0
    for item in items:
        chunk.append(item)
        characters += length(item)
        if len(chunk) >= count or characters >= MOST_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
