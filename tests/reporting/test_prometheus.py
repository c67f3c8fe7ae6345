import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.errors import ExitCode
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.prediction_metrics import measure
from sentimon.monitoring.retraining_rules import LastTrigger, evaluate_retraining, score_rule
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.reporting.prometheus_text import (
    LONGEST_LABEL,
    MOST_MODELS,
    Family,
    RunFacts,
    Sample,
    drift_families,
    gauge,
    metrics_families,
    number,
    read_values,
    render,
    retraining_families,
    run_families,
    traffic_families,
)
from tests.conftest import ROOT
from tests.support.prometheus import check_metrics, promtool
from tests.support.rows import START, record, summary
from tests.support.traffic import traffic_report

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
SHOP = {"source": "shop"}


def run_facts(code: ExitCode = ExitCode.OK, **rest: object) -> RunFacts:
    facts = {"command": "drift", "version": "1", "log": "logs", "ended": NOW, "duration_seconds": 0.5}
    return RunFacts(code=code, **facts | rest)  # type: ignore[arg-type]


def everything() -> str:
    """What can be exported, all of it at once."""
    before, now = summary(70, 20, 10), summary(10, 20, 70, confidence=0.6, model="m", revision="1")
    baseline = Baseline(name="june", created=START, source="logs", summary=before)
    report = detect_drift(baseline, now, DriftSettings())
    last = LastTrigger(timestamp=NOW - timedelta(hours=1), rows_until=None)
    trigger = evaluate_retraining(
        now, score_rule(report), RetrainingSettings(), last=last, now=NOW, confidence_level=0.95
    )
    families = [
        *metrics_families(now, measure(now, confidence_level=0.95)),
        *drift_families(report),
        *retraining_families(trigger),
        *(one for one in traffic_families(traffic_report(0.5)) if "latest" not in one.name),
        *run_families(run_facts(), SHOP),
    ]
    return render(families, SHOP)


def names_in(text: str) -> set[str]:
    return set(re.findall(r"sentimon_\w+", text))


def exported_names() -> set[str]:
    return {line.split()[2] for line in everything().split("\n") if line.startswith("# TYPE")}


def test_values_are_those_of_the_report() -> None:
    values = read_values(everything())
    assert values['sentimon_predictions{source="shop",sentiment="positive"}'] == 70
    assert values['sentimon_share_ratio{source="shop",sentiment="negative"}'] == 0.1
    assert values['sentimon_confidence_ratio{source="shop"}'] == 0.6
    assert values['sentimon_model_predictions{source="shop",model="m",revision="1"}'] == 100
    assert values['sentimon_unreadable_ratio{source="shop"}'] == 0
    # A swap of 0.7 and 0.1: 0.6 of the rows moved over the whole scale.
    assert values['sentimon_drift_score_ratio{source="shop"}'] == 0.6
    assert values['sentimon_drift_detected{source="shop"}'] == 1
    # The cooldown runs: due, but not triggered.
    assert values['sentimon_retraining_due{source="shop"}'] == 1
    assert values['sentimon_retraining_triggered{source="shop"}'] == 0
    end = (NOW + timedelta(hours=23)).timestamp()
    assert values['sentimon_retraining_cooldown_end_timestamp_seconds{source="shop"}'] == end


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    report = detect_drift(None, Summary(), DriftSettings())
    trigger = evaluate_retraining(
        Summary(), score_rule(report), RetrainingSettings(), last=None, now=NOW, confidence_level=0.95
    )
    text = render([*drift_families(report), *retraining_families(trigger)], SHOP)
    assert "sentimon_drift_threshold_ratio" in text
    assert 'sentimon_retraining_triggered{source="shop"} 0' in text
    for name in ("drift_detected", "drift_score", "retraining_due", "confidence_ratio"):
        assert f"sentimon_{name}" not in text
    empty = render(metrics_families(Summary(), measure(Summary(), confidence_level=0.95)), SHOP)
    assert 'sentimon_predictions{source="shop",sentiment="neutral"} 0' in empty
    assert "NaN" not in empty
    assert "share_ratio" not in empty


def test_a_failed_run_keeps_the_time_of_the_last_success_and_the_counts_go_on() -> None:
    first = render(run_families(run_facts(ExitCode.FINDING), SHOP), SHOP)
    later = run_facts(ExitCode.FAILURE, ended=NOW + timedelta(hours=1), log=None)
    values = read_values(render(run_families(later, SHOP, read_values(first)), SHOP))
    assert values['sentimon_last_success_timestamp_seconds{source="shop"}'] == NOW.timestamp()
    assert values['sentimon_last_run_timestamp_seconds{source="shop"}'] == NOW.timestamp() + 3600
    assert values['sentimon_last_run_exit_code{source="shop"}'] == 1
    assert values['sentimon_runs_total{source="shop",exit_code="3"}'] == 1
    assert values['sentimon_runs_total{source="shop",exit_code="1"}'] == 1
    assert values['sentimon_runs_total{source="shop",exit_code="0"}'] == 0


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_finding_and_no_verdict_are_successes(code: ExitCode) -> None:
    values = read_values(render(run_families(run_facts(code), SHOP), SHOP))
    good = code in (ExitCode.OK, ExitCode.FINDING, ExitCode.NO_VERDICT)
    assert values['sentimon_last_success_timestamp_seconds{source="shop"}'] == (
        NOW.timestamp() if good else 0
    )


def test_a_damaged_file_is_passed_over() -> None:
    damaged = 'sentimon_runs_total{source="shop",exit_code="0"} NaN\nsentimon_a -5\nx 1\nsentimon_b 1e9\n\0\n'
    assert read_values(damaged) == {}


def test_many_models_share_one_sample_and_long_names_stay_apart_from_none() -> None:
    rows = [record(0, number, model=f"m{number}") for number in range(MOST_MODELS + 5)]
    rows += [record(0, model="x" * 500 + end) for end in "ab" for _ in range(2)]
    total = summarise(rows)
    text = render(metrics_families(total, measure(total, confidence_level=0.95)), SHOP)
    models = [line for line in text.split("\n") if line.startswith("sentimon_model_predictions")]
    assert len(models) == MOST_MODELS
    assert sum(float(line.split()[-1]) for line in models) == total.count
    assert f'model="{"x" * (LONGEST_LABEL - 1)}…",revision=""}} 4' in text
    # Two of the ten named were cut to the same name; seven of fifteen are the others.
    assert 'model="(others)",revision=""} 7' in text


HOSTILE = [
    'a"b',
    "a\\",
    "a\\nb",
    "a\nb",
    '"} 1\nsentimon_fake{a="',
    "\x1b[31m",
    "\ud800",
    "\u2028",
    "è🎉",
    "",
    "a" * 9999,
]


@pytest.mark.parametrize("model", HOSTILE)
def test_a_hostile_name_stays_inside_its_label(model: str) -> None:
    total = summarise([record(0, model=model or None)])
    text = render(metrics_families(total, measure(total, confidence_level=0.95)), SHOP)
    lines = [line for line in text.split("\n") if "model_predictions{" in line]
    assert len(lines) == 1
    assert re.fullmatch(
        r'sentimon_model_predictions\{source="shop",model="([^"\\]|\\[\\"n])*",revision=""\} 1', lines[0]
    )
    assert lines[0].encode()


@given(st.text(max_size=300), st.floats(allow_nan=True))
def test_every_line_is_one_sample_and_reads_back(name: str, value: float) -> None:
    text = render([Family(name="x", doc="X.", samples=(Sample(value=value, labels={"a": name}),))], {})
    assert text.count("\n") == 3
    assert text.encode().count(b"\n") == 3
    shown = float(text.rstrip("\n").rpartition(" ")[2])
    assert shown == value or value != value


@pytest.mark.parametrize(
    ("value", "text"), [(1e300, "1e+300"), (-0.5, "-0.5"), (float("nan"), "NaN"), (1e6, "1000000")]
)
def test_numbers_are_written_with_all_their_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_no_sample_has_a_timestamp_and_each_name_has_help_and_type() -> None:
    families: dict[str, list[str]] = {}
    for line in everything().rstrip("\n").split("\n"):
        if line.startswith("#"):
            families.setdefault(line.split()[2], []).append(line.split()[1])
        else:
            assert re.fullmatch(r"[a-z_]+\{[^{}]*\} [0-9.e+-]+", line)
            assert line.split("{")[0] in families
    assert all(found == ["HELP", "TYPE"] for found in families.values())


@promtool
def test_promtool_finds_nothing_to_say() -> None:
    check_metrics(everything())
    check_metrics(render([gauge("x", "X.", 1, **{"a": one}) for one in HOSTILE[:1]], SHOP))
    samples = tuple(Sample(value=1, labels={"a": f"{place}{one}"}) for place, one in enumerate(HOSTILE))
    check_metrics(render([Family(name="x", doc="X.", samples=samples)], SHOP))


@pytest.mark.parametrize("name", ["prometheus-alerts.yml", "grafana-dashboard.json"])
def test_every_name_in_the_configs_is_exported(name: str) -> None:
    used = names_in((ROOT / "configs" / name).read_text(encoding="utf-8"))
    assert len(used) >= 3
    assert used <= exported_names()


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    board = json.loads((ROOT / "configs/grafana-dashboard.json").read_text(encoding="utf-8"))
    assert board["title"] == "sentimon"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) == 10
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for panel in board["panels"]:
        assert panel["targets"]
        assert all('{source=~"$source"}' in target["expr"] for target in panel["targets"])


def test_the_labels_that_the_dashboard_shows_are_exported() -> None:
    for expression, legend in questions():
        (name,) = names_in(expression)
        samples = [line for line in everything().split("\n") if line.startswith(f"{name}{{")]
        for label in ("source", *re.findall(r"\{\{(\w+)\}\}", legend)):
            assert all(f'{label}="' in one for one in samples), (name, label)


@promtool
def test_prometheus_answers_each_question_of_the_dashboard(tmp_path: Path) -> None:
    asked = [expression.replace("$source", "shop|other") for expression, _ in questions()]
    rules = [{"record": f"asked:{number}", "expr": one} for number, one in enumerate(asked)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    samples = [line.rsplit(" ", 1) for line in everything().split("\n") if line and line[0] != "#"]
    answered = [
        {"expr": f"count({one}) > bool 0", "eval_time": "60m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for one in asked
    ]
    told = {
        "rule_files": ["rules.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"{value}x60"} for name, value in samples],
                "promql_expr_test": answered,
            }
        ],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(told))
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "tests.yml"]):
        done = subprocess.run(["promtool", *command], capture_output=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def questions() -> list[tuple[str, str]]:
    """The (expression, legend) of each line of the dashboard."""
    board = json.loads((ROOT / "configs/grafana-dashboard.json").read_text(encoding="utf-8"))
    targets = [target for panel in board["panels"] for target in panel["targets"]]
    return [(target["expr"], target["legendFormat"]) for target in targets]


@promtool
def test_promtool_reads_the_alerts_and_they_fire_when_they_should(tmp_path: Path) -> None:
    rules = ROOT / "configs/prometheus-alerts.yml"
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "tests.yml").write_text(_RULE_TESTS.format(rules=rules), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "tests.yml"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


_RULE_TESTS = """
rule_files: ["{rules}"]
evaluation_interval: 1m
tests:
  - name: drift fires, a stable mix does not
    interval: 1m
    input_series:
      - series: 'sentimon_drift_detected{{source="a"}}'
        values: '1x90'
      - series: 'sentimon_drift_detected{{source="b"}}'
        values: '0x90'
      - series: 'sentimon_last_success_timestamp_seconds{{source="a"}}'
        values: '0+60x90'
    alert_rule_test:
      - eval_time: 80m
        alertname: SentimonDrift
        exp_alerts:
          - exp_labels: {{severity: warning, source: a}}
            exp_annotations:
              summary: "The class mix has drifted, or the model needs retraining (a)"
              description: "Run `sentimon drift` and `sentimon retrain-check` on  to see what moved."
      - eval_time: 80m
        alertname: SentimonNoSuccess
        exp_alerts: []
  - name: runs that fail are noticed by the time of the last success
    interval: 1m
    input_series:
      - series: 'sentimon_last_success_timestamp_seconds{{source="a"}}'
        values: '0x90'
    alert_rule_test:
      - eval_time: 59m
        alertname: SentimonNoSuccess
        exp_alerts: []
      - eval_time: 80m
        alertname: SentimonNoSuccess
        exp_alerts:
          - exp_labels: {{severity: critical, source: a}}
            exp_annotations:
              summary: "No check of the sentiment model has succeeded for an hour (a)"
              description: "Run `sentimon doctor` on ; sentimon_last_run_exit_code says how it ended."
  - name: a file that is gone is noticed
    interval: 1m
    input_series: []
    alert_rule_test:
      - eval_time: 10m
        alertname: SentimonNoSuccess
        exp_alerts:
          - exp_labels: {{severity: critical}}
            exp_annotations:
              summary: "No check of the sentiment model has succeeded for an hour ()"
              description: "Run `sentimon doctor` on ; sentimon_last_run_exit_code says how it ended."
"""
