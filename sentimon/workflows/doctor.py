"""An examination of what a check needs: settings, versions, model, index, log, baseline, disk, messages."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import sentimon
from sentimon.config.layers import DEFAULT_ORIGIN
from sentimon.config.paths import expanded
from sentimon.errors import SentimonError
from sentimon.files import is_there, open_own
from sentimon.prediction_log.windows import Period
from sentimon.reporting.plain_text import counted
from sentimon.reporting.setup_tables import Finding, failed, good, warning
from sentimon.reporting.verdict_sentences import explain_collecting
from sentimon.timestamps import from_microseconds
from sentimon.workflows.drift import count_collected, newer
from sentimon.workflows.next_baseline import wanted_at

if TYPE_CHECKING:
    from sentimon.errors import LogFileError
    from sentimon.prediction_log.summary import Summary
    from sentimon.workflows.workspace import Workspace

LIBRARIES = ("typer", "rich", "msgspec", "numpy", "onnxruntime", "tokenizers")
"""What is loaded to count, and to score with the model that ships."""
OPTIONAL = ("torch", "transformers", "datasets", "pyarrow")
"""What an extra brings; each is needed by one kind of model or file, which says so."""
_LEAST_BYTES = 100_000_000
_LEAST_INODES = 1000
_EXAMPLES = ("I love this, it is wonderful.", "I hate this, it is terrible.")


def examine(open_workspace: Callable[[], Workspace]) -> list[Finding]:
    """Return what each look at the setup found; no row is written, and nothing is sent.

    `open_workspace` reads the settings: where that fails, it is a finding, and nobody knows what else to
    look at but the versions. What of the log can be read is looked at, whatever else cannot.
    """
    try:
        workspace = open_workspace()
    except SentimonError as error:
        return [failed("settings", error.message, error.hint), _versions()]
    looks = {
        "model": _model,
        "index": _index,
        "writing": _writing,
        "log": _log,
        "baseline": _baseline,
        "traffic": _traffic,
        "clock": _clock,
        "disk": _disk,
        "webhook": _webhook,
        "messages": _messages,
    }
    found = [_settings(workspace), _versions()]
    return [*found, *(_looked(name, look, workspace) for name, look in looks.items())]


def _looked(name: str, look: Callable[[Workspace], Finding], workspace: Workspace) -> Finding:
    """Return what `look` finds; an error that it raises is what was found."""
    try:
        return look(workspace)
    except SentimonError as error:
        return failed(name, error.message, error.hint)
    except OSError as error:
        return failed(name, f"{error.filename or workspace.folder}: {error.strerror}", "check the path")


def _settings(workspace: Workspace) -> Finding:
    """Find how many settings are in force that are no defaults, and where they come from."""
    origins = [one for one in workspace.loaded.origins.values() if one != DEFAULT_ORIGIN]
    if not origins:
        return good("settings", "all have their default values")
    places = ", ".join(sorted(set(origins)))
    return good("settings", f"{counted(len(origins), 'setting')} set by {places}; the others are defaults")


def _versions() -> Finding:
    """Find which versions are at work, and what is not installed: an extra may be missing, others not."""
    found = [f"sentimon {sentimon.__version__}", f"Python {platform.python_version()}"]
    found.append(f"SQLite {sqlite3.sqlite_version}")
    missing = []
    for name in (*LIBRARIES, *OPTIONAL):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    needed = [name for name in missing if name in LIBRARIES]
    if needed:
        mend = "install sentimon again, with its dependencies"
        return failed("versions", f"{', '.join(needed)} not installed", mend)
    without = f"; without {', '.join(missing)}, which are extras" if missing else ""
    return good("versions", ", ".join(found) + without)


def _model(workspace: Workspace) -> Finding:
    """Find whether the model loads, and answers two plain texts as anybody would.

    Raises:
        ModelError: it cannot be loaded.
    """
    from sentimon.labels import Sentiment
    from sentimon.scoring.scorer import load_scorer, missing_class

    begun = time.monotonic()
    scorer = load_scorer(workspace.settings.model, present=workspace.classes)
    answers = [one.scores.label for one in scorer.score(_EXAMPLES)]
    took = f"{time.monotonic() - begun:.1f} s to load and try it"
    says = f"{scorer.model}@{scorer.revision} gives two plain texts the right class ({took})"
    lacks = missing_class(scorer, workspace.classes)
    if lacks:
        what, _, mend = lacks.partition(": ")
        return warning("model", what, mend)
    if answers == [Sentiment.POSITIVE, Sentiment.NEGATIVE]:
        return good("model", says)
    seen = "; ".join(f"{text!r} is {answer.label}" for text, answer in zip(_EXAMPLES, answers, strict=True))
    return warning(
        "model", f"{scorer.model} says: {seen}", "check [model.label_map], and the model's language"
    )


def _index(workspace: Workspace) -> Finding:
    """Find whether the index is sound in itself."""
    from sentimon.prediction_log.index.verification import index_damage

    if not workspace.settings.logs.index:
        return good("index", "switched off (logs.index): each command reads the whole log")
    file = workspace.index_file
    if file is None:
        return good("index", "none yet; the next command that reads the log makes it")
    try:
        damage = index_damage(file.path)
    except sqlite3.OperationalError:
        return good("index", f"{file.path} is being changed by another program")
    if damage is not None:
        mend = "the next command makes it anew, and no answer is wrong; if it comes again, remove it"
        return warning("index", f"{file.path} is of no use: {damage}", mend)
    return good("index", f"{file.path} ({file.size / 1e6:.1f} MB) is intact")


def _writing(workspace: Workspace) -> Finding:
    """Find whether rows can be appended, by the user who asks; nothing is left behind."""
    from sentimon.prediction_log.folder import LIVE_FILE
    from sentimon.prediction_log.locks import READ_ONLY, lock_file

    folder = workspace.folder
    live, place = folder / LIVE_FILE, folder
    try:
        if not folder.exists():
            return good("writing", f"{folder} is not there yet; `sentimon log` makes it")
        with tempfile.TemporaryFile(dir=folder):
            pass
        for place in (live, lock_file(folder)):
            if place.exists():
                os.close(open_own(place, os.O_RDWR | os.O_APPEND, linked=place == live))
        public = live.exists() and live.stat().st_mode & 0o077
    except OSError as error:
        mend = "check its owner and its permissions, and whether the disk is mounted read-only"
        if error.errno in READ_ONLY and _is_of_others(folder, error):
            says = f"{place}: {error.strerror}: checks work here, and nothing can be logged or saved"
            return warning("writing", says, mend)
        return failed("writing", f"{place}: {error.strerror}", mend)
    if public:
        return warning("writing", f"{live}: others may read what people wrote", f"chmod 600 {live}")
    return good("writing", f"{folder} can be written")


def _is_of_others(folder: Path, error: OSError) -> bool:
    """Return whether this is a place to look from: mounted read-only, or the log of another user."""
    return error.errno == errno.EROFS or folder.stat().st_uid != os.geteuid()


def _read(workspace: Workspace, period: Period) -> tuple[Summary, list[LogFileError]]:
    return workspace.readable_summary(period)


def _log(workspace: Workspace) -> Finding:
    from sentimon.prediction_log.maintenance.rewriting import find_stray_files

    summary, lost = _read(workspace, Period())
    if lost:
        rest = f"{counted(summary.count, 'row')} in the others"
        return failed("log", f"{'; '.join(error.message for error in lost)}; {rest}", lost[0].hint)
    says = f"{counted(summary.count, 'row')} in {workspace.folder}"
    unreadable = summary.properties.get("unreadable", 0)
    if unreadable:
        says += f", {unreadable} of them in letters that the model does not know"
    if summary.bad_count:
        first = str(summary.bad_lines[0])
        mend = "`sentimon logs repair` moves bad lines out of the log"
        return warning("log", f"{says}, {counted(summary.bad_count, 'bad line')}, the first: {first}", mend)
    strays = find_stray_files(workspace.folder)
    if strays:
        names = ", ".join(path.name for path in strays[:3])
        return warning("log", f"{says}; not part of the log: {names}", "move them to another folder")
    if not summary.count:
        return warning("log", says, "log some with `sentimon log`")
    return good("log", says)


def _baseline(workspace: Workspace) -> Finding:
    path = workspace.baseline_path(None)
    try:
        wanted = wanted_at(path)
        if wanted is not None:
            says = explain_collecting(count_collected(workspace, wanted))
            return warning("baseline", says, "log more rows; `sentimon drift` then makes it")
        if not is_there(path):
            mend = "`sentimon baseline create` makes one of a quiet period"
            return warning("baseline", f"{path}: there is none", mend)
        return _compared(workspace, path)
    except SentimonError as error:
        return failed("baseline", error.message, error.hint)
    except OSError as error:
        return failed("baseline", f"{path}: {error.strerror}", "check the path and its permissions")


def _compared(workspace: Workspace, path: Path) -> Finding:
    """Find whether the rows newer than the baseline are of its model.

    Raises:
        StoreError: it cannot be read.
        DataError: they are of another one.
    """
    from sentimon.monitoring.class_mix_drift import check_same_model
    from sentimon.workflows.state_files import read_baseline

    found = read_baseline(path, workspace.classes)
    fresh = workspace.summary(newer(workspace, Period(), found.last))
    check_same_model(found, fresh)
    least, count = workspace.settings.drift.min_samples, found.summary.count
    says = f"{found.name!r}, {counted(count, 'row')}"
    again = "`sentimon baseline create --force` makes another"
    if count < least:
        return failed("baseline", f"{says}, fewer than the {least} of drift.min_samples", again)
    if found.last is not None and found.last > workspace.now:
        return warning("baseline", f"{says}, some of them dated in the future", f"{again} (--until)")
    lacking = [name for name in workspace.settings.segments.fields if name not in found.fields]
    if lacking:
        mend = "`sentimon baseline extend` adds them, where the log has all its rows"
        return warning("baseline", f"{says}, without its slices by {', '.join(lacking)}", mend)
    later = f"{counted(fresh.count, 'newer row')}, of the same model" if fresh.count else "no newer rows yet"
    return good("baseline", f"{says}; {later}")


def _traffic(workspace: Workspace) -> Finding:
    """Find whether rows still come, and as many as in the baseline.

    Raises:
        StoreError: the log or the baseline cannot be read.
    """
    from sentimon.reporting.traffic_sentences import explain_traffic
    from sentimon.workflows.traffic import check_traffic

    report = check_traffic(workspace)
    says = " ".join(explain_traffic(report))
    if not report.in_trouble:
        return good("traffic", says)
    mend = "look at what logs the predictions: is it running, and does it write to this folder?"
    return warning("traffic", says, mend)


def _clock(workspace: Workspace) -> Finding:
    summary, _ = _read(workspace, Period())
    now = f"it is {workspace.now:%Y-%m-%d %H:%M} UTC, {workspace.now.astimezone():%H:%M %Z} here"
    ahead = _read(workspace, Period(since=workspace.now))[0].count
    if ahead and summary.last is not None:
        latest = from_microseconds(summary.last)
        says = f"{now}; {counted(ahead, 'row')} dated in the future, the latest {latest:%Y-%m-%d %H:%M} UTC"
        return warning("clock", says, "set the clock, of this machine or of the one that wrote them")
    naive = summary.properties.get("naive_timestamp", 0)
    if naive and workspace.settings.logs.naive_time_zone == "local":
        says = f"{now}; {counted(naive, 'timestamp')} without a zone read as local time"
        mend = "set logs.naive_time_zone, or another machine reads them otherwise"
        return warning("clock", says, mend)
    return good("clock", f"{now}; no row is dated in the future")


def _disk(workspace: Workspace) -> Finding:
    """Find how much room there is where the log lies."""
    place = workspace.folder.absolute()
    try:
        while not place.exists():
            place = place.parent
        usage, inodes = shutil.disk_usage(place), os.statvfs(place).f_favail
    except OSError as error:
        return failed("disk", f"{place}: {error.strerror}", "check the path")
    says = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f}"
    # A file that is sealed lies there twice until it is compressed. Some file systems count no inodes.
    needed = max(_LEAST_BYTES, 2_000_000 * workspace.settings.logs.rotate_megabytes)
    mend = "make room; `sentimon logs prune --keep-days 90 --dry-run` says what could go"
    if usage.free < _LEAST_BYTES:
        return failed("disk", says, mend)
    if usage.free < needed:
        return warning("disk", f"{says}; sealing a file needs {needed / 1e9:.1f}", mend)
    if 0 < inodes < _LEAST_INODES:
        return warning("disk", f"{says}, but room for {inodes} more files only", "remove small files there")
    return good("disk", says)


def _webhook(workspace: Workspace) -> Finding:
    """Find whether what is sent can be signed; nothing is sent.

    Raises:
        StoreError: the secret cannot be read.
    """
    told = workspace.settings.notify
    if not told.webhook:
        return good("webhook", "none is set (notify.webhook)")
    from sentimon.config.webhook import parse_webhook
    from sentimon.workflows.webhook import read_secret

    site = parse_webhook(told.webhook).site
    if not told.webhook_secret_file:
        mend = "set notify.webhook_secret_file, and have the receiver check the signature"
        return warning("webhook", f"what goes to {site} is not signed", mend)
    path = expanded(told.webhook_secret_file)
    read_secret(path)
    return _private_secret(path, site)


def _messages(workspace: Workspace) -> Finding:
    """Find whether messages can be sent to the services of notify.urls_file; nothing is sent.

    Raises:
        StoreError: the addresses cannot be read.
        MissingPackageError: apprise is not installed.
    """
    from sentimon.workflows import message_services as services
    from sentimon.workflows.messages import count_waiting

    told = workspace.settings.notify.urls_file
    if not told:
        return good("messages", "no services are set (notify.urls_file)")
    path = expanded(told)
    found = services.read_services(path)
    unknown = services.unknown_services(found)
    if unknown:
        return failed(
            "messages", f"apprise cannot use {', '.join(unknown)}", "write that URL as apprise says"
        )
    exposed = services.exposure(path)
    if exposed:
        return warning("messages", *exposed)
    waiting = count_waiting(workspace.folder)
    if waiting:
        mend = "`sentimon doctor --notify-test` shows which service refuses"
        return warning("messages", f"{counted(waiting, 'message')} could not be sent yet", mend)
    return good("messages", f"they go to {', '.join(one.name for one in found)}")


def _private_secret(path: Path, site: str) -> Finding:
    if path.stat().st_mode & 0o077:
        return warning("webhook", f"{path}: others may read the secret", f"chmod 600 {path}")
    return good("webhook", f"what goes to {site} is signed")
