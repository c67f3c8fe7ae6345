"""`sentimon models`: the promoted models, what is known of each, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.later import later_app
from sentimon.cli.opening import clock, open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption
from sentimon.cli.output import note, show, show_json
from sentimon.cli.promote import BaselineRowsOption, ModelsOption, ReasonOption
from sentimon.errors import UsageError
from sentimon.workflows.log_labels import describe_lines
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.workflows.model_registry import Registry

app = later_app("models", "List the promoted models, show one, or go back to an older one.")
VersionArgument = Annotated[
    str | None, typer.Argument(metavar="[VERSION]", help="For instance v0002.", show_default=False)
]


@app.command("list", short_help="List every switch, and which one serves.")
def list_models(models: ModelsOption = None, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """List every switch: which model, when, by whom, why; and which one serves.

    Example: sentimon models list
    """
    from sentimon.reporting.model_tables import models_table

    workspace = open_workspace(config, {"training.models": models})
    found = _registry(workspace)
    if as_json:
        show_json({"current": found.current, "versions": found.versions, "entries": found.entries})
    else:
        show(models_table(found.entries, current=found.current))


@app.command("show", short_help="Show the model card of a version.")
def show_model(
    version: VersionArgument = None,
    models: ModelsOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Show the model card of a version, or of the one that serves.

    Example: sentimon models show v0001
    """
    from rich.text import Text

    from sentimon.files import MOST_MODEL_TEXT, read_if_there
    from sentimon.jsonl import encode
    from sentimon.reporting.plain_text import visible

    workspace = open_workspace(config, {"training.models": models})
    found = _registry(workspace)
    wanted = version or found.current
    if wanted is None or wanted not in found.versions:
        known = ", ".join(found.versions) or "none"
        raise UsageError(
            f"{_folder(workspace)} has no version {wanted or '(current)'}", hint=f"there are: {known}"
        )
    entry = dict(found.entry_of(wanted) or {})
    path = _folder(workspace) / wanted / "MODEL_CARD.md"
    # A card may be of any hand: what is no UTF-8 in it shows as such.
    card = (read_if_there(path, most=MOST_MODEL_TEXT) or b"").decode(errors="replace")
    if as_json:
        show_json({"version": wanted, "current": wanted == found.current, "entry": entry, "card": card})
    else:
        lines = [visible(line) for line in card.split("\n")] or ["(it has no model card)"]
        show(Text("\n".join([encode(entry).decode(), "", *lines]).rstrip()))


@app.command(short_help="Put an older version in use again.")
def rollback(
    version: VersionArgument = None,
    reason: ReasonOption = "",
    baseline_rows: BaselineRowsOption = None,
    models: ModelsOption = None,
    logs: LogsOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Let an older version serve again, the one before where none is named.

    The monitor of the log begins anew. The baseline of that version, where it is still there, is taken up
    again; else rows are collected for one, if a number of them was given here or to `promote`.

    Example: sentimon models rollback --reason "complaints about Italian"
    """
    from sentimon.reporting.json_shapes import wanted_object
    from sentimon.workflows.promotion import advice, registry_folder, take_back

    flags = {"training.models": models, "logs.dir": logs, "training.baseline_rows": baseline_rows}
    workspace = open_workspace(config, flags)
    # Before anything in it is read: it may be no folder, or that of a log.
    registry_folder(workspace)
    _registry(workspace)
    done = take_back(workspace, version, reason=reason, clock=clock)
    if as_json:
        baseline = wanted_object(done.collected)
        show_json({"version": done.version, "previous": done.previous, "baseline": baseline})
    note(f"{done.version} serves as {_folder(workspace)}/current")
    for sentence in advice(workspace, done.collected):
        note(sentence)


def _folder(workspace: Workspace) -> Path:
    from sentimon.config.paths import expanded

    return expanded(workspace.settings.training.models)


def _registry(workspace: Workspace) -> Registry:
    from sentimon.workflows.model_registry import read_registry

    found = read_registry(_folder(workspace))
    for line in describe_lines("bad line", found.bad_lines):
        note(line)
    return found
