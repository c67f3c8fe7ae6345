import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sentimon.reporting.report.blocks import Key
from sentimon.reporting.report.charts import (
    Began,
    Level,
    Stretch,
    Timeline,
    calibration_chart,
    change_chart,
    estimate_chart,
    mix_chart,
    rows_chart,
    used_keys,
)
from sentimon.reporting.report.report_value import ScoredWindow
from sentimon.reporting.report.svg import Frame, label, path, ticks
from sentimon.statistics.calibration_error import ReliabilityBin
from sentimon.statistics.intervals import Estimate
from tests.reporting.report.pages import everything, parsed

START = datetime(2026, 9, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTHING = Estimate(value=None, low=None, high=None, n=0)


def window(number: int, counts: tuple[int, int, int], one: Estimate = NOTHING) -> ScoredWindow:
    start = START + number * HOUR
    return ScoredWindow(
        start=start, end=start + HOUR, complete=True, counts=counts, confidence=one, score=one
    )


def estimate(value: float, n: int = 100) -> Estimate:
    return Estimate(value=value, low=value - 0.1, high=value + 0.1, n=n)


NAMES = ("negative", "neutral", "positive")


def time(*windows: ScoredWindow, fewest: int = 0, **given: object) -> Timeline:
    return msgspec.structs.replace(Timeline(windows=windows, zone=UTC, fewest=fewest), **given)


def marks(drawn: str) -> list[str]:
    """What each mark says that a pointer or the keyboard reaches."""
    found = everything(parsed(f"<svg>{drawn}</svg>"))
    return [one.children[0].text for one in found if one.attributes.get("tabindex") == "0"]


def test_a_mix_is_drawn_one_class_upon_the_other() -> None:
    # The plot is 580 wide from 46, and 226 high from 278 up; each of two windows has 290, less its gaps.
    drawn, frame = mix_chart(time(window(0, (1, 1, 2)), window(1, (0, 0, 0)), fewest=4), NAMES)
    assert frame.size == (640, 310)
    assert '<path class="class0" d="M47 278H335V221.5H47Z"/>' in drawn
    assert '<path class="class1" d="M47 221.5H335V165H47Z"/>' in drawn
    assert '<path class="class2" d="M47 165H335V52H47Z"/>' in drawn
    assert "pale" not in drawn


def test_each_window_says_its_value_to_the_pointer_and_to_the_keyboard() -> None:
    two = (window(0, (1, 1, 2), estimate(0.5)), window(1, (0, 0, 0)))
    assert marks(mix_chart(time(*two), ("bad", "", "good"))[0]) == [
        "2026-09-07 00:00, 4 rows: bad 0.250, good 0.500",
        "2026-09-07 01:00, 0 rows: no rows",
    ]
    drawn, _ = estimate_chart(time(*two), [one.score for one in two], low=0.0, high=1.0)
    assert marks(drawn) == [
        "2026-09-07 00:00, 4 rows: 0.500 [0.400, 0.600]",
        "2026-09-07 01:00, 0 rows: no value",
    ]
    # Side by side over the whole plot.
    assert drawn.count('<rect class="area" x="46" y="52" width="290" height="226"/>') == 1


def test_many_windows_share_a_mark_which_says_their_range() -> None:
    many = [window(number, (number % 4, 4, 0)) for number in range(240)]
    said = marks(mix_chart(time(*many), NAMES)[0])
    assert len(said) == 120
    assert said[0] == (
        "2026-09-07 00:00, 2 windows to 09-07 01:00, 9 rows: negative 0.000 to 0.200, neutral 0.800 to "
        "1.000, positive 0.000 to 0.000"
    )


def test_the_shares_of_the_baseline_are_lines_where_its_bars_would_meet() -> None:
    drawn, _ = mix_chart(time(window(0, (1, 1, 2))), NAMES, [0.25, 0.25, 0.5])
    # 278 - 226 / 4 and 278 - 226 / 2.
    for y in ("221.5", "165"):
        assert f'<line class="known" x1="46" y1="{y}" x2="626" y2="{y}"/>' in drawn
    assert drawn.count('class="known"') == 2
    two, _ = mix_chart(time(window(0, (1, 0, 2))), ("bad", "", "good"), [0.25, 0.0, 0.75])
    assert two.count('class="known"') == 1


def test_the_onset_is_a_line_within_a_band_and_says_so() -> None:
    began = Began(
        at=START + 2 * HOUR,
        first=START + HOUR,
        last=START + 3 * HOUR,
        text="It began then",
        label="it changed",
    )
    four = [window(number, (10, 10, 20)) for number in range(4)]
    for drawn, _ in (
        mix_chart(time(*four, began=began), NAMES),
        estimate_chart(time(*four, began=began), [estimate(0.5)] * 4, low=0.0, high=1.0),
    ):
        assert '<rect class="onset" x="191" y="52" width="290" height="226"/>' in drawn
        assert '<line class="onset-line" x1="336" y1="52" x2="336" y2="278"/>' in drawn
        assert marks(drawn)[0] == "It began then"


def test_a_legend_names_what_is_drawn_and_nothing_else() -> None:
    drawn, _ = mix_chart(time(window(0, (1, 1, 0)), fewest=5), NAMES)
    keys = [Key(mark=mark, meaning=mark) for mark in ("class0", "class0 pale", "class2", "known")]
    assert [one.mark for one in used_keys(drawn, keys)] == ["class0 pale"]


def test_windows_of_few_rows_are_pale_and_those_without_rows_are_gaps() -> None:
    three = (window(0, (1, 0, 0)), window(1, (0, 0, 0)), window(2, (9, 0, 0)))
    drawn, _ = mix_chart(time(*three, fewest=5), NAMES)
    assert drawn.count("<path") == 2
    assert '<path class="class0 pale"' in drawn


def test_a_number_is_a_line_with_a_band_that_breaks_where_there_is_none() -> None:
    windows = [window(number, (100, 0, 0)) for number in range(4)]
    numbers = [estimate(0.5), estimate(0.5), NOTHING, estimate(0.3, n=10)]
    drawn, _ = estimate_chart(time(*windows, fewest=50), numbers, low=0.0, high=1.0)
    # Middles of four windows: 46 + 580 * 1/8 = 118.5 and 263.5; 0.5 lies at 278 - 113 = 165.
    assert '<path class="line" d="M118.5 165H263.5"/>' in drawn
    assert '<path class="band" d="M118.5 142.4H263.5V187.6H118.5Z"/>' in drawn
    assert drawn.count('class="mark"') == 2
    assert drawn.count('class="weak"') == 1


def test_a_level_and_a_stretch_are_drawn_across() -> None:
    windows = [window(number, (100, 0, 0)) for number in range(2)]
    stretch = Stretch(look="incident", start=START + HOUR, end=START + 5 * HOUR)
    drawn, _ = estimate_chart(
        time(*windows, stretches=[stretch]),
        [estimate(0.5)] * 2,
        low=0.0,
        high=1.0,
        levels=[Level(value=0.5, text="drift above 0.5")],
    )
    assert '<line class="limit" x1="46" y1="165" x2="626" y2="165"/>' in drawn
    assert '<rect class="incident" x="336" y="52" width="290" height="226"/>' in drawn
    assert '<rect class="incident track" x="336" y="43" width="290" height="7"/>' in drawn
    named = msgspec.structs.replace(stretch, name="incident-1", text="An incident")
    drawn, _ = mix_chart(time(*windows, stretches=[named]), NAMES)
    assert '<g class="hit" id="incident-1" tabindex="0" role="img"><title>An incident</title>' in drawn


def test_change_and_calibration_show_each_number_once() -> None:
    drawn, _ = change_chart([("negative", estimate(0.2), estimate(0.6))])
    assert drawn.count('class="before point"') == drawn.count('class="now point"') == 1
    # 110 + 516 * 0.2
    assert 'cx="213.2"' in drawn
    curve = [
        ReliabilityBin(confidence=0.6, accuracy=estimate(0.7)),
        ReliabilityBin(confidence=0.9, accuracy=estimate(0.8)),
    ]
    drawn, _ = calibration_chart(curve)
    assert drawn.count('class="mark"') == 2


def test_the_look_of_a_label_cannot_be_broken_out_of() -> None:
    shown = "&lt;/text&gt;&lt;script&gt;&quot;&amp;\\x1b"
    place = 'x="1" y="2" text-anchor="start"'
    drawn = label("tick", (1, 2), '</text><script>"&\x1b')
    assert drawn == f'<text class="tick" {place}>{shown}</text>'
    assert path("line", [], closed=False) == ""


numbers = st.floats(allow_nan=True, allow_infinity=True)
estimates = st.builds(
    Estimate,
    value=st.none() | numbers,
    low=st.none() | numbers,
    high=st.none() | numbers,
    n=st.integers(0, 200),
)


@given(
    st.lists(st.tuples(st.tuples(*[st.integers(0, 10**12)] * 3), estimates), min_size=1, max_size=80),
    st.floats(0, 1),
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
)
def test_every_coordinate_is_finite_and_on_the_paper(rows, level: float, moved: timedelta) -> None:  # type: ignore[no-untyped-def]
    windows = [window(number, counts, one) for number, (counts, one) in enumerate(rows)]
    stretch = Stretch(look="incident", start=START + moved, end=START + moved + HOUR)
    began = Began(at=stretch.start, first=stretch.start - HOUR, last=stretch.end, text="then", label="x")
    shared = time(*windows, fewest=50, stretches=[stretch], began=began)
    mix, frame = mix_chart(shared, NAMES, [level, 1 - level, 0.0])
    line, _ = estimate_chart(
        shared,
        [one.score for one in windows],
        low=0.0,
        high=1.0,
        levels=[Level(value=level, text="limit")],
    )
    check_coordinates(mix, frame)
    check_coordinates(line, frame)
    check_coordinates(*change_chart([("x", one.score, one.confidence) for one in windows[:4]]))
    check_coordinates(
        *calibration_chart(
            [ReliabilityBin(confidence=min(1.0, level), accuracy=one.score) for one in windows[:15]]
        )
    )


def check_coordinates(drawn: str, frame: Frame) -> None:
    width, height = frame.size
    for element in everything(parsed(f"<svg>{drawn}</svg>")):
        given = element.attributes
        across = [float(str(given[name])) for name in ("x", "x1", "x2", "cx") if name in given]
        upwards = [float(str(given[name])) for name in ("y", "y1", "y2", "cy") if name in given]
        pairs = re.findall(r"(-?[\d.]+|nan|inf) (-?[\d.]+|nan|inf)", str(given.get("d", "")))
        across += [float(x) for x, _ in pairs]
        upwards += [float(y) for _, y in pairs]
        if "width" in given:
            across.append(across[0] + float(str(given["width"])))
            upwards.append(upwards[0] + float(str(given["height"])))
        assert all(math.isfinite(one) and -0.01 <= one <= width + 0.11 for one in across), element
        assert all(math.isfinite(one) and -0.01 <= one <= height + 0.11 for one in upwards), element


@given(st.floats(0, 1), st.floats(1e-3, 1))
def test_ticks_are_round_differ_and_lie_within(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 2 <= len(found) <= 8
    assert found == sorted(set(found))
    assert all(low - 1e-6 <= one <= low + span + 1e-6 for one in found)


def test_a_single_window_and_a_frame_without_width_are_drawn() -> None:
    drawn, frame = estimate_chart(time(window(0, (60, 0, 0))), [estimate(0.5)], low=0.0, high=1.0)
    assert 'class="band"' in drawn
    assert replace(frame, x_high=frame.x_low).x(5.0) == frame.left


def test_rows_are_drawn_as_bars_with_the_mean_of_the_baseline_across() -> None:
    # The plot is 580 wide from 46, and 106 high from 158 up; 50 rows are 1 / 1.1 of that.
    windows = [
        window(0, (10, 10, 30)),
        window(1, (0, 0, 0)),
        msgspec.structs.replace(window(2, (5, 0, 0)), complete=False),
    ]
    drawn, frame = rows_chart(time(*windows), 25.0)
    assert frame.size == (640, 190)
    base, top = frame.y(0.0), frame.y(50.0)
    assert (base, round(top, 1)) == (158, 61.6)
    assert f'<path class="rows" d="M47 {base:g}' in drawn
    assert f"V{top:.1f}" in drawn
    assert '<path class="rows pale" d="' in drawn
    assert "<title>baseline: 25 rows</title>" in drawn
    assert [said.split(": ")[-1] for said in marks(drawn)] == ["50 rows each", "0 rows each", "5 rows each"]
    assert 'class="known"' not in rows_chart(time(*windows))[0]
