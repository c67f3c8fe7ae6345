"""`python -m sentimon.sample`: the whole way, from text to decision, on the sample that ships."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
BEFORE, AFTER = HERE / "before.jsonl", HERE / "after.jsonl"
_EXPECTED = (0, 3)
_PERIOD = "two quiet weeks of September"
_NEXT = """
What to try next:
  sentimon predict "your own text"            in one of six languages
  sentimon log --input yours.csv --column text --logs logs/
  sentimon baseline create --logs logs/       when the log holds a normal period
  sentimon retrain-check --logs logs/ -q      from cron: silent, exit 3 when it is time
  sentimon --help                             the other commands; COMMAND --help has an example
"""


def walk(folder: Path) -> int:
    """Run every step with its log in `folder`; return 0, or the exit code of a step that failed."""
    logs = str(folder / "logs")
    steps = [
        ("Score texts", ["predict", "I love this", "Questo prodotto è ottimo", "Where is my parcel?"]),
        (f"Log {_PERIOD}", ["log", "--input", str(BEFORE), "--logs", logs]),
        ("Sum them up", ["metrics", "--logs", logs]),
        ("Call that normal", ["baseline", "create", "--logs", logs, "--name", "september"]),
        ("Is it quiet on its own data?", ["baseline", "check", "--logs", logs, "--every", "1w"]),
        ("Then a new courier and a broken app", ["log", "--input", str(AFTER), "--logs", logs]),
        ("Watch the mix over time", ["metrics", "--logs", logs, "--every", "2d"]),
        ("Does the model still do its job? These texts have labels", ["evaluate", "--data", str(AFTER)]),
        ("Should it be retrained?", ["retrain-check", "--logs", logs, "--save"]),
        ("Has the mix drifted?", ["drift", "--logs", logs]),
    ]
    for title, arguments in steps:
        sys.stdout.write(f"\n# {title}\n$ sentimon {shlex.join(arguments)}\n")
        sys.stdout.flush()
        code = subprocess.run([sys.executable, "-m", "sentimon", *arguments], check=False).returncode
        if code not in _EXPECTED:
            sys.stderr.write(f"that ended with exit code {code}\n")
            return code
        if code:
            sys.stdout.write(f"(exit code {code}: a finding)\n")
    sys.stdout.write(_NEXT)
    return 0


if __name__ == "__main__":
    # The figures must not depend on the settings of whoever runs this.
    for variable in [name for name in os.environ if name.startswith("SENTIMON_")]:
        del os.environ[variable]
    with tempfile.TemporaryDirectory(prefix="sentimon-demo-") as temporary:
        os.environ["XDG_CONFIG_HOME"] = temporary
        os.chdir(temporary)
        sys.exit(walk(Path(temporary)))
