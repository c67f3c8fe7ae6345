"""What scoring an input would take: counted and timed, and nothing done (`--dry-run`)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sentimon.engine.scoring_engine import chunk_texts, place_of_work
from sentimon.ingest.input_columns import Need
from sentimon.ingest.row_reader import is_prediction
from sentimon.jsonl import BadLine
from sentimon.reporting.dry_run import Plan
from sentimon.reporting.plain_text import counted
from sentimon.scoring.scored_rows import Row
from sentimon.scoring.scorer import load_scorer

if TYPE_CHECKING:
    from sentimon.workflows.workspace import Workspace

_SAMPLE = 64
"""Texts that are scored to see how fast that is."""


def plan_scoring(workspace: Workspace, rows: Iterable[Row], *, need: Need) -> Plan:
    """Return what scoring these rows would take; predictions that are to be logged need none."""
    texts = bad = 0
    sample: list[str] = []
    for row in workspace.progress(rows, "rows read"):
        if isinstance(row, BadLine):
            bad += 1
        elif row.text is not None and not (need is Need.PREDICTIONS and is_prediction(row.fields)):
            texts += 1
            _draw(sample, row.text, texts)
    settings = workspace.settings.engine
    on_cluster = settings.name != "local" and texts >= max(settings.smallest_texts, 1)
    where, engine, workers = place_of_work(settings, on_cluster=on_cluster, scoring=True)
    speed, size = _speed(workspace, sample, alone=on_cluster), chunk_texts(workspace.settings)
    return Plan(
        amounts={"texts": texts, "bad_lines": bad},
        work=counted(texts, "text") + (f", and {counted(bad, 'bad line')}" if bad else ""),
        chunks=-(-texts // size),
        chunk=("chunk_texts", size),
        engine=engine,
        where=where,
        workers=workers,
        speed=("texts_per_second", speed),
        seconds=texts / (speed * workers) if texts else 0.0,
    )


def _draw(sample: list[str], text: str, number: int) -> None:
    """Keep a sample in which texts from all over the input have their place, the same in each run."""
    if len(sample) < _SAMPLE:
        sample.append(text)
    elif number % (1 + number // _SAMPLE) == 0:
        sample[number % _SAMPLE] = text


def _speed(workspace: Workspace, sample: list[str], *, alone: bool) -> float:
    """Return how many texts a second a worker scores, or this process; 0 where there is none."""
    if not sample:
        return 0.0
    settings = workspace.settings.model
    threads = max(1, int(workspace.settings.engine.cpus_per_worker)) if alone else settings.threads
    scorer = load_scorer(replace(settings, threads=threads), present=workspace.classes, say=workspace.say)
    # The first one also pays for what is set up once.
    scorer.score(sample[:1])
    begun = time.perf_counter()
    scorer.score(sample)
    return len(sample) / max(time.perf_counter() - begun, 1e-9)
