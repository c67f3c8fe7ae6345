"""`python -m tests.samples.make`: write a sample of every file that this version of the program writes.

They go to `tests/samples/v<version>/`, with the answers that this version gives about them in
`expected.json`. Later versions are held to read them and to give the same answers (tests/test_samples.py),
so that a log, a baseline, a model registry or a job that somebody has keeps working. Run it once, before a
version changes what it writes; samples that were checked in are never made again.

Seeds and times are fixed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import sentimon
from tests.samples.program import ASKED_AT, MODIFIED, PLACE, QUESTIONS, ask, move
from tests.support.rows import lines, row

HERE = Path(__file__).parent
SEED = 14
BEGUN = datetime(2026, 9, 7, tzinfo=UTC)
PRAISE = ["ottimo prodotto", "great service", "arrivato in anticipo", "love it", "sehr gut"]
PLAIN = ["where is my parcel", "dove si cambia la taglia", "the box is blue", "ordine di ieri", "na ja"]
BLAME = ["pessimo servizio", "broken on arrival", "mai più", "late again", "sehr schlecht"]
TEXTS = (BLAME, PLAIN, PRAISE)
SETTINGS = """\
[model]
name = "models/current"
buffer_size = 2
threads = 1
[model.label_map]
sad = "negative"
[labels]
negative = "negativo"
neutral = "neutro"
positive = "positivo"
[logs]
dir = "logs"
naive_time_zone = "Europe/Rome"
hash_key_file = "hash.key"
rotate_daily = false
keep_days = 3650
[metrics]
time_zone = "Europe/Rome"
[drift]
threshold = 0.12
min_samples = 40
confidence_level = 0.9
[monitor]
alpha = 0.04
tau = 0.01
look_backs = 7
[retraining]
min_samples_for_retraining = 60
confidence_rule = "interval"
cooldown = "12h"
[notify]
command_timeout = "30s"
webhook_tries = 2
[quality]
min_labels = 40
min_labels_per_class = 10
reference_labels = 60
[training]
epochs = 2
models = "models"
[engine]
name = "local"
chunk_texts = 512
"""


def main() -> None:
    """Make the samples of this version anew."""
    target = HERE / f"v{sentimon.__version__}"
    if target.exists():
        raise SystemExit(f"{target} is there: samples that were checked in are never made again")
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary).resolve() / "samples"
        place.mkdir()
        with contextlib.chdir(place):
            make_all()
        move(place, str(place), PLACE)
        shutil.copytree(place, target, symlinks=True)
        move(place, PLACE, str(place))
        with contextlib.chdir(place):
            answers = {name: ask(*question) for name, question in QUESTIONS.items()}
    expected = {name: {"code": one.code, "value": one.value} for name, one in answers.items()}
    text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
    (target / "expected.json").write_text(text + "\n", encoding="utf-8")


def make_all() -> None:
    """Write every kind of file into the current folder."""
    Path("sentimon.toml").write_text(SETTINGS, encoding="utf-8")
    Path("hash.key").write_text("not a secret: the key of the samples, 64 characters of it ......\n")
    make_models()
    make_log()
    make_histories()
    make_small_log("small", minutes=1)
    make_small_log("collecting", minutes=1)
    collect = ("--baseline-rows", "80", "--models", "other", "--logs", "collecting")
    run("promote", "new", "--force", *collect, "--reason", "Italian", day=12)
    run("log", "--input", "-", "--model", "new", "--logs", "collecting", stdin="great service\n" * 30, day=13)
    make_calibration()
    make_parts()
    make_jobs()
    for path in sorted(Path().rglob("*.lock")):
        path.unlink()
    for path in ("new", "other", "arrived.csv", "judged.jsonl"):
        shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()


def run(
    *arguments: str, stdin: str = "", day: int = 0, codes: tuple[int, ...] = (0,), **environment: str
) -> str:
    moment = BEGUN + timedelta(days=day) if day else ASKED_AT
    done = ask(*arguments, stdin=stdin, moment=moment, LOGNAME="ann", **environment)
    assert done.code in codes, (arguments, done)
    return done.out


def sample_rows(
    number: int, weights: tuple[int, int, int], *, day: int, minutes: int = 5, **rest: object
) -> str:
    """Return rows of JSON that bring their scores, some minutes apart from the start of a day on."""
    draw = random.Random(SEED + day)
    chosen = draw.choices(range(3), weights, k=number)
    start = timedelta(days=day) - timedelta(hours=8)
    rows = []
    for at, place in enumerate(chosen):
        # Rounded confidences keep the files small.
        made = row(place, 0, round(draw.uniform(0.6, 0.95), 2), text=draw.choice(TEXTS[place]), **rest)
        moment = datetime(2026, 9, 7, 8, tzinfo=UTC) + start + timedelta(minutes=at * minutes)
        made["timestamp"] = moment.isoformat().replace("+00:00", "Z")
        made["model"], made["revision"] = "shop-model", "r1"
        rows.append(made)
    return lines(rows)


def log_rows(day: int, content: str, compression: str = "none", **environment: str) -> None:
    """Log rows on a day, after the file of the day before is sealed."""
    live = Path("logs/predictions.jsonl")
    if live.exists():
        before = (BEGUN + timedelta(days=day - 1)).timestamp()
        os.utime(live, (before, before))
    environment |= {"SENTIMON_LOGS__ROTATE_DAILY": "true", "SENTIMON_LOGS__COMPRESSION": compression}
    run("log", "--input", "-", "-q", stdin=content, day=day, **environment)


def make_log() -> None:
    """Write a log of every kind of file and row: four files, the first of the replaced program."""
    draw = random.Random(SEED)
    names = ("Negativo", "Neutro", "Positivo")
    italian = [
        {
            "timestamp": f"2026-08-{1 + at // 4:02d}T{8 + at % 4 * 3:02d}:49:40.101704",
            "text": draw.choice(TEXTS[at % 3]),
            "sentiment": names[at % 3],
            "confidence": 0.9,
            "scores": dict(zip(("negative", "neutral", "positive"), _scores(at % 3), strict=True)),
        }
        for at in range(60)
    ]
    Path("logs").mkdir()
    bad = "not json\n" + lines(
        [{"timestamp": "yesterday", "text": "x"}, {"timestamp": "2026-08-20T08:00:00Z"}]
    )
    Path("logs/predictions.jsonl").write_text(lines(italian) + bad, encoding="utf-8")
    log_rows(1, sample_rows(2100, (2, 3, 5), day=0), "gzip")
    log_rows(9, sample_rows(120, (2, 3, 5), day=8, order={"shop": "Roma", "items": [1, 2]}), "zstd")
    log_rows(10, sample_rows(40, (2, 3, 5), day=9))
    late = [json.loads(line) | {"id": f"late-{at}"} for at, line in enumerate(_lines(200, (6, 2, 2), day=10))]
    run("log", "--input", "-", "-q", stdin=lines(late), day=11)
    for number, mode in enumerate(("redact", "hash", "omit")):
        rows = sample_rows(8, (1, 1, 1), day=11 + number)
        run("log", "--input", "-", "-q", stdin=rows.replace('"text": "', '"text": "a@b.it 3331234567 '),
            day=12, SENTIMON_LOGS__TEXT=mode, SENTIMON_LOGS__TOKEN_HASHES="true")  # fmt: skip
    with Path("logs/predictions.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"timestamp":"2026-09-18T08:00:00Z","text":"torn')


def make_histories() -> None:
    """Write baseline, monitor, labels, histories, index, and what is known of the error rate."""
    run(
        "baseline",
        "create",
        "--since",
        "2026-09-01",
        "--until",
        "2026-09-15T00:00:00Z",
        "--name",
        "september",
        day=9,
    )
    rows = [json.loads(line) for line in _lines(200, (6, 2, 2), day=10)]
    draw, names = random.Random(SEED), ("negative", "neutral", "positive")
    cells = ["id,label"]
    for at, one in enumerate(rows[:90]):
        likely = max(one["scores"], key=one["scores"].get)
        cells.append(f"late-{at},{likely if draw.random() < 0.7 else draw.choice(names)}")
    Path("arrived.csv").write_text("\n".join(cells) + "\n", encoding="utf-8")
    run("label", "import", "arrived.csv", "-q", day=12)
    Path("arrived.csv").write_text("text,label\nlate again,negative\n", encoding="utf-8")
    run("label", "import", "arrived.csv", "--key", "text", "-q", day=12, codes=(0, 1))
    run("metrics", "--save", day=12)
    run("drift", "--save", day=12, codes=(0, 3))
    run("drift", "--monitor", "--save", day=11, codes=(0, 3))
    run("retrain-check", "--save", day=12, codes=(3,))
    run("metrics", "--every", "1d", "--since", "2026-09-17", "--save", day=13)


def make_small_log(name: str, *, minutes: int) -> None:
    """Write a log with a baseline of 64 rows and as many after it."""
    for day, weights in ((0, (2, 3, 5)), (1, (5, 3, 2))):
        content = sample_rows(64, weights, day=day, minutes=minutes)
        run("log", "--input", "-", "-q", "--logs", name, stdin=content, day=day + 1)
        if not day:
            run("baseline", "create", "--logs", name, "--name", "small", day=1)


def make_models() -> None:
    """Write a registry of two tiny models, of which the first serves again."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *sorted({w for one in TEXTS for t in one for w in t.split()}),
    ]
    config = BertConfig(
        vocab_size=len(words), max_position_embeddings=16, hidden_size=8, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=8, initializer_range=0.5,
        id2label={0: "sad", 1: "neutral", 2: "positive"},
    )  # fmt: skip
    for seed in (SEED, SEED + 1):
        torch.manual_seed(seed)
        BertForSequenceClassification(config).eval().save_pretrained("new")
        Path("new/vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
        Path("new/MODEL_CARD.md").write_text(
            f"# A tiny model of the samples\n\nSeed {seed}.\n", encoding="utf-8"
        )
        run("promote", "new", "--force", "--reason", f"seed {seed}", day=1)
    run("models", "rollback", "--reason", "complaints", day=2)


def make_calibration() -> None:
    """Write a calibration, under the name of the model that the log is of."""
    draw = random.Random(SEED)
    rows = [
        {"text": f"{draw.choice(TEXTS[at % 3])} {draw.choice(TEXTS[(at + 1) % 3])}", "label": LABELS[at % 3]}
        for at in range(120)
    ]
    Path("judged.jsonl").write_text(lines(rows), encoding="utf-8")
    run("calibrate", "--data", "judged.jsonl", "--output", "calibration.json")
    path = Path("calibration.json")
    made = json.loads(path.read_text(encoding="utf-8")) | {"model": "shop-model", "revision": "r1"}
    path.write_text(json.dumps(made) + "\n", encoding="utf-8")


def make_parts() -> None:
    """Write the parts of a job that is complete, and of one that was stopped after its first part."""
    from sentimon.engine.part_files import PartFolder

    draw = random.Random(SEED)
    texts = [draw.choice(TEXTS[at % 3]) for at in range(1100)]
    Path("texts.txt").write_text("\n".join(texts[:40]) + "\n", encoding="utf-8")
    os.utime("texts.txt", (MODIFIED, MODIFIED))
    run("predict", "--input", "texts.txt", "--output", "parts")
    with stopped_at(PartFolder, "add"):
        ask("predict", "--input", "texts.txt", "--output", "begun")


def make_jobs() -> None:
    """Write the journals of a job that is complete, and of one that was stopped after its first step."""
    from sentimon.prediction_log.resumable_log import Journal

    for name in ("done", "begun"):
        Path(f"{name}.jsonl").write_text(sample_rows(40, (1, 1, 1), day=3), encoding="utf-8")
        os.utime(f"{name}.jsonl", (MODIFIED, MODIFIED))
    run("log", "--input", "done.jsonl", "--logs", "jobs", "--resume", day=4)
    with stopped_at(Journal, "add"):
        ask("log", "--input", "begun.jsonl", "--logs", "jobs", "--resume")


@contextlib.contextmanager
def stopped_at(kind: type, method: str):  # type: ignore[no-untyped-def]
    """Have a job be killed when it does something for the second time."""
    whole, seen = getattr(kind, method), []

    def once(self: object, *arguments: object, **rest: object) -> object:
        seen.append(1)
        if len(seen) > 1:
            raise KilledError
        return whole(self, *arguments, **rest)

    with mock.patch.object(kind, method, once), contextlib.suppress(KilledError):
        yield
        raise AssertionError("it was not stopped")


class KilledError(Exception):
    """Stands for a kill."""


LABELS = ("negative", "neutral", "positive")


def _lines(number: int, weights: tuple[int, int, int], *, day: int) -> list[str]:
    return sample_rows(number, weights, day=day).rstrip("\n").split("\n")


def _scores(place: int) -> list[float]:
    return [0.9 if one == place else 0.05 for one in range(3)]


if __name__ == "__main__":
    main()
