"""A report as a story: the verdict, the answers behind it, then every section."""

from __future__ import annotations

from sentimon.reporting.report.answers import answers
from sentimon.reporting.report.appendix_sections import bad_lines_section, methods_section, settings_section
from sentimon.reporting.report.blocks import Story
from sentimon.reporting.report.change_sections import change_section, moved_section, retraining_section
from sentimon.reporting.report.headline import facts, headline
from sentimon.reporting.report.moments import when
from sentimon.reporting.report.next_steps import next_steps
from sentimon.reporting.report.quality_section import quality_section
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.report.slice_section import slices_section
from sentimon.reporting.report.time_sections import (
    confidence_section,
    mix_section,
    score_section,
    traffic_section,
)
from sentimon.timestamps import format_moment, from_microseconds


def tell(report: Report) -> Story:
    """Return the story of a report, which HTML and Markdown share."""
    sections = (
        mix_section,
        confidence_section,
        score_section,
        change_section,
        moved_section,
        slices_section,
        traffic_section,
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
        facts=facts(report),
        steps=next_steps(report),
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
    against = (
        "no baseline" if known is None else f"baseline {known.name!r}, made {when(report, known.created)}"
    )
    return f"{rows}, logged in {report.source}; against {against}."
