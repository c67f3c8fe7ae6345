"""Try the lowest versions of what the program needs that pyproject.toml allows: the walk, the help, tests.

`make lowest` runs it. uv finds the versions: of what pyproject.toml names the lowest, of what that needs the
newest. They are installed into an environment of their own, without any extra; of the tests those run that
import nothing else, in the rooms that lean most on a library.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from package import HELP, ROOT, run

TOOLS = ("pytest", "hypothesis", "markdown-it-py")
ROOMS = ("config", "ingest", "scoring", "reporting", "statistics", "compat")
MODULES = (
    "test_compression.py",
    "test_jsonl.py",
    "test_timestamps.py",
    "cli/test_help.py",
    "cli/test_later.py",
)
FIND = """
import sys
from importlib.util import find_spec
print(*[one for one in sys.argv[1:] if find_spec(one)])
"""


def main() -> None:
    """Find the versions, install them, and try them; a step that fails ends it."""
    uv = [sys.executable, "-m", "uv", "--quiet"]
    with tempfile.TemporaryDirectory(prefix="sentimon-lowest-") as temporary:
        folder = Path(temporary)
        wanted = folder / "lowest.txt"
        run(*uv, "pip", "compile", "--resolution", "lowest-direct", "--no-header", "--no-annotate",
            "--python", sys.executable, "--output-file", wanted, ROOT / "pyproject.toml")  # fmt: skip
        print(wanted.read_text(encoding="utf-8"))
        run(*uv, "venv", "--python", sys.executable, folder / "venv")
        python = folder / "venv/bin/python"
        run(*uv, "pip", "install", "--python", python, "--requirement", wanted, *TOOLS)
        run(*uv, "pip", "install", "--python", python, "--no-deps", ROOT)
        run(python, "-m", "sentimon.sample", cwd=folder)
        shown = run(python, "-c", HELP, python.with_name("sentimon"), cwd=folder)
        print(shown.strip(), "commands show their help")
        tests = list(fitting(python))
        print(f"{len(tests)} modules of tests")
        code = subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], cwd=ROOT, check=False
        )
        sys.exit(code.returncode)


def fitting(python: Path) -> Iterator[Path]:
    """Yield the modules of tests that import only what an environment has."""
    tests = ROOT / "tests"
    found = [one for room in ROOMS for one in sorted((tests / room).rglob("test_*.py"))]
    found += [one for name in MODULES if (one := tests / name).is_file()]
    needed = {path: packages_of(path, set()) for path in found}
    every = sorted({one for names in needed.values() for one in names})
    there = set(run(python, "-c", FIND, *every).split())
    for path, names in needed.items():
        if names <= there:
            yield path
        else:
            print(f"left out: {path.relative_to(ROOT)} (needs {', '.join(sorted(names - there))})")


def packages_of(path: Path, seen: set[Path]) -> set[str]:
    """Return the packages that a module of tests imports, itself or through what tests share."""
    seen.add(path)
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            own = ROOT / (name.replace(".", "/") + ".py")
            if name.startswith("tests.") and own.is_file():
                found |= packages_of(own, seen) if own not in seen else set()
            else:
                found.add(name.split(".")[0])
    return found - {"tests"}


if __name__ == "__main__":
    main()
