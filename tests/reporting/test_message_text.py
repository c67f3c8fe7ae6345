from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.message_text import MessageFrame, harmless, traffic_message

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
        "Next: sentimon doctor --logs '/logs/‹!channel›'\n"
        "Report: https://reports.example.com/shop"
    )


def test_a_very_long_line_is_cut() -> None:
    message = traffic_message(FRAME, "title", "x" * 5000)
    assert max(map(len, message.body.split("\n"))) == 601
