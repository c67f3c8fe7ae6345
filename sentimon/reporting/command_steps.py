"""Commands to type next, with what they are for: the steps after drift, for `drift` and the report."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from sentimon.labels import Sentiment
from sentimon.reporting.plain_text import visible
from sentimon.timestamps import format_moment

if TYPE_CHECKING:
    from sentimon.monitoring.onset import Onset

_ROWS = "20"
_NARROWED = ("drift", "metrics", "report", "watch")
"""The commands that can be asked about a slice alone."""


def quoted(word: str) -> str:
    r"""Return a word as a shell reads it, in characters that all can be seen and copied.

    Bash, zsh, ksh and busybox read `$'...'`.

    >>> quoted("my logs"), quoted("a\tb")
    ("'my logs'", "$'a\\011b'")
    """
    if visible(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_shell_escaped, word)) + "'"


def _shell_escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if visible(character) == character:
        return character
    # Bytes, as the meaning of \u depends on the locale. The bytes of a path that are no UTF-8 are kept, too.
    return "".join(f"\\{byte:03o}" for byte in character.encode(errors="surrogateescape"))


class CommandOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the log of a report is named on a command line."""

    logs: str
    config: str | None = None
    baseline: str | None = None
    """The file of the baseline, where it is not beside the log."""
    where: tuple[str, ...] = ()
    """The slice that the answer is of, as `--where` says it."""

    def at(self, logs: str) -> CommandOptions:
        """Return the same for a log that is named otherwise, such as by its absolute path."""
        return replace(self, logs=logs)

    def command(self, *words: str, logs: str = "--logs", baseline: bool = False) -> str:
        """Return a command to type: `words`, the log under the option `logs`, and what belongs to it.

        The baseline is named only if `baseline`.

        >>> CommandOptions(logs="my logs").command("drift", "--monitor")
        "sentimon drift --monitor --logs 'my logs'"
        """
        parts = ["sentimon", *words, *([logs, self.logs] if logs else [])]
        parts += ["--baseline", self.baseline] if baseline and self.baseline else []
        parts += ["--config", self.config] if self.config else []
        if (words[0] in _NARROWED or words[:2] == ("logs", "query")) and "--monitor" not in words:
            parts += [word for one in self.where for word in ("--where", one)]
        return " ".join(map(quoted, parts))


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do now, and the command for it."""

    text: str
    command: str
    then: str = ""
    """A second command, for after the first."""

    @property
    def commands(self) -> list[str]:
        """Return the commands, in order."""
        return [one for one in (self.command, self.then) if one]


def after_drift(
    options: CommandOptions,
    *,
    risen: Sentiment | None,
    onset: Onset | None,
    moved: tuple[str, str] | None = None,
) -> list[Step]:
    """Return what to do where the predictions drifted since `onset`; `risen` is the class that rose most.

    `moved` is the slice (field, value) that drifted, where it is not the whole.
    """
    words = [] if risen is None else ["--sentiment", risen.label]
    named = moved is not None and _can_be_named(*moved)
    narrowed = replace(options, where=(*options.where, "=".join(moved))) if moved and named else options
    lacking = " (no --where can name their slice)" if moved and not named else ""
    rows = narrowed.command("logs", "query", "--newest", "--limit", _ROWS, *words, *_since(onset))
    return [
        Step(text=f"Read some of the rows that became more frequent{lacking}:", command=rows),
        *label_and_retrain(options, "If the change is a fault or hurts, "),
        Step(
            text="If the change is wanted or here to stay, make the rows since then the new baseline:",
            command=new_baseline(options, onset),
        ),
    ]


def _can_be_named(field: str, value: str) -> bool:
    """Return whether `--where` can name a slice: a field ends at the first `=`, no argument holds a NUL."""
    return "=" not in field and field.strip() == field and "\0" not in field + value


def first_steps(
    options: CommandOptions,
    *,
    risen: Sentiment | None,
    onset: Onset | None,
    moved: tuple[str, str] | None = None,
) -> list[Step]:
    """Return what to do first after drift, and where the rest is told: for a terminal."""
    rest = Step(text="See the charts, and what else to do:", command=options.command("report", baseline=True))
    return [*after_drift(options, risen=risen, onset=onset, moved=moved)[:1], rest]


def new_baseline(options: CommandOptions, onset: Onset | None) -> str:
    """Return the command that makes the rows since `onset` the new baseline."""
    return options.command("baseline", "create", "--force", *_since(onset), baseline=True)


def label_and_retrain(options: CommandOptions, when: str = "") -> list[Step]:
    """Return how rows are labelled and a model is trained on them; `when` is the condition of the first."""
    draw = f"{when}draw rows to label, which show whether the answers are still right:"
    return [
        Step(
            text=draw[:1].upper() + draw[1:],
            command=options.command(
                "label", "next", "--strategy", "drifted" if when else "uncertain", "--output", "to_label.csv"
            ),
        ),
        Step(
            text="Add a column 'label' with the right class, bring the file back, and train a model:",
            command=options.command("label", "import", "to_label.csv"),
            then=options.command("retrain", "--output", "models/new", logs="--labels-from"),
        ),
    ]


def _since(onset: Onset | None) -> list[str]:
    began = None if onset is None else onset.began
    return [] if began is None else ["--since", format_moment(began)]
