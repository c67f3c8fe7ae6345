from pathlib import Path

import pytest

from sentimon.config import load_settings
from sentimon.config.secrets import masked, masked_webhook, shown_path, shown_value
from sentimon.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:S3CRET@example.com/x", "https://***@example.com/x"),
        ("s3://KEY:S3C/RET@bucket/logs: no", "s3://***@bucket/logs: no"),
        ("sftp://S3CRET@host/logs", "sftp://***@host/logs"),
        ("proxy http://a:S3CRET@p:8080 and http://b:S3CRET@q", "proxy http://***@p:8080 and http://***@q"),
        ("https://h/x?a=1&api_key=S3CRET&b=2", "https://h/x?a=1&api_key=***&b=2"),
        ("https://h/x?X-Amz-Signature=S3CRET#y", "https://h/x?X-Amz-Signature=***#y"),
        ("https://medium.com/@somebody and a@b.org", "https://medium.com/@somebody and a@b.org"),
        ("s3://bucket/logs", "s3://bucket/logs"),
    ],
)
def test_an_address_is_shown_without_its_secrets(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "url",
    [
        "https://user:S3CRET@hooks.example.com/S3CRET",
        "https://user:S3C?RET@hooks.example.com/S3CRET",
        "http://hooks.example.com/S3CRET?token=S3CRET",
        "hooks.example.com/S3CRET",
        "htps:/hooks.example.com/S3CRET",
        "https://hooks.example.com:S3CRET/",
        "https://[S3CRET/",
        "https://S3CRET@hooks.example.com/",
        " https://hooks.example.com/S3CRET",
        "S3CRET",
    ],
)
def test_a_refused_webhook_says_nothing_of_its_secret(url: str, tmp_path: Path) -> None:
    assert "S3C" not in masked_webhook(url)
    path = tmp_path / "x.toml"
    path.write_text(f"[notify]\nwebhook = '{url}'\n", encoding="utf-8")
    sources = (
        {"flags": {"notify.webhook": url}},
        {"environment": {"SENTIMON_NOTIFY__WEBHOOK": url}},
        {"config": path},
    )
    for given in sources:
        with pytest.raises(ConfigError, match=r"notify\.webhook") as caught:
            load_settings(**({"environment": {}} | given))  # type: ignore[arg-type]
        assert "S3C" not in f"{caught.value.message} {caught.value.hint}"


def test_a_list_of_secrets_is_not_shown_either() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(flags={"notify.webhook": ["https://h/S3CRET"]}, environment={})
    assert "S3CRET" not in caught.value.message


def test_a_secret_given_in_place_of_its_file_is_hidden(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    assert secret not in shown_path(secret)
    assert shown_path("/etc/sentimon/hook2.key") == "/etc/sentimon/hook2.key"
    assert secret not in str(shown_value("notify.webhook_secret_file", secret))
    # A host named user, and a port; or half of a password.
    assert masked_webhook("https://user:12/S3CRET@hooks.example.com/") == "***"
    assert shown_value("drift.threshold", 0.15) == 0.15
    assert shown_value("notify.webhook", "") == ""
