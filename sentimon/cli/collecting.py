"""The baseline of a model that has just begun to serve: made where its rows are there, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.output import note

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session


def collect_baseline(session: Session, path: Path) -> None:
    """Make the baseline that is being collected at `path`, if its rows are there, and say so.

    Raises:
        StoreError: it cannot be written, or the log cannot be read.
    """
    from sentimon.workflows import next_baseline

    made = next_baseline.collect_baseline(session, path)
    if made is not None:
        # Said even where quiet is asked for: from now on these rows are what is normal.
        again = "taken up again" if made.resumed else "made"
        note(f"baseline {made.name!r} of {made.summary.count} rows {again}, in {path}")
