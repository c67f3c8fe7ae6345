from sentimon.evaluation.datasets import LabelledText
from sentimon.evaluation.promotion_gate import Gate, find_broken
from sentimon.labels import Sentiment

N, U, P = Sentiment


def test_a_listed_text_is_broken_where_the_candidate_says_another_label() -> None:
    rows = [LabelledText(text="a", label=P), LabelledText(text="b", label=N), LabelledText(text="c", label=U)]
    (broken,) = find_broken(rows, [P, P, P], [P, U, U])
    assert (broken.text, broken.label, broken.before, broken.now) == ("b", N, P, U)


def test_one_broken_text_keeps_the_gate_shut_and_none_opens_it() -> None:
    rows = [LabelledText(text="a", label=P)]
    assert Gate(comparison=None, listed=1, broken=find_broken(rows, [P], [P])).open
    assert not Gate(comparison=None, listed=1, broken=find_broken(rows, [P], [N])).open
