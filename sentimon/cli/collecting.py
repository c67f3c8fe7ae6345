"""The baseline of a model that has just begun to serve, made as soon as its rows are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.output import note
from sentimon.errors import ReadOnlyError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session
    from sentimon.logbook.record import PredictionRecord
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.collecting import Wanted


def collect_baseline(session: Session, path: Path, *, only_look: bool = False) -> None:
    """Make the baseline that is being collected at `path`, if its rows are there, and say so.

    With `only_look` nothing is made, nor in a folder that may only be read.

    Raises:
        StoreError: it cannot be written, or the log cannot be read.
    """
    from sentimon.api.succession import make_wanted

    note_given_up(path)
    if only_look:
        return
    try:
        made = make_wanted(session.folder, path, lambda wanted: _made(session, wanted, path))
    except ReadOnlyError as error:
        note(f"{error.message}: no baseline is made here")
        return
    if made is not None:
        # Said even where quiet is asked for: from now on these rows are what is normal.
        again = "taken up again" if made.resumed else "made"
        note(f"baseline {made.name!r} of {made.summary.count} rows {again}, in {path}")


def note_given_up(path: Path) -> None:
    """Say so where a baseline was to come at `path`, and something else has taken its place."""
    from sentimon.api.stores import next_path
    from sentimon.api.succession import given_up

    wanted = given_up(path)
    if wanted is not None:
        # Said even where quiet is asked for: from now on what lies there is what is normal.
        note(
            f"{next_path(path)}: the baseline of {wanted.name} is given up: "
            f"{path} is not the one that it was to replace"
        )


def _made(session: Session, wanted: Wanted, path: Path) -> Baseline | None:
    """Return the baseline; None where there are too few rows."""
    from dataclasses import replace

    from sentimon.api.stores import next_path
    from sentimon.cli.reading import count_collected
    from sentimon.logbook.summary import summarise
    from sentimon.monitoring.baseline import create_baseline
    from sentimon.monitoring.baseline_json import decode_baseline
    from sentimon.monitoring.words import vocabulary_of

    # The index knows how many there are; only when there are enough they are read.
    if not count_collected(session, wanted).ready:
        return None
    rows = _first_rows(session, wanted)
    if len(rows) < wanted.rows:
        # Some were removed since they were counted.
        return None
    if wanted.again is not None:
        before = decode_baseline(wanted.again.encode(), origin=str(next_path(path)))
        return replace(before, resumed=rows[-1].timestamp)
    return create_baseline(
        summarise(rows),
        vocabulary_of(rows),
        name=wanted.name,
        source=session.source,
        created=session.now,
        min_samples=session.settings.drift.min_samples,
    )


def _first_rows(session: Session, wanted: Wanted) -> list[PredictionRecord]:
    from contextlib import ExitStack

    from sentimon.cli.progress import watched
    from sentimon.logbook.rollup.rows import open_rows
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.collecting import first_rows

    with ExitStack() as stack:
        rows = session.index.ask(lambda sums: open_rows(sums, Period(after=wanted.since), stack))
        return first_rows(wanted, watched(rows, "rows read"))
