"""Another model serves: the gate that lets it, the switch, and what follows for baseline and monitor."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sentimon.errors import ModelError, UsageError
from sentimon.timestamps import format_moment

if TYPE_CHECKING:
    from sentimon.evaluation.model_comparison import PromotionCheck
    from sentimon.monitoring.baseline_collection import PendingBaseline
    from sentimon.workflows.workspace import Workspace

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What came of a candidate."""

    gate: PromotionCheck
    serving: str
    """The name of the model that it was judged against."""
    candidate: Path
    version: str | None
    """What it is called in the registry; None where it was refused."""
    collected: PendingBaseline | None
    """The baseline that is collected now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What came of a way back."""

    version: str
    previous: str | None
    collected: PendingBaseline | None
    """The baseline that is collected now."""


def promote_candidate(
    workspace: Workspace,
    candidate: Path,
    *,
    data: str | None,
    regressions: str | None,
    reason: str,
    force: bool,
    clock: Clock,
) -> Promotion:
    """Let the model in the folder `candidate` serve, if the gate is open or `force` is given.

    The gate: on the labelled rows of `data` it is not worse than the model in use, and each text listed in
    `regressions` keeps its label.

    Raises:
        UsageError: there is nothing to judge by, or too few rows are asked for as a baseline.
        ModelError: the candidate cannot be loaded.
        NoVerdictError: there are too few rows.
        StoreError: another switch came first, or the registry cannot be written.
    """
    from sentimon.reporting.model_tables import figures_of
    from sentimon.scoring.scorer import load_scorer
    from sentimon.workflows.model_registry import promote_model, read_registry

    check_baseline_rows(workspace)
    source, folder = folder_of(candidate), registry_folder(workspace)
    if data is None and regressions is None and not force:
        raise UsageError("nothing to judge by", hint="name rows with --data or --regressions, or use --force")
    before, serving = read_registry(folder), model_in_use(workspace, folder)
    model = replace(workspace.settings.model, name=str(source), revision="")
    revision = load_scorer(model, present=workspace.classes).revision
    gate = judge(workspace, (serving, str(source)), data, regressions)
    version = collected = None
    if gate.open or force:
        facts = facts_of(workspace, reason) | {"revision": revision, "forced": not gate.open}
        version = promote_model(folder, source, facts | {"metrics": figures_of(gate)}, judged=before)
        collected = follow_switch(workspace, version, revision, clock=clock)
    return Promotion(gate=gate, serving=serving, candidate=source, version=version, collected=collected)


def take_back(workspace: Workspace, version: str | None, *, reason: str, clock: Clock) -> Rollback:
    """Let an older version serve again, the one before where none is named.

    Raises:
        UsageError: there is no such version, or it serves already.
        StoreError: another switch came first, or the registry cannot be written.
    """
    from sentimon.workflows.model_registry import read_registry, roll_back

    check_baseline_rows(workspace)
    folder = registry_folder(workspace)
    before = read_registry(folder)
    entry = before.entry_of(version or before.previous or "") or {}
    revision = entry.get("revision")
    facts = facts_of(workspace, reason) | {"revision": revision, "forced": False}
    target = roll_back(folder, version, facts)
    collected = follow_switch(workspace, target, revision, clock=clock)
    return Rollback(version=target, previous=before.current, collected=collected)


def judge(
    workspace: Workspace, names: tuple[str, str], data: str | None, regressions: str | None
) -> PromotionCheck:
    """Return what the gate says of the second model, which is to take the place of the first."""
    from sentimon.evaluation.model_comparison import PromotionCheck, failed_examples
    from sentimon.workflows.evaluation import LANGUAGE_COLUMN, compare_classes, score_with_both
    from sentimon.workflows.labelled_texts import read_labelled

    held_back = read_labelled(workspace, data, by=LANGUAGE_COLUMN, needed=False) if data else []
    listed = read_labelled(workspace, regressions) if regressions else []
    if not held_back and not listed:
        return PromotionCheck(comparison=None, listed=0, broken=())
    before, now, seconds = score_with_both(workspace, names, [*held_back, *listed])
    many = len(held_back)
    comparison = None
    if data:
        classes = (before[:many], now[:many])
        comparison = compare_classes(workspace, held_back, *classes, seconds=seconds, segment=LANGUAGE_COLUMN)
    broken = failed_examples(listed, before[many:], now[many:])
    return PromotionCheck(comparison=comparison, listed=len(listed), broken=broken)


def folder_of(candidate: Path) -> Path:
    """Return the folder of a candidate, which may be the model that ships, by its name.

    Raises:
        ModelError: there is none.
    """
    from sentimon.config.paths import expanded
    from sentimon.scoring.scorer import DEFAULT_FOLDER, DEFAULT_MODEL

    folder = DEFAULT_FOLDER if str(candidate) == DEFAULT_MODEL else expanded(candidate)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder", hint="name a folder that `sentimon retrain` made")
    return folder


def registry_folder(workspace: Workspace) -> Path:
    """Return the folder of the promoted models, to be written to.

    Raises:
        UsageError: it is the folder of a log, or no folder.
    """
    return workspace.check_new_folder(workspace.settings.training.models, parents=True)


def model_in_use(workspace: Workspace, folder: Path) -> str:
    """Return the name of the model in use; before the first promotion `current` is the model that ships."""
    from sentimon.config.paths import expanded
    from sentimon.scoring.scorer import DEFAULT_MODEL
    from sentimon.workflows.model_registry import CURRENT

    name = workspace.settings.model.name
    first = expanded(name or ".") == folder / CURRENT and not (folder / CURRENT).exists()
    return DEFAULT_MODEL if first or not name else name


def facts_of(workspace: Workspace, reason: str) -> dict[str, Any]:
    """Return who switches, when, and why."""
    try:
        who = getpass.getuser()
    except (OSError, KeyError):
        # A container may have no name for its user.
        who = "unknown"
    return {"timestamp": format_moment(workspace.now), "who": who, "why": reason}


def check_baseline_rows(workspace: Workspace) -> None:
    """Raise UsageError where a baseline of `training.baseline_rows` rows would be too small."""
    rows, fewest = workspace.settings.training.baseline_rows, workspace.settings.drift.min_samples
    if 0 < rows < fewest:
        raise UsageError(
            f"a baseline of {rows} rows is too small: drift.min_samples is {fewest}",
            hint=f"--baseline-rows {max(1000, fewest)} or more; 0 makes none",
        )


def follow_switch(
    workspace: Workspace, version: str, revision: str | None, *, clock: Clock
) -> PendingBaseline | None:
    """Have monitor and baseline of the log follow a switch just made, and return what is collected now.

    Raises:
        StoreError: the folder of the log cannot be written.
    """
    from sentimon.workflows.monitor_file import forget_monitors
    from sentimon.workflows.next_baseline import NewModel, follow_new_model, say_given_up

    rows = workspace.settings.training.baseline_rows
    if not rows and not workspace.folder.is_dir():
        return None
    if revision is None:
        # The history does not say; no row could be told to be of that model.
        forget_monitors(workspace.folder)
        return None
    # The clock, not the begin of the command: its gate may have taken minutes.
    heir = NewModel(name=version, revision=revision, since=clock(), asked=rows)
    path = workspace.baseline_path(None)
    say_given_up(path, workspace.say)
    return follow_new_model(workspace.folder, path, heir, fewest=workspace.settings.drift.min_samples)


def advice(workspace: Workspace, collected: PendingBaseline | None) -> list[str]:
    """Return what a switch leaves to do, and what becomes of the baseline, a sentence each."""
    from sentimon.config.paths import expanded
    from sentimon.workflows.model_registry import CURRENT

    folder, said = expanded(workspace.settings.training.models), []
    if expanded(workspace.settings.model.name or ".") != folder / CURRENT:
        said.append(f'name it in the configuration: [model] name = "{folder}/{CURRENT}"')
    if collected is not None:
        end = "its baseline is taken up again" if collected.again else "they are its baseline"
        said.append(f"no verdict on drift for the next {collected.rows} rows of {collected.name}; then {end}")
    elif workspace.baseline_path(None).exists():
        since = format_moment(workspace.now)
        said.append(
            "the baseline is of the model before; once enough rows of this one are logged: sentimon "
            f"baseline create --force --since {since} --logs {workspace.source}"
        )
    return said
