"""The new model against its base: the classes that it has, and no others."""

from __future__ import annotations

from sentimon.finetuning.results import compare_results
from sentimon.finetuning.split import DataSplit
from sentimon.labels import TWO, Sentiment
from sentimon.scoring.scores import Scores

NEGATIVE, _, POSITIVE = Sentiment


def test_results_of_a_model_of_two_classes_say_nothing_of_a_third() -> None:
    rows = tuple((f"text {number}", (NEGATIVE, POSITIVE)[number % 2]) for number in range(40))
    right = [
        Scores.from_probabilities([0.9, 0.0, 0.1] if gold is NEGATIVE else [0.1, 0.0, 0.9])
        for _, gold in rows
    ]
    guess = [Scores.from_probabilities([0.6, 0.0, 0.4]) for _ in rows]
    found = compare_results(
        DataSplit(train=rows, held_out=rows),
        before=guess, after=right, epochs=(), temperature=1.0, revision="r", present=TWO,
    )  # fmt: skip
    assert found.new.before.macro_recall.value == 0.5
    assert found.new.after.macro_recall.value == 1.0
    for side in (found.new.before, found.new.after):
        facts = side.to_dict()
        assert facts["labels"] == ["negative", "positive"]
        assert "neutral" not in str(facts)
