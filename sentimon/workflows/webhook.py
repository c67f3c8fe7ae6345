"""A trigger that fired, sent to a webhook: signed, within a time limit, and again where that may help."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sentimon
from sentimon.config.durations import parse_duration
from sentimon.config.notify_settings import NotifySettings
from sentimon.config.paths import expanded
from sentimon.config.secrets import shown_path
from sentimon.config.webhook import Address, parse_webhook
from sentimon.errors import SentimonError, StoreError
from sentimon.files import MOST_SECRET, read_regular

SIGNATURE = "X-Sentimon-Signature"
SHORTEST_SECRET = 16
"""Bytes."""
_TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; `status` is None where nothing did."""

    status: int | None
    says: str

    @property
    def delivered(self) -> bool:
        """Return whether the other side took it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def worth_another_try(self) -> bool:
        """Return whether the same may be taken later."""
        return self.status is None or self.status == _TOO_MANY or self.status >= 500


def send(settings: NotifySettings, body: bytes, *, pause: Callable[[float], None] = time.sleep) -> str:
    """Send `body` to the webhook, and return in words how it went; the path of the URL is not told.

    A redirect is a refusal: what is signed for one place goes nowhere else.
    """
    address = parse_webhook(settings.webhook)
    try:
        headers = headers_of(settings, body)
    except SentimonError as error:
        return f"webhook {address.site}: NOT delivered, {error.message}; the decision stands"
    limit = parse_duration(settings.webhook_timeout).total_seconds()
    for attempt in range(1, settings.webhook_tries + 1):
        answer = _ask(address, body, headers, limit)
        if answer.delivered:
            return f"webhook {address.site}: delivered, {answer.says}"
        if not answer.worth_another_try or attempt == settings.webhook_tries:
            break
        pause(2.0 ** (attempt - 1))
    tries = "1 try" if attempt == 1 else f"{attempt} tries"
    return f"webhook {address.site}: NOT delivered, {answer.says}, {tries}; the decision stands"


def headers_of(settings: NotifySettings, body: bytes) -> dict[str, str]:
    """Return the headers of a request; each try of the same body has the same.

    Raises:
        StoreError: the secret cannot be read, or is too short.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"sentimon/{sentimon.__version__}",
        # A try that seemed to fail may have come through: the receiver tells by this that it is the same.
        "Idempotency-Key": hashlib.sha256(body).hexdigest(),
    }
    if settings.webhook_secret_file:
        secret = read_secret(expanded(settings.webhook_secret_file))
        headers[SIGNATURE] = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return headers


def read_secret(path: Path) -> bytes:
    """Return the secret in the file at `path`, without white space around it.

    Raises:
        StoreError: it cannot be read, or is too short.
    """
    try:
        secret = read_regular(path, most=MOST_SECRET).strip()
    except OSError as error:
        raise StoreError(
            f"{shown_path(path)}: the secret of the webhook cannot be read: {error.strerror}",
            hint="check notify.webhook_secret_file",
        ) from error
    if len(secret) < SHORTEST_SECRET:
        raise StoreError(
            f"{path}: a secret of {len(secret)} bytes signs nothing",
            hint=f"write {SHORTEST_SECRET} random bytes or more: `openssl rand -hex 32`",
        )
    return secret


def _ask(address: Address, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
    connection = _connection(address, limit)
    answers: list[Answer] = []
    # The timeout of a socket begins anew with each byte, and a look-up of names knows none.
    asking = threading.Thread(
        target=lambda: answers.append(_exchange(connection, address, body, headers)), daemon=True
    )
    asking.start()
    asking.join(limit)
    answer = answers[0] if answers else Answer(status=None, says=f"no answer within {limit:g} s")
    opened = connection.sock
    if opened is not None:
        with contextlib.suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
    return answer


def _exchange(
    connection: http.client.HTTPConnection, address: Address, body: bytes, headers: Mapping[str, str]
) -> Answer:
    try:
        connection.request("POST", address.target, body, dict(headers))
        status = connection.getresponse().status
    except TimeoutError:
        return Answer(status=None, says="no answer in time")
    except (http.client.HTTPException, UnicodeError) as error:
        # What these say may quote the address, or what the other side made of it.
        return Answer(status=None, says=f"no answer: {type(error).__name__}")
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        return Answer(status=None, says=f"no answer: {reason}")
    finally:
        connection.close()
    if 300 <= status < 400:
        return Answer(status=status, says=f"status {status}: redirects are not followed")
    return Answer(status=status, says=f"status {status}")


def _connection(address: Address, limit: float) -> http.client.HTTPConnection:
    if not address.secure:
        return http.client.HTTPConnection(address.host, address.port, timeout=limit)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(address.host, address.port, timeout=limit, context=context)
