"""`sentimon doctor`: is everything well that the other commands need."""

from __future__ import annotations

from functools import partial

from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption, QuietFlag
from sentimon.cli.output import leave, show, show_json
from sentimon.errors import ExitCode

app = later_app("doctor")


@app.command()
def doctor(
    logs: LogsOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Look whether everything a check needs is well, and say how to mend what is not.

    Settings, versions, model, index, log, baseline, clock, disk, webhook. No row is written, nothing is
    sent. Exit code: 0 all of it works (there may be warnings), 1 something has failed.

    Example: sentimon doctor --logs logs/
    """
    from sentimon.reporting.setup_tables import all_good, all_work, examination_object, examination_table
    from sentimon.workflows.doctor import examine

    findings = examine(partial(open_workspace, config, {"logs.dir": logs}))
    if quiet and all_good(findings):
        return
    if as_json:
        show_json(examination_object(findings))
    else:
        show(examination_table(findings))
    leave(ExitCode.OK if all_work(findings) else ExitCode.FAILURE)
