"""Labelled texts that a tiny model can learn: one word says the class, the other letters say nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

WORDS = {"negative": "awful", "neutral": "plain", "positive": "lovely"}


def labelled_rows(per_class: int, *, seed: int = 0) -> list[dict[str, str]]:
    generator = random.Random(seed)
    rows = []
    for label, word in WORDS.items():
        for _ in range(per_class):
            letters = "".join(generator.choice("bcdfgh") for _ in range(6))
            rows.append({"text": f"{word} {letters}", "label": label})
    generator.shuffle(rows)
    return rows


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
