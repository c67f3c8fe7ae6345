"""What the teacher and the student are shown."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.default_model import vocabulary as words
from recipes.default_model.data import Example, read_examples
from recipes.default_model.plain_texts import plain_examples
from recipes.default_model.student import PRIOR_SHARE, TEMPERATURE, class_counts, distillation, student_rows
from recipes.default_model.teacher import teacher_rows
from recipes.default_model.training import MAX_TOKENS
from recipes.default_model.vocabulary import Vocabulary, trim
from sentimon.errors import DataError
from sentimon.finetuning.targets import cross_entropy, prior_offsets, smooth_label
from sentimon.finetuning.tokenizer import encode_texts
from sentimon.finetuning.training_batches import TrainingRow
from sentimon.labels import Sentiment
from tests.support.tiny_backbone import PIECES, tiny_backbone

PLAIN_SENTENCES = Path(__file__).parents[1] / "scoring" / "plain_sentences.jsonl"
NEAR = 0.6


def example(text: str, label: Sentiment = Sentiment.NEUTRAL, language: str = "english") -> Example:
    return Example(text=text, label=label, language=language)


@pytest.fixture
def tiny_vocabulary(monkeypatch: pytest.MonkeyPatch) -> Vocabulary:
    monkeypatch.setattr(words, "_listed_words", lambda language: (["good", "bad"], [0.5, 0.4]))
    return trim(tiny_backbone(), [example("abc good")], size=19)


def test_rare_pieces_go_and_single_letters_marks_and_emoji_stay(tiny_vocabulary: Vocabulary) -> None:
    kept = [PIECES[row] for row in tiny_vocabulary.rows]
    assert len(kept) == 19
    assert kept[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert {"a", "j", "!", "😀", "\u2581good"} <= set(kept)
    assert "ж" not in kept
    assert kept == sorted(kept, key=PIECES.index)


def test_an_unknown_letter_is_one_unknown_piece(tiny_vocabulary: Vocabulary) -> None:
    assert encode_texts(tiny_vocabulary.tokenizer, ["жжж"], limit=96)[0].count(3) == 1


def test_long_texts_keep_their_closing_token(tiny_vocabulary: Vocabulary) -> None:
    (ids,) = encode_texts(tiny_vocabulary.tokenizer, ["a b c d e f g"], limit=6)
    assert len(ids) == 6
    assert ids[-1] == 2


def test_smoothing_leaves_most_on_the_label() -> None:
    assert sum(smooth_label(1)) == pytest.approx(1)
    assert smooth_label(1)[1] == pytest.approx(0.95 + 0.05 / 3)


def test_rows_in_other_languages_come_twice(tiny_vocabulary: Vocabulary) -> None:
    texts = [example("good"), example("bad", language="italian")]
    assert [row.ids for row in teacher_rows(tiny_vocabulary.tokenizer, texts)] == encode_texts(
        tiny_vocabulary.tokenizer, ["good", "bad", "bad"], limit=MAX_TOKENS
    )


def test_only_english_tweets_have_a_prior_and_plain_texts_have_no_answer(tiny_vocabulary: Vocabulary) -> None:
    tweets = [example("good", Sentiment(k)) for k in (0, 1, 2, 2)] + [example("bad", language="french")]
    answers = np.zeros((5, 3), dtype=np.float32)
    rows = student_rows(tiny_vocabulary.tokenizer, tweets, answers, [example("bad", Sentiment.NEGATIVE)])
    assert len(rows) == 4 + 2 + 1
    assert rows[0].offsets == prior_offsets(class_counts(tweets[:4]), share=PRIOR_SHARE)
    assert rows[4].offsets == (0.0, 0.0, 0.0)
    assert rows[-1].teacher_logits is None
    assert prior_offsets(class_counts(tweets[:4]), share=1.0) == pytest.approx(
        (math.log(0.25), math.log(0.25), math.log(0.5))
    )


def test_agreeing_with_teacher_and_label_costs_only_the_labels_share() -> None:
    answer = (0.0, 0.0, 5.0)
    row = TrainingRow(ids=[0, 2], target=(0.0, 0.0, 1.0), teacher_logits=answer)
    loss = distillation(torch.tensor([answer]), [row])
    assert loss.item() == pytest.approx(0.3 * cross_entropy(torch.tensor([answer]), [row]).item(), rel=1e-4)


def test_distillation_of_a_mixed_batch_is_the_mean_of_its_rows() -> None:
    rows = [
        TrainingRow(ids=[0, 2], target=(1.0, 0.0, 0.0), teacher_logits=(1.0, 2.0, 3.0)),
        TrainingRow(ids=[0, 2], target=(0.0, 1.0, 0.0)),
        TrainingRow(
            ids=[0, 2], target=(0.0, 0.0, 1.0), teacher_logits=(0.0, 0.0, 0.0), offsets=(0.5, 0.0, 0.0)
        ),
    ]
    logits = torch.tensor([[0.3, 0.1, -1.0], [2.0, 0.0, 1.0], [0.0, -1.0, 1.0]])
    alone = [distillation(logits[i : i + 1], [row]).item() for i, row in enumerate(rows)]
    assert distillation(logits, rows).item() == pytest.approx(sum(alone) / 3)
    assert TEMPERATURE > 1


def test_the_plain_texts_are_the_same_each_time_and_distinct() -> None:
    texts = plain_examples()
    assert texts == plain_examples()
    assert len({text.text for text in texts}) == len(texts) > 1000
    assert {text.language for text in texts} >= {
        "english",
        "italian",
        "spanish",
        "french",
        "german",
        "portuguese",
    }


def test_no_plain_text_is_a_near_copy_of_a_sentence_that_judges_the_model() -> None:
    judges = [
        json.loads(line)["text"] for line in PLAIN_SENTENCES.read_text(encoding="utf-8").split("\n") if line
    ]
    trained = {frozenset(re.findall(r"\w+", text.text.lower())) for text in plain_examples()} - {frozenset()}
    near = [
        (judge, sorted(one))
        for judge in judges
        for one in trained
        if len(one & (mine := set(re.findall(r"\w+", judge.lower())))) / len(one | mine) >= NEAR
    ]
    assert near == []


def test_a_row_that_is_not_a_labelled_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": "neutral"}\n{"text": "b"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"rows\.jsonl:2"):
        read_examples(path)
    with pytest.raises(DataError, match="no such file"):
        read_examples(tmp_path / "missing.jsonl")
