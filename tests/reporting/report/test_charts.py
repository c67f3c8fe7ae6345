import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sentimon.reporting.report.charts import (
    Level,
    Stretch,
    calibration_chart,
    change_chart,
    estimate_chart,
    mix_chart,
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


def test_a_mix_is_drawn_one_class_upon_the_other() -> None:
    # The plot is 580 wide from 46 and 226 high from 238 upwards; each of two windows has 290, less its gaps.
    drawn, frame = mix_chart([window(0, (1, 1, 2)), window(1, (0, 0, 0))], UTC, fewest=4)
    assert frame.size == (640, 270)
    assert '<path class="class0" d="M47 238H335V181.5H47Z"/>' in drawn
    assert '<path class="class1" d="M47 181.5H335V125H47Z"/>' in drawn
    assert '<path class="class2" d="M47 125H335V12H47Z"/>' in drawn
    assert "pale" not in drawn


def test_windows_of_few_rows_are_pale_and_those_without_rows_are_gaps() -> None:
    drawn, _ = mix_chart([window(0, (1, 0, 0)), window(1, (0, 0, 0)), window(2, (9, 0, 0))], UTC, fewest=5)
    assert drawn.count("<path") == 2
    assert '<path class="class0 pale"' in drawn


def test_a_number_is_a_line_with_a_band_that_breaks_where_there_is_none() -> None:
    windows = [window(number, (100, 0, 0)) for number in range(4)]
    numbers = [estimate(0.5), estimate(0.5), NOTHING, estimate(0.3, n=10)]
    drawn, _ = estimate_chart(windows, numbers, UTC, low=0.0, high=1.0, fewest=50)
    # Middles of four windows: 46 + 580 * 1/8 = 118.5 and 263.5; 0.5 lies at 238 - 113 = 125.
    assert '<path class="line" d="M118.5 125H263.5"/>' in drawn
    assert '<path class="band" d="M118.5 102.4H263.5V147.6H118.5Z"/>' in drawn
    assert drawn.count('class="mark"') == 2
    assert drawn.count('class="weak"') == 1


def test_a_level_and_a_stretch_are_drawn_across() -> None:
    windows = [window(number, (100, 0, 0)) for number in range(2)]
    stretch = Stretch(look="incident", start=START + HOUR, end=START + 5 * HOUR)
    drawn, _ = estimate_chart(
        windows,
        [estimate(0.5)] * 2,
        UTC,
        low=0.0,
        high=1.0,
        level=Level(value=0.5, text="drift above 0.5"),
        stretches=[stretch],
    )
    assert '<line class="limit" x1="46" y1="125" x2="626" y2="125"/>' in drawn
    assert '<rect class="incident" x="336" y="12" width="290" height="226"/>' in drawn


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
    mix, frame = mix_chart(windows, UTC, fewest=50)
    line, _ = estimate_chart(
        windows,
        [one.score for one in windows],
        UTC,
        low=0.0,
        high=1.0,
        level=Level(value=level, text="limit"),
        stretches=[stretch],
        fewest=50,
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
    drawn, frame = estimate_chart([window(0, (60, 0, 0))], [estimate(0.5)], UTC, low=0.0, high=1.0)
    assert 'class="band"' in drawn
    assert replace(frame, x_high=frame.x_low).x(5.0) == frame.left
