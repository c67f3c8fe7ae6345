"""What tests of commands share."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran, runner
from tests.support.rows import rows

Make = Callable[[Callable[..., Ran]], object]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Make], Path]:
    """Return the folder that somebody makes by running the program; it is made once."""
    known: dict[Make, Path] = {}

    def of(make: Make) -> Path:
        if make not in known:
            folder = tmp_path_factory.mktemp("made")
            make(runner(folder))
            known[make] = folder
        return known[make]

    return of


@pytest.fixture
def begin_with(made: Callable[[Make], Path], tmp_path: Path) -> Callable[[Make], None]:
    """Fill `tmp_path` with a copy of what many tests begin with."""

    def fill(make: Make) -> None:
        shutil.copytree(made(make), tmp_path, dirs_exist_ok=True)

    return fill


@pytest.fixture
def log(run):  # type: ignore[no-untyped-def]
    """Append so many rows of each class to the log."""

    def append(negative: int, neutral: int, positive: int, **rest: object) -> None:
        assert run("log", "--input", "-", "-q", stdin=rows(negative, neutral, positive, **rest)).code == 0

    return append
