"""`python notebooks/pictures.py`: draw the pictures of README and docs anew, from what the program prints.

They are SVG, with the fonts of whoever looks at them: nothing is fetched from anywhere.
The report is shown as a browser draws it.
"""

from __future__ import annotations

import html
import inspect
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

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
    from sentimon.cli.session import Session
    from sentimon.config import load_settings
    from sentimon.reporting.live_view import frame
    from sentimon.workflows.monitor import run_monitor
    from sentimon.workflows.watch import Watcher

    before = NOW.replace(hour=19, minute=0, second=0)
    session = Session(loaded=load_settings(flags={"logs.dir": "logs"}), now=before)
    path = session.baseline_path(None)
    run_monitor(session, path)
    watcher = Watcher(every="6h", calendar=session.calendar("6h"), windows=60, path=path)
    state = watcher.look(session.quiet(NOW))
    return frame(state, session.names, width=WIDTH, height=30)


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


def report_picture(path: Path) -> None:
    """Draw the top of the report, as a browser shows it; nothing is drawn where there is no Chromium."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.stderr.write("report.png is not drawn: there is no chromium\n")
        return
    sentimon("report", "--output", "report.html", "-q")
    page, sandbox = Path("report.html").resolve().as_uri(), ["--no-sandbox"] if os.getuid() == 0 else []
    size = [f"--window-size={PAGE[0]},{PAGE[1]}", f"--screenshot={path}"]
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", *sandbox, *size]
    subprocess.run([browser, *options, page], check=True, capture_output=True)


def main(folder: Path = IMAGES) -> None:
    """Draw all of them into a folder."""
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
        report_picture(folder / "report.png")
        os.chdir(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
