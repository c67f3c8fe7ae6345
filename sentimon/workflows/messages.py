"""Messages about a log to chat and mail: once per trigger, incident and silence, and once when these end.

A check that is saved compares what it found with what was told, in `.sentimon/told.json`. What is new becomes
a message that waits in the same file until each service has it: so nothing is told twice, and what could not
be sent is sent by the next check. Whatever happens here changes no decision.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from sentimon.errors import SentimonError, StoreError
from sentimon.files import MOST_SETTINGS, read_if_there
from sentimon.jsonl import decode_file
from sentimon.reporting.message_text import (
    Message,
    MessageFrame,
    drift_message,
    drift_over_message,
    traffic_message,
    trial_message,
    trigger_message,
)
from sentimon.timestamps import format_moment, parse_moment
from sentimon.workflows.traffic_notes import NOTHING, Said, baseline_name, change_of, traffic_news

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.reporting.command_steps import CommandOptions
    from sentimon.workflows.message_services import Outcome, Service
    from sentimon.workflows.retraining import RetrainingDecision
    from sentimon.workflows.workspace import Workspace

TOLD_FILE = "told.json"
_LOCK_FILE = "messages.lock"
_MOST_BASELINES = 8
_MOST_WAITING = 20
_WAITS = timedelta(days=1)
"""How long a message that could not be sent is tried again."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was told about the log with one baseline, as far as it still holds."""

    traffic: Said = NOTHING
    incident: str = ""
    """When the incident began that was told, RFC 3339; empty: none is open."""


class WaitingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that not every service has yet."""

    made: str
    title: str
    body: str
    done: tuple[str, ...] = ()
    """The services that have it, by `Service.digest`."""
    tries: int = 0


class ToldFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was told, by baseline, and the messages that wait."""

    told: dict[str, Told] = msgspec.field(default_factory=dict)
    waiting: tuple[WaitingMessage, ...] = ()


_decode = msgspec.json.Decoder(ToldFile).decode


def tell_services(
    workspace: Workspace, path: Path, decision: RetrainingDecision, *, options: CommandOptions, host: str
) -> None:
    """Tell the services of notify.urls_file what is news of a saved decision, and say how that went.

    `path` is that of the baseline, `options` and `host` say in the messages where the log is.
    """
    if not workspace.settings.notify.urls_file:
        return
    frame = message_frame(workspace, options, host)
    try:
        with _held(workspace.folder):
            file = read_told(workspace.folder)
            name = baseline_name(workspace, path)
            before = file.told.get(name, Told())
            news, now = find_news(frame, decision, before, workspace.names)
            if len(file.waiting) + len(news) > _MOST_WAITING:
                workspace.say(f"notify: more than {_MOST_WAITING} messages wait: the oldest are given up")
            if news or now != before:
                _save(workspace.folder, _with_news(file, name, now, news, made=workspace.now))
        if news or file.waiting:
            _send_waiting(workspace)
    except StoreError as error:
        mend = f" ({error.hint})" if error.hint else ""
        workspace.say(f"notify: no message was sent: {error.message}{mend}; the decision stands")


def message_frame(workspace: Workspace, options: CommandOptions, host: str) -> MessageFrame:
    """Return what every message about the log of `workspace` says besides its news."""
    return MessageFrame(
        log=options.logs,
        host=host,
        made=workspace.now,
        options=options,
        confidence_level=workspace.settings.drift.confidence_level,
        report_url=workspace.settings.notify.report_url,
    )


def find_news(
    frame: MessageFrame, decision: RetrainingDecision, before: Told, names: Sequence[str]
) -> tuple[list[Message], Told]:
    """Return the messages about what a decision found that was not told `before`, and what is told then."""
    news = []
    if decision.trigger.triggered:
        news.append(trigger_message(frame, decision.trigger, names))
    incident = before.incident
    report = None if decision.look is None else decision.look.report
    if report is not None and report.drifting and report.incident is not None:
        # A trigger that fires on an incident tells of it.
        if report.incident.since != incident and not (news and decision.trigger.drift.met):
            news.append(drift_message(frame, report, names))
        incident = report.incident.since
    elif report is not None and incident and (report.closed or report.enough):
        news.append(drift_over_message(frame, incident))
        incident = ""
    traffic = before.traffic
    if decision.traffic is not None:
        traffic = change_of(decision.traffic, before.traffic)
        for title, sentence in traffic_news(decision.traffic, before.traffic, traffic):
            news.append(traffic_message(frame, title, sentence))
    return news, Told(traffic=traffic, incident=incident)


def count_waiting(folder: Path) -> int:
    """Return how many messages about the log in `folder` not every service has yet.

    Raises:
        StoreError: the file of messages cannot be read.
    """
    return len(read_told(folder).waiting)


def try_services(workspace: Workspace, options: CommandOptions, host: str) -> list[tuple[Service, Outcome]]:
    """Send a test message to each service of notify.urls_file, and return how each ended.

    Raises:
        StoreError: the file of addresses cannot be read.
        MissingPackageError: apprise is not installed.
    """
    from sentimon.workflows.message_services import send_message

    message = trial_message(message_frame(workspace, options, host))
    limit, services = _limit_seconds(workspace), _services(workspace)
    _say_exposure(workspace)
    return [(one, send_message(one, message, limit_seconds=limit)) for one in services]


def read_told(folder: Path) -> ToldFile:
    """Return what was told about the log in `folder`, and what waits.

    Raises:
        StoreError: the file cannot be read back: then nobody knows what was told.
    """
    place = _told_file(folder)
    content = read_if_there(place, most=MOST_SETTINGS)
    if content is None:
        return ToldFile()
    hint = "remove it: what holds now is then told again"
    return decode_file(content, _checked, origin=str(place), what="memory of messages", hint=hint)


def _checked(content: bytes) -> ToldFile:
    file = _decode(content)
    for one in file.waiting:
        parse_moment(one.made, UTC)
    return file


def _told_file(folder: Path) -> Path:
    from sentimon.prediction_log.locks import STATE_FOLDER

    return folder / STATE_FOLDER / TOLD_FILE


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Be the only program that changes what was told.

    Raises:
        StoreError: nothing can be remembered in that folder, so that it would be told again and again.
    """
    from sentimon.workflows.monitor_file import deciding

    with deciding(folder) as held:
        if not held:
            raise StoreError(f"{_told_file(folder)}: cannot be written: its folder is read-only")
        yield


def _save(folder: Path, file: ToldFile) -> None:
    from sentimon.prediction_log.durable_files import replace_file

    replace_file(_told_file(folder), msgspec.json.encode(file))


def _with_news(file: ToldFile, name: str, now: Told, news: Sequence[Message], *, made: datetime) -> ToldFile:
    others = {key: one for key, one in file.told.items() if key != name and one != Told()}
    more = [WaitingMessage(made=format_moment(made), title=one.title, body=one.body) for one in news]
    return ToldFile(
        told=dict([*others.items(), (name, now)][-_MOST_BASELINES:]),
        waiting=(*file.waiting, *more)[-_MOST_WAITING:],
    )


def _send_waiting(workspace: Workspace) -> None:
    """Send what waits, the oldest first; while another program does so, it is left to that one."""
    from sentimon.prediction_log.durable_files import errors_named
    from sentimon.prediction_log.locks import STATE_FOLDER, only_one

    folder = workspace.folder
    with errors_named(folder), only_one(folder / STATE_FOLDER / _LOCK_FILE) as alone:
        waiting = read_told(folder).waiting if alone else ()
        if not waiting:
            return
        try:
            services = _services(workspace)
        except SentimonError as error:
            for message in waiting:
                _end_try(workspace, message, failures=[f"{error.message} ({error.hint})"])
            return
        # A message is tried by each check of a day: what is no news then is said at the first try.
        if any(not one.tries for one in waiting):
            _say_exposure(workspace)
        for message in waiting:
            _send_one(workspace, services, message)


def _send_one(workspace: Workspace, services: Sequence[Service], message: WaitingMessage) -> None:
    """Send a message to each service that does not have it, and remember at once who has it now.

    It is said how that went, at the first try and when it has an end: a check that runs every few minutes
    must not say the same for a day.
    """
    failures = []
    for service in services:
        if service.digest in message.done:
            continue
        outcome = _tried(workspace, service, message)
        if outcome.delivered:
            workspace.say(f"notify {service.name}: {message.title!r} delivered")
        elif outcome.again:
            failures.append(f"{service.name}: {outcome.says}")
        else:
            workspace.say(f"notify {service.name}: NOT delivered, {outcome.says}")
        if outcome.delivered or not outcome.again:
            message = _remember(workspace, message, replace(message, done=(*message.done, service.digest)))
    _end_try(workspace, message, failures=failures)


def _tried(workspace: Workspace, service: Service, message: WaitingMessage) -> Outcome:
    from sentimon.workflows.message_services import send_message

    text = Message(title=message.title, body=message.body)
    return send_message(service, text, limit_seconds=_limit_seconds(workspace))


def _end_try(workspace: Workspace, message: WaitingMessage, *, failures: Sequence[str]) -> None:
    """Keep a message that could not be sent for the next check, or give it up once it is too old."""
    if not failures:
        _remember(workspace, message, None)
        return
    too_old = workspace.now - parse_moment(message.made, UTC)[0] >= _WAITS
    if message.tries == 0 or too_old:
        end = "given up" if too_old else "the next check tries again"
        for one in failures:
            workspace.say(f"notify: {message.title!r} NOT delivered, {one}; {end}; the decision stands")
    _remember(workspace, message, None if too_old else replace(message, tries=message.tries + 1))


def _remember(workspace: Workspace, before: WaitingMessage, now: WaitingMessage | None) -> WaitingMessage:
    """Put `now` in the place of a message that waits; None takes it out."""
    with _held(workspace.folder):
        file = read_told(workspace.folder)
        waiting = [now if one == before else one for one in file.waiting]
        _save(workspace.folder, replace(file, waiting=tuple(one for one in waiting if one is not None)))
    return now or before


def _services(workspace: Workspace) -> list[Service]:
    """Return the services of notify.urls_file.

    Raises:
        StoreError: it cannot be read.
        MissingPackageError: apprise is not installed.
    """
    from sentimon.config.paths import expanded
    from sentimon.extras import require
    from sentimon.workflows.message_services import APPRISE, NEED, read_services

    services = read_services(expanded(workspace.settings.notify.urls_file))
    require(NEED, APPRISE)
    return services


def _say_exposure(workspace: Workspace) -> None:
    """Say so where others can read the addresses of the services."""
    from sentimon.config.paths import expanded
    from sentimon.workflows.message_services import exposure

    exposed = exposure(expanded(workspace.settings.notify.urls_file))
    if exposed:
        workspace.say(f"notify: {'; '.join(exposed)}")


def _limit_seconds(workspace: Workspace) -> float:
    from sentimon.config.durations import parse_duration

    return parse_duration(workspace.settings.notify.webhook_timeout).total_seconds()
