"""The texts that a first look of the monitor reads: all of the latest hours, and a sample of those before."""

from __future__ import annotations

import dataclasses
import random
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from sentimon.config import load_settings
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.windows import Period
from sentimon.workflows import monitor
from sentimon.workflows.monitor import MonitorLook, find_examples, run_monitor
from sentimon.workflows.workspace import Workspace
from tests.support.baselines import put_baseline
from tests.support.rows import START, lines, record, written

HOURS = 120
"""Of the rows after the baseline; rows may come 48 hours late."""
PER_HOUR = 20


def row(number: int, minute: int, generator: random.Random, words: int = 300) -> PredictionRecord:
    text = " ".join(f"word{generator.randrange(words)}" for _ in range(8))
    return record((0, 1, 2, 2)[number % 4], minute, text=text)


def stream(hours: int, first: int, seed: int, words: int = 300) -> list[PredictionRecord]:
    generator = random.Random(seed)
    return [
        row(number, first + 60 * hour + number, generator, words)
        for hour in range(hours)
        for number in range(PER_HOUR)
    ]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    old = stream(60, -60 * 60, 1)
    new = stream(HOURS, 24 * 60, 2)
    written(tmp_path, lines(one.to_dict() for one in (*old, *new)))
    put_baseline(tmp_path, old)
    loaded = load_settings(flags={"logs.dir": str(tmp_path)})
    return Workspace(loaded=loaded, now=START + timedelta(days=30))


def texts(look: MonitorLook) -> int:
    assert look.report.look is not None
    return look.report.look.window.groups[-1].n


def test_few_texts_are_all_read(workspace: Workspace) -> None:
    look = run_monitor(workspace, keep=False)
    assert texts(look) == look.report.new == HOURS * PER_HOUR


def test_of_many_texts_a_sample_is_read_but_all_that_a_late_row_may_follow(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_monitor(workspace, keep=False)
    monkeypatch.setattr(monitor, "SAMPLED_TEXTS", 300)
    look = run_monitor(workspace, keep=False)
    old, late = (HOURS - 49) * PER_HOUR, 49 * PER_HOUR
    assert late < texts(look) < late + old / 2
    assert look.report.new == whole.report.new
    assert look.report.look is not None
    assert whole.report.look is not None
    assert look.report.look.window.groups[:-1] == whole.report.look.window.groups[:-1]
    kept = {hour: window.groups[-1].n for hour, window in look.state.seen.items()}
    assert set(kept.values()) == {PER_HOUR}
    shares = [
        counted.counts[0] / counted.n
        for counted in (one.report.look.window.groups[-1] for one in (look, whole) if one.report.look)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.05)


def test_a_row_dated_in_the_future_makes_no_late_hour_a_sample(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = record(0, text="word1 word2", timestamp=START + timedelta(days=400))
    with (workspace.folder / "predictions.jsonl").open("a", encoding="utf-8") as file:
        file.write(lines([ahead.to_dict()]))
    newest = START + timedelta(minutes=24 * 60 + 60 * HOURS)
    monkeypatch.setattr(monitor, "SAMPLED_TEXTS", 300)
    look = run_monitor(dataclasses.replace(workspace, now=newest), keep=False)
    kept = {hour: window.groups[-1].n for hour, window in look.state.seen.items() if window.rows > 1}
    assert len(kept) >= 48
    assert set(kept.values()) == {PER_HOUR}


def test_a_sample_is_always_of_the_same_rows_and_about_as_large_as_was_asked(workspace: Workspace) -> None:
    def drawn(one_in: int) -> list[PredictionRecord]:
        with ExitStack() as stack:
            return list(workspace.rows(Period(), stack, one_in=one_in))

    every, some = drawn(1), drawn(10)
    assert some == drawn(10)
    assert [one for one in every if one in some] == some
    assert 0.06 < len(some) / len(every) < 0.14


def test_the_words_that_grew_are_those_of_the_latest_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = stream(60, -60 * 60, 1)
    written(tmp_path, lines(one.to_dict() for one in (*old, *stream(60, 24 * 60, 3, words=600))))
    put_baseline(tmp_path, old)
    loaded = load_settings(flags={"logs.dir": str(tmp_path)})
    log = Workspace(loaded=loaded, now=START + timedelta(days=30))
    look = run_monitor(log, keep=False)
    assert look.report.opened
    words, rows = find_examples(log, look)
    assert rows[-1].timestamp == max(one.timestamp for one in rows)
    monkeypatch.setattr(monitor, "SAMPLED_TEXTS", 40)
    fewer, same = find_examples(log, look)
    assert same == rows
    assert len(fewer) <= len(words)
