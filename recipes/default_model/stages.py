"""The stages that make the model that ships; each keeps its result in the output folder."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from recipes.default_model import adaptation, measure, student, teacher
from recipes.default_model.adaptation import with_prior
from recipes.default_model.corpus import Corpus
from recipes.default_model.data import ENGLISH, LANGUAGES, Example
from recipes.default_model.figures import (
    EUROPEAN,
    TWEETS,
    classes_of,
    own_figures,
    own_line,
    summary_line,
    validation_figures,
    validation_groups,
)
from recipes.default_model.network import classifier_from_backbone, keep_bottom_layers
from recipes.default_model.plain_texts import plain_examples
from recipes.default_model.student import class_counts, distillation, student_rows
from recipes.default_model.teacher import teacher_rows
from recipes.default_model.training import MAX_TOKENS, Recipe, labelled_rows, train
from recipes.default_model.vocabulary import Vocabulary, trim
from sentimon.errors import ModelError
from sentimon.finetuning.backbone import Backbone, backbone_path, read_backbone
from sentimon.finetuning.encoder import Classifier
from sentimon.finetuning.model_folder import read_network, write_model
from sentimon.finetuning.quantise import measure_ranges
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.finetuning.targets import cross_entropy
from sentimon.finetuning.trainable import predict_logits
from sentimon.finetuning.training_batches import TrainingRow, TrainingRows
from sentimon.finetuning.training_loop import Loss
from sentimon.scoring.exported_model import TOKENIZER_FILE, open_tokenizer
from sentimon.scoring.onnx_backend import OnnxScorer
from sentimon.statistics.score_scaling import fit_temperature, softmax

VOCABULARY = 24_000
RANGE_TEXTS = 600
"""Training texts that the quantisation looks at."""
LARGEST_FOLDER = 25_000_000
"""Bytes that the model's folder may take in the package."""


@dataclass(frozen=True)
class Pipeline:
    """All stages, from a data folder to an output folder."""

    data: Path
    output: Path
    start: Path | None = None
    """The folder of a finished model to go on from: its student and its answers are taken, nothing before."""

    @cached_property
    def corpus(self) -> Corpus:
        """The labelled texts."""
        return Corpus.read(self.data)

    @cached_property
    def backbone(self) -> Backbone:
        """The encoder that everything starts from."""
        return read_backbone(backbone_path())

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The trimmed vocabulary, made on first use and kept as tokenizer.json and rows.npy."""
        tokenizer, rows = self.output / "tokenizer.json", self.output / "rows.npy"
        if not rows.is_file():
            examples = self.corpus.english + self.corpus.multilingual
            made = trim(self.backbone, examples, size=VOCABULARY)
            made.tokenizer.save(str(tokenizer), pretty=False)
            np.save(rows, made.rows)
        return Vocabulary(tokenizer=Tokenizer.from_file(str(tokenizer)), rows=np.load(rows))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the vocabulary, or of the model that is gone on from."""
        return (
            self.vocabulary.tokenizer if self.start is None else open_tokenizer(self.start / TOKENIZER_FILE)
        )

    @cached_property
    def examples(self) -> list[Example]:
        """Every tweet that is trained on."""
        return self.corpus.english + self.corpus.multilingual

    def teacher(self, recipe: Recipe) -> Classifier:
        """Return a trained teacher, kept as teacher-SEED.safetensors."""
        torch.manual_seed(recipe.seed)
        network = classifier_from_backbone(self.backbone, self.vocabulary.rows, layers=self.backbone.layers)

        def rows() -> TrainingRows:
            return TrainingRows(new=teacher_rows(self.tokenizer, self.examples), held_out=self._held_out())

        return self._trained(f"teacher-{recipe.seed}", network, rows, recipe, cross_entropy)

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """The teachers' mean probabilities for `examples`, as logits, (examples, 3), kept as answers.npy."""
        path = self.output / "answers.npy"
        if not path.is_file():
            probabilities = [self._probabilities(self.teacher(recipe)) for recipe in teacher.RECIPES]
            np.save(path, np.log(np.mean(probabilities, axis=0) + 1e-6).astype(np.float32))
        answers: NDArray[np.float32] = np.load(path)
        return answers

    def _repeated(self) -> tuple[list[Example], NDArray[np.float32]]:
        """Return the tweets that the last training may repeat, and what is taught for them, (tweets, 3).

        That is what the teachers answered, or, kept as repeated.npy, what the model to go on from says.
        """
        places = np.random.default_rng(0).choice(len(self.examples), adaptation.TWEETS, replace=False)
        tweets = [self.examples[at] for at in places]
        if self.start is None:
            return tweets, self.answers[places]
        path = self.output / "repeated.npy"
        if not path.is_file():
            counts = class_counts([one for one in self.examples if one.language == ENGLISH])
            logits = np.log(_scored(self.start, tweets) + 1e-6)
            np.save(path, with_prior(tweets, logits, english_counts=counts).astype(np.float32))
        return tweets, np.load(path)

    def _probabilities(self, model: Classifier) -> NDArray[np.float64]:
        """Return a teacher's probabilities for `examples`, calibrated for English and the others apart.

        It was trained on its few rows in other languages more often, and is overconfident on them.
        """
        seen = self._logits(model, self.examples)
        validation = self._logits(model, self.corpus.validation)
        others = [f"umsab_{language}" for language in EUROPEAN]
        english = np.array([example.language == ENGLISH for example in self.examples])
        temperatures = [fit_temperature(self._groups(validation, names)) for names in ([TWEETS], others)]
        divisors = np.where(english, *temperatures)
        return softmax(seen / divisors[:, None])

    def _logits(self, network: Classifier, examples: Sequence[Example]) -> NDArray[np.float64]:
        model = self._model(network)
        ids = model.encode([example.text for example in examples], limit=MAX_TOKENS)
        return predict_logits(model, ids).numpy().astype(np.float64)

    def _model(self, network: Classifier) -> SentimonModel:
        return SentimonModel(network=network, tokenizer=self.tokenizer)

    def student(self) -> Classifier:
        """Return the mean of the student's epochs, kept one by one; it starts as the bottom of a teacher.

        The mean of the two is half a point better than either, in English and elsewhere.
        """
        if self.start is not None:
            return read_network(self.start)

        def rows() -> TrainingRows:
            taught = student_rows(self.tokenizer, self.examples, self.answers, plain_examples())
            return TrainingRows(new=taught, held_out=self._held_out())

        model = keep_bottom_layers(self.teacher(teacher.RECIPES[-1]), student.LAYERS)
        self._trained("student", model, rows, student.RECIPE, distillation)
        epochs = [load_file(self._epoch("student", number)) for number in range(student.RECIPE.epochs)]
        model.load_state_dict({name: torch.stack([e[name] for e in epochs]).mean(0) for name in epochs[0]})
        return model.eval()

    def adapted(self) -> Classifier:
        """Return the student after the last training, with the texts of our own."""

        def rows() -> TrainingRows:
            tweets, answers = self._repeated()
            return TrainingRows(
                new=labelled_rows(self.tokenizer, [*self.corpus.own.train, *plain_examples()]),
                replay=student_rows(self.tokenizer, tweets, answers, []),
                replay_per_epoch=adaptation.TWEETS_PER_EPOCH,
                held_out=labelled_rows(self.tokenizer, self.corpus.own.validation, smoothing=0.0),
            )

        own = partial(own_line, self.corpus.own.validation)
        return self._trained("adapted", self.student(), rows, adaptation.RECIPE, distillation, summary=own)

    def _trained(
        self,
        name: str,
        network: Classifier,
        rows: Callable[[], TrainingRows],
        recipe: Recipe,
        loss: Loss,
        *,
        summary: Callable[[NDArray[np.float64]], str] | None = None,
    ) -> Classifier:
        """Return the network kept as NAME.safetensors; if it is not there, train it from `network` first.

        `summary` tells the figures of an epoch from the held-out probabilities; by default they are those of
        the validation files.
        """
        path, working = self.output / f"{name}.safetensors", self.output / f"{name}.part"
        if not path.is_file():
            weights = train(
                self._model(network),
                rows(),
                recipe,
                working=working,
                loss=loss,
                after_epoch=partial(self._keep_epoch, name, summary or partial(summary_line, self.corpus)),
            )
            save_file(weights, path)
        shutil.rmtree(working, ignore_errors=True)
        network.float().load_state_dict(load_file(path))
        return network.eval()

    def _held_out(self) -> list[TrainingRow]:
        return labelled_rows(self.tokenizer, self.corpus.validation, smoothing=0.0)

    def _keep_epoch(
        self,
        name: str,
        summary: Callable[[NDArray[np.float64]], str],
        epoch: int,
        weights: dict[str, Tensor],
        logits: Tensor,
    ) -> None:
        """Save the epoch's weights, and write its figures to stderr."""
        save_file(weights, self._epoch(name, epoch))
        sys.stderr.write(f"{name} epoch {epoch}: {summary(softmax(logits.numpy().astype(np.float64)))}\n")

    def export(self) -> Path:
        """Return the folder of the finished model: quantised, calibrated, its figures in figures.json.

        Raises:
            ModelError: the folder is larger than the package allows.
        """
        folder, network = self.output / "model", self.adapted()
        model = self._model(network)
        shown = [*self.examples, *self.corpus.own.train]
        chosen = np.random.default_rng(0).choice(len(shown), RANGE_TEXTS, replace=False)
        texts = model.encode([shown[i].text for i in chosen], limit=MAX_TOKENS)
        ranges = measure_ranges(network, texts)
        write_model(network, model.tokenizer, ranges, folder, temperature=1.0)
        names = [TWEETS, *(f"umsab_{one}" for one in EUROPEAN), *(f"own_{one}" for one in LANGUAGES)]
        logits = np.log(np.maximum(_scored(folder, self.corpus.validation), 1e-6))
        temperature = fit_temperature(self._groups(logits, names))
        revision = write_model(network, model.tokenizer, ranges, folder, temperature=temperature)
        size = sum(path.stat().st_size for path in folder.iterdir())
        if size > LARGEST_FOLDER:
            raise ModelError(
                f"{folder} takes {size} bytes, more than {LARGEST_FOLDER}", hint="use fewer layers"
            )
        probabilities = _scored(folder, self.corpus.validation)
        figures = {
            "revision": revision,
            "temperature": temperature,
            **validation_figures(self.corpus, probabilities),
            "own_test": own_figures(self.corpus.own.test, _scored(folder, self.corpus.own.test)),
        }
        (self.output / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        sys.stderr.write(f"{folder}: {summary_line(self.corpus, probabilities)}\n")
        return folder

    def _groups(
        self, logits: NDArray[np.float64], names: Sequence[str]
    ) -> list[tuple[measure.Floats, measure.Classes]]:
        """Return validation logits and gold classes of the groups of those names."""
        gold, groups = classes_of(self.corpus.validation), validation_groups(self.corpus)
        return [(logits[groups[name]], gold[groups[name]]) for name in names]

    def _epoch(self, name: str, number: int) -> Path:
        return self.output / f"{name}-epoch-{number}.safetensors"


def _scored(folder: Path, examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return the probabilities that an exported model gives the texts, (rows, 3)."""
    results = OnnxScorer.load(folder, name="exported").score([example.text for example in examples])
    return np.array([result.scores.vector for result in results])
