import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.finding import Finding
from sentimon.monitoring.retraining_rules import RetrainingTrigger, RuleResult
from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.message_text import MessageFrame, harmless, traffic_message, trigger_message
from sentimon.statistics.intervals import difference_of_shares

FRAME = MessageFrame(
    log="/logs/<!channel>",
    host="host",
    made=datetime(2026, 11, 30, 12, tzinfo=UTC),
    options=CommandOptions(logs="/logs/<!channel>"),
    report_url="https://reports.example.com/shop",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel>", "‹!channel›"),
        ("&lt;!here&gt;", "＆lt;!here＆gt;"),
        ("@everyone", "＠everyone"),
        ("[x](javascript:1)", "[x] (javascript:1)"),
        ("**b** _i_ `c` ~s~ ||spoiler||", "∗∗b∗∗ ˍiˍ 'c' ∼s∼ ∣∣spoiler∣∣"),
        ("http://evil.example", "http:⁄⁄evil.\u2060example"),
        ("a\r\nBcc: x@y.org", "a\\r\\nBcc: x＠y.\u2060org"),
        ("snake_case 0.600 [0.5, 0.7]", "snake_case 0.600 [0.5, 0.7]"),
    ],
)
def test_user_text_is_neither_mention_nor_link_nor_format(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text())
def test_no_text_keeps_what_a_service_acts_on(text: str) -> None:
    found = harmless(text)
    assert not set(found) & set("<>@&#`*~|\n\r")
    assert "://" not in found
    assert "](" not in found


def test_a_message_is_a_title_and_few_lines_and_names_the_report() -> None:
    message = traffic_message(FRAME, "no rows come any more", "No row has come for 3 days.")
    assert message.title == "sentimon: no rows come any more"
    assert message.body == (
        "No row has come for 3 days.\n\n"
        "Log: /logs/‹!channel› on host\n"
        "Checked: 2026-11-30 12:00 UTC\n"
        "Next: sentimon doctor (--logs names that log: its name has signs that chats change)\n"
        "Report: https://reports.example.com/shop"
    )


@pytest.mark.parametrize(
    ("place", "command"),
    [
        ("/srv/my shop/logs", "Next: sentimon doctor --logs '/srv/my shop/logs'"),
        ("s3://shop.example/logs", "Next: sentimon doctor --logs s3://shop.example/logs"),
        ("/srv/shop_1.old/logs", "Next: sentimon doctor --logs /srv/shop_1.old/logs"),
        ("/srv/@here", "Next: sentimon doctor (--logs names"),
        ("https://evil.example", "Next: sentimon doctor (--logs names"),
        ("/srv/a\nb", r"Next: sentimon doctor --logs $'/srv/a\012b'"),
        ("/srv/" + "x" * 700, "Next: sentimon doctor (--logs names"),
    ],
)
def test_a_command_stands_there_as_it_is_typed_or_without_its_folder(place: str, command: str) -> None:
    message = traffic_message(replace(FRAME, log=place, options=CommandOptions(logs=place)), "title", "text")
    assert f"\n{command}" in message.body


@pytest.mark.parametrize("after", [(63, 100), (5, 100)])
def test_a_trigger_on_an_incident_that_was_open_counts_no_rows_that_are_not_behind_it(
    after: tuple[int, int],
) -> None:
    moved = Finding(
        group="class",
        event="negative",
        place=0,
        windows=3,
        before=(20, 100),
        after=after,
        p_value=0,
        limit=0.01,
    )
    rules = {
        name: RuleResult(
            name=name, side="at least", value=0.43, low=None, high=None, limit=0.05, met=name != "mean", n=0
        )
        for name in ("new predictions", "mean", "change of a share")
    }
    trigger = RetrainingTrigger(
        samples=rules["new predictions"],
        confidence=rules["mean"],
        drift=rules["change of a share"],
        drift_told=False,
        error_rate=None,
        error_rate_told=False,
        cooldown_until=None,
        rows_until=None,
        moved_most=moved,
    )
    body = trigger_message(FRAME, trigger, ("negative", "neutral", "positive")).body
    found = re.search(r"^- change of a share: 0\.430 \[(.+), (.+)\], limit 0\.05$", body, re.MULTILINE)
    assert found is not None, body
    _, *limits = difference_of_shares((20, 100), after, z=1.96)
    assert sorted(map(abs, limits)) == pytest.approx(
        sorted(abs(float(one)) for one in found.groups()), abs=1e-3
    )
    assert float(found[1]) < abs(moved.difference) < float(found[2])


def test_settings_stay_as_they_are_written_and_names_of_users_do_not() -> None:
    assert (
        harmless("monitor.max_age sets that (monitor.delta).") == "monitor.max_age sets that (monitor.delta)."
    )
    assert harmless("shop.monitor.delta.example") == "shop.\u2060monitor.\u2060delta.\u2060example"


def test_a_very_long_line_is_cut() -> None:
    message = traffic_message(FRAME, "title", "x" * 5000)
    assert max(map(len, message.body.split("\n"))) == 601
