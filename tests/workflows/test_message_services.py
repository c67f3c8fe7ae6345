"""What each kind of service is sent, in this process, with the services' addresses on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from sentimon import extras
from sentimon.errors import MissingPackageError
from sentimon.reporting.message_text import Message, harmless
from sentimon.workflows import message_services
from sentimon.workflows.message_services import (
    Service,
    exposure,
    read_services,
    send_message,
    unknown_services,
)
from tests.support.http_server import Hook

# A library of apprise imports one that a later Python does not have.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
apprise_is_here = pytest.mark.skipif(find_spec("apprise") is None, reason="apprise IS MISSING")
HOSTILE = "<!channel> @everyone &lt;!here&gt; [x](https://evil.example) <@U123|me> *b*"
MESSAGE = Message(title="sentimon: the predictions drift", body=harmless(HOSTILE))


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


@apprise_is_here
def test_slack_gets_no_mention_and_no_link(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", hook.url)
    hook.answer = b"ok"
    service = Service(url="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts", name="slack")
    assert send_message(service, MESSAGE, limit_seconds=30).delivered
    sent = json.dumps(json.loads(hook.seen[0][2]), ensure_ascii=False)
    assert "the predictions drift" in sent
    for sign in ("<!", "<@", "@everyone", "https://evil", "](", "&lt;!here"):
        assert sign not in sent


@apprise_is_here
def test_a_redirect_is_a_refusal(hook: Hook) -> None:
    other = Hook()
    hook.statuses, hook.location = [307], other.url
    service = Service(url=f"json://127.0.0.1:{hook.server.server_address[1]}/", name="json")
    assert not send_message(service, MESSAGE, limit_seconds=30).delivered
    assert not other.seen
    other.close()


def test_a_file_has_one_url_a_line_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text("# one\n\n  SLACK://a/b/c  \n; two\nmailto://x\n", encoding="utf-8")
    assert [(one.name, one.url) for one in read_services(path)] == [
        ("slack (urls:3)", "SLACK://a/b/c"),
        ("mailto (urls:5)", "mailto://x"),
    ]


def test_a_url_counts_once_and_a_mark_of_an_editor_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text("\ufeffjson://a\nmailto://x\njson://a\n", encoding="utf-8")
    assert [(one.name, one.url) for one in read_services(path)] == [
        ("json (urls:1)", "json://a"),
        ("mailto (urls:2)", "mailto://x"),
    ]


def test_a_file_of_ours_is_for_us_alone_and_one_of_a_cluster_may_be_for_our_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my urls"
    path.write_text("json://a\n", encoding="utf-8")
    said = f"{path}: others may read the addresses"
    for mode, trouble in ((0o600, None), (0o440, (said, f"chmod 600 '{path}'"))):
        path.chmod(mode)
        assert exposure(path) == trouble
    with monkeypatch.context() as read_only:
        read_only.setattr(
            message_services.os, "statvfs", lambda _: SimpleNamespace(f_flag=message_services.os.ST_RDONLY)
        )
        assert exposure(path) is None
    owner = path.stat().st_uid
    monkeypatch.setattr(message_services.os, "geteuid", lambda: owner + 1)
    for mode, trouble in ((0o440, None), (0o644, (said, "its owner can keep it to a group (mode 0440)"))):
        path.chmod(mode)
        assert exposure(path) == trouble


@apprise_is_here
def test_what_apprise_cannot_use_is_named_without_its_url() -> None:
    found = unknown_services([Service(url="nosuch://S3CRET", name="nosuch (urls:1)")])
    assert found == ["nosuch (urls:1)"]


def test_without_the_extra_the_line_to_type_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="apprise, which is not installed") as caught:
        send_message(Service(url="json://x", name="json"), MESSAGE, limit_seconds=1)
    assert caught.value.hint == "pip install 'sentimon[notify]'"
