"""The services that messages go to: the file of their addresses, and one message sent to one of them.

The addresses are URLs of apprise (Slack, Teams, mail and others). Most hold a token or a password, so that
nothing here shows more of one than the word before `://` and the line that it stands on.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import shlex
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentimon.config.secrets import shown_path
from sentimon.errors import StoreError
from sentimon.extras import require
from sentimon.files import MOST_SECRET, read_regular

if TYPE_CHECKING:
    from sentimon.reporting.message_text import Message

NEED, APPRISE = "a message to a service", "apprise"
"""What needs which package."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30})://", re.IGNORECASE)
_STATUS = re.compile(r"\berror=(\d{3})\b")
_PRECAUTION_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that messages are sent to; only `name` may be shown."""

    url: str
    name: str
    """The kind of service and where its address stands, such as `slack (notify.urls:2)`."""

    @property
    def digest(self) -> str:
        """Return what the address is remembered by: too short to try out passwords with."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How sending a message to a service ended."""

    delivered: bool
    says: str
    again: bool = True
    """Whether the message may be sent again: not where it may have come through."""


def read_services(path: Path) -> list[Service]:
    """Return the services in the file at `path`, each once: one URL a line, besides comments (#, ;).

    Raises:
        StoreError: it cannot be read, holds a line that is no URL, or none at all.
    """
    try:
        text = read_regular(path, most=MOST_SECRET).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise StoreError(
            f"{shown_path(path)}: the addresses of services cannot be read: {reason}",
            hint="check notify.urls_file",
        ) from error
    found: dict[str, Service] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        url = line.strip()
        if not url or url.startswith(("#", ";")):
            continue
        scheme = _SCHEME.match(url)
        if scheme is None:
            raise StoreError(
                f"{path}:{number}: is no URL of apprise",
                hint="write one a line, such as mailto://..., slack://...; a comment begins with #",
            )
        found.setdefault(url, Service(url=url, name=f"{scheme[1].lower()} ({path.name}:{number})"))
    if not found:
        raise StoreError(f"{path}: names no service", hint="write a URL of apprise on a line of its own")
    return list(found.values())


def exposure(path: Path) -> tuple[str, str] | None:
    """Return that others may read the file of addresses at `path`, and what to do; None where they may not.

    A cluster mounts secrets as files of root that our group may read: that is how we get them. Whoever runs
    as root there finds them on a mount that is read-only.
    """
    try:
        status, mount = path.stat(), os.statvfs(path)
    except OSError:
        return None
    ours = status.st_uid == os.geteuid() and not mount.f_flag & os.ST_RDONLY
    if not status.st_mode & (0o077 if ours else 0o007):
        return None
    mend = f"chmod 600 {shlex.quote(str(path))}" if ours else "its owner can keep it to a group (mode 0440)"
    return f"{path}: others may read the addresses", mend


def unknown_services(services: Sequence[Service]) -> list[str]:
    """Return the names of the services whose URL apprise cannot use.

    Raises:
        MissingPackageError: apprise is not installed.
    """
    return [one.name for one in services if _plugin(one.url) is None]


def send_message(service: Service, message: Message, *, limit_seconds: float) -> Outcome:
    """Send `message` to `service` as plain text, and return how it ended; it is tried once.

    Raises:
        MissingPackageError: apprise is not installed.
    """
    plugin = _plugin(service.url)
    if plugin is None:
        return Outcome(delivered=False, says="apprise cannot use its URL")
    found: list[Outcome] = []
    # A look-up of names, and a server that sends a byte a second, know no time limit.
    sending = threading.Thread(
        target=lambda: found.append(_sent(plugin, message, limit_seconds)), daemon=True
    )
    sending.start()
    sending.join(limit_seconds)
    if found:
        return found[0]
    says = f"no answer within {limit_seconds:g} s; it may have come through, and is not sent again"
    return Outcome(delivered=False, says=says, again=False)


def _plugin(url: str) -> Any:
    """Return what apprise makes of a URL; None where that is nothing."""
    require(NEED, APPRISE)
    with _no_logging():
        from apprise import Apprise, AppriseAsset

        # In memory: nothing about the services is written to the disk.
        asset = AppriseAsset(app_id="sentimon", app_desc="sentimon", async_mode=False, storage_mode="memory")
        return Apprise.instantiate(url, asset=asset)


def _sent(plugin: Any, message: Message, limit_seconds: float) -> Outcome:
    from apprise import Apprise, NotifyFormat

    # Our limit comes first: then it is known that nobody answered.
    plugin.socket_connect_timeout = limit_seconds
    plugin.socket_read_timeout = limit_seconds + _PRECAUTION_SECONDS
    plugin.redirects = False
    with _no_logging() as said:
        one = Apprise(asset=plugin.asset)
        one.add(plugin)
        done = one.notify(title=message.title, body=message.body, body_format=NotifyFormat.TEXT)
    if done:
        return Outcome(delivered=True, says="delivered")
    # The rest of what apprise says may quote the URL, or what the other side answered.
    status = _STATUS.search(" ".join(said))
    return Outcome(delivered=False, says=f"status {status[1]}" if status else "refused, or no connection")


class _Collector(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is said, for the number in it."""
        self._said.append(record.getMessage())


@contextlib.contextmanager
def _no_logging() -> Iterator[list[str]]:
    """Give the list that takes what apprise logs meanwhile; it may hold secrets, so nobody else gets it."""
    said: list[str] = []
    logger, handler = logging.getLogger("apprise"), _Collector(said)
    before = logger.propagate
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
