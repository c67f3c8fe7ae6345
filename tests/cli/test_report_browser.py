"""A report in a real browser: it opens from disk, asks for nothing, complains of nothing, and is drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.support.browser import PROGRAM, Browser, browser
from tests.support.reports import traffic

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="NO CHROMIUM: no report was opened in a browser (apt-get install chromium)"
)
_COMPLAINTS = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
_SIZES = """JSON.stringify([...document.querySelectorAll('figure > svg')].map(one => {
  const box = one.getBBox(), seen = one.getBoundingClientRect();
  return [one.querySelectorAll('path, line, circle').length, box.width, box.height, seen.width, seen.height];
}))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def hostile_report(run: Callable[..., Ran]) -> None:
    hostile = "<script>document.title='x'</script><img src=//example.invalid/x.png>\u202e"
    assert run("log", "--input", "-", "-q", stdin=traffic(80, 120, 200)).code == 0
    assert run("baseline", "create", "--name", hostile).code == 0
    assert (
        run("log", "--input", "-", "-q", stdin=traffic(60, 30, 10, minute=500, text=f"{hostile} hi")).code
        == 0
    )
    assert run("drift", "--monitor", "--save", "-q").code == 3
    assert run("report", "--every", "1h").code == 0


@pytest.fixture
def report(begin_with, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    begin_with(hostile_report)
    return tmp_path / "report.html"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_opens_from_disk_and_is_drawn(page: Browser, report: Path, width: int, dark: bool) -> None:
    page.look(width, dark=dark)
    page.open(report)
    asked = [
        one["params"]["request"]["url"] for one in page.events if one["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [report.as_uri()]
    complaints = [one for one in page.events if one["method"] in _COMPLAINTS]
    assert complaints == []
    charts = json.loads(page.value(_SIZES))
    assert len(charts) == 5
    for marks, drawn_width, drawn_height, seen_width, seen_height in charts:
        assert marks > 8
        assert drawn_width > 300
        assert drawn_height > 100
        assert 0.8 * min(width, 960) - 60 < seen_width <= width
        assert seen_height > 100
    # Nothing is wider than the window: tables scroll by themselves.
    assert page.value("document.documentElement.scrollWidth") <= width
    background = page.value("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
    assert page.value("document.title") == "Drift: Sentiment monitoring report"
    assert page.picture()[:4] == b"\x89PNG"


_FOCUS = """(() => {
  const marks = [...document.querySelectorAll('.mix .hit')], mark = marks[marks.length - 1];
  const tip = mark.querySelector('.tip'), seen = () => getComputedStyle(tip).visibility;
  const before = seen(); mark.focus();
  return JSON.stringify([before, seen(), document.activeElement === mark, mark.getAttribute('role'),
                         marks.every(one => one.querySelector('title').textContent.length > 5)]);
})()"""


@pytest.mark.parametrize("width", [1280, 390])
def test_a_mark_says_its_value_when_the_keyboard_reaches_it(page: Browser, report: Path, width: int) -> None:
    page.look(width, dark=False)
    page.open(report)
    assert json.loads(page.value(_FOCUS)) == ["hidden", "visible", True, "img", True]
    # The way past the marks of a chart is there for the keyboard alone.
    page.call("Runtime.evaluate", expression="document.querySelector('figure .skip').focus()")
    assert page.value("document.querySelector('figure .skip').getBoundingClientRect().left") >= 0
    assert page.value("document.documentElement.scrollWidth") <= width


def test_every_table_that_scrolls_is_reached_by_the_keyboard(page: Browser, report: Path) -> None:
    page.look(390, dark=False)
    page.open(report)
    reached = "[...document.querySelectorAll('.scroll')].every(one => one.tabIndex === 0)"
    assert page.value(reached) is True


def test_on_paper_it_is_light_whatever_the_screen_is(page: Browser, report: Path) -> None:
    page.look(1280, dark=True)
    page.open(report)
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.value("getComputedStyle(document.querySelector('nav')).display") == "none"
