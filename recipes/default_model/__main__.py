"""`python -m recipes.default_model DATA_DIR --output DIR`: make the model that ships again."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from recipes.default_model.stages import Pipeline


def main() -> None:
    """Run every stage whose result is not in the output folder yet."""
    parser = argparse.ArgumentParser(prog="python -m recipes.default_model", description=main.__doc__)
    parser.add_argument(
        "data", type=Path, help="the folder of the labelled tweets (*_train.jsonl, *_validation.jsonl)"
    )
    parser.add_argument("--output", type=Path, required=True, help="where each stage keeps its result")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads (default: all cores)")
    parser.add_argument(
        "--start",
        type=Path,
        default=None,
        help="the folder of a finished model: only the last training is done",
    )
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    Pipeline(options.data, options.output, options.start).export()


if __name__ == "__main__":
    main()
