"""Hide secrets in what is shown: in addresses, in settings, and in messages that quote either."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

HIDDEN = "***"
WEBHOOK_KEY = "notify.webhook"
SERVICES_KEY = "notify.urls_file"
_FILE_KEYS = ("notify.webhook_secret_file", "logs.hash_key_file", SERVICES_KEY)
# A password may hold what an address has to write as %XX, a slash above all: then it ends at the next @.
_USER = re.compile(r"""(?<=://)(?:[^\s'"/?#]*|[^\s'"/@]*:[^\s'"]*?)@""")
_PARAMETER = re.compile(
    r"""([?&;][^=&;\s'"]*(?:token|key|secret|passw|pwd|sig|auth|cred|code)[^=&;\s'"]*=)[^&;\s'"#]+""",
    re.IGNORECASE,
)
_LIKE_A_SECRET = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+=_-][A-Za-z0-9+/=_-]{19,}")


def masked(text: str) -> str:
    """Return `text` with the users, passwords and secret parameters of all addresses in it hidden.

    >>> masked("s3://key:sec/ret@bucket/logs: no answer of https://example.com/x?a=1&access_token=T0")
    's3://***@bucket/logs: no answer of https://example.com/x?a=1&access_token=***'
    """
    if "://" not in text:
        return text
    return _PARAMETER.sub(rf"\1{HIDDEN}", _USER.sub(f"{HIDDEN}@", text))


def masked_webhook(url: str) -> str:
    """Return what may be shown of a webhook's URL, even of an invalid one: its scheme and host.

    >>> masked_webhook("https://hooks.example.com/T0/secret"), masked_webhook("http://me:pw@example.com")
    ('https://hooks.example.com/***', 'http://***@example.com')
    """
    # Loaded only where one is set.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return HIDDEN
    rest = url.partition(parts.netloc)[2] if parts.netloc else ""
    if not parts.scheme or not host or "@" in rest:
        return HIDDEN
    user = f"{HIDDEN}@" if "@" in parts.netloc else ""
    place = "" if port is None else f":{port}"
    return f"{parts.scheme}://{user}{host}{place}{'' if rest in ('', '/') else f'/{HIDDEN}'}"


def shown_value(key: str, value: object) -> object:
    """Return the value of a setting with its secrets hidden."""
    if key == WEBHOOK_KEY and value:
        return masked_webhook(value) if isinstance(value, str) else HIDDEN
    if key == SERVICES_KEY and (not isinstance(value, str) or ":" in value):
        # An address in place of its file.
        return HIDDEN
    if isinstance(value, str):
        return shown_path(value) if key in _FILE_KEYS else masked(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


def shown_path(path: str | Path) -> str:
    """Return the path of a file that holds a secret; hidden if it looks like the secret itself."""
    text = str(path)
    if _LIKE_A_SECRET.fullmatch(text) and not Path(text).exists():
        return f"{HIDDEN} ({len(text)} characters that look like the secret itself, not like its file)"
    return text
