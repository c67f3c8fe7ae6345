"""The story as values: what stands on top, and that both files tell it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.prediction_metrics import measure
from sentimon.monitoring.retraining_rules import evaluate_retraining, score_rule
from sentimon.monitoring.vocabulary import Growth
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.plain_text import visible
from sentimon.reporting.report.blocks import Chart, Tone
from sentimon.reporting.report.rendering import STYLE as STYLE_FILE
from sentimon.reporting.report.rendering import plain, safe, to_html, to_markdown
from sentimon.reporting.report.report_value import NoWords, Watch
from sentimon.reporting.report.saved_checks import Past, recall
from sentimon.reporting.report.story import tell
from sentimon.statistics.intervals import Difference
from sentimon.timestamps import hour_of
from tests.reporting.report.pages import check_page, everything, parsed
from tests.support.reports import INCIDENT, NOW, report
from tests.support.rows import summary

STYLE = STYLE_FILE.read_text(encoding="utf-8")
HOSTILE = [
    "<script>alert(1)</script>",
    "</table></body>",
    '" onload="x',
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "a|b\n# c",
    "`rm -rf` **x** [link](http://evil.example) ![i](//evil.example/x.png)",
    "&lt;b&gt;",
    "x" * 100_000,
    "\ud800",
    "\u2028\x00",
]


def test_the_verdict_on_top_says_drift_where_an_incident_is_open() -> None:
    story = tell(report())
    assert (story.verdict.word, story.verdict.tone) == ("Drift", Tone.FINDING)
    words = {one.about: one.word for one in story.answers}
    assert words == {
        "Class mix": "Drift",
        "Monitor": "Open incident",
        "Retraining": "Recommended",
        "Log": "Readable",
    }


def test_without_an_incident_the_score_decides_and_without_rows_there_is_no_verdict() -> None:
    made = report()
    quiet = replace(made, watch=Watch(checks=5, incident=None))
    assert tell(quiet).verdict.word == "Drift"
    nothing = detect_drift(None, Summary(), DriftSettings())
    empty = replace(
        quiet,
        summary=Summary(),
        metrics=measure(Summary(), confidence_level=0.95),
        windows=[],
        baseline=None,
        drift=nothing,
        past=Past(),
        words=[],
        latest_texts=0,
    )
    story = tell(empty)
    assert (story.verdict.word, story.verdict.tone) == ("No verdict", Tone.UNKNOWN)
    check_page(to_html(story))
    assert to_markdown(story)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (summary(200, 400, 400), "Changed, below your threshold: The predictions changed, and by less than"),
        (summary(200, 300, 500), "Stable: The predictions are what they were in the baseline, as far as"),
        (summary(11, 16, 25), "Stable: The predictions are what they were in the baseline, as far as"),
    ],
)
def test_a_small_change_is_told_as_one_and_none_as_none(rows: Summary, said: str) -> None:
    known = Baseline(name="usual", created=NOW, source="logs", summary=summary(200, 300, 500))
    drift = detect_drift(known, rows, DriftSettings())
    trigger = evaluate_retraining(
        rows, score_rule(drift), RetrainingSettings(), last=None, now=NOW, confidence_level=0.95
    )
    made = replace(report(), watch=Watch(checks=5, incident=None), drift=drift, trigger=trigger)
    verdict = tell(made).verdict
    assert f"{verdict.word}: {verdict.detail}".startswith(said)


def test_the_page_is_whole_and_draws_five_charts_with_the_same_in_words() -> None:
    root = check_page(to_html(tell(report())))
    drawn = [one for one in root.all("svg") if one.attributes.get("aria-hidden") != "true"]
    assert len(drawn) == 5
    assert (
        "negative: 0.333 in the first window of 50 rows or more, 1.000 in the last"
        in drawn[0].all("desc")[0].text
    )
    assert 'class="incident"' in to_html(tell(report()))


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_html(tell(report())) == to_html(tell(report()))
    assert to_markdown(tell(report())) == to_markdown(tell(report()))


def test_the_policy_allows_this_style_and_nothing_else() -> None:
    root = parsed(to_html(tell(report())))
    (policy,) = [
        str(one.attributes["content"])
        for one in root.all("meta")
        if one.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert root.all("style")[0].text == STYLE


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:20])
def test_hostile_texts_print_as_themselves(text: str) -> None:
    made = report()
    words = [Growth(word=text, before=0.0, after=0.5)]
    hostile = replace(made, words=words, names=(text, "neutral", "positive"), source=text)
    story = tell(hostile)
    root = check_page(to_html(story))
    shape = [one.tag for one in everything(root)]
    assert shape == [one.tag for one in everything(check_page(to_html(tell(made))))]
    assert visible(text[:400]) in root.text
    assert len(to_html(story)) < 1_000_000
    content = to_markdown(story)
    assert content.encode()
    check_markdown(content)
    assert content.count("\n") == to_markdown(tell(made)).count("\n")


def test_long_sentences_of_ours_are_not_cut() -> None:
    made = report()
    texts = replace(made.drift.texts[0], change=Difference(value=1.0, low=1.0, high=1.0))
    many = replace(made, drift=replace(made.drift, texts=(texts,) * 12))
    assert "characters)" not in check_page(to_html(tell(many))).text
    assert "characters)" not in to_markdown(tell(many))


def check_markdown(content: str) -> str:
    """The text that a reader of Markdown sees, without any markup that is not ours."""
    tokens = MarkdownIt("commonmark").enable("table").parse(content)
    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *inline]}
    ours = r"heading_|paragraph_|inline|text|strong_|table_|thead_|tbody_|tr_|th_|td_|code_block"
    assert all(re.match(ours, one) for one in kinds), kinds
    return "".join(one.content for one in inline)


def test_markdown_tells_what_the_page_tells() -> None:
    story = tell(report())
    seen = check_markdown(to_markdown(story))
    for section in story.sections:
        assert section.title in seen
    for text in ("Drift", "courier", "0.600", "drift.threshold"):
        assert text in seen
        assert text in check_page(to_html(story)).text


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_shows_as_itself_in_html(text: str) -> None:
    (paragraph,) = parsed(f"<p>{safe(text)}</p>").all("p")
    assert paragraph.children == []
    assert paragraph.text == visible(text)


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_shows_as_itself_in_a_cell_of_markdown(text: str) -> None:
    content = f"| a | b |\n| :--- | :--- |\n| x{plain(text)}x | y |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(content)
    cells = [one for one in tokens if one.type == "inline"]
    assert len(cells) == 4
    children = cells[2].children or []
    assert all(one.type in ("text", "text_special") for one in children)
    assert "".join(one.content for one in children) == f"x{visible(text)}x"


COLOURS = [
    ("ink", "paper", 7.0),
    ("ink", "raised", 7.0),
    ("soft", "paper", 4.5),
    ("soft", "raised", 4.5),
    ("link", "paper", 4.5),
    *((tone, "raised", 4.5) for tone in ("well", "finding", "unknown")),
    *((mark, "paper", 3.0) for mark in ("class0", "class1", "class2", "mark", "limit", "reference")),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("above", "below", "least"), COLOURS)
def test_colours_stand_out_from_what_they_are_on(scheme: int, above: str, below: str, least: float) -> None:
    # Source: WCAG 2.2, success criteria 1.4.3, 1.4.6 and 1.4.11.
    block = re.findall(r":root\{([^}]*)\}", STYLE)[scheme]
    colours = dict(re.findall(r"--(\w+):#(\w+)", block))
    one, other = sorted((_luminance(colours[above]), _luminance(colours[below])))
    assert (other + 0.05) / (one + 0.05) >= least


def _luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * one for one in colour)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


_UNNAMED = {"grid", "axis", "tick", "tick spare", "note", "tip", "hit", "area", "halo", "line", "onset-line"}
"""What is drawn and needs no entry in a legend; a line goes through the marks that have one."""


def test_a_legend_names_all_that_its_chart_shows_and_only_that() -> None:
    charts = [one for part in tell(report()).sections for one in part.blocks if isinstance(one, Chart)]
    assert len(charts) == 5
    for chart in charts:
        drawn = set(re.findall(r'class="([^"]+)"', chart.drawing))
        named = {one.mark for one in chart.legend}
        assert named <= drawn, chart.name
        # One entry stands for pale, and one for a point with its interval, whatever their colour is.
        left = {one for one in drawn - named - _UNNAMED if not one.endswith((" pale", " point"))}
        assert left <= {"reference", "incident"}, chart.name


def test_an_incident_in_the_table_leads_to_its_mark_in_the_chart() -> None:
    root = check_page(to_html(tell(report())))
    (mark,) = [one for one in everything(root) if one.attributes.get("id") == "incident-1"]
    assert mark.all("title")[0].text == "Incident found on 2026-09-07 13:00, until still open"
    (link,) = [one for one in root.all("a") if one.attributes["href"] == "#incident-1"]
    assert link.text == "2026-09-07 13:00"


def test_a_table_of_very_many_windows_holds_the_latest() -> None:
    made = report()
    many = replace(made, windows=[*made.windows[:1], *list(made.windows[-1:]) * 700])
    text = check_page(to_html(tell(many))).text
    assert "Per window of 1h, the latest 300 of 701, UTC time" in text
    assert "the latest" not in to_markdown(tell(made)).split("## Score")[0]


def test_why_words_cannot_be_compared_is_one_reason() -> None:
    for reason in NoWords:
        made = replace(report(), words=[], latest_texts=0, no_words=reason)
        assert f"Words cannot be compared: {reason}." in check_page(to_html(tell(made))).text


def test_an_event_is_named_by_what_its_share_is_of() -> None:
    found = INCIDENT.findings[0]
    words = msgspec.structs.replace(found, group="words", event="at most 0% new words", place=0)
    sure = msgspec.structs.replace(found, group="confidence", event="below 0.80", place=2)
    watch = Watch(checks=5, incident=msgspec.structs.replace(INCIDENT, findings=(words, sure)))
    text = check_page(to_html(tell(replace(report(), watch=watch)))).text
    assert "the share of texts whose words are all in the baseline's texts rose from 0.200 to 0.600" in text
    assert "the share of rows with a confidence below 0.80" in text
    assert "words at most" not in text


def test_an_incident_that_was_found_after_the_last_row_stands_at_the_end_of_the_chart() -> None:
    late = msgspec.structs.replace(INCIDENT, since="2026-09-09T07:00:00Z")
    made = replace(report(), watch=Watch(checks=5, incident=late), past=recall([], late, UTC))
    root = check_page(to_html(tell(made)))
    (mark,) = [one for one in everything(root) if one.attributes.get("id") == "incident-1"]
    assert float(str(mark.all("rect")[0].attributes["x"])) == 623
    assert len([one for one in root.all("a") if one.attributes["href"] == "#incident-1"]) == 1


def test_a_chart_says_what_changed_and_when() -> None:
    hour = hour_of(NOW) - 44
    onset = Onset(
        hour=hour,
        first_hour=hour - 1,
        last_hour=hour + 1,
        rows=9,
        confidence_level=0.95,
        from_the_start=False,
    )
    made = report()
    mixed = to_html(tell(replace(made, drift=replace(made.drift, onset=onset))))
    assert mixed.count(">class mix changed</text>") == 3
    both = replace(made.drift, onset=onset, confidence_onset=replace(onset, rows=8))
    page = to_html(tell(replace(made, drift=both)))
    assert page.count(">class mix changed</text>") == 2
    assert page.count(">confidence changed</text>") == 1
    said = "The class mix changed about 2026-09-07 12:00 UTC, between 2026-09-07 11:00 and 2026-09-07 14:00."
    assert said in check_page(page).text
