"""How good the model that ships is on texts of which it knows only a share of the letters.

`benchmarks/unreadable.py DIR`, where DIR holds tweets_multilingual_validation.jsonl. Of each tweet in a
language that the model reads, words are replaced at random by as many letters that it has no pieces for;
Arabic and Hindi tweets are taken as they are. Prints accuracy by the share of unknown letters, with
Wilson's interval of 95 %, and how many texts each limit marks as unreadable.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sentimon.config.settings import ModelSettings
from sentimon.scoring.normalise import normalise
from sentimon.scoring.scorer import load_scorer
from sentimon.statistics.intervals import wilson

FILE = "tweets_multilingual_validation.jsonl"
UNREAD = ("arabic", "hindi")
SHARES = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
"""Probabilities with which a word is replaced."""
EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LIMITS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A text as it was scored."""

    group: str
    unknown: float
    right: bool


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, default=None, help="so many alone, drawn at random")
    asked = parser.parse_args()
    with (asked.folder / FILE).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chance = random.Random(1)
    chance.shuffle(rows)
    seen = score(rows[: asked.texts], chance)
    print("unknown letters | texts | accuracy | interval")
    readable = [one for one in seen if one.group == "read"]
    for low, high in zip((-1.0, *EDGES), EDGES, strict=False):
        row(f"{max(low, 0):.1f} to {high:.1f}", [one for one in readable if low < one.unknown <= high])
    for name in UNREAD:
        row(name, [one for one in seen if one.group == name])
    print("limit | marked, untouched % | marked, Arabic % | marked, Hindi % | accuracy of marked, touched")
    for limit in LIMITS:
        untouched = [one for one in seen if one.group == "untouched"]
        marked = [one for one in readable if one.unknown > limit]
        shares = [share(untouched, limit), *(share([s for s in seen if s.group == n], limit) for n in UNREAD)]
        print(f"{limit} | {' | '.join(f'{one:.1%}' for one in shares)} | {accuracy(marked)}")


def score(rows: Sequence[dict[str, str]], chance: random.Random) -> list[Seen]:
    """Return each text, scored once; the untouched ones of the languages that are read twice, by group."""
    scorer = load_scorer(ModelSettings(threads=1))
    seen: list[Seen] = []
    for start in range(0, len(rows), AT_ONCE):
        chunk = rows[start : start + AT_ONCE]
        drawn = [0.0 if one["language"] in UNREAD else chance.choice(SHARES) for one in chunk]
        texts = [spoilt(one["text"], part, chance) for one, part in zip(chunk, drawn, strict=True)]
        for one, part, found in zip(chunk, drawn, scorer.score(texts), strict=True):
            groups = [one["language"]] if one["language"] in UNREAD else ["read", *["untouched"] * (not part)]
            right = found.scores.label.label == one["label"]
            seen += [Seen(group=group, unknown=found.unknown, right=right) for group in groups]
        print(f"{len(seen)} texts", end="\r", flush=True)
    return seen


def spoilt(text: str, part: float, chance: random.Random) -> str:
    """Return a text in which each word, mentions and links apart, is unknown with the probability `part`."""
    words = normalise(text).split()
    return " ".join(
        "\u0436" * len(word) if word not in ("@user", "http") and chance.random() < part else word
        for word in words
    )


def row(name: str, seen: Sequence[Seen]) -> None:
    """Print a line of the first table."""
    found = wilson(sum(one.right for one in seen), len(seen), confidence_level=0.95)
    if found.value is not None:
        print(f"{name} | {len(seen)} | {found.value:.3f} | {found.low:.3f} to {found.high:.3f}")


def share(seen: Sequence[Seen], limit: float) -> float:
    """Return the share of texts that a limit marks."""
    return sum(one.unknown > limit for one in seen) / max(len(seen), 1)


def accuracy(seen: Iterable[Seen]) -> str:
    """Return the share of right answers, and of how many."""
    answers = [one.right for one in seen]
    return f"{sum(answers) / max(len(answers), 1):.3f} of {len(answers)}"


if __name__ == "__main__":
    main()
