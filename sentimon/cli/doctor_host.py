"""What `sentimon doctor` looks at beside the log: settings, versions, model, disk, webhook."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import time
from importlib import metadata
from pathlib import Path

import sentimon
from sentimon.cli.output import counted
from sentimon.config.layers import DEFAULT_ORIGIN
from sentimon.config.paths import expanded
from sentimon.reporting.setup_tables import Finding, failed, good, warning
from sentimon.workflows.workspace import Workspace

LIBRARIES = ("typer", "rich", "msgspec", "numpy", "onnxruntime", "tokenizers", "torch", "transformers")
"""What is loaded to count and to score; the others serve one format or one option."""
_LEAST_BYTES = 100_000_000
_LEAST_INODES = 1000
_EXAMPLES = ("I love this, it is wonderful.", "I hate this, it is terrible.")


def settings(workspace: Workspace) -> Finding:
    """Find how many settings are in force that are no defaults, and where they come from."""
    origins = [one for one in workspace.loaded.origins.values() if one != DEFAULT_ORIGIN]
    if not origins:
        return good("settings", "all are the defaults")
    return good("settings", f"{counted(len(origins), 'setting')} from {', '.join(sorted(set(origins)))}")


def versions() -> Finding:
    """Find which versions are at work, and what is not installed."""
    found = [f"sentimon {sentimon.__version__}", f"Python {platform.python_version()}"]
    found.append(f"SQLite {sqlite3.sqlite_version}")
    missing = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        mend = "install sentimon again, with its dependencies"
        return failed("versions", f"{', '.join(missing)} not installed", mend)
    return good("versions", ", ".join(found))


def model(workspace: Workspace) -> Finding:
    """Find whether the model loads, and answers two plain texts as anybody would.

    Raises:
        ModelError: it cannot be loaded.
    """
    from sentimon.labels import Sentiment
    from sentimon.scoring.scorer import load_scorer

    begun = time.monotonic()
    scorer = load_scorer(workspace.settings.model)
    answers = [one.scores.label for one in scorer.score(_EXAMPLES)]
    says = f"{scorer.model}@{scorer.revision} answers, {time.monotonic() - begun:.1f} s with loading"
    if answers == [Sentiment.POSITIVE, Sentiment.NEGATIVE]:
        return good("model", says)
    seen = "; ".join(f"{text!r} is {answer.label}" for text, answer in zip(_EXAMPLES, answers, strict=True))
    return warning("model", f"{scorer.model}: {seen}", "check [model.label_map], and the model's language")


def disk(workspace: Workspace) -> Finding:
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


def webhook(workspace: Workspace) -> Finding:
    """Find whether what is sent can be signed; nothing is sent.

    Raises:
        StoreError: the secret cannot be read.
    """
    told = workspace.settings.notify
    if not told.webhook:
        return good("webhook", "none is set")
    from sentimon.cli.webhook import read_secret
    from sentimon.config.webhook import parse_webhook

    site = parse_webhook(told.webhook).site
    if not told.webhook_secret_file:
        mend = "set notify.webhook_secret_file, and have the receiver check the signature"
        return warning("webhook", f"what goes to {site} is not signed", mend)
    path = expanded(told.webhook_secret_file)
    read_secret(path)
    return _private_secret(path, site)


def _private_secret(path: Path, site: str) -> Finding:
    if path.stat().st_mode & 0o077:
        return warning("webhook", f"{path}: others may read the secret", f"chmod 600 {path}")
    return good("webhook", f"what goes to {site} is signed")
