"""`watch` in a real terminal: tmux types, and looks at the screen."""

from __future__ import annotations

import random
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import clean_environment
from tests.support.rows import lines, row

TMUX = shutil.which("tmux")
needs_tmux = pytest.mark.skipif(
    TMUX is None, reason="NOT TRIED IN A TERMINAL: tmux is not installed (apt-get install tmux)"
)
PATIENCE_SECONDS = 30.0


class Screen:
    """A terminal of 100 by 40 with a shell in `folder`; `sentimon` is the program."""

    def __init__(self, folder: Path) -> None:
        assert TMUX is not None
        self._tmux = [TMUX, "-u", "-f", "/dev/null", "-S", str(folder / "tmux.socket")]
        shell = f"exec env PS1='$ ' {shutil.which('bash')} --norc --noprofile"
        environment = clean_environment(folder) | {"TERM": "xterm-256color", "SHELL": "/bin/sh"}
        # Of another terminal: what counts is the one that is looked at.
        environment |= {"COLUMNS": "77", "LINES": "24"}
        self._environment = environment
        self._folder = folder
        self.do("new-session", "-d", "-x", "100", "-y", "40", "-s", "one", shell)
        # In a process of its own, that leaves its number.
        program = f"echo $BASHPID > pid; exec {shlex.quote(sys.executable)} -m sentimon"
        self.type(f'sentimon() ( {program} "$@" ); clear')

    def do(self, *command: str) -> str:
        done = subprocess.run(
            [*self._tmux, *command],
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self._folder,
            timeout=20,
            check=True,
        )
        return done.stdout

    def type(self, line: str) -> None:
        self.do("send-keys", "-l", line)
        self.press("Enter")

    def press(self, key: str) -> None:
        self.do("send-keys", key)

    @property
    def text(self) -> str:
        return self.do("capture-pane", "-p")

    def until(self, *said: str, gone: str | None = None) -> str:
        """Wait until the screen says all of it; what it says then."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            text = self.text
            if all(one in text for one in said) and (gone is None or gone not in text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"no {said} (without {gone!r}) on the screen:\n{self.text}")

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with a baseline, an incident, and a row since."""
    folder = tmp_path_factory.mktemp("made")

    def sentimon(code: int, *arguments: str, stdin: str = "") -> None:
        command = [sys.executable, "-m", "sentimon", *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=clean_environment(folder),
            check=False,
        )
        assert done.returncode == code

    def mixed(*counts: int, minute: int) -> str:
        """So many rows of each class, in no order: in order, each hour would be of one class."""
        places = [place for place, count in enumerate(counts) for _ in range(count)]
        random.Random(0).shuffle(places)
        return lines(row(place, minute + number) for number, place in enumerate(places))

    sentimon(0, "log", "--input", "-", "-q", stdin=mixed(400, 600, 1000, minute=0))
    sentimon(0, "baseline", "create", "--name", "june")
    sentimon(0, "log", "--input", "-", "-q", stdin=mixed(200, 50, 50, minute=2000))
    sentimon(3, "drift", "--monitor", "-q")
    last = row(0, 2400, text="[red]the \x1b[31mlast")
    sentimon(0, "log", "--input", "-", "-q", stdin=lines([last]))
    return folder / "logs"


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "logs"))


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path)
    yield made
    made.close()


def watching(screen: Screen, *options: str) -> str:
    screen.type(
        shlex.join(["sentimon", "watch", "--logs", "logs", "--interval", "1s", *options]) + "; echo code=$?"
    )
    return screen.until("sentimon watch  logs", "q quits", "Last rows")


def test_where_stdout_is_no_terminal_it_prints_one_frame(run, log: Path) -> None:  # type: ignore[no-untyped-def]
    before = {path.name: path.read_bytes() for path in log.iterdir() if path.is_file()}
    done = run("watch", "--logs", "logs", "--every", "6h")
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    for said in ("2,301 rows", "Windows of 6h", "Baseline 'june' and 301 newer rows", "INCIDENT found"):
        assert said in done.out
    assert done.out.rstrip().endswith("[red]the \\x1b[31mlast")
    # It only reads: neither the monitor nor anything else has moved.
    assert before == {path.name: path.read_bytes() for path in log.iterdir() if path.is_file()}


def test_a_terminal_that_knows_nothing_gets_one_frame(run, log: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("watch", TERM="dumb", FORCE_COLOR="1")
    assert done.code == 0
    assert "INCIDENT" in done.out


def test_a_log_that_is_not_there_is_an_error(run) -> None:  # type: ignore[no-untyped-def]
    done = run("watch", "--logs", "nowhere")
    assert (done.code, done.out) == (1, "")
    assert "nowhere: no such folder" in done.err


@pytest.mark.parametrize(
    "option", [("--interval", "0s"), ("--interval", "5"), ("--every", "7h"), ("--tz", "Mars")]
)
def test_options_that_cannot_be_are_refused(run, log: Path, option: tuple[str, str]) -> None:  # type: ignore[no-untyped-def]
    done = run("watch", *option)
    assert (done.code, done.out) == (2, "")
    assert "hint:" in done.err or option[0] == "--tz"


@needs_tmux
def test_rows_show_as_they_come_and_bad_lines_are_counted(run, log: Path, screen: Screen) -> None:  # type: ignore[no-untyped-def]
    first = watching(screen)
    assert "2,301 rows" in first
    assert "[red]the \\x1b[31mlast" in first
    assert run("log", "--input", "-", "-q", stdin=lines([row(2, 2500, text="just now")])).code == 0
    screen.until("2,302 rows", "just now", "a minute over")
    with (log / "predictions.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    screen.until("1 bad lines, the first logs/predictions.jsonl:2303")
    screen.press("q")
    screen.until("code=0", gone="sentimon watch  logs ")


@needs_tmux
def test_it_takes_the_size_that_the_terminal_gets(log: Path, screen: Screen) -> None:
    watching(screen)
    for width, height in ((60, 24), (130, 45)):
        screen.do("resize-window", "-x", str(width), "-y", str(height))
        end, text = time.monotonic() + PATIENCE_SECONDS, [""]
        # One look may meet a frame half drawn.
        while not (len(text) == height and len(text[0]) == width) and time.monotonic() < end:
            time.sleep(0.1)
            text = screen.text.rstrip("\n").split("\n")
        # The clock ends at the last cell of the first line.
        assert len(text[0]) == width
        assert text[0].endswith(" UTC")
        assert len(text) == height
        assert "the last" not in "".join(text[:-1])
        assert "[red]the" in text[-1]
    screen.press("q")
    screen.until("code=0")


@needs_tmux
@pytest.mark.parametrize(("ending", "code"), [("q", 0), ("Q", 0), ("C-c", 130), ("TERM", 143), ("HUP", 129)])
def test_however_it_ends_the_terminal_is_as_before(log: Path, screen: Screen, ending: str, code: int) -> None:
    screen.type("echo before")
    watching(screen)
    if ending in ("TERM", "HUP"):
        pid = log.with_name("pid").read_text(encoding="utf-8").strip()
        subprocess.run(["kill", f"-{ending}", pid], check=True)
    else:
        screen.press(ending)
    # What was there before is there again, and what is typed shows.
    screen.until("before", f"code={code}", gone="q quits")
    screen.type("stty -a; tput cnorm | wc -c")
    text = screen.until("icanon")
    assert "-icanon" not in text
    assert " echo " in text
    assert "-echo " not in text
    assert screen.do("display-message", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]


@needs_tmux
def test_where_keys_come_from_elsewhere_ctrl_c_ends_it(log: Path, screen: Screen) -> None:
    screen.type("sentimon watch --interval 1s < /dev/null; echo code=$?")
    screen.until("Last rows")
    time.sleep(1.5)
    assert "Last rows" in screen.text
    screen.press("C-c")
    screen.until("code=130", gone="Last rows")


@needs_tmux
def test_it_can_be_stopped_and_gone_on_with(run, log: Path, screen: Screen) -> None:  # type: ignore[no-untyped-def]
    watching(screen)
    screen.press("C-z")
    screen.until("Stopped", gone="q quits")
    screen.type("echo typed")
    screen.until("\ntyped")
    assert run("log", "--input", "-", "-q", stdin=lines([row(2, 2500, text="meanwhile")])).code == 0
    screen.type("fg")
    screen.until("q quits", "meanwhile")
    screen.press("q")
    screen.until("typed", gone="q quits")


@needs_tmux
def test_a_log_that_goes_away_is_said_and_one_that_comes_back_is_seen(log: Path, screen: Screen) -> None:
    watching(screen)
    log.rename(log.with_name("elsewhere"))
    screen.until("logs: no such folder", "2,301 rows")
    log.with_name("elsewhere").rename(log)
    screen.until("2,301 rows", gone="no such folder")
    screen.press("C-c")
    screen.until("code=130")
