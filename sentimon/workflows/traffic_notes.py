"""What quiet checks say of the traffic on stderr: once when it begins, and once when it ends.

Cron mails all that a check prints. So a quiet check says only what has changed since the last quiet one,
and remembers that in `.sentimon/said.json`. Any other check shows what is wrong with its result each time,
and takes nothing away from those who get the mail.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from sentimon.errors import StoreError
from sentimon.files import MOST_SETTINGS, read_if_there
from sentimon.jsonl import decode_file
from sentimon.monitoring.traffic import TrafficReport, TrafficVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentimon.workflows.workspace import Workspace

SAID_FILE = "said.json"
_MOST_BASELINES = 8


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the quiet checks of one baseline last said, as far as it still holds."""

    silent: bool = False
    """That no rows come."""
    change: TrafficVerdict | None = None
    """That fewer or more come than in the baseline."""
    no_baseline: bool = False
    """That there is no baseline."""


NOTHING = Said()
_decode = msgspec.json.Decoder(dict[str, Said]).decode


def tell_of_traffic(workspace: Workspace, path: Path, report: TrafficReport, *, keep: bool = True) -> None:
    """Say what has begun or ended since the last quiet check of the log with the baseline at `path`.

    With `keep` it is remembered once it was said, by one program at a time; where it cannot be, it is said
    again.
    """
    place = _said_file(workspace.folder)
    name = baseline_name(workspace, path)
    if change_of(report, before := read_said(place).get(name, NOTHING)) == before:
        return
    with contextlib.ExitStack() as stack:
        if keep:
            keep = _held(workspace.folder, stack)
        # Another program may have said it meanwhile.
        known = read_said(place)
        before = known.get(name, NOTHING)
        now = change_of(report, before)
        for _, sentence in traffic_news(report, before, now):
            workspace.say(f"{workspace.source}: {sentence}")
        if keep and now != before:
            _remember(place, known, name, now)


def _said_file(folder: Path) -> Path:
    from sentimon.prediction_log.locks import STATE_FOLDER

    return folder / STATE_FOLDER / SAID_FILE


def baseline_name(workspace: Workspace, path: Path) -> str:
    """Return what a baseline is called in the file; "" is the one beside the log."""
    return "" if path == workspace.baseline_path(None) else str(path.absolute())


def _held(folder: Path, stack: contextlib.ExitStack) -> bool:
    """Keep other programs from saying the same until `stack` is closed; False where nothing can be kept."""
    from sentimon.workflows.monitor_file import deciding

    try:
        return stack.enter_context(deciding(folder))
    except StoreError:
        # What is wrong with the folder is said by what has to be written there.
        return False


def read_said(place: Path) -> dict[str, Said]:
    """Return what was said, by baseline; nothing where it cannot be read: then it is said again."""
    with contextlib.suppress(StoreError):
        content = read_if_there(place, most=MOST_SETTINGS)
        if content is not None:
            return decode_file(content, _decode, origin=str(place), what="memory of notes", hint="")
    return {}


def _remember(place: Path, known: Mapping[str, Said], name: str, now: Said) -> None:
    from sentimon.prediction_log.durable_files import replace_file

    others = {key: one for key, one in known.items() if key != name and one != NOTHING}
    latest = dict([*others.items(), (name, now)][-_MOST_BASELINES:])
    with contextlib.suppress(StoreError):
        replace_file(place, msgspec.json.encode(latest))


def change_of(report: TrafficReport, before: Said) -> Said:
    """Return what holds now of what a check says; what cannot be told now is as it was `before`."""
    silent = report.verdict is TrafficVerdict.SILENT
    # While no rows come at all, fewer of them are no news, and one that could not be judged is not over.
    known = not silent and report.volume is not None
    change = report.verdict if known and report.in_trouble else None
    return Said(
        silent=silent,
        change=change if known else before.change,
        no_baseline=not report.has_baseline,
    )


def traffic_news(report: TrafficReport, before: Said, now: Said) -> list[tuple[str, str]]:
    """Return what has begun and what has ended, each as (a few words, a sentence)."""
    from sentimon.reporting import traffic_sentences as words

    said = []
    if now.silent and not before.silent:
        said.append(("no rows come any more", words.explain_silence(report)))
    elif before.silent and not now.silent:
        said.append(("the log is no longer silent", words.explain_recovery(report)))
    if now.change is None and before.change is not None:
        said.append(("as many rows as usual come again", words.explain_return(report)))
    elif now.change is not None and now.change != before.change:
        said.append((f"{now.change.value} come than usual", words.explain_change(report)))
    if now.no_baseline and not before.no_baseline:
        said.append(("there is no baseline", words.NO_BASELINE))
    elif before.no_baseline and not now.no_baseline:
        said.append(("there is a baseline now", words.BASELINE_AGAIN))
    return said
