import pytest

from sentimon.errors import DataError, NoVerdictError
from sentimon.finetuning.split import Labelled, check_coverage, split_rows
from sentimon.labels import Sentiment

N, U, P = Sentiment


def rows_of(*counts: int, word: str = "w") -> list[Labelled]:
    return [
        (f"{word}{one.label}{at}", one) for one, n in zip(Sentiment, counts, strict=True) for at in range(n)
    ]


def test_a_fifth_of_each_class_is_kept_out_and_no_text_is_on_both_sides() -> None:
    split = split_rows(rows_of(10, 20, 30), [], held_out=0.2, fewest=5, seed=0)
    assert split.counts == (8, 16, 24)
    assert sorted(label for _, label in split.held_out) == [N] * 2 + [U] * 4 + [P] * 6
    assert not {text for text, _ in split.train} & {text for text, _ in split.held_out}


def test_a_text_that_occurs_twice_is_used_once_and_leaves_the_old_rows() -> None:
    rows = rows_of(5, 5, 5)
    split = split_rows([*rows, *rows], [*rows, ("old", N)], held_out=0.2, fewest=5, seed=0)
    assert len(split.train) + len(split.held_out) == 15
    assert [text for text, _ in (*split.replay, *split.replay_held_out)] == ["old"]


def test_old_rows_kept_out_are_no_more_than_new_ones() -> None:
    split = split_rows(rows_of(5, 5, 5), rows_of(100, 100, 100, word="old"), held_out=0.2, fewest=5, seed=0)
    assert (len(split.held_out), len(split.replay_held_out), len(split.replay)) == (3, 3, 297)


def test_the_seed_decides_the_split_and_the_fingerprint_knows_it() -> None:
    one, same, other = (
        split_rows(rows_of(9, 9, 9), [], held_out=0.3, fewest=2, seed=seed) for seed in (0, 0, 1)
    )
    assert one == same
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_class_with_too_few_rows_gives_no_verdict() -> None:
    with pytest.raises(NoVerdictError, match="4 labelled texts are neutral, at least 5"):
        split_rows(rows_of(9, 4, 9), [], held_out=0.2, fewest=5, seed=0)


def test_a_class_without_rows_matters_only_to_a_model_that_can_say_it() -> None:
    split = split_rows(rows_of(9, 0, 9), [], held_out=0.2, fewest=5, seed=0)
    check_coverage(split, {N, P}, fewest=5)
    with pytest.raises(NoVerdictError, match="0 labelled texts are neutral, at least 5"):
        check_coverage(split, set(Sentiment), fewest=5)


def test_empty_texts_and_second_opinions_are_named_by_their_row() -> None:
    with pytest.raises(DataError, match=r"2 rows have an empty text: row 1, 3"):
        split_rows([("", N), ("a", N), ("  \n", P)], [], held_out=0.2, fewest=2, seed=0)
    with pytest.raises(DataError, match=r"1 rows have a text that has another label before: row 2"):
        split_rows([("a", N), ("a", P)], [], held_out=0.2, fewest=2, seed=0)
