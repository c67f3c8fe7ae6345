"""The baseline of a model that has just begun to serve: made where its rows are there, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.output import note
from sentimon.errors import ReadOnlyError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session


def collect_baseline(session: Session, path: Path) -> None:
    """Make the baseline that is being collected at `path`, if its rows are there, and say so.

    In a folder that may only be read nothing is made.

    Raises:
        StoreError: it cannot be written, or the log cannot be read.
    """
    from sentimon.workflows import next_baseline

    note_given_up(path)
    try:
        made = next_baseline.collect_baseline(session, path)
    except ReadOnlyError as error:
        note(f"{error.message}: no baseline is made here")
        return
    if made is not None:
        # Said even where quiet is asked for: from now on these rows are what is normal.
        again = "taken up again" if made.resumed else "made"
        note(f"baseline {made.name!r} of {made.summary.count} rows {again}, in {path}")


def note_given_up(path: Path) -> None:
    """Say so where a baseline was to come at `path`, and something else has taken its place."""
    from sentimon.workflows.next_baseline import describe_given_up

    given_up = describe_given_up(path)
    if given_up is not None:
        # Said even where quiet is asked for: from now on what lies there is what is normal.
        note(given_up)
