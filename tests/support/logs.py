"""Long logs with bad lines, made fast."""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

BAD = (
    '{"timestamp": "2026-09-01T00:00',
    "not json",
    "{}",
    '{"timestamp":"2026-09-01T00:00:00Z","text":"x","sentiment":"positive","confidence":"0.9","scores":{}}',
)
WORDS = ("ottimo", "prodotto", "love", "the", "bad", "così", "😀", "service", "pessimo", "è")


def block(rows: int, *, first: datetime, seed: int = 1, seconds: float = 20.0) -> bytes:
    """Lines of a log, one in a hundred bad, so many seconds apart; two in a thousand timestamps are naive."""
    draw, lines = random.Random(seed), []
    for number in range(rows):
        if draw.random() < 0.01:
            lines.append(draw.choice(BAD))
            continue
        low, high = sorted((draw.random(), draw.random()))
        scores = [round(low, 6), round(high - low, 6)]
        scores.append(round(1 - sum(scores), 6))
        best = max(range(3), key=scores.__getitem__)
        moment = first + timedelta(seconds=seconds * number)
        names = ("negative", "neutral", "positive")
        row = {
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}" + ("" if draw.random() < 0.002 else "Z"),
            "text": " ".join(draw.choices(WORDS, k=draw.randint(3, 30))),
            "sentiment": names[best],
            "confidence": scores[best],
            "scores": dict(zip(names, scores, strict=True)),
            "model": "m",
            "revision": "r",
        }
        lines.append(json.dumps(row, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def write_log(folder: Path, *, copies: int | tuple[int, int, int], rows: int = 20_000) -> Path:
    """Write a log: a compressed segment, a plain one and a live file, which hold `copies` blocks each."""
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        "predictions-20260901T000000Z.jsonl.gz",
        "predictions-20260910T000000Z.jsonl",
        "predictions.jsonl",
    )
    amounts = (copies,) * 3 if isinstance(copies, int) else copies
    for number, (name, amount) in enumerate(zip(names, amounts, strict=True)):
        content = block(rows, first=datetime(2026, 9, 1 + 9 * number, tzinfo=UTC), seed=number) * amount
        path = folder / name
        path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return folder
