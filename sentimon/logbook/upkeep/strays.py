"""Files in the folder of a log that look as if they were part of it, and are not."""

from __future__ import annotations

from pathlib import Path

from sentimon.logbook.segments import LIVE_FILE, SEALED, check_folder, sealed_files
from sentimon.logbook.upkeep.rewriter import orphans


def find_strays(folder: Path) -> list[Path]:
    """Return, by name, copies, second forms, damaged originals and half-written files of the log in `folder`.

    Raises:
        StoreError: there is no such folder.
    """
    check_folder(folder)
    known = {*sealed_files(folder), folder / LIVE_FILE}
    named = [*folder.glob(f"{LIVE_FILE}*"), *folder.glob(f"{SEALED}*"), *orphans(folder)]
    return sorted(set(named) - known)
