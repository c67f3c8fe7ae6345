"""`sentimon doctor`: is everything well that the other commands need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption
from sentimon.cli.output import leave, show, show_json
from sentimon.errors import ExitCode, SentimonError
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.reporting.setup_tables import Finding

app = later_app("doctor")


@app.command()
def doctor(logs: LogsOption = None, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """Look whether everything a check needs is well, and say how to mend what is not.

    Settings, versions, model, index, log, baseline, clock, disk, webhook. No row is written, nothing is
    sent. Exit code: 0 all of it works (there may be warnings), 1 something has failed.

    Example: sentimon doctor --logs logs/
    """
    from sentimon.reporting.setup_tables import all_work, examination_object, examination_table

    findings = _examine(config, logs)
    if as_json:
        show_json(examination_object(findings))
    else:
        show(examination_table(findings))
    leave(ExitCode.OK if all_work(findings) else ExitCode.FAILURE)


def _examine(config: Path | None, logs: str | None) -> list[Finding]:
    from sentimon.cli import doctor_host, doctor_log
    from sentimon.reporting.setup_tables import failed

    versions = doctor_host.versions()
    try:
        workspace = open_workspace(config, {"logs.dir": logs})
    except SentimonError as error:
        # Without them nobody knows what else to look at.
        return [failed("settings", error.message, error.hint), versions]
    found = [doctor_host.settings(workspace), versions, _looked("model", doctor_host.model, workspace)]
    found.append(_looked("index", doctor_log.index, workspace))
    found.append(_looked("writing", doctor_log.writing, workspace))
    found += doctor_log.reading(workspace, _looked)
    found.append(_looked("disk", doctor_host.disk, workspace))
    found.append(_looked("webhook", doctor_host.webhook, workspace))
    return found


def _looked(name: str, look: Callable[[Workspace], Finding], workspace: Workspace) -> Finding:
    """Return what `look` finds; an error that it raises is what was found."""
    from sentimon.reporting.setup_tables import failed

    try:
        return look(workspace)
    except SentimonError as error:
        return failed(name, error.message, error.hint)
    except OSError as error:
        return failed(name, f"{error.filename or workspace.folder}: {error.strerror}", "check the path")
