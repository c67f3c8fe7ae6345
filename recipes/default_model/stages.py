"""The stages that make the default model; each keeps its result in the output folder."""

from __future__ import annotations

import copy
import json
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

from sentimon.scoring.onnx import OnnxScorer
from recipes.default_model import measure, student, teacher
from sentimon.finetuning.backbone import Backbone, backbone_path, read_backbone
from sentimon.finetuning.calibrate import fit_temperature
from recipes.default_model.data import ENGLISH, Corpus, Example
from sentimon.finetuning.encoder import Classifier, bottom, from_backbone
from sentimon.finetuning.export import export
from recipes.default_model.figures import (
    EUROPEAN,
    TWEETS,
    classes_of,
    summary_line,
    validation_figures,
    validation_groups,
)
from sentimon.finetuning.training_batches import Loss, Recipe, Row, cross_entropy, fit, predict
from recipes.default_model.plain_texts import plain_examples
from sentimon.finetuning.quantise import measure_ranges
from recipes.default_model.student import distillation, student_rows
from recipes.default_model.teacher import encode, teacher_rows
from recipes.default_model.vocabulary import Vocabulary, trim

VOCABULARY = 24_000
RANGE_TEXTS = 600
"""Training texts that the quantisation looks at."""


@dataclass(frozen=True)
class Workshop:
    """The data folder and the output folder of one making of the model."""

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
        model = from_backbone(self.backbone, self.vocabulary.rows, layers=self.backbone.layers)
        rows = partial(teacher_rows, self.vocabulary, self.examples)
        return self._trained(f"teacher-{recipe.seed}", model, rows, recipe, cross_entropy)

    @cached_property
    def answers(self) -> NDArray[np.float32]:
        """The teachers' mean probabilities for `examples`, as logits, (examples, 3), kept as answers.npy."""
        path = self.output / "answers.npy"
        if not path.is_file():
            probabilities = [self._opinion(self.teacher(recipe).bfloat16()) for recipe in teacher.RECIPES]
            np.save(path, np.log(np.mean(probabilities, axis=0) + 1e-6).astype(np.float32))
        answers: NDArray[np.float32] = np.load(path)
        return answers

    def _opinion(self, model: Classifier) -> NDArray[np.float64]:
        """Return a teacher's probabilities for `examples`, calibrated for English and the others apart.

        It has seen its few rows in other languages more often, and is far too sure of them.
        """
        seen = self._logits(model, self.examples)
        groups = self._groups(self._logits(model, self.corpus.validation))
        english = np.array([example.language == ENGLISH for example in self.examples])
        divisors = np.where(english, fit_temperature(groups[:1]), fit_temperature(groups[1:]))
        return measure.softmax(seen / divisors[:, None])

    def _logits(self, model: Classifier, examples: Sequence[Example]) -> NDArray[np.float64]:
        ids = encode(self.vocabulary, [example.text for example in examples])
        return predict(model, ids).numpy().astype(np.float64)

    def student(self) -> Classifier:
        """Return the mean of the student's epochs, kept one by one; it starts as the bottom of a teacher.

        The mean of the two is half a point better than either, in English and elsewhere.
        """

        def rows() -> list[Row]:
            return student_rows(self.vocabulary, self.examples, self.answers, plain_examples())

        model = bottom(self.teacher(teacher.RECIPES[-1]), student.LAYERS)
        self._trained("student", model, rows, student.RECIPE, distillation)
        epochs = [load_file(self._epoch("student", number)) for number in range(student.RECIPE.epochs)]
        model.load_state_dict({name: torch.stack([e[name] for e in epochs]).mean(0) for name in epochs[0]})
        return model.eval()

    def _trained(
        self, name: str, model: Classifier, rows: Callable[[], list[Row]], recipe: Recipe, loss: Loss
    ) -> Classifier:
        """Return the model kept under `name`, trained from `model` first where it is not there yet."""
        path = self.output / f"{name}.safetensors"
        if not path.is_file():
            report = partial(self.report, name)
            trained = fit(copy.deepcopy(model), rows(), recipe, loss=loss, after_epoch=report)
            save_file(trained.state_dict(), path)
        model.load_state_dict(load_file(path))
        return model.eval()

    def export(self) -> Path:
        """Return the folder of the finished model: quantised, calibrated, and measured in figures.json."""
        folder, model = self.output / "model", self.student()
        chosen = np.random.default_rng(0).choice(len(self.examples), RANGE_TEXTS, replace=False)
        ranges = measure_ranges(model, encode(self.vocabulary, [self.examples[i].text for i in chosen]))
        export(model, self.vocabulary, ranges, folder, temperature=1.0)
        temperature = fit_temperature(self._groups(np.log(np.maximum(self._scored(folder), 1e-6))))
        revision = export(model, self.vocabulary, ranges, folder, temperature=temperature)
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

    def report(self, name: str, epoch: int, model: Classifier) -> None:
        """Keep the epoch's weights, and write what the validation files say of them to stderr."""
        save_file(model.state_dict(), self._epoch(name, epoch))
        logits = self._logits(model, self.corpus.validation)
        line = summary_line(self.corpus, measure.softmax(logits))
        sys.stderr.write(f"{name} epoch {epoch}: {line}\n")
