"""The loop closed on labelled tweets: drift found, labels drawn, retrained, compared, promoted, drift gone.

    python benchmarks/loop.py DIR     # DIR holds tweets_en_train.jsonl, tweets_en_validation.jsonl,
                                      # tweets_multilingual_train.jsonl, tweets_multilingual_validation.jsonl
    python benchmarks/loop.py         # on the sample that ships: minutes less, and no bar

The model that ships serves English tweets. Then tweets in a language come that it was never taught. Of that
stream, 500 rows are drawn by each strategy of `label next` and labelled with their gold labels; each set
retrains the model, with old English rows replayed. Judged are rows that nobody trained on: the validation
rows of both. A seed decides the draw, and split, order and dropout of the training; several (`--seeds 0,1,2`)
show how much of a figure is chance. Every step is the program itself, as a user starts it.
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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
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

    drawn: str
    """Which rows were labelled, or what was left out."""
    strategy: str
    seed: int
    model: str
    new: float
    old: float
    seconds: float


def labelled(program: Program, scene: Scene, strategy: str, since: str, seed: int) -> str:
    """Return the folder of a log of which `strategy` has drawn rows that were labelled."""
    logs, sheet = f"logs-{strategy}-{seed}", f"{strategy}-{seed}.csv"
    if (program.folder / logs).is_dir():
        return logs
    subprocess.run(["cp", "-r", "logs", logs], cwd=program.folder, check=True)
    program(
        "label", "next", "-n", scene.labels, "--strategy", strategy, "--since", since, "--seed", seed,
        "--logs", logs, "--output", sheet, "--json",
    )  # fmt: skip
    with (program.folder / sheet).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (program.folder / f"labelled-{sheet}").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*rows[0], "label"], quoting=csv.QUOTE_ALL)
        out.writeheader()
        out.writerows(row | {"label": scene.new[int(row["row_id"][1:])]["label"]} for row in rows)
    program("label", "import", f"labelled-{sheet}", "--logs", logs, "-q")
    return logs


def trained(
    program: Program, logs: str, drawn: str, strategy: str, seed: int, options: Iterable[object]
) -> Outcome:
    """Return what comes of the labels in a log under some options of `retrain`."""
    begun, model = time.monotonic(), f"model-{drawn}-{seed}".replace(" ", "-").replace(",", "")
    program(
        "retrain", "--labels-from", logs, "--replay", "replay.jsonl", "--seed", seed, *options,
        "--output", model, "--json",
    )  # fmt: skip
    seconds = time.monotonic() - begun
    new, old = program.recall("new_exam.jsonl", model), program.recall("old_exam.jsonl", model)
    return Outcome(drawn, strategy, seed, model, new, old, seconds)


def recipes(scene: Scene, strategies: Iterable[str]) -> list[tuple[str, str, list[object]]]:
    """Return (what is drawn, by which strategy, the options of `retrain`) of all that is tried."""
    grow: list[object] = ["--grow-vocabulary", scene.grow] if scene.grow else []
    found = [(f"{scene.labels} {strategy}", strategy, grow) for strategy in strategies]
    if scene.grow:
        # What each half of it is worth: training without word pieces, word pieces without training.
        found.append((f"{scene.labels} random, no word pieces", "random", []))
        found.append(("none: word pieces alone", "random", [*grow, "--epochs", 1, "--rate", "1e-7"]))
    return found


def loop(scene: Scene, folder: Path, strategies: Sequence[str], seeds: Sequence[int]) -> None:
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
    print(f"old traffic, before            macro recall {before:.3f}")
    print(
        f"new traffic, the same model    macro recall {during:.3f}  ({'drift found' if code == 3 else code})"
    )
    print(
        "\n| labels drawn | seed | new traffic | of the loss brought back | old traffic, change | seconds |"
    )
    print("|---|---|---|---|---|---|")
    found = []
    for seed in seeds:
        for drawn, strategy, options in recipes(scene, strategies):
            logs = labelled(program, scene, strategy, since, seed)
            found.append(trained(program, logs, drawn, strategy, seed, options))
            tell(found[-1], before, during)
    if len(seeds) > 1:
        sum_up(found, before, during)
    best = max(found[: len(strategies)], key=lambda one: one.new + one.old)
    closed(program, scene, best, hour)


def brought_back(one: Outcome, before: float, during: float) -> float:
    """Return the share of the lost macro recall that came back, 0 where nothing was lost."""
    return (one.new - during) / (before - during) if before > during else 0.0


def tell(one: Outcome, before: float, during: float) -> None:
    """Print one row."""
    back, change = brought_back(one, before, during), one.old - before
    print(
        f"| {one.drawn} | {one.seed} | {one.new:.3f} | {back:.2f} | {change:+.3f} | {one.seconds:.0f} |",
        flush=True,
    )


def sum_up(found: Sequence[Outcome], before: float, during: float) -> None:
    """Print mean and range over the seeds."""
    print("\n| labels drawn, mean (range) | new traffic | of the loss brought back | old traffic, change |")
    print("|---|---|---|---|")
    for drawn in dict.fromkeys(one.drawn for one in found):
        runs = [one for one in found if one.drawn == drawn]
        news = [one.new for one in runs]
        backs = [brought_back(one, before, during) for one in runs]
        olds = [one.old - before for one in runs]
        cells = (_spread(news, ".3f"), _spread(backs, ".2f"), _spread(olds, "+.3f"))
        print(f"| {drawn} | {' | '.join(cells)} |")


def _spread(values: Sequence[float], form: str) -> str:
    return f"{fmean(values):{form}} ({min(values):{form}} to {max(values):{form}})"


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
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="of `label next`")
    parser.add_argument("--seeds", default="0", help="for instance 0,1,2")
    options = parser.parse_args()
    scene = of_tweets(Path(options.data), options.language, options.labels) if options.data else of_sample()
    with tempfile.TemporaryDirectory(prefix="sentimon-loop-") as folder:
        seeds = [int(one) for one in options.seeds.split(",")]
        loop(scene, Path(folder), options.strategies.split(","), seeds)


if __name__ == "__main__":
    main()
