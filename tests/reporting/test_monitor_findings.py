from dataclasses import dataclass

from sentimon.reporting.share_sentences import listed, outstanding


@dataclass
class Event:
    group: str
    event: str


def test_of_a_row_of_cuts_only_what_moved_most_is_told_and_the_rest_is_counted() -> None:
    # A share below 0.81 that rises takes those below 0.76 and 0.70 along; two classes are two facts.
    found = [
        Event("confidence", "below 0.81"),
        Event("confidence", "below 0.76"),
        Event("class", "negative"),
        Event("words", "few known"),
        Event("confidence", "below 0.70"),
        Event("class", "positive"),
    ]
    told = [one.event for one in outstanding(found)]
    assert told == ["below 0.81", "negative", "few known", "positive"]
    assert listed(told, len(found)) == "below 0.81; negative; few known; positive; and 2 more"
    assert listed(told[:1], 1) == "below 0.81"
