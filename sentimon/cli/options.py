"""The options that several commands share: one name and one meaning everywhere."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sentimon.errors import UsageError


def flag(*names: str, help: str, **rest: Any) -> Any:  # noqa: A002 - typer's own word
    """Return an option that is given or not, and takes no value."""
    return typer.Option(*names, help=help, metavar="", **rest)


def plain_help(command: Callable[..., None]) -> str:
    """Return the docstring of a command, each paragraph on one line: the terminal breaks it anew."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with each parameter that is a dataclass of options spread out into these options.

    The command line sees the options one by one, in the order in which they are written; the function
    gets each group as one value.
    """
    groups: dict[str, type] = {}
    spread: list[inspect.Parameter] = []
    for one in inspect.signature(command, eval_str=True).parameters.values():
        if isinstance(one.annotation, type) and dataclasses.is_dataclass(one.annotation):
            groups[one.name] = one.annotation
            spread += inspect.signature(one.annotation, eval_str=True).parameters.values()
        else:
            spread.append(one)

    @functools.wraps(command, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def run(**options: Any) -> None:
        given = {}
        for name, group in groups.items():
            fields = [field.name for field in dataclasses.fields(group) if field.name in options]
            given[name] = group(**{field: options.pop(field) for field in fields})
        command(**options, **given)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in spread]
    # What typer reads of a command: its signature, and its annotations by name.
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    run.__annotations__.clear()
    run.__annotations__.update({one.name: one.annotation for one in parameters})
    del run.__dict__["__wrapped__"]
    return run


def where_examples_are(group: str) -> str:
    """Return the line below the commands of a group."""
    return f"An example of each: sentimon {group} COMMAND --help"


def refuse_narrowed(where: Sequence[str] | None, options: Mapping[str, object]) -> None:
    """Raise UsageError where an option would keep as facts about the log what `--where` says of some rows.

    Raises:
        UsageError: one of `options` is given beside `--where`.
    """
    given = [name for name, value in options.items() if value not in (None, False)]
    if where and given:
        raise UsageError(
            f"{given[0]} does not go with --where: it is about the whole log", hint="leave one of them out"
        )


def output_option(help: str, **rest: Any) -> Any:  # noqa: A002 - typer's own word
    """Return the option that says where a command writes."""
    return typer.Option("--output", "-o", metavar="PATH", help=help, **rest)


LogsOption = Annotated[
    str | None, typer.Option("--logs", metavar="DIR", help="Folder of the prediction log. (default: logs)")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file with settings; see `sentimon config`."),
]
JsonFlag = Annotated[bool, flag("--json", help="Print strict JSON instead of a table.")]
QuietFlag = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", metavar="", help="Print nothing when there is nothing to report (for cron)."
    ),
]
ExitZeroFlag = Annotated[
    bool,
    flag("--exit-zero", help="Exit 0 also for a finding (3) and for no verdict (4)."),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Only rows from then on: RFC 3339, a date, 7d or 24h."),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Only rows before then: RFC 3339, a date, 7d or 24h."),
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="FIELD", help="Also by the values of a field: channel, @length, @model."),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="FIELD=VALUE", help="Only rows of that slice; may be given again."),
]
ExplainFlag = Annotated[
    bool,
    flag("--explain", help="Search all fields and their pairs for the slices that account for the change."),
]
TimeZoneOption = Annotated[
    str | None,
    typer.Option(
        "--tz", metavar="ZONE", help="Time zone of windows and dates, e.g. Europe/Rome. (default: UTC)"
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="MODEL", help="HuggingFace id or folder. (default: the model that ships)"
    ),
]
RevisionOption = Annotated[
    str | None, typer.Option("--revision", metavar="REV", help="Commit or tag of a HuggingFace model to pin.")
]
DryRunFlag = Annotated[
    bool, flag("--dry-run", help="Only say what there is to do, where, and about how long it takes.")
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline", metavar="FILE", help="Baseline file. (default: baseline.json in the log folder)"
    ),
]
SaveFlag = Annotated[bool, flag("--save", help="Append the result to its history in the log folder.")]
ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", metavar="SHARE", help="Drift score above which it is drift. (default: 0.15)"),
]
