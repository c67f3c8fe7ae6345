"""What is news of a check: incidents and traffic, against what was told before."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from sentimon.monitoring.traffic import TrafficVerdict
from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.message_text import Message, MessageFrame
from sentimon.workflows import messages
from sentimon.workflows.message_services import Service
from sentimon.workflows.messages import Told, find_news
from sentimon.workflows.traffic_notes import Said
from tests.support.monitor_looks import Looks
from tests.support.traffic import HOUR, traffic_report

NAMES = ("negative", "neutral", "positive")
FRAME = MessageFrame(
    log="/logs",
    host="host",
    made=datetime(2026, 11, 30, 12, tzinfo=UTC),
    options=CommandOptions(logs="/logs"),
)


def decision(report: Any = None, *, traffic: Any = None, triggered: bool = False) -> Any:
    trigger = SimpleNamespace(triggered=triggered, drift=SimpleNamespace(met=True))
    look = None if report is None else SimpleNamespace(report=report)
    return SimpleNamespace(trigger=trigger, look=look, traffic=traffic)


def titles(news: list[Message]) -> list[str]:
    return [one.title.removeprefix("sentimon: ") for one in news]


def test_an_incident_is_told_once_and_its_end_once() -> None:
    looks, told, said = Looks(), Told(), []
    shifted, usual = (700, 300, 100), (200, 300, 500)
    for counts in (usual, shifted, shifted, (), *[usual] * 6):
        news, told = find_news(FRAME, decision(looks.look(*counts)), told, NAMES)
        said += titles(news)
    assert said == ["the predictions drift", "the drift is over"]
    assert told == Told()


def test_an_incident_says_what_moved_and_when_it_was_found() -> None:
    looks = Looks()
    looks.look(200, 300, 500)
    (message,), _ = find_news(FRAME, decision(looks.look(700, 300, 100)), Told(), NAMES)
    assert message.body.startswith("Drift: the share of negative rose from 0.200 to 0.636")


def test_a_trigger_that_fires_on_an_incident_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "trigger_message", lambda *_: Message(title="trigger", body=""))
    looks = Looks()
    report = looks.look(700, 300, 100)
    news, told = find_news(FRAME, decision(report, triggered=True), Told(), NAMES)
    assert titles(news) == ["trigger"]
    assert find_news(FRAME, decision(looks.look(700, 300, 100)), told, NAMES) == ([], told)


def test_where_the_monitor_does_not_judge_an_incident_stays_as_it_was() -> None:
    told = Told(incident="2026-11-30T12:00:00.000000Z")
    assert find_news(FRAME, decision(), told, NAMES) == ([], told)


def test_traffic_is_told_when_it_begins_and_ends() -> None:
    silent, fewer, usual = traffic_report(age=1000 * HOUR), traffic_report(0.3), traffic_report()
    told, said = Told(), []
    for report in (usual, silent, silent, usual, fewer, fewer, usual):
        news, told = find_news(FRAME, decision(traffic=report), told, NAMES)
        said += titles(news)
    assert said == [
        "no rows come any more",
        "the log is no longer silent",
        "fewer rows come than usual",
        "as many rows as usual come again",
    ]


def test_what_turns_is_told_and_the_numbers_have_their_interval() -> None:
    before = Told(traffic=Said(change=TrafficVerdict.MORE))
    (message,), _ = find_news(FRAME, decision(traffic=traffic_report(0.3)), before, NAMES)
    assert "times as many (" in message.body.replace("\u2060", "")


def test_a_service_is_remembered_by_too_little_to_find_its_password() -> None:
    one = Service(url="mailto://me:S3CRET@example.com", name="mailto (urls:1)")
    assert len(one.digest) == 8
    assert one.digest != Service(url="mailto://me:S3CRET2@example.com", name="").digest
