"""Shares that the monitor watches, in words: what a share is of, and from where to where it moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sentimon.monitoring.finding import Finding
from sentimon.reporting.plain_text import number, visible

_NO_NEW_WORD = "at most 0% new words"
_UNKNOWN_WORDS = "words that the baseline's texts do not have"


class Grouped(Protocol):
    """A finding that belongs to a group of events."""

    @property
    def group(self) -> str:
        """Return the group: class, confidence or words."""


Event = TypeVar("Event", bound=Grouped)


def outstanding(findings: Sequence[Event]) -> list[Event]:
    """Return every class finding, and the first finding of each other group.

    The events of such a group are nested: if the share below one confidence rose, the next ones did, too.
    """
    first = {one.group: one for one in reversed(findings)}
    return [one for one in findings if one.group == "class" or one is first[one.group]]


def listed(told: Sequence[str], number: int) -> str:
    """Join the descriptions of some of `number` findings, and say how many more there are."""
    more = number - len(told)
    return "; ".join([*told, f"and {more} more"] if more else told)


def all_moved(findings: Sequence[Finding], names: Sequence[str]) -> str:
    """Return which shares moved, without those that follow from another."""
    return listed([moved(one, names) for one in outstanding(findings)], len(findings))


def moved(finding: Finding, names: Sequence[str]) -> str:
    """Return which share moved, from which value to which."""
    event = names[finding.place] if finding.group == "class" else finding.event
    before, after = (count / n for count, n in (finding.before, finding.after))
    verb = "rose" if after > before else "fell"
    said = f"{share_of(finding.group, event)} {verb} from {number(before)} to {number(after)}"
    return said if finding.where is None else f"in {slice_name(*finding.where)} {said}"


def slice_name(field: str, value: str) -> str:
    """Return a slice as `--where` names it, as it can be printed.

    >>> slice_name("channel", "app")
    'channel=app'
    """
    return visible(f"{field}={value}")


def share_of(group: str, event: str) -> str:
    """Return what the share of an event is a share of; the event of a class is its name.

    >>> share_of("class", "negative"), share_of("confidence", "below 0.80")
    ('the share of negative', 'the share of rows with a confidence below 0.80')
    >>> share_of("words", "at most 0% new words")
    "the share of texts whose words are all in the baseline's texts"
    >>> share_of("words", "at most 12% new words")
    "the share of texts with at most 12% words that the baseline's texts do not have"
    """
    if group == "class":
        return f"the share of {event}"
    if group == "confidence":
        return f"the share of rows with a confidence {event}"
    if event == _NO_NEW_WORD:
        return "the share of texts whose words are all in the baseline's texts"
    return f"the share of texts with {event.replace('new words', _UNKNOWN_WORDS)}"
