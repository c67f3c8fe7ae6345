import hashlib
import hmac
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentimon.config.notify_settings import NotifySettings
from tests.conftest import Ran, clean_environment
from tests.support.http_server import Hook
from tests.support.rows import rows

NOON = 240
SECRET = b"0123456789abcdef"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def moved(run: Callable[..., Ran]) -> None:
    run("log", "--input", "-", "-q", stdin=rows(70, 20, 10))
    run("baseline", "create")
    run("log", "--input", "-", "-q", stdin=rows(10, 20, 70, minute=NOON))


@pytest.fixture
def check(run, begin_with) -> Callable[..., Ran]:  # type: ignore[no-untyped-def]
    """Run `retrain-check --save` where it fires."""
    begin_with(moved)

    def check(*options: object, **environment: str) -> Ran:
        return run("retrain-check", "--save", "-q", *options, **environment)  # type: ignore[no-any-return]

    return check


def saved(folder: Path) -> list[dict[str, object]]:
    text = (folder / "logs/retraining_triggers.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def test_a_command_gets_the_trigger_on_stdin_and_in_its_environment(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    command = (
        'cat > "got it.json"; env | grep SENTIMON_TRIGGER_ > variables; echo to stdout; echo to stderr >&2'
    )
    done = check("--json", "--on-trigger", command)
    assert done.code == 3
    told = json.loads((tmp_path / "got it.json").read_text(encoding="utf-8"))
    assert told == saved(tmp_path)[0] == done.json
    variables = dict(
        line.split("=", 1)
        for line in (tmp_path / "variables").read_text(encoding="utf-8").split("\n")
        if line
    )
    assert variables["SENTIMON_TRIGGER_TRIGGERED"] == "true"
    assert variables["SENTIMON_TRIGGER_DRIFT_SCORE"] == "0.6"
    assert variables["SENTIMON_TRIGGER_NEW_PREDICTIONS"] == "100"
    assert variables["SENTIMON_TRIGGER_RECOMMENDED_ACTION"] == "retrain"
    assert variables["SENTIMON_TRIGGER_COOLDOWN_UNTIL"] == ""
    assert variables["SENTIMON_TRIGGER_REASON"] == done.json["reason"]
    assert "to stdout\nto stderr\n" in done.err
    assert "--on-trigger: exit code 0\n" in done.err


def test_it_runs_once_for_a_trigger_and_never_without_one(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert check("--on-trigger", "echo ran >> runs").code == 3
    assert check("--on-trigger", "echo ran >> runs").code == 4
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "ran\n"


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("exit 7", "exit code 7; the decision stands"),
        ("exit 3", "exit code 3; the decision stands"),
        ("no-such-program", "exit code 127; the decision stands"),
        ("kill -9 $$", "ended by signal 9; the decision stands"),
        ("cat; false", "exit code 1; the decision stands"),
        ("exec 0<&-; sleep 0.3; exit 0", "exit code 0"),
    ],
)
def test_a_command_that_fails_changes_no_exit_code_and_is_said(
    check, tmp_path: Path, command, outcome
) -> None:  # type: ignore[no-untyped-def]
    done = check("--on-trigger", command)
    assert done.code == 3
    assert f"--on-trigger: {outcome}\n" in done.err
    assert saved(tmp_path)[0]["triggered"] is True


def test_a_command_that_hangs_is_ended_with_all_it_started(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    begun = time.monotonic()
    command = "sh -c 'echo $$ > child; exec sleep 300' & trap '' TERM; sleep 300; wait"
    done = check("--on-trigger", command, SENTIMON_NOTIFY__COMMAND_TIMEOUT="1s")
    assert done.code == 3
    assert "ended after 1 s (notify.command_timeout); the decision stands" in done.err
    assert time.monotonic() - begun < 30
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text(encoding="utf-8").split()[2] == "Z"
    assert len(saved(tmp_path)) == 1


def test_what_a_command_leaves_in_the_background_goes_on(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert check("--on-trigger", "(sleep 1; echo done > later) >/dev/null 2>&1 &").code == 3
    for _ in range(100):
        if (tmp_path / "later").exists():
            break
        time.sleep(0.1)
    assert (tmp_path / "later").exists()


def test_the_command_may_be_this_program_and_gets_none_of_what_it_set_for_itself(
    check, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    command = f"{sys.executable} -m sentimon metrics --json; env > variables"
    done = check("--on-trigger", command)
    assert "exit code 0" in done.err
    assert '"total_predictions":200' in done.err
    assert "OPENBLAS_NUM_THREADS" not in (tmp_path / "variables").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_command_too_and_the_decision_is_kept(
    check, tmp_path: Path, number: signal.Signals, code: int
) -> None:  # type: ignore[no-untyped-def]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sentimon",
            "retrain-check",
            "--save",
            "--on-trigger",
            "echo $$ > child; sleep 300",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=clean_environment(tmp_path),
    )
    for _ in range(200):
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text(encoding="utf-8"):
            break
        time.sleep(0.1)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text(encoding="utf-8")), 0)
    assert len(saved(tmp_path)) == 1


def test_an_empty_command_and_an_empty_webhook_are_none(check) -> None:  # type: ignore[no-untyped-def]
    done = check("--on-trigger", " ", "--webhook", "")
    assert done.code == 3
    assert "on-trigger" not in done.err
    assert "webhook" not in done.err


def test_a_webhook_gets_the_trigger_signed(check, hook: Hook, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    done = check("--json", "--webhook", hook.url, SENTIMON_NOTIFY__WEBHOOK_SECRET_FILE="secret")
    assert done.code == 3
    assert f"webhook {hook.url.split('/T0')[0]}: delivered, status 200\n" in done.err
    # The path of a webhook is often its secret.
    assert "path-secret" not in done.err
    ((path, headers, body),) = hook.seen
    assert path == "/T0/path-secret"
    assert json.loads(body) == saved(tmp_path)[0] == done.json
    assert headers["Content-Type"] == "application/json"
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    assert headers["X-Sentimon-Signature"] == f"sha256={expected}"
    assert headers["Idempotency-Key"] == hashlib.sha256(body).hexdigest()


def test_without_a_secret_nothing_is_signed_and_the_webhook_may_stand_in_the_configuration(
    check, hook: Hook, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "sentimon.toml").write_text(f'[notify]\nwebhook = "{hook.url}"\n', encoding="utf-8")
    assert check().code == 3
    assert "X-Sentimon-Signature" not in hook.seen[0][1]
    assert check().code == 4
    assert len(hook.seen) == 1


@pytest.mark.parametrize("content", [None, b"short\n"])
def test_what_cannot_be_signed_is_not_sent(check, hook: Hook, tmp_path: Path, content: bytes | None) -> None:  # type: ignore[no-untyped-def]
    if content:
        (tmp_path / "secret").write_bytes(content)
    done = check("--webhook", hook.url, SENTIMON_NOTIFY__WEBHOOK_SECRET_FILE="secret")
    assert done.code == 3
    assert "NOT delivered, secret: " in done.err
    assert not hook.seen
    assert len(saved(tmp_path)) == 1


def test_500_then_200_is_delivered_on_the_second_try(check, hook: Hook) -> None:  # type: ignore[no-untyped-def]
    hook.statuses = [500, 200]
    done = check("--webhook", hook.url)
    assert (done.code, len(hook.seen)) == (3, 2)
    assert "delivered, status 200" in done.err
    first, second = hook.seen
    assert first[2] == second[2]
    assert first[1]["Idempotency-Key"] == second[1]["Idempotency-Key"]


def send(settings: NotifySettings) -> tuple[str, list[float]]:
    from sentimon.workflows.webhook import send

    pauses: list[float] = []
    return send(settings, b"{}", pause=pauses.append), pauses


def test_the_pauses_between_tries_double(hook: Hook) -> None:
    hook.statuses = [503, 429, 500, 599]
    said, pauses = send(NotifySettings(webhook=hook.url, webhook_tries=4))
    assert pauses == [1.0, 2.0, 4.0]
    assert said.endswith("NOT delivered, status 599, 4 tries; the decision stands")


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_refusal_is_not_tried_again(hook: Hook, status: int) -> None:
    hook.statuses = [status]
    said, pauses = send(NotifySettings(webhook=hook.url))
    assert said.endswith(f"NOT delivered, status {status}, 1 try; the decision stands")
    assert not pauses


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(hook: Hook, status: int) -> None:
    other = Hook()
    hook.statuses, hook.location = [status], other.url
    said, _ = send(NotifySettings(webhook=hook.url))
    assert f"status {status}: redirects are not followed, 1 try" in said
    assert not other.seen
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.parametrize("drips", [False, True])
def test_a_server_that_hangs_or_drips_costs_no_more_than_its_time(
    check, hook: Hook, tmp_path: Path, drips: bool
) -> None:  # type: ignore[no-untyped-def]
    hook.drip_seconds = 60 if drips else 0
    if not drips:
        # Connections are accepted by the system, and nobody ever answers.
        hook.server.shutdown()
    begun = time.monotonic()
    done = check(
        "--webhook", hook.url, SENTIMON_NOTIFY__WEBHOOK_TIMEOUT="1s", SENTIMON_NOTIFY__WEBHOOK_TRIES="2"
    )
    assert done.code == 3
    assert "NOT delivered, no answer" in done.err
    assert "2 tries; the decision stands" in done.err
    assert time.monotonic() - begun < 20
    assert len(saved(tmp_path)) == 1


def test_the_decision_is_saved_before_anybody_is_told(check, hook: Hook, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = check("--on-trigger", "wc -l < logs/retraining_triggers.jsonl", "--webhook", "http://127.0.0.1:9/")
    assert done.code == 3
    assert "NOT delivered, no answer: Connection refused, 3 tries" in done.err
    assert "1\n" in done.err


def test_garbage_for_an_answer_is_no_delivery() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            taken, _ = server.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(b"\x1b[31mNONSENSE\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        said, _ = send(NotifySettings(webhook=url, webhook_tries=1))
    assert "NOT delivered, no answer" in said


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://x/", "https://u:p@example.com/"])
def test_a_webhook_that_is_not_allowed_is_refused_before_anything_is_decided(
    check, tmp_path: Path, url: str
) -> None:  # type: ignore[no-untyped-def]
    done = check("--webhook", url)
    assert (done.code, done.out) == (2, "")
    assert "notify.webhook is a URL that begins with https://" in done.err
    assert not (tmp_path / "logs/retraining_triggers.jsonl").exists()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OPENSSL IS MISSING: https was not tried")
def test_https_asks_for_a_certificate_that_the_system_trusts(hook: Hook, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    hook.server.socket = context.wrap_socket(hook.server.socket, server_side=True)
    settings = NotifySettings(
        webhook=hook.url.replace("http://127.0.0.1", "https://localhost"), webhook_tries=1
    )
    refused, _ = send(settings)
    assert "NOT delivered, no answer" in refused
    assert not hook.seen
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    said, _ = send(settings)
    assert said.endswith("delivered, status 200")


def test_a_monitor_remembers_that_it_told_before_anybody_is_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", "-q", stdin="".join(rows(7, 2, 1, minute=10 * one) for one in range(200)))
    run("baseline", "create")
    run(
        "log", "--input", "-", "-q", stdin="".join(rows(1, 2, 7, minute=3000 + 10 * one) for one in range(20))
    )
    # The command is this program: it can look only when the first look is over and remembered.
    command = f"{sys.executable} -m sentimon retrain-check --json"
    done = run("retrain-check", "--save", "-q", "--on-trigger", command, SENTIMON_RETRAINING__COOLDOWN="0s")
    assert done.code == 3
    assert '"triggered":false' in done.err
    assert "exit code" in done.err
