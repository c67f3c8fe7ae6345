"""The one conclusion of a report: what its headline says, which no answer below it contradicts."""

from __future__ import annotations

import enum

import msgspec

from sentimon.monitoring.drift_decision import Reason
from sentimon.monitoring.traffic import TrafficVerdict
from sentimon.reporting.report.blocks import Tone


class Conclusion(enum.StrEnum):
    """What a report concludes, in the words of its headline; the first that holds is the conclusion."""

    NO_ROWS = "no rows"
    DRIFT = "drift"
    RETRAIN = "retraining recommended"
    SILENT = "no new rows"
    FEWER = "fewer rows"
    MORE = "more rows"
    CHANGED = "changed, below your threshold"
    STABLE = "stable"
    NO_VERDICT = "no verdict"

    @property
    def is_finding(self) -> bool:
        """Return whether there is something to act on."""
        return self.tone is Tone.FINDING

    @property
    def is_decided(self) -> bool:
        """Return whether there were enough rows to conclude anything."""
        return self not in (Conclusion.NO_ROWS, Conclusion.NO_VERDICT)

    @property
    def word(self) -> str:
        """Return the headline."""
        return "No verdict" if self is Conclusion.NO_ROWS else self.value.capitalize()

    @property
    def tone(self) -> Tone:
        """Return the colour of the headline."""
        return _TONES[self]

    @property
    def quiet_tone(self) -> Tone:
        """Return the colour of an answer on change or retraining that found nothing.

        It is green only under a headline that is: nothing found by one rule is no all-clear where another
        found something, or where nobody could tell.
        """
        return Tone.WELL if self is Conclusion.STABLE else Tone.PLAIN


_TONES = {
    Conclusion.NO_ROWS: Tone.UNKNOWN,
    Conclusion.DRIFT: Tone.FINDING,
    Conclusion.RETRAIN: Tone.FINDING,
    Conclusion.SILENT: Tone.FINDING,
    Conclusion.FEWER: Tone.FINDING,
    Conclusion.MORE: Tone.FINDING,
    Conclusion.CHANGED: Tone.PLAIN,
    Conclusion.STABLE: Tone.WELL,
    Conclusion.NO_VERDICT: Tone.UNKNOWN,
}


TRAFFIC = {
    TrafficVerdict.SILENT: Conclusion.SILENT,
    TrafficVerdict.FEWER: Conclusion.FEWER,
    TrafficVerdict.MORE: Conclusion.MORE,
}
"""What the traffic concludes where something is wrong with it."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a conclusion is drawn from."""

    rows: int
    """Rows of the period."""
    reason: Reason
    """That of the look at the rows after the baseline."""
    incident: bool
    """Whether the monitor has an open incident."""
    drift_rule_met: bool
    """Whether the rule on drift for retraining is met, by the rows since the last trigger."""
    retraining: bool
    """Whether retraining is recommended, or a trigger fired and no newer rows say otherwise."""
    traffic: TrafficVerdict = TrafficVerdict.NO_VERDICT


def conclude(evidence: Evidence) -> Conclusion:
    """Return the conclusion: the strongest finding, then what a look says that found none.

    A look asks for a score above the threshold, the monitor that any share moves by `monitor.delta`; so
    one may find drift where the other does not, and the one that does decides.
    """
    if not evidence.rows:
        silent = evidence.traffic is TrafficVerdict.SILENT
        return TRAFFIC[TrafficVerdict.SILENT] if silent else Conclusion.NO_ROWS
    if evidence.incident or evidence.drift_rule_met or evidence.reason is Reason.CHANGED:
        return Conclusion.DRIFT
    if evidence.retraining:
        return Conclusion.RETRAIN
    if evidence.traffic in TRAFFIC:
        # What the last rows were like says little about a log that is not what it was.
        return TRAFFIC[evidence.traffic]
    if evidence.reason is Reason.CHANGED_BELOW_THRESHOLD:
        return Conclusion.CHANGED
    return Conclusion.STABLE if evidence.reason is Reason.UNCHANGED else Conclusion.NO_VERDICT
