"""What a command loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import clean_environment

HEAVY = {
    "numpy",
    "scipy",
    "torch",
    "transformers",
    "datasets",
    "onnxruntime",
    "tokenizers",
    "pandas",
    "pyarrow",
    "pydantic",
    "jinja2",
}


def loaded_by(*arguments: str, folder: Path) -> set[str]:
    program = (
        "import sys; from sentimon.__main__ import main; sys.argv = ['sentimon', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=clean_environment(folder),
        check=True,
    )
    return set(done.stderr.strip().split("\n")[-1].split())
