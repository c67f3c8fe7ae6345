"""Slices of the traffic on the command line: --by, --where, --explain, and the baseline's own."""

from __future__ import annotations

import json
import random
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran
from tests.support.prometheus import check_metrics, promtool
from tests.support.rows import lines, record, written

Run = Callable[..., Ran]
SEGMENTS = '[segments]\nfields = ["channel", "customer.land"]\n'


def logged(folder: Path, some: Sequence[dict[str, Any]]) -> None:
    written(folder / "logs", lines(some))


def one(place: int, minute: int, **fields: Any) -> dict[str, Any]:
    return record(place, minute).to_dict() | fields


def stream(
    rows: int, mixes: dict[str, tuple[float, float]], *, minute: int, seed: int
) -> list[dict[str, Any]]:
    """Rows whose channel has (its share of the traffic, its share of negatives)."""
    chance, found = random.Random(seed), []
    for number in range(rows):
        channel = chance.choices(list(mixes), [share for share, _ in mixes.values()])[0]
        place = 0 if chance.random() < mixes[channel][1] else chance.choice([1, 2])
        found.append(
            one(place, minute + 3 * number, channel=channel, customer={"land": chance.choice(["it", "de"])})
        )
    return found


BEFORE = {"app": (0.3, 0.4), "mail": (0.7, 0.2)}
AFTER = {"app": (0.5, 0.4), "mail": (0.4, 0.4), "chat": (0.1, 0.5)}


@pytest.fixture
def moved(tmp_path: Path, run: Run) -> Path:
    """A log whose traffic and whose mails changed after its baseline, which knows its slices."""
    (tmp_path / "sentimon.toml").write_text(SEGMENTS)
    logged(tmp_path, stream(900, BEFORE, minute=0, seed=1) + stream(900, AFTER, minute=2880, seed=2))
    assert run("baseline", "create", "--until", "2026-09-09T08:00:00Z").code == 0
    return tmp_path


# metrics


def test_metrics_by_a_field_counts_each_value(tmp_path: Path, run: Run) -> None:
    logged(
        tmp_path,
        [
            one(0, 1, channel="app"),
            one(2, 2, channel="app"),
            one(1, 3, channel="web"),
            one(2, 4),
            one(2, 5, channel=[1]),
        ],
    )
    found = run("metrics", "--by", "channel", "--json").json["by"]
    assert (found["field"], found["values"], found["too_many_values"]) == ("channel", 4, False)
    counts = {each["value"]: list(each["sentiment_distribution"].values()) for each in found["slices"]}
    assert counts == {"app": [1, 0, 1], "(missing)": [0, 0, 1], "(nested)": [0, 0, 1], "web": [0, 1, 0]}
    assert next(iter(counts)) == "app"
    assert all(each["too_few_rows"] for each in found["slices"])
    assert [each["share_of_all"]["value"] for each in found["slices"]] == [0.4, 0.2, 0.2, 0.2]


def test_values_beyond_the_limit_are_other_and_counted(tmp_path: Path, run: Run) -> None:
    (tmp_path / "sentimon.toml").write_text("[segments]\nmost_values = 2\n")
    logged(tmp_path, [one(n % 3, n, channel=f"c{min(n % 9, 4)}") for n in range(90)])
    done = run("metrics", "--by", "channel")
    assert "(other) are 30 rows of 3 values with fewer rows." in done.out
    found = run("metrics", "--by", "channel", "--json").json["by"]
    assert [each["value"] for each in found["slices"]] == ["c4", "c0", "(other)"]
    assert sum(each["total_predictions"] for each in found["slices"]) == 90


def test_a_field_of_too_many_values_is_said(tmp_path: Path, run: Run) -> None:
    logged(tmp_path, [one(n % 3, n % 100, customer={"id": n}) for n in range(1200)])
    done = run("metrics", "--by", "customer.id")
    assert "customer.id has more values than can be told apart: all rows are (other)." in done.out
    assert run("metrics", "--by", "customer.id", "--json").json["by"]["values"] is None


@pytest.mark.parametrize("value", ["[red]no[/red]", "\x1b[31mred", "\u202eback", "a\nb", "😀", "<b>", "=1+1"])
def test_hostile_values_print_as_themselves(tmp_path: Path, run: Run, value: str) -> None:
    logged(tmp_path, [one(n % 3, n, channel=value) for n in range(60)])
    done = run("metrics", "--by", "channel")
    assert done.code == 0
    assert not {"\x1b", "\u202e"} & {*done.out}
    assert run("metrics", "--by", "channel", "--json").json["by"]["slices"][0]["value"] == value
    assert run("metrics", "--where", f"channel={value}", "--json").json["total_predictions"] == 60


def test_a_field_that_no_row_has_is_refused_with_those_there_are(tmp_path: Path, run: Run) -> None:
    logged(tmp_path, [one(1, 1, channel="app")])
    done = run("metrics", "--by", "chanel")
    assert (done.code, done.out) == (2, "")
    assert "no row of that period has the field chanel" in done.err
    assert "channel" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "text"], "text is a field of sentimon's own"),
        (["--by", "@colour"], "none of the fields that are told from a row"),
        (["--where", "channel"], "names no value"),
        (["--where", "=app"], "no path of a field"),
        (["--where", "channel=app", "--where", "channel=web"], "channel is given twice"),
        (["--where", "@length=0-20"], "is no range of @length"),
        (["--where", "channel=app", "--save"], "--save does not go with --where"),
    ],
)  # fmt: skip
def test_what_is_no_slice_is_refused(tmp_path: Path, run: Run, words: list[str], message: str) -> None:
    logged(tmp_path, [one(1, 1, channel="app")])
    done = run("metrics", *words)
    assert done.code == 2
    assert message in done.err


def test_where_narrows_to_the_rows_of_a_slice(moved: Path, run: Run) -> None:
    rows = [json.loads(line) for line in (moved / "logs/predictions.jsonl").read_text().splitlines()]
    chosen = [row for row in rows if row["channel"] == "app" and row["customer"]["land"] == "it"]
    words = ["--where", "channel=app", "--where", "customer.land=it"]
    found = run("metrics", *words, "--every", "1d", "--json").json
    assert found["total_predictions"] == len(chosen)
    assert sum(window["total_predictions"] for window in found["windows"]) == len(chosen)
    assert run("logs", "query", *words, "--json").lines == chosen


def test_where_leaves_no_trace(moved: Path, run: Run) -> None:
    before = sorted(path.name for path in (moved / "logs").rglob("*"))
    for words in (["metrics"], ["drift"], ["watch"], ["logs", "query"]):
        assert run(*words, "--where", "channel=app").code in (0, 3, 4)
    assert sorted(path.name for path in (moved / "logs").rglob("*")) == before


# drift


def test_drift_by_a_field_says_why_the_whole_moved(moved: Path, run: Run) -> None:
    done = run("drift", "--by", "channel", "--all", "--since", "2026-09-09T08:00:00Z")
    told = " ".join(done.out.split())
    assert "because more traffic came from app" in told
    assert "less traffic came from mail" in told
    assert "because mail became more negative." in told
    assert "New since the baseline: chat." in done.out


def test_the_parts_of_a_change_add_up(moved: Path, run: Run) -> None:
    found = run("drift", "--by", "channel", "--json").json
    by = found["by"]
    assert {each["value"]: each["state"] for each in by["slices"]}["chat"] == "new"
    for name in ("negative", "neutral", "positive"):
        change = by["changes"][name]
        assert change["change"]["value"] == pytest.approx(found["share_changes"][name]["value"])
        parts = [change["by_traffic_mix"]["value"], change["within_slices"]["value"]]
        assert sum(parts) == pytest.approx(change["change"]["value"])
        adds = [each["adds"][name]["both"]["value"] for each in by["slices"]]
        assert sum(adds) == pytest.approx(change["change"]["value"])
        assert change["change"]["low"] < change["change"]["value"] < change["change"]["high"]
    rows = sum(each["current_predictions"] for each in by["slices"])
    assert rows == found["score"]["n"]


def test_a_field_that_the_baseline_does_not_know_is_told_from_its_rows(moved: Path, run: Run) -> None:
    known = run("drift", "--by", "channel", "--json").json["by"]
    (moved / "sentimon.toml").unlink()
    content = json.loads((moved / "logs/baseline.json").read_text())
    del content["slices"]
    (moved / "logs/baseline.json").write_text(json.dumps(content))
    assert run("drift", "--by", "channel", "--json").json["by"] == known


def test_without_the_rows_of_the_baseline_its_slices_are_all_that_is_known(moved: Path, run: Run) -> None:
    path = moved / "logs/predictions.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[5:]))
    assert run("drift", "--by", "channel").code in (0, 3)
    for words in (["--by", "@length"], ["--where", "channel=app"], ["--explain"]):
        done = run("drift", *words)
        assert done.code == 1
        assert "the log does not have just the rows that it was made of" in done.err
    done = run("baseline", "extend")
    assert done.code == 1
    assert "cannot be extended" in done.err


def test_the_search_finds_the_slice_that_moved(moved: Path, run: Run) -> None:
    found = run("drift", "--explain", "--json").json["explained"]
    assert found["fields"] == ["@length", "channel", "customer.land"][1:] or "channel" in found["fields"]
    assert {"channel": "mail"} in [each["where"] for each in found["slices"]]
    whole = found["change"]["negative"]
    parts = [each["accounts_for"]["negative"]["value"] for each in found["slices"]]
    assert sum(parts) + found["elsewhere"]["negative"] == pytest.approx(whole)
    done = run("drift", "--explain")
    assert "channel=mail" in done.out


def test_a_field_that_says_when_a_row_came_explains_nothing(moved: Path, run: Run) -> None:
    path = moved / "logs/predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(lines(row | {"release": "v1" if n < 900 else "v2"} for n, row in enumerate(rows)))
    assert run("baseline", "create", "--until", "2026-09-09T08:00:00Z", "--force").code == 0
    done = run("drift", "--explain")
    assert "almost all their values are others than in the baseline: release." in " ".join(done.out.split())
    found = run("drift", "--explain", "--json").json["explained"]
    assert found["fields_turned_over"] == ["release"]
    assert not any("release" in each["where"] for each in found["slices"])


def test_rows_without_fields_have_no_slices_to_search(tmp_path: Path, run: Run) -> None:
    logged(tmp_path, [record(n % 3, n, text="abc").to_dict() for n in range(200)])
    assert run("baseline", "create", "--until", "2026-09-07T10:00:00Z").code == 0
    done = run("drift", "--explain")
    assert "The rows have no field with few values to search for slices." in done.out


def test_drift_of_a_slice_compares_with_the_slice_of_the_baseline(moved: Path, run: Run) -> None:
    found = run("drift", "--where", "channel=mail", "--json").json
    rows = [json.loads(line) for line in (moved / "logs/predictions.jsonl").read_text().splitlines()[:900]]
    mails = [row for row in rows if row["channel"] == "mail" and row["timestamp"] < "2026-09-09T08"]
    negatives = sum(row["sentiment"] == "negative" for row in mails)
    assert found["baseline_distribution"]["negative"] == pytest.approx(negatives / len(mails), abs=0.03)
    assert found["verdict"] == "drift" or found["drift_score"] > 0.05


@pytest.mark.parametrize("option", ["--monitor", "--reset", "--save"])
def test_what_is_about_the_whole_log_does_not_go_with_a_slice(moved: Path, run: Run, option: str) -> None:
    done = run("drift", "--where", "channel=app", option)
    assert done.code == 2
    assert f"{option} does not go with --where" in done.err


def test_no_baseline_is_made_of_a_slice(tmp_path: Path, run: Run) -> None:
    logged(tmp_path, [one(n % 3, n, channel="app") for n in range(80)])
    assert run("drift", "--where", "channel=app").code == 4
    assert not (tmp_path / "logs/baseline.json").exists()


# prometheus


def test_slices_are_exported_with_bounded_labels(moved: Path, run: Run) -> None:
    done = run("export", "prometheus", "--by", "channel")
    assert done.code == 0, done.err
    assert (
        'slice_predictions{source="sentimon",field="channel",value="chat",sentiment="negative"}' in done.out
    )
    rows = [line for line in done.out.splitlines() if line.startswith("sentimon_slice_predictions{")]
    assert sum(float(line.split()[-1]) for line in rows) == 1800
    assert len(rows) == 9
    assert 'sentimon_slice_drift_detected{source="sentimon",field="channel",value="app"} 0' in done.out
    assert run("metrics", "--by", "channel", "--prometheus", "m.prom").code == 0
    assert 'sentimon_slice_share_ratio{source="m",field="channel"' in (moved / "m.prom").read_text()


@promtool
def test_prometheus_reads_slices(moved: Path, run: Run) -> None:
    check_metrics(run("export", "prometheus", "--by", "channel").out)


# baseline


def test_an_old_baseline_is_extended_from_the_log(moved: Path, run: Run) -> None:
    path = moved / "logs/baseline.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({name: part for name, part in whole.items() if name != "slices"}))
    done = run("baseline", "extend")
    assert done.code == 0, done.err
    assert json.loads(path.read_text()) == whole
    assert "Divided by channel: 2 values." in done.out


def test_what_a_baseline_holds_stays_when_it_is_extended(moved: Path, run: Run) -> None:
    (moved / "sentimon.toml").write_text('[segments]\nfields = ["@length"]\n')
    assert run("baseline", "extend").code == 0
    content = json.loads((moved / "logs/baseline.json").read_text())
    assert set(content["slices"]) == {"channel", "customer.land", "@length"}
    (moved / "sentimon.toml").write_text('[segments]\nfields = ["nosuch"]\n')
    done = run("baseline", "extend")
    assert done.code == 2
    assert "segments.fields: no row of that period has the field nosuch" in done.err


def test_a_baseline_is_extended_by_the_fields_of_the_settings(moved: Path, run: Run) -> None:
    (moved / "sentimon.toml").write_text("")
    done = run("baseline", "extend")
    assert done.code == 2
    assert "segments.fields names no field" in done.err


# report


def test_a_report_of_a_slice_says_so(moved: Path, run: Run) -> None:
    assert run("report", "--where", "channel=mail", "--output", "slice.md").code == 0
    text = (moved / "slice.md").read_text()
    assert "only channel=mail" in text


def test_a_report_shows_the_slices_of_the_declared_fields(moved: Path, run: Run) -> None:
    assert run("report", "--output", "r.html").code == 0
    page = (moved / "r.html").read_text()
    assert "Share of negative by channel, on one scale" in page
    assert "Share of negative by customer.land against the baseline of each" in page
    assert run("report", "--output", "r.md").code == 0
    assert "because mail became more negative" in (moved / "r.md").read_text()


def test_the_report_as_json_has_each_slice_in_each_window(moved: Path, run: Run) -> None:
    channel, land = run("report", "--json").json["slices"]
    assert (channel["field"], land["field"]) == ("channel", "customer.land")
    rows = {one["value"]: one["total_predictions"] for one in channel["slices"]}
    for value, count in rows.items():
        assert count == sum(sum(one["sentiment_distribution"][value].values()) for one in channel["windows"])
    assert channel["against_baseline"]["changes"]["negative"]["change"]["value"] > 0.1


def test_a_report_names_the_slices_that_account_for_the_change(moved: Path, run: Run) -> None:
    assert run("report", "--explain", "--output", "r.md").code == 0
    assert "| channel=mail | " in (moved / "r.md").read_text()
    assert run("report", "--explain", "--json").json["explained"]["slices"]
    assert run("report", "--json").json["explained"] is None


def test_a_field_of_the_settings_that_no_row_has_is_no_error(tmp_path: Path, run: Run) -> None:
    (tmp_path / "sentimon.toml").write_text('[segments]\nfields = ["nowhere"]\n')
    logged(tmp_path, [one(n % 3, n) for n in range(120)])
    assert run("baseline", "create").code == 0
    assert run("report", "--output", "r.md").code == 0
    assert [each["value"] for each in run("report", "--json").json["slices"][0]["slices"]] == ["(missing)"]


@pytest.mark.parametrize(
    "value", ["<script>alert(1)</script>", "[x](http://e.vil)", "\x1b[31m", "a" * 79, "è|b"]
)
def test_hostile_values_in_a_report_are_text(tmp_path: Path, run: Run, value: str) -> None:
    logged(tmp_path, [one(n % 3, n, channel=[value, "app"][n % 2]) for n in range(240)])
    assert run("baseline", "create", "--until", "2026-09-07T10:00:00Z").code == 0
    for name in ("r.html", "r.md"):
        assert run("report", "--by", "channel", "--output", name).code == 0
        text = (tmp_path / name).read_text()
        assert "<script>alert" not in text
        assert name == "r.html" or "[x](http" not in text
        assert "\x1b" not in text


def test_the_slices_of_a_baseline_are_watched_also_where_the_settings_name_them_no_more(
    moved: Path, run: Run
) -> None:
    (moved / "sentimon.toml").unlink()
    (moved / "logs/.sentimon/rollup.sqlite").unlink()
    assert run("metrics").code == 0
    index = (moved / "logs/.sentimon/rollup.sqlite").stat().st_ino
    # The report looks as the monitor would, in the midst of its other questions.
    (moved / "sentimon.toml").write_text('[retraining]\ndrift_rule = "monitor"\n')
    found = run("report", "--json").json["retraining"]
    assert "in channel=mail the share of negative rose" in found["reason"]
    assert run("drift", "--monitor").code == 3
    assert (moved / "logs/.sentimon/rollup.sqlite").stat().st_ino == index


def test_the_next_step_reads_rows_of_the_slice_that_drifted(tmp_path: Path, run: Run) -> None:
    (tmp_path / "sentimon.toml").write_text(SEGMENTS)
    usual, now = {"app": (0.9, 0.2), "web shop": (0.1, 0.2)}, {"app": (0.9, 0.2), "web shop": (0.1, 0.9)}
    logged(tmp_path, stream(2000, usual, minute=0, seed=1) + stream(1200, now, minute=7000, seed=2))
    assert run("baseline", "create", "--until", "2026-09-11T08:00:00Z").code == 0
    found = run("drift", "--monitor")
    assert found.code == 3
    assert "in channel=web shop the share of negative rose" in " ".join(found.out.split())
    (step,) = (line.strip() for line in found.out.splitlines() if "logs query" in line)
    words = shlex.split(step)
    assert words[words.index("--where") + 1] == "channel=web shop"
    rows = [json.loads(line) for line in run(*words[1:], "--json").out.splitlines()]
    assert {row["channel"] for row in rows} == {"web shop"}
    assert {row["sentiment"] for row in rows} == {"negative"}


def test_hours_with_too_many_values_of_a_watched_field_are_told(moved: Path, run: Run) -> None:
    many = [one(1, 8000, channel=f"c{number}") for number in range(1100)]
    with (moved / "logs/predictions.jsonl").open("a") as log:
        log.write(lines(many))
    found = run("drift", "--monitor", "--json").json
    assert found["crowded_hours"] == {"channel": 1}
    told = "Not watched by channel: 1 hour with more than 1000 of its values, too many to tell apart."
    assert told in found["recommendations"]


def test_a_report_of_a_slice_says_nothing_of_the_monitor(moved: Path, run: Run) -> None:
    assert run("drift", "--monitor").code == 3
    assert run("report", "--where", "channel=app", "--output", "r.md").code == 0
    text = (moved / "r.md").read_text()
    assert "The monitor is about the whole log, and this report about a part of it." in text
    assert "has not looked" not in text
    assert "Monitor" not in run("watch", "--where", "channel=app").out


def test_the_error_rate_of_a_slice_is_not_kept_as_that_of_the_log(moved: Path, run: Run) -> None:
    rows = [json.loads(line) for line in (moved / "logs/predictions.jsonl").read_text().splitlines()]
    some = [{"text": row["text"], "label": row["sentiment"], "id": None} for row in rows[::7]]
    (moved / "gold.jsonl").write_text(lines(some))
    run("label", "import", "gold.jsonl")
    kept = moved / "logs/.sentimon/error_rate.json"
    assert run("report", "--where", "channel=app", "--output", "r.md").code == 0
    assert not kept.exists()
    assert run("retrain-check").code in (0, 3)
    before = kept.read_bytes() if kept.exists() else b""
    assert run("report", "--where", "channel=app", "--output", "r.md").code == 0
    assert (kept.read_bytes() if kept.exists() else b"") == before


def test_slices_are_compared_also_where_the_monitor_judges(moved: Path, run: Run) -> None:
    (moved / "sentimon.toml").write_text(SEGMENTS + '[drift]\nrule = "monitor"\n')
    assert run("drift", "--by", "channel", "--json").json["by"]["slices"]
    assert run("drift", "--json").json["rule"] == "monitor"


def test_a_report_by_a_field_that_no_row_has_is_refused(moved: Path, run: Run) -> None:
    done = run("report", "--by", "nosuch", "--output", "r.md")
    assert done.code == 2
    assert "no row of that period has the field nosuch" in done.err
    assert not (moved / "r.md").exists()


# settings


@pytest.mark.parametrize(
    "fields",
    ['["text"]', '["a", "a"]', '["@colour"]', "[1]", '"channel"', '[""]', str([f"f{n}" for n in range(9)])],
)
def test_fields_that_divide_no_rows_are_refused(tmp_path: Path, run: Run, fields: str) -> None:
    (tmp_path / "sentimon.toml").write_text(f"[segments]\nfields = {fields}\n")
    done = run("metrics")
    assert done.code == 2
    assert "segments.fields" in done.err


def test_a_baseline_without_the_declared_slices_is_said(moved: Path, run: Run) -> None:
    (moved / "sentimon.toml").write_text('[segments]\nfields = ["channel", "@script"]\n')
    for words in (["drift"], ["drift", "--monitor"]):
        assert "does not hold its slices by @script: `sentimon baseline extend` adds them" in run(*words).err
    assert "without its slices by @script" in run("doctor", "--json").out
    assert run("baseline", "extend").code == 0
    assert "does not hold its slices" not in run("drift").err


@pytest.mark.parametrize(
    "command", ["drift", "drift -q", "metrics", "report --output r.html", "logs query", "watch"]
)
def test_where_names_no_field_of_any_row(moved: Path, run: Run, command: str) -> None:
    done = run(*command.split(), "--where", "chanel=app")
    assert done.code == 2
    assert "--where: no row of the log has the field chanel" in done.err
    assert "the fields of the latest rows: channel, customer" in done.err
    assert not done.out
    assert not (moved / "r.html").exists()


def test_where_may_name_a_field_that_only_old_rows_have(tmp_path: Path, run: Run) -> None:
    logged(tmp_path, [one(0, 0, batch="old")] + [one(1, minute) for minute in range(1, 150)])
    assert "1 of 1 rows shown" in run("logs", "query", "--where", "batch=old").out
    assert run("metrics", "--where", "batch=new", "--json").code == 0


def test_where_on_a_log_without_rows_says_what_it_does_without_it(tmp_path: Path, run: Run) -> None:
    for command in ("metrics", "drift", "logs query"):
        plain, narrowed = run(*command.split()), run(*command.split(), "--where", "channel=app")
        assert (plain.code, plain.err) == (narrowed.code, narrowed.err)
