"""Who is told of what a check found: the settings of commands, webhooks and services."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from sentimon.config.ranges import OptionalPath, PositiveDuration, ReportAddress, ServicesFile, Webhook


class NotifySettings(Struct, frozen=True, kw_only=True):
    """Who is told of a trigger, drift and silence; --on-trigger alone names a command."""

    command_timeout: Annotated[
        PositiveDuration,
        Meta(description="Time after which the command of --on-trigger, and all it started, is ended."),
    ] = "60s"
    webhook: Annotated[
        Webhook,
        Meta(
            description="URL that each trigger that fires is sent to: https, or http to this machine; "
            "empty: none."
        ),
    ] = ""
    webhook_secret_file: Annotated[
        OptionalPath,
        Meta(description="File of the secret that signs what is sent (HMAC-SHA256); empty: not signed."),
    ] = ""
    webhook_timeout: Annotated[
        PositiveDuration,
        Meta(description="Time that the webhook has for each try, and each service of urls_file."),
    ] = "10s"
    webhook_tries: Annotated[
        int, Meta(ge=1, le=10, description="Most tries, with a pause of 1, 2, 4 ... seconds between them.")
    ] = 3
    urls_file: Annotated[
        ServicesFile,
        Meta(
            description="File of the chat and mail services that are told (one apprise URL a line; it holds "
            "secrets: chmod 600); empty: none."
        ),
    ] = ""
    report_url: Annotated[
        ReportAddress,
        Meta(description="URL or path of a report that messages to these services name; empty: none."),
    ] = ""
