"""Messages to chat and mail, through the real program and servers on this machine."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import MAX_AGE, Ran
from tests.support.http_server import Hook
from tests.support.rows import rows
from tests.support.smtp_server import mail_server

pytestmark = pytest.mark.skipif(find_spec("apprise") is None, reason="apprise IS MISSING")
NOON = 240
OLD = {MAX_AGE: "1h"}


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


def moved(run: Callable[..., Ran]) -> None:
    run("log", "--input", "-", "-q", stdin=rows(70, 20, 10))
    run("baseline", "create")
    run("log", "--input", "-", "-q", stdin=rows(10, 20, 70, minute=NOON))


@pytest.fixture
def check(run, begin_with, tmp_path: Path) -> Callable[..., Ran]:  # type: ignore[no-untyped-def]
    """Run `retrain-check --save` where it fires, with services told."""
    begin_with(moved)

    def check(*options: object, **environment: str) -> Ran:
        told = {"SENTIMON_NOTIFY__URLS_FILE": "urls"} | environment
        return run("retrain-check", "--save", "-q", *options, **told)  # type: ignore[no-any-return]

    return check


def address(hook: Hook, rest: str = "/T0/path-secret") -> str:
    return f"json://me:S3CRET@127.0.0.1:{hook.server.server_address[1]}{rest}"


def name_services(folder: Path, *urls: str, mode: int = 0o600) -> None:
    path = folder / "urls"
    path.write_text("".join(f"{url}\n" for url in ("# who is told", "", *urls)), encoding="utf-8")
    path.chmod(mode)


def told_by(hook: Hook) -> list[dict[str, str]]:
    return [json.loads(body) for _, _, body in hook.seen]


def test_a_trigger_is_told_once_with_its_numbers_and_the_next_command(
    check, hook: Hook, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, address(hook))
    done = check(SENTIMON_NOTIFY__REPORT_URL="https://reports.example.com/shop")
    assert (done.code, check().code) == (3, 4)
    (message,) = told_by(hook)
    assert message["title"] == "sentimon: retraining is recommended"
    body = message["message"]
    assert body.startswith("Retraining is recommended: the drift score is 0.600, above its limit 0.15.")
    assert "- new predictions: 100, at least 50 are needed\n- drift score: 0.600 [" in body
    assert f"Next: sentimon report --logs {tmp_path / 'logs'}\n" in body
    assert body.endswith("Report: https://reports.example.com/shop")
    assert "notify json (urls:3): 'sentimon: retraining is recommended' delivered\n" in done.err
    # Neither the password nor the path, which is often the secret.
    assert "S3CRET" not in done.err
    assert "path-secret" not in done.err
    assert (tmp_path / "logs/.sentimon/told.json").stat().st_mode & 0o777 == 0o600
    assert "S3CRET" not in (tmp_path / "logs/.sentimon/told.json").read_text(encoding="utf-8")


def test_without_save_nobody_is_told(run, check, hook: Hook, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, address(hook))
    assert run("retrain-check", "-q", SENTIMON_NOTIFY__URLS_FILE="urls").code == 3
    assert not hook.seen


def test_what_one_service_refused_goes_to_that_one_again_and_not_to_the_others(
    check, hook: Hook, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    other = Hook()
    hook.statuses = [500, 500, 200]
    name_services(tmp_path, address(hook), address(other))
    done = check()
    assert done.code == 3
    assert "NOT delivered, json (urls:3): status 500; the next check tries again; the decision" in done.err
    second = check()
    # Said once, not at each check of a day.
    assert (second.code, second.err) == (4, "")
    third = check()
    assert "notify json (urls:3): 'sentimon: retraining is recommended' delivered" in third.err
    assert check().err == ""
    assert (len(hook.seen), len(other.seen)) == (3, 1)
    other.close()


def test_silence_and_its_end_are_told_once_each(check, hook: Hook, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, address(hook))
    check()
    assert check("--exit-zero", **OLD).code == 0
    check(**OLD)
    check()
    check()
    titles = [one["title"].removeprefix("sentimon: ") for one in told_by(hook)]
    assert titles == [
        "retraining is recommended",
        "no rows come any more",
        "the log is no longer silent",
    ]
    assert "No row has come for" in told_by(hook)[1]["message"]


def test_a_failing_service_changes_no_exit_code(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, "json://me:S3CRET@127.0.0.1:9/")
    done = check()
    assert done.code == 3
    assert "NOT delivered, json (urls:3): refused, or no connection" in done.err
    assert "S3CRET" not in done.err


def test_a_service_that_hangs_costs_its_time_and_is_not_asked_again(
    check, hook: Hook, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    hook.server.shutdown()
    name_services(tmp_path, address(hook))
    done = check(SENTIMON_NOTIFY__WEBHOOK_TIMEOUT="1s")
    assert done.code == 3
    assert "no answer within 1 s; it may have come through, and is not sent again" in done.err
    assert check().err == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "urls: the addresses of services cannot be read: No such file"),
        ("# nobody\n", "urls: names no service"),
        ("T0KEN-S3CRET\n", "urls:1: is no URL of apprise"),
    ],
)
def test_a_file_without_addresses_is_said_and_the_message_waits(
    check, hook: Hook, tmp_path: Path, content: str | None, said: str
) -> None:  # type: ignore[no-untyped-def]
    if content is not None:
        (tmp_path / "urls").write_text(content, encoding="utf-8")
    done = check()
    assert done.code == 3
    assert said in done.err
    assert "S3CRET" not in done.err
    name_services(tmp_path, address(hook))
    check()
    assert len(hook.seen) == 1


def test_a_url_of_no_service_and_a_file_for_all_to_read_are_said(check, hook: Hook, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, "nosuch://S3CRET", address(hook), mode=0o644)
    done = check()
    assert "nosuch (urls:3): apprise cannot use its URL" in done.err
    assert done.err.count("urls: others may read the addresses; chmod 600 urls") == 1
    assert "S3CRET" not in done.err
    assert len(hook.seen) == 1
    # The message waits for the first service: the next check says nothing more.
    assert check().err == ""


def test_a_url_that_stands_twice_is_one_service(run, hook: Hook, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, address(hook), address(hook))
    assert run("doctor", "--notify-test", SENTIMON_NOTIFY__URLS_FILE="urls").code == 0
    assert len(told_by(hook)) == 1


def test_what_stands_in_a_message_can_be_pasted(check, hook: Hook, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, address(hook))
    check("--exit-zero", **OLD)
    silence = next(one["message"] for one in told_by(hook) if "No row has come" in one["message"])
    assert "monitor.max_age" in silence


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "nonsense", "ftp://x", "https://", "reports/a.html"]
)
def test_a_report_is_named_by_a_web_address_or_a_whole_path(run, value: str) -> None:  # type: ignore[no-untyped-def]
    done = run("config", SENTIMON_NOTIFY__REPORT_URL=value)
    assert done.code == 2
    assert "an http(s):// URL or an absolute path" in done.err


def test_mail_and_a_chat_get_plain_text(check, hook: Hook, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with mail_server() as mails:
        port = hook.server.server_address[1]
        name_services(
            tmp_path,
            f"mailto://127.0.0.1:{mails.port}/?from=a@example.com&to=b@example.com&mode=insecure",
            f"mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4",
        )
        done = check()
    assert done.err.count("delivered\n") == 2, done.err
    (mail,) = mails.mails
    whole = email.message_from_string(mail, policy=email.policy.default)
    assert whole["Subject"] == "sentimon: retraining is recommended"
    assert "drift score" in mail or "drift score" in str(whole.get_body())
    ((path, _, body),) = hook.seen
    assert path.endswith("3ccdd113474722377935511fc85d3dd4")
    assert "retraining is recommended" in json.loads(body)["text"]


@pytest.mark.parametrize("value", ["slack://A/B/S3CRET", "mailto:me:S3CRET@example.com"])
def test_a_url_in_the_settings_is_refused_with_what_to_do(run, value: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "sentimon.toml").write_text(f'[notify]\nurls_file = "{value}"\n', encoding="utf-8")
    done = run("config")
    assert done.code == 2
    assert "S3CRET" not in done.err
    assert "write it into such a file (chmod 600), and name that file here" in done.err


def test_doctor_looks_at_the_services_and_sends_only_when_asked(run, hook: Hook, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name_services(tmp_path, address(hook), mode=0o644)
    told = {"SENTIMON_NOTIFY__URLS_FILE": "urls"}
    assert run("doctor", "--notify-test").code == 2
    tried = run("doctor", "--notify-test", "--json", **told)
    assert tried.code == 0, tried.err
    (message,) = told_by(hook)
    assert message["title"] == "sentimon: a test message"
    hook.statuses = [403]
    refused = run("doctor", "--notify-test", **told)
    assert refused.code == 1
    assert "status 403" in refused.out
    noted = run("cron", "show", "--logs", "logs", **told)
    assert "others may read the addresses; chmod 600 urls" in noted.err


def test_nothing_that_sends_is_loaded_while_there_is_no_news(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tests.support.loaded_modules import loaded_by

    name_services(tmp_path, "json://127.0.0.1:9/")
    (tmp_path / "sentimon.toml").write_text('[notify]\nurls_file = "urls"\n', encoding="utf-8")
    check(SENTIMON_NOTIFY__URLS_FILE="")
    loaded = loaded_by("retrain-check", "--save", "-q", "--exit-zero", folder=tmp_path)
    assert "sentimon.workflows.messages" in loaded
    assert not {"apprise", "requests", "yaml"} & loaded
