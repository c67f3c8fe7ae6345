"""How fast texts are scored, against transformers.pipeline on the same architecture, on this machine.

    python benchmarks/scoring.py [DATA_DIR]

Three comparisons, each interleaved round by round so that both sides meet the same machine; medians and
their ratio are printed beside the bar that it has to clear. The other side is a
BertForSequenceClassification of the shape in the shipped config.json, with the shipped tokenizer,
random weights and safetensors: speed does not depend on the values.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from random import Random

from sentimon.config.settings import ModelSettings
from sentimon.scoring.scorer import DEFAULT_FOLDER, Scorer, load_scorer

TEXT = "I love this"
TEXTS = 2_000
TRIAL_TEXTS = 400
BATCH_SIZES = (1, 8, 16, 32, 64)
SETTLE_SECONDS = 0.5
"""Pause before each timing: the worker threads of the side that ran last still spin for a while."""
PIPELINE_SCRIPT = """
import sys
from transformers import pipeline
print(pipeline("text-classification", model=sys.argv[1])(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Seconds of both sides, round by round, and the least ratio that is good enough."""

    name: str
    ours: list[float]
    theirs: list[float]
    bar: float

    @property
    def ratio(self) -> float:
        """Return how many times faster we are, by the medians."""
        return statistics.median(self.theirs) / statistics.median(self.ours)

    def line(self) -> str:
        """Return one row of the table."""
        cells = (
            f"{statistics.median(side):9.3f} [{min(side):.3f}..{max(side):.3f}]"
            for side in (self.ours, self.theirs)
        )
        return f"{self.name:<42}{''.join(f'{cell:>28}' for cell in cells)}{self.ratio:>9.2f}{self.bar:>7.1f}"


def main() -> None:
    """Run the three comparisons and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data", nargs="?", type=Path, help="folder of labelled tweets (default: the shipped sample)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    texts = mixed_texts(options.data)
    with tempfile.TemporaryDirectory() as name:
        folder = write_pipeline_folder(Path(name))
        rows = [
            cold_start(folder, options.rounds),
            *throughput(folder, texts, options.rounds, options.threads),
        ]
    print(
        f"{options.threads} threads, {len(texts)} texts, {options.rounds} rounds; seconds: median [min..max]"
    )
    print(f"{'':<42}{'sentimon':>28}{'pipeline':>28}{'ratio':>9}{'bar':>7}")
    for row in rows:
        print(row.line())


def mixed_texts(data: Path | None) -> list[str]:
    """Return `TEXTS` texts of real length in mixed order, English and other languages."""
    if data is not None:
        paths = [data / "tweets_en_validation.jsonl", data / "tweets_multilingual_validation.jsonl"]
    else:
        sample = resources.files("sentimon.sample")
        paths = [Path(str(sample / name)) for name in ("before.jsonl", "after.jsonl")]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").split("\n") if line]
    texts = [json.loads(line)["text"] for line in lines]
    Random(0).shuffle(texts)
    return (texts * (TEXTS // len(texts) + 1))[:TEXTS]


def write_pipeline_folder(folder: Path) -> Path:
    """Return a folder with the shipped model's shape and tokenizer as transformers saves them."""
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    settings = json.loads((DEFAULT_FOLDER / "config.json").read_text(encoding="utf-8"))
    config = BertConfig(
        **{name: value for name, value in settings.items() if name not in {"sentimon", "model_type"}}
    )
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    PreTrainedTokenizerFast(
        tokenizer_file=str(DEFAULT_FOLDER / "tokenizer.json"),
        model_max_length=config.max_position_embeddings,
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    ).save_pretrained(folder)
    return folder


def interleave(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int, bar: float
) -> Comparison:
    """Return the times of both, taken in turn after one round that is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for side, work in zip(times, (ours, theirs), strict=True):
            seconds = timed(work)
            if number:
                side.append(seconds)
    return Comparison(name=name, ours=times[0], theirs=times[1], bar=bar)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    time.sleep(SETTLE_SECONDS)
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cold_start(folder: Path, rounds: int) -> Comparison:
    """Compare two new processes that score one text."""

    def process(*arguments: str) -> Callable[[], object]:
        command = [sys.executable, *arguments]
        return lambda: subprocess.run(command, check=True, capture_output=True)

    return interleave(
        "cold: one text, a new process",
        process("-m", "sentimon", "predict", TEXT),
        process("-c", PIPELINE_SCRIPT, str(folder), TEXT),
        rounds=rounds,
        bar=8.0,
    )


def throughput(folder: Path, texts: Sequence[str], rounds: int, threads: int) -> list[Comparison]:
    """Compare both of our backends with the pipeline at the batch size that suits it best."""
    import torch
    from transformers import pipeline

    torch.set_num_threads(threads)
    classify = pipeline("text-classification", model=str(folder))
    some = list(texts[:TRIAL_TEXTS])
    trial = {size: timed(partial(classify, some, batch_size=size)) for size in BATCH_SIZES}
    best = min(trial, key=lambda size: trial[size])
    print(
        "pipeline, texts/s by batch size:", {size: round(TRIAL_TEXTS / trial[size]) for size in BATCH_SIZES}
    )

    def compare(name: str, scorer: Scorer, bar: float) -> Comparison:
        def theirs() -> object:
            return classify(list(texts), batch_size=best)

        return interleave(name, lambda: scorer.score(texts), theirs, rounds=rounds, bar=bar)

    return [
        compare("default model, 2,000 mixed texts", load_scorer(ModelSettings(threads=threads)), 2.5),
        compare(
            "transformers backend, 2,000 mixed texts",
            load_scorer(ModelSettings(name=str(folder), threads=threads)),
            1.5,
        ),
    ]


if __name__ == "__main__":
    main()
