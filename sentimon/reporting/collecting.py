"""A baseline that is being collected, in words and as an object."""

from __future__ import annotations

from typing import Any

from sentimon.logbook.moments import format_moment
from sentimon.monitoring.collecting import Collecting, Wanted


def explain_collecting(collecting: Collecting) -> str:
    """Return in words why there is no baseline, and what it waits for."""
    wanted, since = collecting.wanted, f"{collecting.wanted.since:%Y-%m-%d %H:%M} UTC"
    end = "its baseline is taken up again" if wanted.again else "they are its baseline"
    sentence = (
        f"No verdict yet: {collecting.found} of {wanted.rows} rows of {wanted.name}, which serves since "
        f"{since}; then {end}."
    )
    if collecting.others:
        sentence += f" {collecting.others} rows since are of another model, or name none, and do not count."
    return sentence


def name_collecting(collecting: Collecting) -> str:
    """Return in a line how far the baseline is."""
    wanted = collecting.wanted
    return (
        f"No baseline yet: {collecting.found} of {wanted.rows} rows of {wanted.name} "
        f"since {wanted.since:%Y-%m-%d %H:%M} UTC"
    )


def collecting_object(collecting: Collecting | None) -> dict[str, Any] | None:
    """Return how far the baseline of a model that has just begun to serve is; None where there is none."""
    if collecting is None:
        return None
    return {
        **(wanted_object(collecting.wanted) or {}),
        "rows": collecting.found,
        "other_rows": collecting.others,
    }


def wanted_object(wanted: Wanted | None) -> dict[str, Any] | None:
    """Return what a baseline to come is made of; None where none is."""
    if wanted is None:
        return None
    return {
        "name": wanted.name,
        "revision": wanted.revision,
        "since": format_moment(wanted.since),
        "wanted_rows": wanted.rows,
        "taken_up_again": wanted.again is not None,
    }
