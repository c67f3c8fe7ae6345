"""What a run found, in the text format that Prometheus reads (node_exporter's textfile collector).

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentimon.logbook.moments import EPOCH
from sentimon.monitoring.intervals import Estimate
from sentimon.reporting.text import visible

Labels = Mapping[str, str]

PREFIX = "sentimon_"
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
LONGEST_LABEL = 200
"""Characters of a label's value; what is cut off ends in an ellipsis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value, and what tells it from the others of its name."""

    value: float
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All samples of one name (without the prefix); `doc` is its HELP line."""

    name: str
    doc: str
    samples: tuple[Sample, ...]
    kind: str = "gauge"


def gauge(name: str, doc: str, value: float | bool | None, **labels: str) -> Family:
    """Return a family with one sample, or none where there is no value: not known is not zero."""
    known = () if value is None else (Sample(value=float(value), labels=labels),)
    return Family(name=name, doc=doc, samples=known)


def gauges(name: str, doc: str, label: str, values: Iterable[tuple[str, float | None]]) -> Family:
    """Return a family with a sample for each (value of the label, value) that is known."""
    samples = (
        Sample(value=float(value), labels={label: key} if label else {})
        for key, value in values
        if value is not None
    )
    return Family(name=name, doc=doc, samples=tuple(samples))


def estimate_gauges(
    name: str, doc: str, label: str, estimates: Sequence[tuple[str, Estimate]]
) -> list[Family]:
    """Return shares with the two ends of their intervals, as three families; no label where it is empty."""

    def family(part: str, says: str, values: Iterable[float | None]) -> Family:
        keys = (key for key, _ in estimates)
        return gauges(f"{name}{part}_ratio", says, label, zip(keys, values, strict=True))

    return [
        family("", doc, (one.value for _, one in estimates)),
        family(
            "_low", f"Lower end of the interval of {PREFIX}{name}_ratio.", (one.low for _, one in estimates)
        ),
        family(
            "_high", f"Upper end of the interval of {PREFIX}{name}_ratio.", (one.high for _, one in estimates)
        ),
    ]


def seconds(moment: datetime | None) -> float | None:
    """Return the seconds from 1970 to `moment`."""
    return None if moment is None else (moment - EPOCH).total_seconds()


def render(families: Sequence[Family], common: Labels) -> str:
    r"""Return the text of `families`; each sample also carries the labels in `common`.

    Families without samples are left out, and no sample has a timestamp: the textfile collector
    refuses those.

    >>> print(render([gauge("up", "Whether.", True, model='a"b')], {"source": "shop"}), end="")
    # HELP sentimon_up Whether.
    # TYPE sentimon_up gauge
    sentimon_up{source="shop",model="a\"b"} 1
    """
    lines: list[str] = []
    for family in families:
        if family.samples:
            name = PREFIX + family.name
            lines.append(f"# HELP {name} {family.doc}")
            lines.append(f"# TYPE {name} {family.kind}")
            lines.extend(
                f"{sample_key(name, {**common, **one.labels})} {number(one.value)}" for one in family.samples
            )
    return "".join(line + "\n" for line in lines)


def read_values(text: str) -> dict[str, float]:
    """Return the value of each sample in a text that `render` made, under its `sample_key`.

    Lines that are no samples, or not of plain numbers, are passed over: what is read may be damaged.
    """
    values: dict[str, float] = {}
    for line in text.split("\n"):
        key, _, value = line.rpartition(" ")
        if key.startswith(PREFIX) and _NUMBER.fullmatch(value):
            values[key] = float(value)
    return values


def sample_key(name: str, labels: Labels) -> str:
    """Return the name of a sample with its labels, as the text has it."""
    pairs = (f'{key}="{_escaped(shown_label(one))}"' for key, one in labels.items())
    return name + "{" + ",".join(pairs) + "}"


def shown_label(value: str) -> str:
    r"""Return the value of a label as it is exported: control characters as escapes, and not too long.

    >>> shown_label("a\nb")
    'a\\nb'
    """
    whole = visible(value[: LONGEST_LABEL + 1])
    return whole if len(whole) <= LONGEST_LABEL else whole[: LONGEST_LABEL - 1] + "…"


def _escaped(value: str) -> str:
    # No line break is left in it to be escaped.
    return value.replace("\\", "\\\\").replace('"', '\\"')


def number(value: float) -> str:
    """Return a number with all its digits, whole ones without a point.

    >>> number(3.0), number(0.1), number(float("inf"))
    ('3', '0.1', '+Inf')
    """
    if math.isfinite(value):
        return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
