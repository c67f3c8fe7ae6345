"""Short plain-text messages about a log, for chat and mail: a trigger, drift, silence, and that they end.

What people wrote can reach a message through the names of slices, classes and folders. Services turn parts
of a text into mentions, links and formatting, each in its own way, so that all of it is made harmless here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentimon.reporting.plain_text import counted, interval, limit_text, number_against, visible
from sentimon.reporting.verdict_sentences import explain_trigger
from sentimon.timestamps import format_moment

if TYPE_CHECKING:
    from datetime import datetime

    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.retraining_rules import RetrainingTrigger, RuleResult
    from sentimon.reporting.command_steps import CommandOptions

_LONGEST_LINE = 600
"""Characters; a longer line of a message is cut."""
_LOOKALIKES = str.maketrans(
    {
        "<": "‹",
        ">": "›",
        "@": "＠",
        "&": "＆",
        "#": "＃",
        "`": "'",
        "*": "∗",
        "~": "∼",
        "|": "∣",
    }
)
_OF_COMMANDS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})
_OUTER_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")
_DOT_IN_NAME = re.compile(r"(?<=\w)\.(?=[^\W\d])")
_NO_LINK = ".\u2060"
"""A dot and a word joiner, which is not shown: so `example.com` is no link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it is sent: one line as title, and a few lines of plain text."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFrame:
    """What every message about a log says besides its news."""

    log: str
    """Where the log is."""
    host: str
    made: datetime
    """When the check was made."""
    options: CommandOptions
    """How the log is named on a command line."""
    report_url: str = ""
    """Where a report on the log can be read; empty: nowhere that is known."""


def harmless(text: str) -> str:
    r"""Return `text` on one line, so that no chat or mail program finds a mention, link or format in it.

    >>> harmless("<!channel> @everyone [x](https://evil.example) *b*") == (
    ...     "‹!channel› ＠everyone [x] (https:⁄⁄evil.\u2060example) ∗b∗"
    ... )
    True
    """
    plain = visible(text).translate(_LOOKALIKES).replace("://", ":⁄⁄").replace("](", "] (")
    return _DOT_IN_NAME.sub(_NO_LINK, _OUTER_UNDERSCORE.sub("ˍ", plain))


def trigger_message(frame: MessageFrame, trigger: RetrainingTrigger, names: Sequence[str]) -> Message:
    """Return the message about a trigger that fired; `names` are the class names to show."""
    numbers = [_numbers(rule) for rule in (trigger.samples, *trigger.causes)]
    steps = frame.options.command("report", baseline=True)
    return _message(frame, "retraining is recommended", [*explain_trigger(trigger, names), *numbers], steps)


def drift_message(frame: MessageFrame, report: MonitorReport, names: Sequence[str]) -> Message:
    """Return the message about an incident of the monitor that is open."""
    from sentimon.reporting.monitor_findings import explain_monitor

    said = explain_monitor(report, names)[:3]
    return _message(frame, "the predictions drift", said, frame.options.command("report", baseline=True))


def drift_over_message(frame: MessageFrame, since: str) -> Message:
    """Return the message that the incident opened `since` (RFC 3339) is over."""
    began = f"{since[:16].replace('T', ' ')} UTC"
    said = [f"The drift found on {began} is over: the predictions are like the baseline's again."]
    return _message(frame, "the drift is over", said, frame.options.command("metrics"))


def traffic_message(frame: MessageFrame, title: str, sentence: str) -> Message:
    """Return the message about rows that stopped, came again, or changed in number."""
    return _message(frame, title, [sentence], frame.options.command("doctor"))


def trial_message(frame: MessageFrame) -> Message:
    """Return the message that `sentimon doctor --notify-test` sends."""
    said = ["This is a test of [notify] urls_file. Nothing has happened."]
    return _message(frame, "a test message", said, frame.options.command("doctor"))


def _message(frame: MessageFrame, title: str, said: Iterable[str], command: str) -> Message:
    lines = [harmless(one) for one in said]
    lines += ["", f"Log: {harmless(frame.log)} on {harmless(frame.host)}"]
    lines.append(f"Checked: {format_moment(frame.made)[:16].replace('T', ' ')} UTC")
    lines.append(f"Next: {visible(command).translate(_OF_COMMANDS)}")
    lines += [f"Report: {visible(frame.report_url)}"] if frame.report_url else []
    return Message(
        title=f"sentimon: {title}",
        body="\n".join(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in lines),
    )


def _numbers(rule: RuleResult) -> str:
    """Return what a rule measured, with its interval, its limit and the rows that it was measured on."""
    limits = interval(rule.low, rule.high)
    value = f"{number_against(rule.value, rule.limit)}{f' {limits}' if limits else ''}"
    if rule.name == "new predictions":
        return f"- {rule.name}: {value}, at least {limit_text(rule.limit)} are needed"
    return f"- {rule.name}: {value}, limit {limit_text(rule.limit, rule.value)}, {counted(rule.n, 'row')}"
