"""`python notebooks/run.py`: run the notebook anew, offline, and keep what it prints and draws.

What differs from run to run (times, process numbers) is left out, so that a diff shows what has changed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent / "monitoring_analysis.ipynb"
_PATIENCE_SECONDS = 300


def executed(path: Path = NOTEBOOK) -> Any:
    """Return the notebook with the outputs of a run in an empty folder.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="sentimon-notebook-") as folder:
        client = NotebookClient(
            notebook,
            timeout=_PATIENCE_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
        )
        client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def main() -> None:
    """Run it and write it back."""
    # The data set of the hub may have changed; the sample has not.
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in [name for name in os.environ if name.startswith("SENTIMON_")]:
        del os.environ[name]
    nbformat.write(executed(), NOTEBOOK)


if __name__ == "__main__":
    main()
