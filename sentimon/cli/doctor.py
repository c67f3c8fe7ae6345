"""`sentimon doctor`: is everything well that the other commands need."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption, QuietFlag, flag
from sentimon.cli.output import leave, show, show_json
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.reporting.setup_tables import Finding

app = later_app("doctor")
NotifyTestFlag = Annotated[
    bool, flag("--notify-test", help="Send a test message to each service of notify.urls_file.")
]


@app.command()
def doctor(
    logs: LogsOption = None,
    notify_test: NotifyTestFlag = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Look whether everything a check needs is well, and say how to mend what is not.

    Settings, versions, model, index, log, baseline, clock, disk, webhook, messages. No row is written, and
    nothing is sent. With --notify-test all it does is send a test message. Exit code: 0 all of it works
    (there may be warnings), 1 something has failed.

    Example: sentimon doctor --logs logs/
    """
    from sentimon.reporting.setup_tables import all_good, all_work, examination_object, examination_table
    from sentimon.workflows.doctor import examine

    if notify_test:
        findings = _try_services(config, logs)
    else:
        findings = examine(partial(open_workspace, config, {"logs.dir": logs}))
    if quiet and all_good(findings):
        return
    if as_json:
        show_json(examination_object(findings))
    else:
        show(examination_table(findings))
    leave(ExitCode.OK if all_work(findings) else ExitCode.FAILURE)


def _try_services(config: Path | None, logs: str | None) -> list[Finding]:
    """Send a test message to each service, and return how each ended.

    Raises:
        ConfigError: no services are set.
    """
    from sentimon.cli.notify import message_place
    from sentimon.errors import ConfigError
    from sentimon.reporting.setup_tables import failed, good
    from sentimon.workflows.messages import try_services

    workspace = open_workspace(config, {"logs.dir": logs})
    if not workspace.settings.notify.urls_file:
        raise ConfigError("no services are set", hint="name the file of their URLs in notify.urls_file")
    options, host = message_place(workspace, config, None)
    mend = "check the URL on that line, and whether this machine reaches the service"
    return [
        good(service.name, "delivered")
        if outcome.delivered
        else failed(service.name, f"NOT delivered: {outcome.says}", mend)
        for service, outcome in try_services(workspace, options, host)
    ]
