"""The live view of `watch`: what it shows, as one value, and one frame of it as lines of text.

Each line is cut at the width and none is wrapped, so that a frame has as many lines as it is said to have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from sentimon.labels import Sentiment, places_named
from sentimon.monitoring.baseline_collection import BaselineProgress
from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.monitor_state import MonitorState
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.prediction_metrics import Metrics, measure
from sentimon.monitoring.slice_metrics import FieldMetrics
from sentimon.monitoring.traffic import TrafficReport
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Window
from sentimon.reporting.decision_tables import verdict_text
from sentimon.reporting.plain_text import bar, change, estimate, number, sparkline, visible
from sentimon.reporting.share_sentences import moved, outstanding
from sentimon.reporting.table_style import STYLES
from sentimon.reporting.traffic_sentences import explain_trouble
from sentimon.reporting.verdict_sentences import name_collecting
from sentimon.timestamps import from_microseconds, in_zone

MOST_WINDOWS = 60
"""The largest number of windows in a frame."""
_NAME = (10, 14)
"""Cells of a name: at least "confidence", and no more than this."""
_ESTIMATE = len("0.000 [0.000, 0.000]")
_BARS_FROM = 78
"""The width from which bars are shown."""
_BAR = 20
_SLICES = 6
_SHARE = 8
"""Cells of a share of a slice."""
_ROWS = 8
"""The number of last rows in a frame of unlimited height."""
_LONGEST = 500
"""Characters of a text that are shown at most; few terminals are wider."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The number of rows that arrived in a period."""

    rows: int
    during: timedelta

    @property
    def per_minute(self) -> float:
        """Return the rows per minute, 0.0 if no time has passed."""
        seconds = self.during.total_seconds()
        return 60 * self.rows / seconds if seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The comparison of the rows in the shown windows with the baseline."""

    report: DriftReport
    monitor: MonitorState | None
    """The state of the monitor of that baseline; the live view makes no check of its own.

    None where the view is of a part of the log: the monitor is about the whole.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The state of the log at one moment."""

    source: str
    """The folder of the log."""
    now: datetime
    zone: tzinfo | None
    """The time zone of all times shown; None is local time."""
    confidence_level: float
    whole: Summary
    """The sum over all rows and all bad lines."""
    every: str
    """The length of a window, as the user gave it."""
    windows: Sequence[Window]
    """The latest windows without gaps, the newest last; empty if the log is."""
    pace: Pace | None
    """The rate of rows since the view was opened; None in the first frame."""
    compared: Compared | None
    """None if there is no baseline."""
    collecting: BaselineProgress | None = None
    """The progress of the baseline, if a new model is still collecting it."""
    problem: str | None = None
    """Why the rows cannot be compared with the baseline, if they cannot."""
    traffic: TrafficReport | None = None
    """Whether rows still come, as of the last change of the log; None where it cannot be told."""
    latest: Sequence[PredictionRecord] = ()
    """The last rows of the log, the newest last."""
    by: FieldMetrics | None = None
    """The rows of the shown windows by the values of a field; None where that is not asked for."""
    trouble: str | None = None
    """Why the log can no longer be read; the other fields then hold the last state."""


Lines = list[Text]


def frame(state: Watched, names: Sequence[str], *, width: int, height: int | None = None) -> RenderableType:
    """Return the view of `state`: lines of at most `width` cells, and at most `height` of them.

    Where the height is too small the gaps go first, then the oldest of the last rows, then what is below.
    """
    shown = [visible(name) for name in names]
    cells = min(max(_NAME[0], *(cell_len(name) for name in shown)), _NAME[1])
    sections = [
        _head(state, width, live=height is not None),
        _windows(state, shown, cells, width),
        _slices(state, shown),
        [*_comparison(state, shown, cells, width), *_monitor(state, shown)],
    ]
    sections = [one for one in sections if one]
    used = sum(map(len, sections))
    gaps = height is None or height - used > _ROWS // 2 + len(sections)
    left = _ROWS if height is None else height - used - gaps * len(sections) - 1
    sections.append(_last_rows(state, shown, cells, max(0, left)))
    lines: Lines = []
    for section in sections:
        lines += [Text()] * bool(gaps and lines and section)
        lines += section
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Group(*lines[:height])


def _head(state: Watched, width: int, *, live: bool) -> Lines:
    """Return the header: folder, clock, number and rate of rows, and problems."""
    keys = "q quits  " if live else ""
    clock = f"{keys}{in_zone(state.now, state.zone):%Y-%m-%d %H:%M:%S} {_zone(state)}"
    title = Text.assemble(("sentimon watch", "bold"), "  ", visible(state.source))
    title.truncate(max(0, width - len(clock) - 2), overflow="ellipsis", pad=True)
    said = [f"{state.whole.count:,} rows", *_latest(state), *_pace(state)]
    lines = [Text.assemble(title, "  ", (clock, "dim")), Text(", ".join(said))]
    if state.whole.bad_count:
        first = "".join(f", the first {line}" for line in state.whole.bad_lines[:1])
        lines.append(Text(f"{state.whole.bad_count:,} bad lines{visible(first)}", style="yellow"))
    if state.traffic is not None:
        # Time passes for a log that nothing comes to.
        trouble = explain_trouble(replace(state.traffic, now=state.now))
        lines += [Text(visible(one), style="yellow") for one in trouble]
    if state.trouble:
        lines.append(Text(visible(state.trouble), style="bold red"))
    return lines


def _latest(state: Watched) -> list[str]:
    if state.whole.last is None:
        return []
    ago = state.now - from_microseconds(state.whole.last)
    return [f"the latest {_age(ago)} ago" if ago >= timedelta() else "some dated in the future"]


def _pace(state: Watched) -> list[str]:
    """Return the rate of rows since the view was opened, or else in the current window."""
    if state.pace is not None:
        return [f"{_rate(state.pace)} over {_age(state.pace.during)}"]
    window = state.windows[-1] if state.windows else None
    if window is None or window.complete or window.start >= state.now:
        return []
    since = Pace(rows=window.summary.count, during=state.now - window.start)
    return [f"{_rate(since)} in this window"]


def _rate(pace: Pace) -> str:
    """Return the rows per minute, or per hour if there is less than one per minute."""
    rate = pace.per_minute
    return f"{rate:.1f} a minute" if rate >= 1 or not pace.rows else f"{60 * rate:.1f} an hour"


def _age(passed: timedelta) -> str:
    """Return a length of time in its largest unit, rounded down.

    >>> _age(timedelta(minutes=90))
    '1 h'
    """
    seconds = int(passed.total_seconds())
    size, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{seconds // size} {unit}"


def _windows(state: Watched, names: Sequence[str], cells: int, width: int) -> Lines:
    """Return class mix, confidence and rows per window as sparklines, and the newest window in figures."""
    room = max(8, min(MOST_WINDOWS, width - cells - _ESTIMATE - 4))
    windows = state.windows[-room:]
    if not windows:
        return [Text("No rows yet: log some with `sentimon log`.")]
    measured = [measure(window.summary, confidence_level=state.confidence_level) for window in windows]
    start, newest = (_date(one, state) for one in (windows[0], windows[-1]))
    unfinished = "" if windows[-1].complete else "*"
    heading = f"Windows of {state.every} from {start}"
    lines = [_columns(heading, cells + 2 + room, f"{newest}{unfinished} {_zone(state)}")]
    for place in places_named(names):
        line = sparkline([one.shares[place].value for one in measured])
        lines.append(
            _row(names[place], line, estimate(measured[-1].shares[place]), cells, room, STYLES[place])
        )
    sure = sparkline([one.confidence.value for one in measured])
    lines.append(_row("confidence", sure, estimate(measured[-1].confidence), cells, room, "cyan"))
    lines.append(_row("rows", _counts(measured), f"{measured[-1].total:,}", cells, room, "dim"))
    return lines


def _date(window: Window, state: Watched) -> str:
    """Return the start of a window: day and time in this year, the date in another."""
    start = in_zone(window.start, state.zone)
    this_year = start.year == in_zone(state.now, state.zone).year
    return f"{start:%m-%d %H:%M}" if this_year else f"{start:%Y-%m-%d}"


def _counts(measured: Sequence[Metrics]) -> str:
    """Return a sparkline of counts from 0 to the largest; windows without rows are gaps."""
    most = max(1, *(one.total for one in measured))
    return sparkline([one.total / most if one.total else None for one in measured])


def _row(name: str, line: str, figures: str, cells: int, room: int, style: str) -> Text:
    return Text.assemble(_name(name, cells, style), (line.rjust(room), style), "  ", figures)


def _name(name: str, cells: int, style: str = "") -> Text:
    """Return a name cut or padded to `cells` cells, and a gap."""
    text = Text(name, style=style)
    text.truncate(cells, overflow="ellipsis", pad=True)
    return text.append("  ")


def _columns(left: str, cells: int, right: str) -> Text:
    text = Text(left, style="bold")
    text.truncate(cells, overflow="ellipsis", pad=True)
    return Text.assemble(text, "  ", (right, "dim"))


def _comparison(state: Watched, names: Sequence[str], cells: int, width: int) -> Lines:
    """Return the rows newer than the baseline beside it, with the score of their distance."""
    if state.problem is not None:
        return [Text(f"Not compared: {visible(state.problem)}", style="yellow")]
    if state.collecting is not None:
        return [Text(visible(name_collecting(state.collecting)), style="dim")]
    if state.compared is None:
        return [Text("No baseline: make one with `sentimon baseline create`.", style="dim")]
    report = state.compared.report
    newer = f"{report.after_baseline:,} newer rows"
    if report.window.since is not None:
        newer = f"the newest {report.current.total:,} of {newer}"
    score = Text.assemble(
        _name("score", cells),
        f"{estimate(report.score)}, limit {report.threshold:g}  ",
        verdict_text(report.reason),
    )
    return [
        Text(f"Baseline {visible(report.baseline_name or '')!r} and {newer}", style="bold"),
        *(
            _compared(report, place, _name(names[place], cells, STYLES[place]), width)
            for place in places_named(names)
        ),
        score,
        *_since(report.onset),
    ]


def _compared(report: DriftReport, place: Sentiment, name: Text, width: int) -> Text:
    before, after = report.baseline.shares[place].value, report.current.shares[place].value
    moved_by = change(report.share_changes[place]) if report.share_changes else ""
    line = Text.assemble(name, f"{number(before)} > {number(after):5}  {moved_by:24}")
    if width >= _BARS_FROM:
        line.append("  " + bar(after, _BAR), style=STYLES[place])
    return line


def _slices(state: Watched, names: Sequence[str]) -> Lines:
    """Return the slices with the most rows: their rows, and the share of each class."""
    if state.by is None or not state.by.slices:
        return []
    shown = state.by.slices[:_SLICES]
    cells = min(max(cell_len(visible(one.value)) for one in shown), _NAME[1])
    heads = " ".join(set_cell_size(name, _SHARE).rstrip().rjust(_SHARE) for name in names if name)
    lines = [Text(f"By {visible(state.by.field)}".ljust(cells) + f" {'rows':>9} {heads}", style="dim")]
    for one in shown:
        shares = " ".join(
            number(share.value).rjust(_SHARE) for name, share in zip(names, one.shares, strict=True) if name
        )
        lines.append(Text(f"{set_cell_size(visible(one.value), cells)} {one.total:>9,} {shares}"))
    left = len(state.by.slices) - len(shown)
    return [*lines, Text(f"and {left} more", style="dim")] if left else lines


def _monitor(state: Watched, names: Sequence[str]) -> Lines:
    """Return what the monitor found at its last check."""
    if state.compared is None or state.problem is not None:
        return []
    monitor = state.compared.monitor
    if monitor is None:
        return []
    if not monitor.checks:
        return [Text("Monitor: has not looked yet (sentimon drift --monitor)", style="dim")]
    incident = monitor.incident
    if incident is None:
        return [Text(f"Monitor: no incident at check {monitor.checks}", style="green")]
    when = f" found {incident.since[5:16].replace('T', ' ')} UTC, check {incident.check} of {monitor.checks}"
    found = [Text(f"  {moved(one, names)}") for one in outstanding(incident.findings)]
    return [Text.assemble(("INCIDENT", "bold red"), when), *found, *_since(incident.onset)]


def _since(onset: Onset | None) -> Lines:
    """Return about when a change began, where that is known."""
    if onset is None or onset.began is None:
        return []
    about = f"about {onset.began:%Y-%m-%d %H:%M} UTC"
    if onset.from_the_start:
        about = "the first rows" if onset.looked_back else f"before {onset.earliest:%Y-%m-%d %H:%M} UTC"
    return [Text(f"  since {about}")]


def _last_rows(state: Watched, names: Sequence[str], cells: int, room: int) -> Lines:
    """Return a heading and the newest rows, the newest last; nothing if there is no room."""
    rows = state.latest[-room:] if room else []
    if not rows:
        return []
    today = in_zone(state.now, state.zone).date()
    moments = [in_zone(row.timestamp, state.zone) for row in rows]
    form = "%H:%M:%S" if all(one.date() == today for one in moments) else "%m-%d %H:%M"
    form = form if all(one.year == today.year for one in moments) else "%Y-%m-%d %H:%M"
    lines = [Text("Last rows", style="bold")]
    for row, moment in zip(rows, moments, strict=True):
        text = "(text not kept)" if row.text is None else visible(row.text[:_LONGEST])
        name = _name(names[row.sentiment], cells, STYLES[row.sentiment])
        figures = f"{number(row.confidence)}  "
        lines.append(Text.assemble(name, figures, (moment.strftime(form), "dim"), f"  {text}"))
    return lines


def _zone(state: Watched) -> str:
    return str(state.zone or "local")
