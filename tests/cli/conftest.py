"""What tests of commands share."""

from __future__ import annotations

import pytest

from tests.rows import rows


@pytest.fixture
def log(run):  # type: ignore[no-untyped-def]
    """Append so many rows of each class to the log."""

    def append(negative: int, neutral: int, positive: int, **rest: object) -> None:
        assert run("log", "--input", "-", "-q", stdin=rows(negative, neutral, positive, **rest)).code == 0

    return append
