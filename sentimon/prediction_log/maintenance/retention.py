"""Which sealed files are old, or many enough, to go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sentimon.config.settings import LogSettings
from sentimon.prediction_log.folder import LIVE_FILE
from sentimon.prediction_log.rotation import MEGABYTE
from sentimon.prediction_log.segment import LogFile


def plan_prune(files: Sequence[LogFile], settings: LogSettings, *, now: datetime) -> list[LogFile]:
    """Return those of `files` that retention removes, the one longest without a new row first.

    First what was last written more than `keep_days` ago; then the oldest, until all together fit in
    `keep_megabytes`. The live file always stays.
    """
    sealed = sorted((one for one in files if one.path.name != LIVE_FILE), key=lambda one: one.written)
    gone: list[LogFile] = []
    if settings.keep_days:
        gone = [one for one in sealed if now - one.written > timedelta(days=settings.keep_days)]
    kept = sealed[len(gone) :]
    if settings.keep_megabytes:
        room = settings.keep_megabytes * MEGABYTE - sum(one.size for one in files if one not in sealed)
        while kept and sum(one.size for one in kept) > room:
            gone.append(kept.pop(0))
    return gone
