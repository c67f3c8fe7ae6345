"""The way in for programs: a workspace by the name of a log, and the names that `import sentimon` shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import sentimon
from sentimon.errors import ConfigError, UsageError
from sentimon.workflows.drift import check_drift, compare_with_baseline, look_for_drift
from sentimon.workflows.labelling import import_labels
from sentimon.workflows.opening import open_workspace
from tests.support.rows import lines, records

NOW = datetime(2026, 9, 8, tzinfo=UTC)


def test_a_workspace_takes_settings_by_key_and_a_moment(tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text("[drift]\nthreshold = 0.3\nmin_samples = 10\n", encoding="utf-8")
    workspace = open_workspace(tmp_path / "log", config, NOW, drift__threshold=0.1)
    settings = workspace.settings
    assert (settings.drift.threshold, settings.drift.min_samples) == (0.1, 10)
    assert (workspace.folder, workspace.now) == (tmp_path / "log", NOW)


def test_an_unknown_setting_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigError, match=r"drift\.treshold"):
        open_workspace("logs", drift__treshold=0.1)


def test_every_public_name_is_there_and_no_other() -> None:
    assert {name for name in sentimon.__all__ if getattr(sentimon, name) is not None} == set(
        sentimon._MODULE_OF
    )
    with pytest.raises(AttributeError, match="no attribute 'DriftDetectr'"):
        sentimon.DriftDetectr  # noqa: B018 - the look-up is what is tested


def test_a_log_without_a_baseline_gets_one_of_a_check_and_none_of_a_look(tmp_path: Path) -> None:
    (tmp_path / "predictions.jsonl").write_text(
        lines(one.to_dict() for one in records(40, 20, 20)), encoding="utf-8"
    )
    workspace = open_workspace(tmp_path)
    assert look_for_drift(workspace).first is None
    assert not (tmp_path / "baseline.json").exists()
    first = check_drift(workspace).first
    assert first is not None
    assert first.made is not None
    assert (first.urgent, first.made.summary.count) == (True, 80)
    found = compare_with_baseline(workspace)
    assert found.baseline is not None
    # No row is newer than the baseline.
    assert check_drift(workspace).verdict == found.report.verdict == "no verdict"


def test_labels_are_imported_by_a_key_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown key 'name'"):
        import_labels(open_workspace(tmp_path), tmp_path / "labels.csv", key="name")
