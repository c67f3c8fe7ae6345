"""`python notebooks/pictures.py`: draw the pictures of README and docs anew, from what the program prints.

They are SVG, with the fonts of whoever looks at them: nothing is fetched from anywhere.
The report is shown as a browser draws it.
"""

from __future__ import annotations

import html
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
SAMPLE = Path(__file__).parent.parent / "sentimon" / "sample"
NOW = datetime(2026, 10, 4, 20, 41, 7, tzinfo=UTC)
"""When the live view is looked at: a moment after the last row of the sample."""
WIDTH = 88
PAGE = (1180, 1180)
"""Pixels of the report that are shown."""
CHARTS = (1180, 1010)
"""Pixels of the picture that shows conclusion and first chart of a busier log."""
CONCLUSION, ABOVE_CHARTS = 415, 1660
"""Pixels of the conclusion, and where the first chart begins."""
MOVES = datetime(2026, 9, 21, tzinfo=UTC)
"""Where the baseline of the busy log ends."""
NAMES = ("negative", "neutral", "positive")
WORDS = ("the", "parcel", "came", "late", "courier", "was", "friendly", "refund", "colour", "fits")
_CELL = 12.2
"""How wide rich draws a character."""
_TEXT = re.compile(
    r'<text class="(\S+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+" clip-path="([^"]+)">([^<]*)</text>'
)
_GAP = re.compile("(^(?:&#160;)+|(?:&#160;){2,})")
_FONT = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)


def sentimon(*arguments: str) -> Text:
    """What the program prints on a terminal with colours, in this folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SENTIMON_")}
    environment.pop("NO_COLOR", None)
    environment |= {
        "FORCE_COLOR": "1",
        "COLUMNS": str(WIDTH),
        "TERM": "xterm",
        "PYTHONUTF8": "1",
        "TZ": "UTC",
    }
    environment["XDG_CONFIG_HOME"] = str(Path.cwd())
    done = subprocess.run(
        [sys.executable, "-m", "sentimon", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(arguments)} ended with exit code {done.returncode}")
    return Text.from_ansi(done.stdout)


def live_view() -> RenderableType:
    """One frame of `watch`, an hour after the monitor has found drift."""
    from sentimon.config import load_settings
    from sentimon.reporting.live_view import frame
    from sentimon.workflows.monitor import run_monitor
    from sentimon.workflows.watch import Watcher
    from sentimon.workflows.workspace import Workspace

    before = NOW.replace(hour=19, minute=0, second=0)
    workspace = Workspace(loaded=load_settings(flags={"logs.dir": "logs"}), now=before)
    path = workspace.baseline_path(None)
    run_monitor(workspace, path)
    watcher = Watcher(every="6h", calendar=workspace.calendar("6h"), windows=60, path=path)
    state = watcher.look(workspace.quiet(NOW))
    return frame(state, workspace.names, width=WIDTH, height=30)


PICTURES: dict[str, tuple[str, Callable[[], RenderableType]]] = {
    "metrics": ("sentimon metrics --every 2d", lambda: sentimon("metrics", "--every", "2d")),
    "watch": ("sentimon watch --every 6h", live_view),
}


def drawn(title: str, shown: RenderableType) -> str:
    """Return a picture of a terminal."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor",
        markup=False, highlight=False, emoji=False,
    )  # fmt: skip
    console.print(shown)
    usual = str(inspect.signature(Console.export_svg).parameters["code_format"].default)
    form = _FONT.sub("", usual).replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
    svg = console.export_svg(title=title, code_format=form, unique_id=title.split()[1])
    svg = _TEXT.sub(_placed, svg)
    return "".join(line.rstrip() + "\n" for line in svg.split("\n") if line.strip())


def _placed(text: re.Match[str]) -> str:
    """Return a text with each of its columns at its own place: not every viewer keeps several spaces."""
    begin, found = float(text[2]), ""
    for piece in _GAP.split(text[5]):
        width = _CELL * cell_len(html.unescape(piece))
        if piece.strip() and not _GAP.fullmatch(piece):
            found += (
                f'<text class="{text[1]}" x="{begin:g}" y="{text[3]}" textLength="{width:g}" '
                f'clip-path="{text[4]}">{piece}</text>'
            )
        begin += width
    return found


def report_pictures(folder: Path) -> None:
    """Draw top and charts of a report, as a browser shows them; without Chromium draw nothing."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.stderr.write("the report is not drawn: there is no chromium\n")
        return
    sentimon("report", "--output", "report.html", "-q")
    photograph(browser, Path("report.html"), folder / "report.png", PAGE)
    busy_report(Path("busy.html"))
    # Two views of the same page, one moved up: a browser without a window does not scroll.
    views = "".join(
        f'<div style="height:{height}px;overflow:hidden"><iframe src="busy.html" scrolling="no" '
        f'style="border:0;width:{CHARTS[0]}px;height:4000px;margin-top:-{above}px"></iframe></div>'
        for above, height in ((0, CONCLUSION), (ABOVE_CHARTS, CHARTS[1] - CONCLUSION))
    )
    Path("charts.html").write_text(f'<body style="margin:0">{views}</body>', encoding="utf-8")
    photograph(browser, Path("charts.html"), folder / "charts.png", CHARTS)


def photograph(browser: str, page: Path, path: Path, size: tuple[int, int]) -> None:
    """Keep what a browser shows of a page in a window of that size."""
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    shown = [f"--window-size={size[0]},{size[1]}", f"--screenshot={path}"]
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", *sandbox, *shown]
    subprocess.run([browser, *options, page.resolve().as_uri()], check=True, capture_output=True)


def busy_report(path: Path) -> None:
    """Write the report of four weeks with some hundred rows a day, of which the mix moves in the third."""
    from sentimon.config import load_settings
    from sentimon.workflows.monitor import run_monitor
    from sentimon.workflows.workspace import Workspace

    Path("busy.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in busy_rows()), encoding="utf-8")
    sentimon("log", "--input", "busy.jsonl", "--logs", "busy")
    sentimon("baseline", "create", "--until", MOVES.isoformat(), "--name", "september", "--logs", "busy")
    workspace = Workspace(loaded=load_settings(flags={"logs.dir": "busy"}), now=NOW)
    run_monitor(workspace, workspace.baseline_path(None))
    sentimon(
        "report", "--logs", "busy", "--now", NOW.isoformat(), "--every", "1d", "--output", str(path), "-q"
    )


def busy_rows() -> Iterator[dict[str, object]]:
    """Yield the predictions of an invented shop; more of them are negative from `MOVES` + 3 days on."""
    source, moment = Random(7), datetime(2026, 9, 7, tzinfo=UTC)
    while moment < NOW:
        for _ in range(source.randrange(4, 22) if 7 <= moment.hour < 23 else source.randrange(3)):
            negative = 0.34 if moment >= MOVES + timedelta(days=3) else 0.2
            label = source.choices(NAMES, [negative, 0.32, 0.68 - negative])[0]
            sure = round(min(0.99, max(0.5, source.betavariate(9, 1.6))), 3)
            others = [name for name in NAMES if name != label]
            rest = round((1 - sure) * 0.7, 3)
            scores = {label: sure, others[0]: rest, others[1]: round(1 - sure - rest, 3)}
            text = " ".join(source.choices(WORDS, k=6))
            yield {"timestamp": moment.isoformat(), "text": text, "sentiment": label, "scores": scores}
        moment += timedelta(hours=1)


def main(folder: Path = IMAGES) -> None:
    """Draw all of them, or into another folder those of a terminal alone, as the test does."""
    with_browser = folder == IMAGES
    folder = folder.resolve()
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sentimon-pictures-") as temporary:
        os.chdir(temporary)
        os.environ["XDG_CONFIG_HOME"] = temporary
        sentimon("log", "--input", str(SAMPLE / "before.jsonl"))
        sentimon("baseline", "create", "--name", "september")
        sentimon("log", "--input", str(SAMPLE / "after.jsonl"))
        for name, (title, make) in PICTURES.items():
            (folder / f"{name}.svg").write_text(drawn(title, make()), encoding="utf-8")
        if with_browser:
            report_pictures(folder)
        os.chdir(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
