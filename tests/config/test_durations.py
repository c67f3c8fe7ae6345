from datetime import timedelta

import pytest

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(14)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "d", "7", "7 d", "-7d", "1.5h", "7d12h", "٣d", "99999999d"])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match="not a duration"):
        parse_duration(text)
