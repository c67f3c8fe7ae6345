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

from recipes.default_model import measure, student, teacher
from recipes.default_model.data import ENGLISH, Corpus, Example
from recipes.default_model.figures import (
    EUROPEAN,
    TWEETS,
    classes_of,
    summary_line,
    validation_figures,
    validation_groups,
)
from recipes.default_model.network import classifier_from_backbone, keep_bottom_layers
from recipes.default_model.plain_texts import plain_examples
from recipes.default_model.student import distillation, student_rows
from recipes.default_model.teacher import teacher_rows
from recipes.default_model.training import MAX_TOKENS, Recipe, train
from recipes.default_model.vocabulary import Vocabulary, trim
from sentimon.errors import ModelError
from sentimon.finetuning.backbone import Backbone, backbone_path, read_backbone
from sentimon.finetuning.encoder import Classifier
from sentimon.finetuning.model_folder import write_model
from sentimon.finetuning.quantise import measure_ranges
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.finetuning.targets import cross_entropy, smooth_label
from sentimon.finetuning.tokenizer import encode_texts
from sentimon.finetuning.trainable import predict_logits
from sentimon.finetuning.training_batches import TrainingRow
from sentimon.finetuning.training_loop import Loss
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
    def examples(self) -> list[Example]:
        """Every tweet that is trained on."""
        return self.corpus.english + self.corpus.multilingual

    def teacher(self, recipe: Recipe) -> Classifier:
        """Return a trained teacher, kept as teacher-SEED.safetensors."""
        torch.manual_seed(recipe.seed)
        network = classifier_from_backbone(self.backbone, self.vocabulary.rows, layers=self.backbone.layers)
        rows = partial(teacher_rows, self.vocabulary.tokenizer, self.examples)
        return self._trained(f"teacher-{recipe.seed}", network, rows, recipe, cross_entropy)

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """The teachers' mean probabilities for `examples`, as logits, (examples, 3), kept as answers.npy."""
        path = self.output / "answers.npy"
        if not path.is_file():
            probabilities = [
                self._probabilities(self.teacher(recipe).bfloat16()) for recipe in teacher.RECIPES
            ]
            np.save(path, np.log(np.mean(probabilities, axis=0) + 1e-6).astype(np.float32))
        answers: NDArray[np.float32] = np.load(path)
        return answers

    def _probabilities(self, model: Classifier) -> NDArray[np.float64]:
        """Return a teacher's probabilities for `examples`, calibrated for English and the others apart.

        It was trained on its few rows in other languages more often, and is overconfident on them.
        """
        seen = self._logits(model, self.examples)
        groups = self._groups(self._logits(model, self.corpus.validation))
        english = np.array([example.language == ENGLISH for example in self.examples])
        divisors = np.where(english, fit_temperature(groups[:1]), fit_temperature(groups[1:]))
        return softmax(seen / divisors[:, None])

    def _logits(self, network: Classifier, examples: Sequence[Example]) -> NDArray[np.float64]:
        model = self._model(network)
        ids = model.encode([example.text for example in examples], limit=MAX_TOKENS)
        return predict_logits(model, ids).numpy().astype(np.float64)

    def _model(self, network: Classifier) -> SentimonModel:
        return SentimonModel(network=network, tokenizer=self.vocabulary.tokenizer)

    def student(self) -> Classifier:
        """Return the mean of the student's epochs, kept one by one; it starts as the bottom of a teacher.

        The mean of the two is half a point better than either, in English and elsewhere.
        """

        def rows() -> list[TrainingRow]:
            return student_rows(self.vocabulary.tokenizer, self.examples, self.answers, plain_examples())

        model = keep_bottom_layers(self.teacher(teacher.RECIPES[-1]), student.LAYERS)
        self._trained("student", model, rows, student.RECIPE, distillation)
        epochs = [load_file(self._epoch("student", number)) for number in range(student.RECIPE.epochs)]
        model.load_state_dict({name: torch.stack([e[name] for e in epochs]).mean(0) for name in epochs[0]})
        return model.eval()

    def _trained(
        self,
        name: str,
        network: Classifier,
        rows: Callable[[], list[TrainingRow]],
        recipe: Recipe,
        loss: Loss,
    ) -> Classifier:
        """Return the network kept as NAME.safetensors; if it is not there, train it from `network` first."""
        path, working = self.output / f"{name}.safetensors", self.output / f"{name}.part"
        if not path.is_file():
            weights = train(
                self._model(network),
                rows(),
                self._validation_rows(),
                recipe,
                working=working,
                loss=loss,
                after_epoch=partial(self._keep_epoch, name),
            )
            save_file(weights, path)
        shutil.rmtree(working, ignore_errors=True)
        network.float().load_state_dict(load_file(path))
        return network.eval()

    def _validation_rows(self) -> list[TrainingRow]:
        examples = self.corpus.validation
        ids = encode_texts(
            self.vocabulary.tokenizer, [example.text for example in examples], limit=MAX_TOKENS
        )
        return [
            TrainingRow(ids=tokens, target=smooth_label(example.label, 0.0))
            for tokens, example in zip(ids, examples, strict=True)
        ]

    def _keep_epoch(self, name: str, epoch: int, weights: dict[str, Tensor], logits: Tensor) -> None:
        """Save the epoch's weights, and write its figures on the validation files to stderr."""
        save_file(weights, self._epoch(name, epoch))
        line = summary_line(self.corpus, softmax(logits.numpy().astype(np.float64)))
        sys.stderr.write(f"{name} epoch {epoch}: {line}\n")

    def export(self) -> Path:
        """Return the folder of the finished model: quantised, calibrated, its figures in figures.json.

        Raises:
            ModelError: the folder is larger than the package allows.
        """
        folder, network = self.output / "model", self.student()
        model = self._model(network)
        chosen = np.random.default_rng(0).choice(len(self.examples), RANGE_TEXTS, replace=False)
        texts = model.encode([self.examples[i].text for i in chosen], limit=MAX_TOKENS)
        ranges = measure_ranges(network, texts)
        write_model(network, model.tokenizer, ranges, folder, temperature=1.0)
        temperature = fit_temperature(self._groups(np.log(np.maximum(self._scored(folder), 1e-6))))
        revision = write_model(network, model.tokenizer, ranges, folder, temperature=temperature)
        size = sum(path.stat().st_size for path in folder.iterdir())
        if size > LARGEST_FOLDER:
            raise ModelError(
                f"{folder} takes {size} bytes, more than {LARGEST_FOLDER}", hint="use fewer layers"
            )
        probabilities = self._scored(folder)
        figures = validation_figures(self.corpus, probabilities)
        text = json.dumps({"revision": revision, "temperature": temperature, **figures}, indent=2)
        (self.output / "figures.json").write_text(text + "\n", encoding="utf-8")
        sys.stderr.write(f"{folder}: {summary_line(self.corpus, probabilities)}\n")
        return folder

    def _scored(self, folder: Path) -> NDArray[np.float64]:
        """Return the probabilities that the exported model gives the validation texts, (rows, 3)."""
        scorer = OnnxScorer.load(folder, name="exported")
        results = scorer.score([example.text for example in self.corpus.validation])
        return np.array([result.scores.vector for result in results])

    def _groups(self, logits: NDArray[np.float64]) -> list[tuple[measure.Floats, measure.Classes]]:
        """Return validation logits and gold classes of the English file and of each European language."""
        gold, groups = classes_of(self.corpus.validation), validation_groups(self.corpus)
        names = [TWEETS, *(f"umsab_{language}" for language in EUROPEAN)]
        return [(logits[groups[name]], gold[groups[name]]) for name in names]

    def _epoch(self, name: str, number: int) -> Path:
        return self.output / f"{name}-epoch-{number}.safetensors"
