"""Labelled texts, read as the settings of a workspace say: for every command that measures or trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.evaluation.datasets import LabelledText
    from sentimon.workflows.workspace import Workspace


def read_labelled(
    workspace: Workspace, source: str, *, split: str | None = None, segment: str | None = None
) -> list[LabelledText]:
    """Return the labelled texts of a file, or of a data set on the hub, in order.

    What is not certain of the file, and how many of its rows were left out, is said.

    Raises:
        DataError: it cannot be read, it is not certain what it holds, or it has bad rows.
    """
    from sentimon.evaluation.datasets import load_labelled

    return load_labelled(
        source,
        workspace.settings.input,
        split=split,
        segment_column=segment,
        longest=workspace.settings.logs.max_line_bytes,
        classes=workspace.classes,
        say=workspace.say,
    )
