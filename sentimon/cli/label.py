"""`sentimon label`: gold labels joined to the log, how far they reach, and what to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.dataset_options import InputOptions, ShowInputFlag
from sentimon.cli.inputs import open_input, show_labelled
from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    ConfigOption,
    JsonFlag,
    LogsOption,
    QuietFlag,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    flag,
    grouped,
    output_option,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from sentimon.gold_labels.stratified_sampling import SliceDraw
    from sentimon.workflows.labelling import LabelImport

app = later_app("label", "Join gold labels to the log, see how far they reach, draw what to label next.")

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="Labels: .csv, .tsv, .json(l), .xlsx, .parquet; - is stdin.")
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FIELD",
        help="What names the logged row: id, text-hash or text. (default: the first that it has)",
    ),
]
ReplaceFlag = Annotated[bool, flag("--replace", help="Where a row has another label, take the later.")]


@app.command("import", short_help="Join gold labels to logged predictions.")
@grouped
def import_labels(
    file: FileArgument,
    *,
    logs: LogsOption = None,
    key: KeyOption = None,
    reading: InputOptions,
    replace: ReplaceFlag = False,
    dry_run: ShowInputFlag = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Join gold labels to logged predictions, whenever they arrive.

    They are kept in labels.jsonl beside the log, which stays as it is; of a text only its keyed hash. To
    import a file twice changes nothing. Labels for no logged row, and second opinions without
    --replace, are reported and left out, and the exit code is then 1.

    Example: sentimon label import labelled.csv --logs logs/ --key id
    """
    from sentimon.ingest.input_columns import Need
    from sentimon.workflows import labelling

    workspace = open_workspace(config, {"logs.dir": logs, **reading.flags()})
    if dry_run:
        show_labelled(workspace, file, need=Need.LABELS, as_json=as_json)
        return
    with open_input(workspace, [], file, need=Need.LABELS, quiet=quiet) as rows:
        found = labelling.import_labels(workspace, rows, key=key, replace=replace)
    if as_json:
        show_json(_content(found) | {"path": str(found.path)})
    elif not quiet:
        note(f"{_said(found)}; {counted(found.added.total, 'label')} in {found.path}")
    leave(ExitCode.FAILURE if any(found.left_out) else ExitCode.OK)


def _content(found: LabelImport) -> dict[str, Any]:
    added = found.added
    return {
        "added": added.new,
        "replaced": added.replaced,
        "unchanged": added.unchanged,
        **dict(zip(("conflicts", "unknown", "bad_lines"), found.left_out, strict=True)),
        "without_label": found.without_label,
        "labels": added.total,
    }


def _said(found: LabelImport) -> str:
    added, without = found.added, found.without_label
    parts = [f"{counted(added.new, 'label')} added"]
    parts += [f"{added.replaced} replaced"] if added.replaced else []
    parts += [f"{added.unchanged} known already"] if added.unchanged else []
    parts += [f"{counted(without, 'row')} not labelled yet"] if without else []
    names = ("conflict", "unknown row", "bad line")
    parts += [
        f"{counted(count, name)} left out" for count, name in zip(found.left_out, names, strict=True) if count
    ]
    return ", ".join(parts)


@app.command(short_help="Show how much is labelled, and how late.")
def status(
    logs: LogsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="DURATION", help="Window length, to show each: 1h, 6h, 1d, 1w."),
    ] = None,
    tz: TimeZoneOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Show how much of the log is labelled, how late, and whether that is a fair sample.

    Labelled rows are compared with the others by their predicted class and their confidence: where they
    differ by more than chance, plain averages over them say little about the rest.

    Example: sentimon label status --logs logs/ --every 1d
    """
    from sentimon.reporting.label_tables import coverage_object, coverage_table
    from sentimon.workflows.labelling import label_status

    workspace = open_workspace(config, {"logs.dir": logs, "metrics.time_zone": tz})
    coverage = label_status(workspace, workspace.period(since, until), every=every)
    if as_json:
        show_json(coverage_object(coverage, workspace.labels))
    else:
        show(coverage_table(coverage, workspace.names, zone=workspace.zone))
    if not coverage.labelled.count:
        note("no logged row of that period is labelled: `sentimon label import` joins labels to the log")


@app.command("next", short_help="Draw unlabelled rows to label next.")
def choose_next(
    output: Annotated[Path, output_option("Where to write the .csv file.")],
    logs: LogsOption = None,
    n: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", help="At most so many rows.", min=1, max=1_000_000)
    ] = 100,
    strategy: Annotated[
        str,
        typer.Option("--strategy", metavar="NAME", help="random, uncertain, drifted or diverse."),
    ] = "uncertain",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the draw.")] = 0,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="FIELD", help="Draw from each value of a field: channel, @length."),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    force: Annotated[bool, flag("--force", help="Overwrite the file if it is there.")] = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Draw unlabelled rows to label next, each with the probability that it was picked.

    uncertain prefers rows of two near scores; drifted those whose class or words became more frequent
    than before the baseline; diverse takes kinds of texts alike often. Every row can be picked, so the
    labels correct for the choice. --by leaves no slice out: half of N is shared out evenly among the
    values of the field, half by their rows. The CSV goes into Label Studio or Argilla, and back through
    `label import`.

    Example: sentimon label next -n 100 --strategy uncertain --logs logs/ --output to_label.csv
    """
    from sentimon.reporting.plain_text import visible
    from sentimon.workflows.labelling import draw_to_label

    workspace = open_workspace(config, {"logs.dir": logs})
    period = workspace.period(since, until)
    sheet = draw_to_label(workspace, output, period, n=n, strategy=strategy, seed=seed, by=by, force=force)
    rows, unlabelled = sheet.draw.rows, sheet.draw.frame
    if as_json:
        facts: dict[str, Any] = {"drawn": len(rows), "unlabelled": unlabelled, "strategy": strategy}
        if sheet.by is not None:
            facts["by"] = {"field": by, "slices": [_slice_object(one) for one in sheet.by]}
        show_json({**facts, "seed": seed, "path": sheet.path})
    else:
        note(f"{len(rows)} of {counted(unlabelled, 'unlabelled row')} drawn ({strategy}) into {sheet.path}")
        if sheet.by:
            parts = (f"{visible(one.value)} {one.drawn} of {one.rows}" for one in sheet.by)
            note(f"by {visible(str(by))}: {', '.join(parts)}")
        if rows:
            back = f"sentimon label import {sheet.path} --logs {workspace.source}"
            note(f"fill in a column `label`, then: {back}")
    if not rows:
        leave(ExitCode.NO_VERDICT)


def _slice_object(one: SliceDraw) -> dict[str, Any]:
    return {"value": one.value, "unlabelled": one.rows, "drawn": one.drawn}
