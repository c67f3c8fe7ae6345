"""Every option that names something to write, against everything that must not be written."""

import contextlib
import io
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from sentimon.cli.app import app
from sentimon.errors import SentimonError
from tests.support.commands import ALL
from tests.support.rows import lines, records

WRITES = {
    ("predict", "--output"): ["-i", "in.jsonl"],
    ("metrics", "--prometheus"): ["--logs", "logs"],
    ("drift", "--prometheus"): [],
    ("retrain-check", "--prometheus"): ["--save"],
    ("export prometheus", "--output"): ["-q"],
    ("cron show", "--prometheus"): [],
    ("baseline create", "--baseline"): ["--force"],
    ("calibrate", "--output"): ["--data", "in.jsonl", "--force"],
    ("label next", "--output"): ["--force"],
    ("logs query", "--output"): ["--force"],
    ("report", "--output"): [],
    ("retrain", "--output"): ["--data", "in.jsonl"],
    ("promote", "--models"): ["sentimon-default", "--force"],
    ("models rollback", "--models"): [],
}
"""Each option that names something to write, with what else its command is given here."""
FOLDERS = {
    ("predict", "--output"),
    ("retrain", "--output"),
    ("promote", "--models"),
    ("models rollback", "--models"),
}
ENDINGS = {
    "--prometheus": ".prom",
    "export prometheus": ".prom",
    "report": ".html",
    "label next": ".csv",
    "logs query": ".jsonl",
}
READS = (
    "--logs",
    "--config",
    "--input",
    "--data",
    "--replay",
    "--regressions",
    "--evaluate",
    "--calibration",
)
READS_TOO = {
    *(
        f"{name} --baseline"
        for name in ("watch", "baseline show", "baseline check", "drift simulate", "report")
    ),
    # It is written again only where it is a baseline.
    "baseline extend --baseline",
    "export prometheus --baseline",
    "retrain --labels-from",
    "models list --models",
    "models show --models",
    # What they may make there is the business of another test.
    "drift --baseline",
    "retrain-check --baseline",
}
KEPT = (
    "predictions.jsonl",
    "predictions-20260101T000000Z.jsonl",
    "predictions-20260101T000000Z_0001.jsonl.zst",
    "predictions-20260101T000000Z.jsonl.gz.damaged",
    "baseline.json",
    "baseline.next.json",
    "baseline.before.json",
    "labels.jsonl",
    "monitor.json",
    "metrics.jsonl",
    "drift_reports.jsonl",
    "retraining_triggers.jsonl",
    "quarantine.jsonl",
    "quarantine-predictions-20260101T000000Z-1.zst",
    "erasures.jsonl",
    ".sentimon/rollup.sqlite",
    ".sentimon/jobs/job.json",
    ".predictions.jsonl.abc",
)
LOG = lines(one.to_dict() for one in records(30, 20, 10))
COMMAND = typer.main.get_command(app)
"""Made once: that takes ten times as long as to find out that a file may not be written."""
each = pytest.mark.parametrize("option", WRITES, ids=" ".join)


def given(*arguments: object) -> tuple[int, str]:
    """Run a command here, and return its exit code with all that it says."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = COMMAND.main([str(one) for one in arguments], prog_name="sentimon", standalone_mode=False)
        except SentimonError as error:
            code = int(error.exit_code)
            said.write(f"{error.message}\n{error.hint}\n")
    return code or 0, said.buffer.getvalue().decode()  # type: ignore[attr-defined]


def write(option: tuple[str, str], target: object) -> tuple[int, str]:
    """Have a command write to `target`."""
    command, name = option
    return given(*command.split(), *WRITES[option], name, target)


def ending(option: tuple[str, str]) -> str:
    """The ending that the option wants a file's name to have."""
    return ENDINGS.get(option[0]) or ENDINGS.get(option[1]) or ".json"


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of all files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in files}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two logs with one of each file, `logs` in force, and an input; they are the same afterwards."""
    monkeypatch.chdir(tmp_path)
    for log in ("logs", "other"):
        for name in KEPT:
            path = tmp_path / log / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(LOG if name == "predictions.jsonl" else f"{name}\n", encoding="utf-8")
    (tmp_path / "in.jsonl").write_text('{"text": "a", "label": "neutral"}\n', encoding="utf-8")
    before = state_of(tmp_path)
    yield tmp_path
    after = state_of(tmp_path)
    assert {path: after.get(path) for path in before} == before


def test_every_option_that_names_a_file_or_folder_is_known_to_read_or_to_write() -> None:
    for way, command in ALL:
        for one in command.params:
            names = [name for name in one.opts if name.startswith("--")]
            if not names or not any(word in (one.metavar or "") for word in ("FILE", "DIR")):
                continue
            key = (" ".join(way), names[0])
            assert key in WRITES or names[0] in READS or " ".join(key) in READS_TOO, key


@each
def test_no_file_of_a_log_is_written(option: tuple[str, str], place: Path) -> None:
    (place / "way").symlink_to("logs")
    targets = [*(f"logs/{name}" for name in KEPT), *(f"other/{name}" for name in KEPT[:5])]
    targets += [
        "logs//predictions.jsonl",
        "logs/../logs/labels.jsonl",
        "way/monitor.json",
        f"{place}/logs/labels.jsonl",
    ]
    targets += ["logs/predictions-20270101T000000Z.jsonl", "logs/.sentimon/new.prom"]
    targets += ["logs", "other", "way", "logs/.sentimon", "logs/.sentimon/jobs"]
    own = {"logs/baseline.json", "other/baseline.json"} if option[0] == "baseline create" else set()
    for target in targets:
        if target in own:
            continue
        code, says = write(option, target)
        assert code == 2, (target, code, says)
        assert str(Path(target)) in says, (target, says)


@each
def test_links_inputs_and_what_is_no_file_are_refused(option: tuple[str, str], place: Path) -> None:
    end = ending(option)
    os.link("logs/predictions.jsonl", f"hard{end}")
    os.link("logs/.sentimon/rollup.sqlite", f"inner{end}")
    Path(f"soft{end}").symlink_to("logs/labels.jsonl")
    Path(f"new{end}").symlink_to("logs/predictions-20280101T000000Z.jsonl")
    Path(f"circle{end}").symlink_to(f"circle{end}")
    os.mkfifo(f"pipe{end}")
    Path("file").write_text("something\n", encoding="utf-8")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"socket{end}")
    targets = [f"{name}{end}" for name in ("hard", "inner", "soft", "new", "circle", "pipe", "socket")]
    targets += ["/dev/null", f"file/x{end}"]
    if option not in FOLDERS:
        Path(f"folder{end}").mkdir()
        Path(f"elsewhere{end}").symlink_to("file")
        targets += [f"folder{end}", f"nowhere/x{end}", f"elsewhere{end}"]
    for target in targets:
        code, says = write(option, target)
        assert code == 2, (target, code, says)
        assert target in says
        assert target == "/dev/null" or says.strip().count("\n"), says
    assert not Path("nowhere").exists()
    assert Path(f"elsewhere{end}").is_symlink() or option in FOLDERS


@each
def test_what_the_same_command_reads_is_not_written(option: tuple[str, str], place: Path) -> None:
    if option in FOLDERS:
        return
    end = ending(option)
    named = Path(f"settings{end}")
    named.write_text("[drift]\nthreshold = 0.2\n", encoding="utf-8")
    os.link(named, f"again{end}")
    for target in (named, place / named, Path(f"again{end}")):
        code, says = given(*option[0].split(), *WRITES[option], "--config", named, option[1], target)
        assert (code, str(target) in says) == (2, True), says
    assert named.read_text(encoding="utf-8") == "[drift]\nthreshold = 0.2\n"


def test_a_folder_that_holds_other_things_or_the_input_is_not_filled(place: Path) -> None:
    texts = Path("texts")
    texts.mkdir()
    (texts / "part-00000.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")
    code, says = given("predict", "-i", "texts/part-00000.jsonl", "--output", "texts")
    assert (code, "texts: the input texts/part-00000.jsonl lies in it" in says) == (2, True)
    # Parts without a manifest may be anybody's.
    code, says = given("predict", "-i", "in.jsonl", "--output", "texts")
    assert (code, "texts: holds other things, part-00000.jsonl" in says) == (2, True)
    (texts / "manifest.json").write_text("{}", encoding="utf-8")
    (texts / "mine.txt").touch()
    code, says = given("predict", "-i", "in.jsonl", "--output", "texts")
    assert (code, "texts: holds other things, mine.txt" in says) == (2, True)
    # A run removes the folder that it works in.
    Path("model.part").mkdir()
    Path("model.part/mine.txt").touch()
    code, says = given("retrain", "--data", "in.jsonl", "--output", "model")
    assert (code, "model.part: holds other things" in says) == (2, True)
    assert Path("model.part/mine.txt").exists()


def test_force_replaces_only_what_is_of_the_same_kind(place: Path) -> None:
    for name, content in (("mine.json", '{"a": 1}'), ("rows.json", LOG), ("broken.json", "\x00")):
        Path(name).write_text(content, encoding="utf-8")
        for option in (("calibrate", "--output"), ("baseline create", "--baseline")):
            code, says = write(option, name)
            assert (code, f"{name}: holds something else than" in says) == (2, True), says
        assert Path(name).read_text(encoding="utf-8") == content
    for name in ("README.md", "index.html"):
        Path(name).write_text("# Notes\n", encoding="utf-8")
        code, says = write(("report", "--output"), name)
        assert (code, f"{name}: holds something else than a report, and is not replaced" in says) == (2, True)
        assert Path(name).read_text(encoding="utf-8") == "# Notes\n"
    node = "# HELP node_load1 Load.\nnode_load1 0.5\n"
    for name, content in (("notes.txt", "# Notes\n"), ("node.prom", node)):
        Path(name).write_text(content, encoding="utf-8")
        for option in (("export prometheus", "--output"), ("metrics", "--prometheus")):
            code, says = write(option, name)
            assert (code, f"{name}: holds something else than metrics for Prometheus" in says) == (2, True)
        assert Path(name).read_text(encoding="utf-8") == content


def test_a_baseline_that_drift_would_make_is_no_other_file_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/predictions.jsonl").write_text(LOG, encoding="utf-8")
    for target in ("logs/labels.jsonl", "logs/monitor.json", "nowhere/b.json"):
        code, says = given("drift", "--baseline", target)
        assert (code, target in says) == (2, True), says
        assert not Path(target).exists()
    assert given("drift", "--baseline", "logs/september.json")[0] == 4
    assert stat.S_IMODE(Path("logs/september.json").stat().st_mode) == 0o600


def test_a_file_is_written_as_its_kind_says_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/predictions.jsonl").write_text(LOG, encoding="utf-8")
    mask = os.umask(0o027)
    try:
        assert given("export", "prometheus", "-o", "x.prom") == (0, "")
        code, says = given("metrics", "--prometheus", "x.txt")
        assert (code, "x.txt: node_exporter reads only names that end in .prom" in says) == (0, True)
        code, says = given("retrain-check", "-q", "--prometheus", "x.txt")
        assert (code, "node_exporter" in says, "There is no baseline" in says) == (4, False, True)
        Path("r.html").touch()
        for name in ("r.html", "r.html", "logs/r.md", "logs/r.md"):
            assert given("report", "-q", "--output", name) == (0, "")
        assert given("baseline", "create", "--baseline", "b.json")[0] == 0
        assert given("baseline", "create", "--baseline", "b.json")[0] == 1
        assert given("baseline", "create", "--baseline", "b.json", "--force")[0] == 0
        Path("logs/baseline.json").write_text("damaged", encoding="utf-8")
        assert given("baseline", "create", "--force")[0] == 0
        assert given("logs", "query", "--output", "rows.jsonl")[0] == 0
    finally:
        os.umask(mask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.is_file()}
    assert modes == {"x.prom": 0o644, "x.txt": 0o644, "r.html": 0o600, "b.json": 0o600, "rows.jsonl": 0o600}
    assert {one.name for one in Path("logs").iterdir()} == {
        "predictions.jsonl", ".sentimon", "r.md", "baseline.json",
    }  # fmt: skip
    assert given("export", "prometheus", "-o", "/dev/stdout")[1].startswith("# HELP sentimon_")


def test_no_command_shows_the_secrets_of_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secret = "0123456789abcdef0123456789S3CRET"
    monkeypatch.setenv("SENTIMON_NOTIFY__WEBHOOK", "https://hooks.example.com/services/S3CRET?token=S3CRET")
    monkeypatch.setenv("SENTIMON_NOTIFY__WEBHOOK_SECRET_FILE", secret)
    for command in ("config", "config --json", "doctor", "doctor --json"):
        code, says = given(*command.split())
        assert "S3CRET" not in says, (command, code)
    monkeypatch.setenv("SENTIMON_NOTIFY__WEBHOOK", "http://me:S3CRET@hooks.example.com/")
    for command in ("metrics", "doctor", "doctor --json", "config", "cron show"):
        code, says = given(*command.split())
        assert "notify.webhook" in says
        assert "S3CRET" not in says, (command, code)
    monkeypatch.delenv("SENTIMON_NOTIFY__WEBHOOK")
    for command in ("metrics --logs", "metrics --json --logs", "logs query --logs", "log x --logs"):
        says = given(*command.split(), "nosuch://KEY:S3C/RET@bucket/logs")[1]
        assert "S3C" not in says
