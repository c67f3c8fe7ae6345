import pytest

from sentimon.config import load_settings
from sentimon.config.webhook import is_webhook, parse_webhook
from sentimon.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "site", "target"),
    [
        ("https://hooks.example.com/T0/secret?x=1", "https://hooks.example.com", "/T0/secret?x=1"),
        ("https://example.com:8443", "https://example.com:8443", "/"),
        ("http://localhost:8080/a", "http://localhost:8080", "/a"),
        ("http://127.0.0.9/", "http://127.0.0.9", "/"),
        ("http://[::1]:9/x", "http://[::1]:9", "/x"),
        ("https://example.com/a#part", "https://example.com", "/a"),
    ],
)
def test_https_goes_anywhere_and_http_to_this_machine(url: str, site: str, target: str) -> None:
    address = parse_webhook(url)
    assert (address.site, address.target) == (site, target)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://localhost@example.com/",
        "http://127.0.0.1:80@example.com/",
        "http://0.0.0.0/",
        "http://192.168.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "https://user:secret@example.com/",
        "https:///x",
        "https://",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "example.com/x",
        "//example.com/x",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://[::1/",
        "https://example.com/a b",
        "https://example.com/a\r\nX: y",
        "https://exämple.com/",
        "http://127.0.0.1\\@example.com/",
        "\0",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    assert not is_webhook(url)
    with pytest.raises(ConfigError, match=r"notify\.webhook"):
        load_settings(flags={"notify.webhook": url}, environment={})


@pytest.mark.parametrize("key", ["command_timeout", "webhook_timeout"])
@pytest.mark.parametrize("value", ["0s", "-1s", "soon", ""])
def test_a_time_limit_is_a_time(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match="is not allowed"):
        load_settings(flags={f"notify.{key}": value}, environment={})


def test_no_file_names_a_command_to_run() -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        load_settings(flags={}, environment={"SENTIMON_NOTIFY__ON_TRIGGER": "rm"})
