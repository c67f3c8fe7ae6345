"""The loop closed on labelled tweets: drift found, labels drawn, retrained, compared, promoted, drift gone.

    python benchmarks/loop.py DIR     # DIR holds tweets_en_train.jsonl, tweets_en_validation.jsonl,
                                      # tweets_multilingual_train.jsonl, tweets_multilingual_validation.jsonl
    python benchmarks/loop.py         # on the sample that ships: minutes less, and no bar

The model that ships serves English tweets. Then tweets in a language come that it was never taught. Of that
stream, 500 rows are drawn by each strategy of `label next` and labelled with their gold labels; each set
retrains the model, with old English rows replayed. Judged are rows that nobody trained on: the validation
rows of both. Every step is the program itself, as a user starts it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

STRATEGIES = ("uncertain", "random", "drifted", "diverse")
SAMPLE = Path(__file__).parent.parent / "sentimon/sample"
START = datetime(2026, 9, 7, tzinfo=UTC)
ROWS_AN_HOUR = 20
REPLAYED = 3_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """What came before, what comes now, and what both are judged on."""

    old: list[Row]
    new: list[Row]
    old_exam: list[Row]
    new_exam: list[Row]
    replay: list[Row]
    labels: int
    settings: str = ""
    grow: int = 0


def read(path: Path, language: str | None = None) -> list[Row]:
    """Return the labelled rows of a file, those of a language where one is named."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    return [one for one in rows if language is None or one.get("language") == language]


def of_tweets(folder: Path, language: str, labels: int) -> Scene:
    """Return English tweets, then those of `language`, in an order of a fixed seed."""
    mixed = random.Random(0)
    replay = read(folder / "tweets_en_train.jsonl")
    new = read(folder / "tweets_multilingual_train.jsonl", language)
    exam = read(folder / "tweets_en_validation.jsonl")
    for rows in (replay, new, exam):
        mixed.shuffle(rows)
    new_exam = read(folder / "tweets_multilingual_validation.jsonl", language)
    return Scene(exam, new, exam, new_exam, replay[:REPLAYED], labels, grow=4_000)


def of_sample() -> Scene:
    """Return the sample: too small for a verdict, enough to see every step."""
    old, new = read(SAMPLE / "before.jsonl"), read(SAMPLE / "after.jsonl")
    settings = "[training]\nmin_per_class = 3\nepochs = 2\n[quality]\nmin_labels = 20\n"
    return Scene(old, new, old[::2], new[::2], old[1::2], 80, settings)


class Program:
    """`sentimon` in a folder of its own."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        (folder / "sentimon.toml").write_text(settings, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SENTIMON_")}
        self.environment = kept | {"HOME": str(folder), "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}

    def __call__(self, *arguments: object, codes: Iterable[int] = (0,)) -> Any:
        """Return (exit code, the JSON on stdout); stop where the code is none of `codes`."""
        done = subprocess.run(
            [sys.executable, "-m", "sentimon", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in codes:
            raise SystemExit(f"sentimon {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}")
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}

    def write(self, name: str, rows: Iterable[Row]) -> str:
        """Write rows as JSON lines and return the name."""
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.folder / name).write_text(content, encoding="utf-8")
        return name

    def log(self, rows: Iterable[Row], *, logs: str, hour: int, prefix: str, model: str = "") -> int:
        """Log rows, so many an hour from an hour on, and return the hour after the last."""
        stamped = []
        for at, row in enumerate(rows):
            when = START + timedelta(hours=hour + at // ROWS_AN_HOUR, seconds=at % ROWS_AN_HOUR)
            text = {"timestamp": when.isoformat(), "id": f"{prefix}{at}", "text": row["text"]}
            stamped.append(text)
        self.write("stream.jsonl", stamped)
        self("log", "--input", "stream.jsonl", "--logs", logs, "-q", *(["--model", model] if model else []))
        return hour + -(-len(stamped) // ROWS_AN_HOUR)

    def recall(self, rows: str, model: str = "sentimon-default") -> float:
        """Return the macro recall of a model on labelled rows."""
        _, found = self("evaluate", "--data", rows, "--model", model, "--json")
        return float(found["macro_recall"]["value"])


@dataclass(frozen=True)
class Outcome:
    """What the labels of one strategy came to."""

    strategy: str
    model: str
    new: float
    old: float
    seconds: float


def retrained(program: Program, scene: Scene, strategy: str, since: str) -> Outcome:
    """Return what comes of the labels that `strategy` draws."""
    logs, sheet, labelled = f"logs-{strategy}", f"{strategy}.csv", f"{strategy}-labelled.csv"
    subprocess.run(["cp", "-r", "logs", logs], cwd=program.folder, check=True)
    program(
        "label", "next", "-n", scene.labels, "--strategy", strategy, "--since", since,
        "--logs", logs, "--output", sheet, "--json",
    )  # fmt: skip
    with (program.folder / sheet).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (program.folder / labelled).open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*rows[0], "label"], quoting=csv.QUOTE_ALL)
        out.writeheader()
        out.writerows(row | {"label": scene.new[int(row["row_id"][1:])]["label"]} for row in rows)
    program("label", "import", labelled, "--logs", logs, "-q")
    grow = ["--grow-vocabulary", scene.grow] if scene.grow else []
    return trained(program, logs, strategy, grow)


def trained(program: Program, logs: str, name: str, options: list[Any]) -> Outcome:
    """Return what comes of the labels in a log under some options of `retrain`."""
    begun, model = time.monotonic(), f"model-{name}"
    program(
        "retrain", "--labels-from", logs, "--replay", "replay.jsonl", *options, "--output", model, "--json"
    )
    seconds = time.monotonic() - begun
    new, old = program.recall("new_exam.jsonl", model), program.recall("old_exam.jsonl", model)
    return Outcome(name, model, new, old, seconds)


def loop(scene: Scene, folder: Path) -> None:
    """Walk the whole way and print what it came to."""
    program = Program(folder, scene.settings)
    for name in ("old_exam", "new_exam", "replay"):
        program.write(f"{name}.jsonl", getattr(scene, name))
    hour = program.log(scene.old, logs="logs", hour=0, prefix="o")
    program("baseline", "create", "--logs", "logs", "--json")
    since = (START + timedelta(hours=hour)).isoformat()
    hour = program.log(scene.new, logs="logs", hour=hour, prefix="n")
    code, _ = program("drift", "--monitor", "--logs", "logs", "--json", codes=(0, 3, 4))
    before, during = program.recall("old_exam.jsonl"), program.recall("new_exam.jsonl")
    lost = before - during
    print(f"old traffic, before            macro recall {before:.3f}")
    print(
        f"new traffic, the same model    macro recall {during:.3f}  ({'drift found' if code == 3 else code})"
    )
    print("\n| labels drawn | new traffic | of the loss brought back | old traffic, change | seconds |")
    print("|---|---|---|---|---|")
    found = []

    def tell(one: Outcome, drawn: str) -> None:
        back = (one.new - during) / lost if lost > 0 else 0.0
        cells = (f"{one.new:.3f}", f"{back:.2f}", f"{one.old - before:+.3f}", f"{one.seconds:.0f}")
        print(f"| {drawn} | {' | '.join(cells)} |", flush=True)

    for strategy in STRATEGIES:
        found.append(retrained(program, scene, strategy, since))
        tell(found[-1], f"{scene.labels} {strategy}")
    if scene.grow:
        # What each half of it is worth: word pieces without training, training without word pieces.
        pieces = ["--grow-vocabulary", scene.grow, "--epochs", 1, "--rate", "1e-7"]
        tell(trained(program, "logs-random", "pieces", pieces), "none: word pieces alone")
        tell(trained(program, "logs-random", "labels", []), f"{scene.labels} random, no word pieces")
    best = max(found, key=lambda one: one.new + one.old)
    closed(program, scene, best, hour)


def closed(program: Program, scene: Scene, best: Outcome, hour: int) -> None:
    """Promote the best model, make a baseline of what it says, and look for drift again."""
    program.write("held.jsonl", [*scene.old_exam, *scene.new_exam])
    code, gate = program(
        "promote", best.model, "--data", "held.jsonl", "--reason", f"{best.strategy} labels", "--json",
        codes=(0, 3, 4),
    )  # fmt: skip
    if code:
        print(f"\npromote {best.model}: refused ({code})")
        return
    found = gate["comparison"]["macro_recall_difference"]
    print(f"\npromoted: {best.model}, macro recall on old and new rows together {found['value']:+.3f} "
          f"[{found['low']:+.3f}, {found['high']:+.3f}]")  # fmt: skip
    mixed = [*scene.old, *scene.new]
    random.Random(1).shuffle(mixed)
    half = len(mixed) // 2
    again = program.log(mixed[:half], logs="after", hour=hour, prefix="a", model="models/current")
    program("baseline", "create", "--logs", "after", "--json")
    program.log(mixed[half:], logs="after", hour=again, prefix="b", model="models/current")
    code, _ = program("drift", "--monitor", "--logs", "after", "--json", codes=(0, 3, 4))
    print(f"drift on the same mix after a new baseline: {'none' if code == 0 else f'exit code {code}'}")


def main() -> None:
    """Read the arguments and walk."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("data", nargs="?", help="folder of the labelled tweets; without it the sample")
    parser.add_argument("--language", default="arabic", help="what comes after English")
    parser.add_argument("--labels", type=int, default=500)
    options = parser.parse_args()
    scene = of_tweets(Path(options.data), options.language, options.labels) if options.data else of_sample()
    with tempfile.TemporaryDirectory(prefix="sentimon-loop-") as folder:
        loop(scene, Path(folder))


if __name__ == "__main__":
    main()
