import shlex
import shutil
import subprocess
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError, UsageError
from sentimon.reporting.schedule import Job, Schedule, crontab_text, service_text, systemd_word, timer_text

systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="SYSTEMD-ANALYZE IS MISSING: nobody checked the units; install Debian's package systemd",
)
HOSTILE = [
    "/srv/my shop",
    "/srv/100% 'sure'",
    '/srv/"$HOME"',
    "/srv/`id`;#&|*?",
    "/srv/a\\b",
    "/srv/è🎉",
    "/srv/~[x]{y}",
]
words = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda word: word.isprintable() and "\\" not in word
)


def job(folder: str = "/srv/shop", *arguments: str) -> Job:
    command = ("/srv/shop/.venv/bin/sentimon", "retrain-check", "--logs", f"{folder}/logs", *arguments)
    return Job(
        name="sentimon", folder=folder, lock=f"{folder}/logs/", flock="/usr/bin/flock", command=command
    )


def as_cron_reads_it(line: str) -> list[str]:
    """The words that the shell gets of a crontab line: % ends a command, and a backslash before it goes."""
    command = line.split(" ", 5)[5]
    assert "%" not in command.replace("\\%", "")
    return shlex.split(command.replace("\\%", "%"))


@pytest.mark.parametrize(
    ("every", "cron", "systemd"),
    [
        ("1m", "* * * * *", "*:0/1"),
        ("15m", "*/15 * * * *", "*:0/15"),
        ("900s", "*/15 * * * *", "*:0/15"),
        ("1h", "0 * * * *", "0/1:00"),
        ("60m", "0 * * * *", "0/1:00"),
        ("6h", "0 */6 * * *", "0/6:00"),
        ("1d", "0 0 * * *", "00:00"),
        ("24h", "0 0 * * *", "00:00"),
        ("7d", "0 0 * * 1", "Mon 00:00"),
        ("1w", "0 0 * * 1", "Mon 00:00"),
    ],
)
def test_a_length_in_both_notations(every: str, cron: str, systemd: str) -> None:
    assert Schedule.of(every) == Schedule(cron=cron, systemd=systemd)


@pytest.mark.parametrize(
    ("every", "nearest"),
    [("7m", "6m"), ("25m", "20m"), ("40m", "30m"), ("45m", "30m"), ("90m", "1h"), ("5h", "4h"), ("9h", "8h"),
     ("36h", "1d"), ("2d", "1d"), ("2w", "1w"), ("90s", "1m"), ("30s", "1m"), ("0m", "1m")],
)  # fmt: skip
def test_what_divides_neither_hour_nor_day_is_refused_with_the_nearest_that_does(
    every: str, nearest: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Schedule.of(every)
    assert f"--every {every} " in refused.value.message
    assert f"the nearest that does is {nearest};" in (refused.value.hint or "")


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(DataError):
        Schedule.of("often")


@pytest.mark.parametrize("every", ["1m", "15m", "30m", "1h", "6h", "12h", "1d", "1w"])
@systemd
def test_systemd_understands_the_calendar_as_cron_does(every: str) -> None:
    from sentimon.config.durations import parse_duration

    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", Schedule.of(every).systemd],
        capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LANG": "C"},
    )  # fmt: skip
    times = [
        datetime.fromisoformat(" ".join(line.split()[-3:-1]))
        for line in done.stdout.split("\n")
        if "elapse:" in line or "Iter. #" in line
    ]
    length = parse_duration(every)
    assert [later - sooner for sooner, later in pairwise(times)] == [length] * 2
    midnight = times[0].replace(hour=0, minute=0)
    assert not (times[0] - midnight) % min(length, timedelta(days=1))


def test_the_golden_lines() -> None:
    made = job("/srv/shop", "--since", "7d", "--save", "--quiet")
    command = "/usr/bin/flock -n -E 0 /srv/shop/logs/ /srv/shop/.venv/bin/sentimon retrain-check"
    options = "--logs /srv/shop/logs --since 7d --save --quiet"
    line = f"*/15 * * * * cd /srv/shop && {command} {options}\n"
    text = crontab_text(made, Schedule.of("15m"), mailto="ops@example.com")
    assert text == f"MAILTO=ops@example.com\n{line}"
    without = crontab_text(made, Schedule.of("15m"), mailto=None)
    assert without.startswith("# MAILTO=")
    assert without.endswith(line)
    service = service_text(made)
    assert f"\nExecStart={command} {options}\n" in service
    assert "\nType=oneshot\nWorkingDirectory=/srv/shop\n" in service
    assert "\nSuccessExitStatus=3 4\n" in service
    assert "\nOnCalendar=*:0/15\nPersistent=true\n" in timer_text(made, Schedule.of("15m"))


@pytest.mark.parametrize("folder", HOSTILE)
def test_every_path_comes_through_cron_and_the_shell_as_it_is(folder: str) -> None:
    made = job(folder, "--on-trigger", 'date +%s > "$HOME/a b"')
    text = crontab_text(made, Schedule.of("15m"), mailto=None)
    assert text.count("\n") == 2
    assert as_cron_reads_it(text.split("\n")[1]) == ["cd", folder, "&&", *made.locked]


@given(words, words)
def test_any_words_come_through_cron(folder: str, argument: str) -> None:
    made = job("/" + folder, argument)
    text = crontab_text(made, Schedule.of("1h"), mailto=None)
    assert as_cron_reads_it(text.split("\n")[1]) == ["cd", "/" + folder, "&&", *made.locked]


@pytest.mark.parametrize("folder", HOSTILE)
@systemd
def test_systemd_reads_the_words_as_they_are(folder: str, tmp_path: Path) -> None:
    made = job(folder, "--on-trigger", 'date +%s > "$HOME/a b"')
    for name, text in (
        ("sentimon.service", service_text(made).replace("/srv/shop/.venv/bin/sentimon", "/bin/true")),
        ("sentimon.timer", timer_text(made, Schedule.of("15m"))),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "sentimon.service", tmp_path / "sentimon.timer"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    trouble = [line for line in done.stderr.split("\n") if "sentimon" in line]
    assert (done.returncode, trouble) == (0, [])


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/srv/shop", "/srv/shop"),
        ("7d", "7d"),
        ("", '""'),
        ("a b", '"a b"'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('say "x"', '"say \\"x\\""'),
        ("a\\b", '"a\\\\b"'),
        ("it's", '"it\'s"'),
        (";", '";"'),
    ],
)
def test_words_of_systemd(word: str, quoted: str) -> None:
    assert systemd_word(word) == quoted


@pytest.mark.parametrize("folder", ["/srv/a\nb", "/srv/\x1b[31m", "/srv/a\tb", "/srv/\udcff", "/srv/a\\"])
def test_what_cannot_stand_in_a_line_is_refused(folder: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a crontab or a unit"):
        job(folder)


@pytest.mark.parametrize("argument", ["a\\\\b", "a\\%b"])
def test_what_each_cron_reads_in_its_own_way_is_refused(argument: str) -> None:
    with pytest.raises(UsageError, match="backslash"):
        crontab_text(job("/srv", argument), Schedule.of("1h"), mailto=None)


def test_a_line_longer_than_cron_reads_is_refused() -> None:
    with pytest.raises(UsageError, match="990 bytes"):
        crontab_text(job("/srv/" + "x" * 400), Schedule.of("1h"), mailto=None)
