"""Where the units of a log are read: a little here, much in processes of their own."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from sentimon.config.settings import EngineSettings
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.index.scan import ScanUnit
from sentimon.workflows.unit_reading import read_units

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def unit_of(size: int) -> ScanUnit:
    state = FileState.of(Path(__file__).stat())
    return ScanUnit(
        path=__file__, state=state, begin=0, end=size, checksum=0, checksum_begin=0, zone=UTC, bulk=False
    )


@pytest.mark.parametrize(("size", "here"), [(1000, True), (1 << 20, False)])
def test_other_processes_are_started_for_what_takes_longer_than_that(size: int, here: bool) -> None:
    def where(unit: ScanUnit) -> Any:
        return [os.getpid()]

    units = [unit_of(size)] * 5
    found = list(read_units(EngineSettings(workers=2), where, units, say=print))
    assert len(found) == 5
    assert [one == [os.getpid()] for one in found] == [here] * 5
