"""What becomes of baseline and monitors when another model serves: files beside the log.

logs/
  baseline.json           what is compared with
  baseline.next.json      only while rows are collected: of which model, and how many make the baseline
  baseline.before.json    the baseline of the model before, for a way back

While `baseline.next.json` is in force there is no baseline. It is in force as long as at the place of the
baseline there is nothing, or still what it replaces; whatever else is put there has taken its place.
Each file is replaced in one step, so that after a kill the next program sees which step was the last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.errors import ReadOnlyError, StoreError
from sentimon.files import is_there, read_if_there
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.baseline_codec import decode_baseline, encode_baseline
from sentimon.monitoring.baseline_collection import (
    PendingBaseline,
    decode_pending_baseline,
    encode_pending_baseline,
)
from sentimon.prediction_log.durable_files import errors_named, remove_file, replace_file
from sentimon.prediction_log.locks import only_monitor, where_writable
from sentimon.workflows.monitor_file import MONITOR_FILE
from sentimon.workflows.state_files import add_baseline, next_path, read_baseline_file, save_baseline

if TYPE_CHECKING:
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.workflows.workspace import Workspace


def before_path(path: Path) -> Path:
    """Return the file of the baseline that lay at `path` before the last switch."""
    return path.with_suffix(".before.json")


def wanted_at(path: Path) -> PendingBaseline | None:
    """Return what the baseline at `path` is to be made of; None where none is being collected.

    Raises:
        StoreError: a file cannot be read.
    """
    place = next_path(path)
    content = read_if_there(place)
    if content is None:
        return None
    wanted = decode_pending_baseline(content, origin=str(place))
    return wanted if _hash_of(read_if_there(path)) in (None, wanted.replaces) else None


def given_up(path: Path) -> PendingBaseline | None:
    """Return the baseline that was to come at `path` and no longer is; the next change there forgets it.

    Something else lies at `path` than what it was to replace: put there by hand, or the file that names
    the baseline to come was changed. None, too, where the baseline was made, and only the killed program
    that made it could not say so.

    Raises:
        StoreError: a file cannot be read.
    """
    content = read_if_there(next_path(path))
    if content is None or wanted_at(path) is not None:
        return None
    wanted = decode_pending_baseline(content, origin=str(next_path(path)))
    return None if _is_of(read_if_there(path), wanted.revision) else wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A model that has just begun to serve."""

    name: str
    """Its version, which its baseline is called by."""
    revision: str
    since: datetime
    asked: int
    """Rows that its baseline was asked to be made of; 0: nobody asked for one."""


def follow_new_model(folder: Path, path: Path, heir: NewModel, *, fewest: int) -> PendingBaseline | None:
    """Have the log in `folder` follow a switch to `heir`, and return what is collected from now on.

    The monitors forget. A baseline of that model, at `path` or set aside, is taken up again once `fewest`
    rows of it are logged; else as many rows are wanted as were asked for, now or by a switch whose rows
    are still being collected. What lay at `path` is set aside. None: nobody asked, and the baseline
    stays that of the model before.

    Raises:
        StoreError: the folder cannot be written.
    """
    with _held(folder, path) as pending:
        remove_file(folder / MONITOR_FILE)
        present = read_if_there(path)
        # What is about to be taken up again counts as what lies there.
        given = present if pending is None or pending.again is None else pending.again.encode()
        earlier = (given, read_if_there(before_path(path)))
        known = next((one for one in earlier if _is_of(one, heir.revision)), None)
        asked = heir.asked or (0 if pending is None else pending.asked)
        if known is None and not asked:
            if given is not None:
                _place(path, given)
            return None
        wanted = PendingBaseline(
            name=heir.name,
            revision=heir.revision,
            since=heir.since,
            rows=asked if known is None else fewest,
            asked=asked,
            replaces=_hash_of(present),
            again=None if known is None else known.decode(),
        )
        replace_file(next_path(path), encode_pending_baseline(wanted))
        if given is not None and given is not known:
            replace_file(before_path(path), given)
        remove_file(path)
        return wanted


def make_wanted(
    folder: Path, path: Path, make: Callable[[PendingBaseline], Baseline | None]
) -> Baseline | None:
    """Save what `make` makes of the baseline that is wanted at `path`, and return it; None: not yet.

    No other program makes it meanwhile.

    Raises:
        StoreError: the folder cannot be written, or a file cannot be read.
    """
    if not is_there(next_path(path)):
        return None
    with _held(folder, path) as wanted:
        made = None if wanted is None else make(wanted)
        if made is not None:
            _place(path, encode_baseline(made))
        return made


def place_baseline(folder: Path, path: Path, baseline: Baseline, *, force: bool) -> bool:
    """Save a baseline at `path`, and return whether another that was being collected is given up.

    Of several programs that do so at once without `force` exactly one does.

    Raises:
        StoreError: there is one already and no `force`, or it cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with errors_named(folder):
            alone = stack.enter_context(where_writable(only_monitor(folder)))
        if alone and is_there(next_path(path)):
            with _held(folder, path) as wanted:
                if is_there(path) and not force:
                    raise _taken(path)
                _place(path, encode_baseline(baseline))
                return wanted is not None
        if force:
            save_baseline(path, baseline)
        elif not add_baseline(path, baseline):
            raise _taken(path)
        return False


def _taken(path: Path) -> StoreError:
    return StoreError(f"{path}: there is a baseline already", hint="--force overwrites it")


def _place(path: Path, baseline: bytes) -> None:
    """Let a baseline take the place of what is wanted; the caller holds the lock."""
    replace_file(path, baseline)
    remove_file(next_path(path))


@contextlib.contextmanager
def _held(folder: Path, path: Path) -> Iterator[PendingBaseline | None]:
    """Hold the monitors' lock, tidy up what a kill left, and give what is being collected."""
    with contextlib.ExitStack() as stack:
        with errors_named(folder):
            stack.enter_context(only_monitor(folder))
        wanted = wanted_at(path)
        if wanted is None:
            remove_file(next_path(path))
        elif is_there(path):
            replace_file(before_path(path), read_baseline_file(path))
            remove_file(path)
        yield wanted


def _hash_of(content: bytes | None) -> str | None:
    return None if content is None else sha256(content).hexdigest()


def _is_of(content: bytes | None, revision: str) -> bool:
    """Return whether a baseline is made of rows of that model alone."""
    if content is None:
        return False
    with contextlib.suppress(StoreError):
        models = decode_baseline(content, origin="").summary.models
        return {known for _, known in models} == {revision}
    return False


def collect_baseline(workspace: Workspace, path: Path) -> Baseline | None:
    """Make the baseline that is collected at `path`, if its rows are there, say so, and return it.

    None: not yet; nor is one made in a folder that may only be read.

    Raises:
        StoreError: it cannot be written, or the log cannot be read.
    """
    say_given_up(path, workspace.say)
    try:
        made = make_wanted(workspace.folder, path, lambda wanted: _made(workspace, wanted, path))
    except ReadOnlyError as error:
        workspace.say(f"{error.message}: no baseline is made here")
        return None
    if made is not None:
        # Said even where quiet is asked for: from now on these rows are what is normal.
        again = "taken up again" if made.resumed else "made"
        workspace.say(f"baseline {made.name!r} of {made.summary.count} rows {again}, in {path}")
    return made


def say_given_up(path: Path, say: Callable[[str], None]) -> None:
    """Say so where a baseline was to come at `path`, and something else has taken its place.

    Raises:
        StoreError: a file cannot be read.
    """
    wanted = given_up(path)
    if wanted is not None:
        # Said even where quiet is asked for: from now on what lies there is what is normal.
        say(
            f"{next_path(path)}: the baseline of {wanted.name} is given up: "
            f"{path} is not the one that it was to replace"
        )


def _made(workspace: Workspace, wanted: PendingBaseline, path: Path) -> Baseline | None:
    """Return the baseline; None where there are too few rows."""
    from dataclasses import replace

    from sentimon.monitoring.baseline import create_baseline
    from sentimon.monitoring.vocabulary import vocabulary_of
    from sentimon.prediction_log.summary import summarise
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.baseline import field_histories
    from sentimon.workflows.drift import count_collected
    from sentimon.workflows.given_rows import GivenRows

    # The index knows how many there are; only when there are enough they are read.
    if not count_collected(workspace, wanted).ready:
        return None
    rows = _first_rows(workspace, wanted)
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
        source=workspace.source,
        created=workspace.now,
        min_samples=workspace.settings.drift.min_samples,
        classes=workspace.classes,
        fields=field_histories(replace(workspace, given=GivenRows(rows)), Period()),
    )


def _first_rows(workspace: Workspace, wanted: PendingBaseline) -> list[PredictionRecord]:
    from sentimon.monitoring.baseline_collection import collected_rows
    from sentimon.prediction_log.windows import Period

    with contextlib.ExitStack() as stack:
        rows = workspace.logged_rows(Period(after=wanted.since), stack)
        return collected_rows(wanted, workspace.progress(rows, "rows read"))
