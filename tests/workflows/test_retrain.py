"""The retraining as a function: what its callers rely on beside the command line."""

from pathlib import Path

import pytest

from sentimon.errors import StoreError
from sentimon.finetuning.working_folder import WORKING_NAMES, check_output, only_trainer, working_folder
from sentimon.gold_labels.gold_label import GoldLabel
from sentimon.gold_labels.label_join import LabelLookup
from sentimon.labels import Sentiment
from sentimon.workflows.retrain import rows_of_log
from tests.support.rows import START, record


def label(number: str, place: Sentiment) -> GoldLabel:
    return GoldLabel(key=("id", number), label=place, timestamp=START)


def test_a_text_of_the_log_is_learned_once_with_its_latest_label_and_rows_without_text_are_counted() -> None:
    labels = [label("1", Sentiment.NEGATIVE), label("2", Sentiment.POSITIVE), label("3", Sentiment.NEUTRAL)]
    finder = LabelLookup(labels={one.key: one for one in labels}, hash_text=None)
    texts = (("1", "a"), ("2", "a"), ("3", None), ("4", "unlabelled"))
    found = rows_of_log([record(0, id=number, text=text) for number, text in texts], finder)
    assert list(found.rows) == [("a", Sentiment.POSITIVE)]
    assert found.without_text == 1


def test_a_model_goes_only_where_there_is_nothing(tmp_path: Path) -> None:
    check_output(tmp_path / "new")
    (tmp_path / "file").touch()
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(StoreError, match="is there already, and not empty"):
            check_output(taken)
    assert working_folder(tmp_path / "new") == tmp_path / "new.part"


def test_of_two_trainings_of_one_model_the_second_leaves_the_first_alone(tmp_path: Path) -> None:
    working = working_folder(tmp_path / "new")
    with only_trainer(working):
        with (
            pytest.raises(StoreError, match=r"new\.part: another program is training there"),
            only_trainer(working),
        ):
            raise AssertionError
        assert {one.name for one in working.iterdir()} <= set(WORKING_NAMES)
    with only_trainer(working):
        pass
