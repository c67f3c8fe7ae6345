"""Build wheel and sdist into dist/, check both, and try the wheel in an environment without extras.

`make package` runs it. The wheel is built from the sdist, so that nothing is missing there. In the new
environment every command shows its help, a text is scored, and the walk on the sample is taken; no package of
an extra may be in it, and it may not be larger than promised.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_MEGABYTES = 270
"""What an installation may add to an empty environment: half is onnxruntime and numpy, a tenth the model."""
HEAVY = ("torch", "transformers", "safetensors", "datasets", "pyarrow", "pandas", "scipy", "onnx", "ray")
"""Packages of extras that must not come with the program alone."""
HELP = """
import subprocess, sys
import typer.main
from sentimon.cli.app import app

def ways(group, *way):
    context = group.make_context("sentimon", [], resilient_parsing=True)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        yield (*way, name)
        if hasattr(command, "list_commands"):
            yield from ways(command, *way, name)

found = [(), *ways(typer.main.get_command(app))]
for way in found:
    subprocess.run([sys.argv[1], *way, "--help"], check=True, stdout=subprocess.DEVNULL)
print(len(found))
"""
"""Runs every command of the installed program with --help, and prints their number."""


def main() -> None:
    """Build, check, install, try; a step that fails ends it."""
    with tempfile.TemporaryDirectory(prefix="sentimon-package-") as temporary:
        folder = Path(temporary)
        wheel = build(folder / "dist")
        python = install(wheel, folder / "venv")
        try_out(python, folder)
        for one in wheel.parent.iterdir():
            (ROOT / "dist").mkdir(exist_ok=True)
            one.replace(ROOT / "dist" / one.name)
            print(f"dist/{one.name}")


def build(folder: Path) -> Path:
    """Return the wheel, which lies in `folder` beside the sdist that it was built from; both are checked."""
    python = [sys.executable, "-m"]
    run(*python, "build", "--outdir", folder, ROOT)
    files = sorted(folder.iterdir())
    run(*python, "twine", "check", "--strict", *files)
    (wheel,) = folder.glob("*.whl")
    run(*python, "check_wheel_contents", wheel)
    return wheel


def install(wheel: Path, home: Path) -> Path:
    """Return the Python of a new environment with the wheel in it, and no extra."""
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    before, begun = size_of(home), time.monotonic()
    run(python, "-m", "pip", "install", "--quiet", wheel)
    seconds = time.monotonic() - begun
    run(python, "-m", "pip", "check")
    megabytes = (size_of(home) - before) / 1e6
    (site,) = home.glob("lib/python*/site-packages")
    there = {one.metadata["Name"].lower() for one in metadata.distributions(path=[str(site)])}
    print(f"installed in {seconds:.0f} s: {len(there)} packages with pip, {megabytes:.0f} MB without it")
    if there & set(HEAVY):
        sys.exit(f"the program alone brings {', '.join(sorted(there & set(HEAVY)))}")
    if megabytes > MOST_MEGABYTES:
        sys.exit(f"that is more than {MOST_MEGABYTES} MB")
    return python


def try_out(python: Path, folder: Path) -> None:
    """Run every command's help, a prediction, and the walk, where there is no checkout."""
    program = python.with_name("sentimon")
    print(run(python, "-c", HELP, program, cwd=folder).strip(), "commands show their help")
    said = run(program, "predict", "I love this", "--json", cwd=folder)
    if '"sentiment":"positive"' not in said:
        sys.exit(f"predict says {said}")
    run(python, "-m", "sentimon.sample", cwd=folder)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file() and not one.is_symlink())


def run(*command: object, cwd: Path = ROOT) -> str:
    """Return what a command prints; where it fails, end with that."""
    words = [str(one) for one in command]
    print("$", *(one if "\n" not in one else "..." for one in words), flush=True)
    done = subprocess.run(
        words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nthat ended with exit code {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main()
