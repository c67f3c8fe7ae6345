"""How good the estimates without labels are, on real labelled tweets scored by the model that ships.

    python benchmarks/estimating.py DATA_DIR [--rounds N]

DATA_DIR holds tweets_en_train.jsonl, tweets_en_validation.jsonl and tweets_multilingual_validation.jsonl,
each row with a text and a label. Nothing is timed but the estimate itself. The parts:

- windows of 1,000 rows like the labelled ones: estimated against realised accuracy
- languages that no labelled row has: are the estimates refused, and how wrong would they have been
- windows of another class mix: total variation of the counted and of the corrected mix from the true one
- later windows of the stream, whose texts change over the years

The model was trained on the training file, so its scores there are better than on new texts: rows of the
validation file are the honest case, rows of the training file the one with 2,000 labels and more rows left.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation.estimate import Estimates, Mix, estimate
from sentimon.evaluation.estimate_rows import Source, UnlabelledSample
from sentimon.labels import parse_label
from sentimon.scoring.scorer import load_scorer, score_stream

TRAIN, VALIDATION = "tweets_en_train.jsonl", "tweets_en_validation.jsonl"
LANGUAGES = "tweets_multilingual_validation.jsonl"
STREAM_ROWS = 16_000
"""Evenly out of the training file, in its order."""
WINDOW, LABELS = 1_000, 2_000
BAR_POINTS, BAR_RATIO = 0.03, 0.5
EVEN_MIX, STRONG = 0.7, 0.15
"""Of the Dirichlet distribution of shifted mixes, and the total variation from which a shift is strong."""

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tweets:
    """Scored rows with their gold classes."""

    scores: NDArray[np.float64]
    gold: Places
    texts: list[str]
    languages: list[str]

    @classmethod
    def read(cls, path: Path, *, most: int | None = None) -> Tweets:
        """Return the rows of a file, at most so many, evenly out of all of them."""
        with path.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        if most is not None and len(rows) > most:
            rows = [rows[place] for place in np.linspace(0, len(rows) - 1, most).astype(int)]
        texts = [row["text"] for row in rows]
        scored = score_stream(load_scorer(), texts, buffer_size=1024)
        return cls(
            scores=np.array([one.scores.vector for _, one in scored]),
            gold=np.array([parse_label(row["label"]) for row in rows], dtype=np.int64),
            texts=texts,
            languages=[row.get("language", "english") for row in rows],
        )

    def source(self, places: Places) -> Source:
        """Return those rows as labelled ones."""
        texts = [self.texts[place] for place in places]
        weights = np.ones(len(places))
        return Source(scores=self.scores[places], gold=self.gold[places], weights=weights, texts=texts)

    def target(self, places: Places) -> UnlabelledSample:
        """Return those rows as unlabelled ones."""
        scores = self.scores[places]
        negative, neutral, positive = np.bincount(scores.argmax(axis=1), minlength=3)
        return UnlabelledSample(
            counts=(int(negative), int(neutral), int(positive)),
            scores=scores,
            texts=[self.texts[place] for place in places],
        )

    def accuracy(self, places: Places) -> float:
        """Return the share of those rows that the model has right."""
        return float((self.scores[places].argmax(axis=1) == self.gold[places]).mean())

    def mix(self, places: Places) -> NDArray[np.float64]:
        """Return the class mix of those rows by their gold labels."""
        return np.bincount(self.gold[places], minlength=3) / len(places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window: the estimates, and what is true."""

    found: Estimates
    accuracy: float
    mix: tuple[float, ...]
    seconds: float

    @property
    def off(self) -> float | None:
        """Return estimated less realised accuracy, None where it was refused."""
        value = None if self.found.learnt is None else self.found.learnt.accuracy.value
        return None if value is None else value - self.accuracy

    @property
    def covered(self) -> bool:
        """Return whether the interval of the accuracy holds the realised one."""
        one = None if self.found.learnt is None else self.found.learnt.accuracy
        return (
            one is not None
            and one.low is not None
            and one.high is not None
            and (one.low <= self.accuracy <= one.high)
        )

    def apart(self, mix: Mix) -> float:
        """Return the total variation distance of a mix from the true one."""
        return sum(abs((one.value or 0.0) - true) for one, true in zip(mix, self.mix, strict=True)) / 2


def window(labelled: Tweets, places: Places, rows: Tweets, now: Places, *, trusting: bool = False) -> Window:
    """Return the estimates for the rows `now` from the labelled rows `places`; `trusting`: untested."""
    fit_level, new_words = (0.0, 1.0) if trusting else (0.01, 0.1)
    begun = time.perf_counter()
    found = estimate(
        labelled.source(places),
        rows.target(now),
        fit_level=fit_level,
        new_words=new_words,
    )
    seconds = time.perf_counter() - begun
    return Window(
        found=found, accuracy=rows.accuracy(now), mix=tuple(map(float, rows.mix(now))), seconds=seconds
    )


def show_accuracy(name: str, windows: Sequence[Window]) -> None:
    """Print how far the estimated accuracy was off."""
    given = [one for one in windows if one.off is not None]
    off = [abs(one.off or 0.0) for one in given]
    if not off:
        print(f"| {name} | {len(windows)} | {len(windows)} | - | - | - | - |")
        return
    refused = len(windows) - len(off)
    within = sum(one <= BAR_POINTS for one in off)
    covered = sum(one.covered for one in given)
    print(
        f"| {name} | {len(windows)} | {refused} | {mean(off):.4f} | {max(off):.4f} | "
        f"{within} of {len(off)} | {covered} of {len(off)} |"
    )


def show_mix(name: str, windows: Sequence[Window]) -> None:
    """Print how far the mixes were off, over the windows with an estimate."""
    rows = [(one, one.found.learnt) for one in windows if one.found.learnt is not None]
    counted = mean(one.apart(one.found.counted) for one, _ in rows)
    confusion = mean(one.apart(learnt.by_confusion) for one, learnt in rows)
    expected = mean(one.apart(learnt.by_expectation) for one, learnt in rows)
    preferred = mean(one.apart(one.found.best) for one, _ in rows)
    met = "met" if expected <= BAR_RATIO * counted else "not met"
    print(
        f"| {name} | {len(rows)} of {len(windows)} | {counted:.4f} | {confusion:.4f} | {expected:.4f} | "
        f"{preferred:.4f} | {expected / counted:.2f} ({met}) |"
    )


def like_the_labelled(random: np.random.Generator, tweets: Tweets, labels: int, rounds: int) -> list[Window]:
    """Return windows of rows drawn like the labelled ones, and apart from them."""
    found = []
    for _ in range(rounds):
        order = random.permutation(len(tweets.gold))
        found.append(window(tweets, order[:labels], tweets, order[labels : labels + WINDOW]))
    return found


def shifted(
    random: np.random.Generator, tweets: Tweets, labels: int, rounds: int, keep: Callable[[float], bool]
) -> list[Window]:
    """Return windows of another class mix, those whose shift `keep` wants, with rows drawn again."""
    found: list[Window] = []
    usual = tweets.mix(np.arange(len(tweets.gold)))
    while len(found) < rounds:
        mix = random.dirichlet([EVEN_MIX] * 3)
        if not keep(float(np.abs(mix - usual).sum() / 2)):
            continue
        order = random.permutation(len(tweets.gold))
        rest = order[labels:]
        parts = [
            random.choice(rest[tweets.gold[rest] == place], round(WINDOW * share))
            for place, share in enumerate(mix)
        ]
        found.append(window(tweets, order[:labels], tweets, np.concatenate(parts)))
    return found


def in_other_languages(labelled: Tweets, rows: Tweets) -> None:
    """Print for each language whether estimates from English labels are refused, and how far off they are."""
    print("\n| rows of | n | refused by scores | by words | estimated without the tests | realised |")
    print("|---|---|---|---|---|---|")
    places = np.arange(len(labelled.gold))
    names = [*sorted(set(rows.languages)), "all"]
    for name in names:
        now = np.flatnonzero([name in (one, "all") for one in rows.languages])
        trust = window(labelled, places, rows, now).found.trust
        blind = window(labelled, places, rows, now, trusting=True)
        scores, words = ("no" if fine else "yes" for fine in (trust.scores_fit, trust.words_known))
        estimated = blind.accuracy + (blind.off or 0.0)
        print(f"| {name} | {len(now)} | {scores} | {words} | {estimated:.3f} | {blind.accuracy:.3f} |")


def later(stream: Tweets, rounds: int, *, trusting: bool = False) -> list[Window]:
    """Return windows of the stream after the first part of it, from labels of that part."""
    random = np.random.default_rng(4)
    ends = len(stream.gold) // 4
    places = random.permutation(ends)[:LABELS]
    starts = np.linspace(ends, len(stream.gold) - WINDOW, rounds).astype(int)
    return [
        window(stream, places, stream, np.arange(start, start + WINDOW), trusting=trusting)
        for start in starts
    ]


def main(folder: Path, rounds: int) -> None:
    """Print every part."""
    random = np.random.default_rng(3)
    validation = Tweets.read(folder / VALIDATION)
    stream = Tweets.read(folder / TRAIN, most=STREAM_ROWS)
    languages = Tweets.read(folder / LANGUAGES)
    unseen = like_the_labelled(random, validation, WINDOW, rounds)
    seen = like_the_labelled(random, stream, LABELS, rounds)
    heading = f"windows of {WINDOW} | n | refused | off, mean | at most | within {BAR_POINTS:g} | covered"
    print(f"| {heading} |")
    print("|---|---|---|---|---|---|---|")
    show_accuracy(f"validation rows, {WINDOW} labels", unseen)
    show_accuracy(f"training rows, {LABELS} labels", seen)
    late = f"later windows of the stream, {LABELS} early labels"
    show_accuracy(late, later(stream, rounds))
    show_accuracy(f"{late}, without the tests", later(stream, rounds, trusting=True))
    in_other_languages(validation, languages)
    print(
        "\n| class mix, off in total variation | n | counting | confusion | EM | preferred | EM / counting |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, keep in (("strong", lambda far: far >= STRONG), ("mild", lambda far: far < STRONG)):
        title = f"{name} shift, {{}} labels"
        show_mix(title.format(f"training rows, {LABELS}"), shifted(random, stream, LABELS, rounds, keep))
        show_mix(
            title.format(f"validation rows, {WINDOW}"), shifted(random, validation, WINDOW, rounds, keep)
        )
    print(f"\nAn estimate took {median(one.seconds for one in unseen + seen):.2f} s in the median.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of the labelled tweets")
    parser.add_argument("--rounds", type=int, default=30, help="windows of each kind")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"{given.data}: no such folder")
    main(given.data, given.rounds)
