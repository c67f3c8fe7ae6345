import pytest

from sentimon.errors import DataError
from sentimon.labels import LABELS, Sentiment, parse_label


def test_the_order_is_negative_neutral_positive() -> None:
    assert [one.label for one in Sentiment] == list(LABELS) == ["negative", "neutral", "positive"]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Negativo", 0),
        ("NEUTRO", 1),
        (" positivo ", 2),
        ("LABEL_0", 0),
        ("label_2", 2),
        ("neg", 0),
        ("pos", 2),
    ],
)
def test_the_world_s_names_are_understood(name: str, place: int) -> None:
    assert parse_label(name) is Sentiment(place)


def test_an_unknown_name_is_named_in_the_error() -> None:
    with pytest.raises(DataError, match="'happy'") as caught:
        parse_label("happy")
    assert "negative" in str(caught.value.hint)
