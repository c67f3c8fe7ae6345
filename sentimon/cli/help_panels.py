"""How `--help` is laid out: which panel each command and each option stands in, and the text of a panel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from typer.core import TyperCommand, TyperGroup

COMMANDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Score": {
            "predict": "Score texts: arguments, a file, or stdin.",
            "log": "Score texts and keep them in the log.",
        },
        "Watch": {
            "metrics": "Sum up the log: class shares, confidence.",
            "watch": "Watch the log live in a terminal.",
            "baseline": "Save and show what drift is measured from.",
            "drift": "Check whether predictions have drifted.",
            "retrain-check": "Decide whether the model needs retraining.",
            "report": "Write a report for people: HTML, Markdown.",
            "export": "Write metrics for other programs.",
        },
        "Labels": {
            "label": "Join gold labels, choose what to label next.",
            "evaluate": "Measure a model on labelled texts.",
            "calibrate": "Fit scores to how often they are right.",
        },
        "Model": {
            "compare": "Compare two models on labelled texts.",
            "retrain": "Fine-tune a model on labelled texts.",
            "promote": "Put a new model in use if it is no worse.",
            "models": "List promoted models, go back to an older.",
        },
        "Log": {
            "logs": "Show, query, check, repair, prune, erase.",
        },
        "Set up": {
            "doctor": "Check the setup, and say how to mend it.",
            "config": "Show every setting and where it came from.",
            "cron": "Print a crontab entry or a systemd timer.",
        },
    }
)
"""Panel -> command -> its line in `sentimon --help`: at most 45 characters, from text to decision."""

OWN, INPUT, PERIOD, OUTPUT = "Options", "Input", "Period", "Output"
FORMAT, ADVANCED = "Columns and format", "Advanced"
PANELS = (INPUT, PERIOD, OWN, OUTPUT, FORMAT, ADVANCED)
"""The panels of a command in their order: what most people need comes first."""

_BY_METAVAR = {"TIME": PERIOD, "DURATION": PERIOD, "ZONE": PERIOD}
_BY_ENDING = {"-column": FORMAT, "-columns": FORMAT}
_BY_NAME = {
    **dict.fromkeys(("text", "input", "data", "logs", "model", "models", "baseline", "where"), INPUT),
    **dict.fromkeys(("base", "labels-from", "replay", "evaluate", "regressions", "calibration"), INPUT),
    **dict.fromkeys(("output", "force", "json", "quiet", "exit-zero", "save", "log", "dry-run"), OUTPUT),
    **dict.fromkeys(("by", "explain", "prometheus", "on-trigger", "webhook", "mailto"), OUTPUT),
    **dict.fromkeys(("format", "encoding", "time-format", "labels", "label-map", "split"), FORMAT),
    **dict.fromkeys(("config", "engine", "unordered", "resume", "revision", "seed", "no-create"), ADVANCED),
    **dict.fromkeys(("learning-rate", "replay-share", "grow-vocabulary", "now"), ADVANCED),
}
_HELP = ["-h", "--help"]
_WIDEST_NAME = 30
"""Longer ones have their text on the next line; where the terminal is narrow, those of a third of it."""


def long_name(option: Any) -> str:
    """Return the name of an option without hyphens: the first long one, which is the same everywhere."""
    names = [name for name in option.opts if name.startswith("--")]
    return str((names or option.opts)[0]).lstrip("-")


def panel_of(option: Any) -> str:
    """Return the panel of an option: by its name, by its kind, or the command's own."""
    name = long_name(option)
    by_kind = _BY_METAVAR.get(option.metavar or "", OWN)
    by_ending = next((panel for ending, panel in _BY_ENDING.items() if name.endswith(ending)), by_kind)
    return _BY_NAME.get(name, by_ending)


class PanelledCommand(TyperCommand):
    """A command whose options stand in panels, and that has `-h`."""

    def get_help_option_names(self, ctx: Any) -> list[str]:
        """Return the names of the option for help."""
        return list(_HELP)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        write_options(self, ctx, formatter)


class PanelledGroup(TyperGroup):
    """A group of commands whose options stand in panels, and that has `-h`."""

    def get_help_option_names(self, ctx: Any) -> list[str]:
        """Return the names of the option for help."""
        return list(_HELP)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands and the options; first the options where the group does something itself."""
        if self.invoke_without_command:
            write_options(self, ctx, formatter)
            self.format_commands(ctx, formatter)
        else:
            self.format_commands(ctx, formatter)
            write_options(self, ctx, formatter)


def write_commands(formatter: Any) -> None:
    """Write the commands of the program in their panels."""
    _write_panels(formatter, {panel: list(lines.items()) for panel, lines in COMMANDS.items()})


def write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Write the arguments and the options of a command in their panels; help is the last line of the last."""
    _write_panels(formatter, {panel: list(rows) for panel, rows in _panels(command, ctx)})


def _panels(command: Any, ctx: Any) -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
    """Yield each panel that is not empty, with (how it is given, what it means) of each option in it."""
    params = command.get_params(ctx)
    help_option = command.get_help_option(ctx)
    arguments = [one for one in params if one.param_type_name == "argument"]
    options = [one for one in params if one.param_type_name == "option" and one is not help_option]
    found = {"Arguments": arguments}
    found |= {panel: [one for one in options if panel_of(one) == panel] for panel in PANELS}
    found = {panel: shown for panel, shown in found.items() if any(not one.hidden for one in shown)}
    last = next((panel for panel in reversed(found) if panel != "Arguments"), OWN)
    found[last] = [*found.get(last, []), *([] if help_option is None else [help_option])]
    for panel, shown in found.items():
        yield panel, [record for one in shown if (record := _record(one, ctx)) is not None]


def _record(one: Any, ctx: Any) -> tuple[str, str] | None:
    """Return (how an argument or option is given, what it means); None where it is hidden."""
    record: tuple[str, str] | None = one.get_help_record(ctx)
    if record is None or one.param_type_name != "argument":
        return record
    # An argument has a name of its own, and needs no word for its type.
    return record[0].partition(" <")[0], record[1]


def _write_panels(formatter: Any, panels: Mapping[str, list[tuple[str, str]]]) -> None:
    """Write panels whose texts all begin in the same column."""
    names = [name for rows in panels.values() for name, _ in rows]
    most = min(_WIDEST_NAME, max(formatter.width // 3, 10))
    width = min(max(map(len, names), default=0), most)
    for panel, rows in panels.items():
        with formatter.section(panel):
            formatter.write_dl([(f"{name:<{width}}", text) for name, text in rows], col_max=most)
