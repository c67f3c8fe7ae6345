"""The address of a webhook: https, or http to this machine."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from sentimon.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of the URL of a webhook."""

    secure: bool
    """Whether the scheme is https."""
    host: str
    port: int | None
    target: str
    """Path and query; often a secret, so no message shows it."""

    @property
    def site(self) -> str:
        """Return scheme, host and port, which may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}{'' if self.port is None else f':{self.port}'}"


def parse_webhook(url: str) -> Address:
    """Return the address that `url` names.

    >>> parse_webhook("https://hooks.example.com/x?y=1").target
    '/x?y=1'

    Raises:
        DataError: it is no URL, names a user, or is http to another machine.
    """
    if not (url.isascii() and url.isprintable()) or set(url) & set(' "<>\\^`{|}'):
        raise DataError("a webhook's URL has only plain characters; others are written as %XX")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DataError(f"a webhook's URL cannot be read: {error}") from error
    _check(parts)
    return Address(
        secure=parts.scheme == "https",
        host=parts.hostname or "",
        port=port,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def is_webhook(url: str) -> bool:
    """Return whether `url` is an allowed webhook URL."""
    try:
        return bool(parse_webhook(url).host)
    except DataError:
        return False


def _check(parts: SplitResult) -> None:
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise DataError("a webhook's URL begins with https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise DataError("a webhook's URL names no user; it can be signed with notify.webhook_secret_file")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise DataError("http is for this machine only (localhost, 127.0.0.1, [::1]); use https://")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
