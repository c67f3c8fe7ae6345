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

    from sentimon.monitoring.finding import Finding
    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.retraining_rules import RetrainingTrigger, RuleResult
    from sentimon.reporting.command_steps import CommandOptions

_LONGEST_LINE = 600
"""Characters; a longer line of a message is cut."""
_LONGEST_COMMAND = 500
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
_OUTER_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")
_DOT_IN_NAME = re.compile(r"(?<=\w)\.(?=[^\W\d])")
_DOTTED = re.compile(r"\w+(?:\.\w+)+")
_ON_OBJECTS = re.compile(r"(?<!\w)(?!https?:)\w+://(?=\w)")
"""The begin of an address of object storage, such as `s3://`: no service makes it a link."""
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
    confidence_level: float = 0.95
    report_url: str = ""
    """Where a report on the log can be read; empty: nowhere that is known."""


def harmless(text: str) -> str:
    r"""Return `text` on one line, so that no chat or mail program finds a mention, link or format in it.

    The names of our settings stay as they are: somebody will copy them.

    >>> harmless("<!channel> @everyone [x](https://evil.example) *b*") == (
    ...     "‹!channel› ＠everyone [x] (https:⁄⁄evil.\u2060example) ∗b∗"
    ... )
    True
    """
    return _DOTTED.sub(_without_link, _unmarked(text))


def _unmarked(text: str) -> str:
    """Return `text` on one line, with look-alikes for the signs of mentions, formats and links."""
    plain = visible(text).translate(_LOOKALIKES).replace("://", ":⁄⁄").replace("](", "] (")
    return _OUTER_UNDERSCORE.sub("ˍ", plain)


def _without_link(found: re.Match[str]) -> str:
    """Return dotted words that are no link, unless they are the key of a setting."""
    from sentimon.config.setting_keys import setting_keys

    return found[0] if found[0] in setting_keys() else _DOT_IN_NAME.sub(_NO_LINK, found[0])


def trigger_message(frame: MessageFrame, trigger: RetrainingTrigger, names: Sequence[str]) -> Message:
    """Return the message about a trigger that fired; `names` are the class names to show."""
    numbers = [
        _numbers(rule, trigger.moved_most if rule is trigger.drift else None, frame.confidence_level)
        for rule in (trigger.samples, *trigger.causes)
    ]
    said = [*explain_trigger(trigger, names), *numbers]
    return _message(frame, "retraining is recommended", said, "report", baseline=True)


def drift_message(frame: MessageFrame, report: MonitorReport, names: Sequence[str]) -> Message:
    """Return the message about an incident of the monitor that is open."""
    from sentimon.reporting.monitor_findings import explain_monitor

    said = explain_monitor(report, names)[:3]
    return _message(frame, "the predictions drift", said, "report", baseline=True)


def drift_over_message(frame: MessageFrame, since: str) -> Message:
    """Return the message that the incident opened `since` (RFC 3339) is over."""
    began = f"{since[:16].replace('T', ' ')} UTC"
    said = [f"The drift found on {began} is over: the predictions are like the baseline's again."]
    return _message(frame, "the drift is over", said, "metrics")


def traffic_message(frame: MessageFrame, title: str, sentence: str) -> Message:
    """Return the message about rows that stopped, came again, or changed in number."""
    return _message(frame, title, [sentence], "doctor")


def trial_message(frame: MessageFrame) -> Message:
    """Return the message that `sentimon doctor --notify-test` sends."""
    said = ["This is a test of [notify] urls_file. Nothing has happened."]
    return _message(frame, "a test message", said, "doctor")


def _message(
    frame: MessageFrame, title: str, said: Iterable[str], word: str, *, baseline: bool = False
) -> Message:
    lines = [harmless(one) for one in said]
    lines += ["", f"Log: {harmless(frame.log)} on {harmless(frame.host)}"]
    lines.append(f"Checked: {format_moment(frame.made)[:16].replace('T', ' ')} UTC")
    lines.append(f"Next: {_next_command(frame.options, word, baseline=baseline)}")
    lines += [f"Report: {visible(frame.report_url)}"] if frame.report_url else []
    return Message(
        title=f"sentimon: {title}",
        body="\n".join(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in lines),
    )


def _next_command(options: CommandOptions, word: str, *, baseline: bool) -> str:
    """Return the command to type next, without the folders where a chat would change their names."""
    command = options.command(word, baseline=baseline)
    plain = _ON_OBJECTS.sub("", command)
    if _unmarked(plain) == plain and len(command) <= _LONGEST_COMMAND:
        return command
    return f"sentimon {word} (--logs names that log: its name has signs that chats change)"


def _numbers(rule: RuleResult, moved: Finding | None = None, confidence_level: float = 0.95) -> str:
    """Return what a rule measured, with its interval, its limit and the rows that it was measured on.

    `moved` is the share of an open incident that a rule of the monitor is about: the checks that showed it
    may be over, so that the rows of the rule are not those behind it.
    """
    limits, rows = interval(rule.low, rule.high), f", {counted(rule.n, 'row')}"
    if moved is not None:
        limits, rows = interval(*_sizes(moved, confidence_level)), ""
    value = f"{number_against(rule.value, rule.limit)}{f' {limits}' if limits else ''}"
    if rule.name == "new predictions":
        return f"- {rule.name}: {value}, at least {limit_text(rule.limit)} are needed"
    return f"- {rule.name}: {value}, limit {limit_text(rule.limit, rule.value)}{rows}"


def _sizes(moved: Finding, confidence_level: float) -> tuple[float, float]:
    """Return the interval of how far a share moved, whatever the direction."""
    from sentimon.statistics.intervals import difference_of_shares, normal_quantile

    _, low, high = difference_of_shares(moved.before, moved.after, z=normal_quantile(confidence_level))
    return (low, high) if moved.difference >= 0 else (-high, -low)
