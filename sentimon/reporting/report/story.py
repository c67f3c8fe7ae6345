"""A report as a story: the verdict on top, the answers behind it, then every part."""

from __future__ import annotations

from sentimon.logbook.moments import format_moment, from_microseconds
from sentimon.reporting.report.blocks import Story
from sentimon.reporting.report.compared import change_section, moved_section
from sentimon.reporting.report.course import confidence_section, mix_section, score_section
from sentimon.reporting.report.decided import bad_lines_section, retraining_section, settings_section
from sentimon.reporting.report.found import when
from sentimon.reporting.report.judged import quality_section
from sentimon.reporting.report.methods import methods_section
from sentimon.reporting.report.value import Report
from sentimon.reporting.report.verdict import answers, headline


def tell(report: Report) -> Story:
    """Return the story that HTML and Markdown both tell."""
    sections = (
        mix_section,
        confidence_section,
        score_section,
        change_section,
        moved_section,
        quality_section,
        retraining_section,
        bad_lines_section,
        settings_section,
        methods_section,
    )
    return Story(
        title="Sentiment monitoring report",
        about=_about(report),
        verdict=headline(report),
        answers=answers(report),
        sections=[section(report) for section in sections],
        footer=f"Made by sentimon {report.version} at {format_moment(report.made)}. Nothing in this file is "
        "loaded from elsewhere.",
    )


def _about(report: Report) -> str:
    summary, known = report.summary, report.baseline
    rows = f"{summary.count} predictions"
    if summary.first is not None and summary.last is not None:
        first, last = (when(report, from_microseconds(one)) for one in (summary.first, summary.last))
        rows += f" from {first} to {last} {report.zone_name} time"
    against = "no baseline" if known is None else f"baseline {known.name!r} of {when(report, known.created)}"
    return f"{rows}, logged in {report.source}; against {against}."
