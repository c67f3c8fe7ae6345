"""What it costs to read the log, against plain ways of reading it, on this machine.

    python benchmarks/reading.py [DATA_DIR] [--rows N] [--many-rows N] [--rounds N] [--only PARTS]

Compared is CPU time, user and system, of processes with all that they start; every side is a process of
its own. The sides of a comparison take turns, round by round; printed are medians, their ratios beside the
bars, and the peak memory of the largest process. The parts:

- scan: all rows read, against a script that only decodes each line with msgspec
- stdlib: all rows read, against a script that reads them into objects with json and sums them up
- segments: all rows read, divided by three fields of ten values each, against the same rows not divided
- cores: all rows read by one process, against one process per core, by the clock
- many: a long log with an index and 1 % of new rows, or none, against reading it all
- start: short commands, against the import of typer alone
- report: the report of a log with an index and a monitor, by windows of an hour and by default, against drift
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.prediction_log.record import PredictionRecord

ROOT = Path(__file__).resolve().parent.parent
FIRST, SPAN = datetime(2025, 1, 1), timedelta(days=90)
"""When the rows begin, UTC, and how long they go on."""
BASELINE_DAYS = 30
YEARS, YEARS_BEGIN, ROWS_IN_YEARS = timedelta(days=3 * 365), datetime(2023, 1, 1), 200_000
"""A log of three years that is never sealed, with rows in each hour."""
POOL = 20_000
"""Different rows, over and over: more than zstd remembers, so that they are compressed as real ones are."""
CHUNK = 5_000
SEGMENT_MEGABYTES, SEGMENTED_ROWS = 256, 10_000_000
"""Where a long log is sealed; a shorter one than this is sealed as often."""
BATCH = 1_000
SMALL_ROWS = 1_000
SCANS_OF_MANY = 3
SHORT_RUNS = 4
"""Runs of a short command in each round: the shorter it is, the more the machine's noise counts."""
MEGABYTE = 1_000_000
PEAK_MEGABYTES = 60
PARTS = ("scan", "stdlib", "segments", "cores", "many", "start", "report")
FIELDS = ("a", "b", "c")
LOADED = ("-c", "import sys; from sentimon.__main__ import main; sys.exit(main())")
"""What the installed program does."""
FULL_SCAN = {"SENTIMON_LOGS__INDEX": "false", "SENTIMON_ENGINE__WORKERS": "1"}
ALL_CORES = {"SENTIMON_LOGS__INDEX": "false", "SENTIMON_ENGINE__WORKERS": "0"}
ONE_WORKER = {"SENTIMON_ENGINE__WORKERS": "1"}

BARE = """
import sys
from datetime import datetime
from typing import Annotated, Literal
import msgspec
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
class Scores(msgspec.Struct):
    negative: Share; neutral: Share; positive: Share
class Row(msgspec.Struct):
    timestamp: datetime; sentiment: Literal["negative", "neutral", "positive"]
    confidence: Share; scores: Scores; FURTHER
def main(decode):
    with open(sys.argv[1], "rb") as file:
        for line in file:
            line.isascii() or line.decode()
            decode(line)
main(msgspec.json.Decoder(Row).decode)
"""
ALL_FIELDS = BARE.replace("FURTHER", "text: str; id: str; model: str; revision: str; truncated: bool")
FEW_FIELDS = BARE.replace("FURTHER", "")
STDLIB = """
import json, re, sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
LABELS = ("negative", "neutral", "positive")
EMOJI = re.compile(
    "[\\u231a\\u231b\\u23e9-\\u23f3\\u2600-\\u27bf\\u2b1b\\u2b1c\\u2b50\\u2b55\\u3297\\u3299\\U0001f000-\\U0001faff]"
)
BEYOND_LATIN = re.compile(
    "[\\u0370-\\u1dff\\u1f00-\\u1fff\\u2c00-\\ua71f\\ua800-\\ufaff\\ufb07-\\U0001efff\\U00020000-\\U0003ffff]"
)
@dataclass
class Scores:
    negative: float; neutral: float; positive: float
@dataclass
class Row:
    timestamp: datetime; text: str; sentiment: str; confidence: float; scores: Scores
    id: str; model: str; revision: str; truncated: bool
class Sums:
    def __init__(self):
        self.count = 0; self.confidence = self.squares = self.polarity = 0.0
        self.confidences = [0] * 100; self.polarities = [0] * 40
def read(path):
    with open(path, encoding="utf-8", newline="\\n") as file:
        for line in file:
            row = Row(**json.loads(line))
            row.timestamp = datetime.fromisoformat(row.timestamp)
            row.scores = Scores(**row.scores)
            if row.sentiment not in LABELS:
                raise ValueError(line)
            yield row
def main():
    sums = {label: Sums() for label in LABELS}
    hours, models, truncated, empty, first, last = Counter(), Counter(), 0, 0, None, None
    characters = squares = links = emoji = non_latin = 0
    for row in ROWS:
        own = sums[row.sentiment]
        polarity = row.scores.positive - row.scores.negative
        own.count += 1
        own.confidence += row.confidence
        own.squares += row.confidence * row.confidence
        own.polarity += polarity
        own.confidences[min(int(row.confidence * 100), 99)] += 1
        own.polarities[min(int((polarity + 1) * 20), 39)] += 1
        hours[row.timestamp.replace(minute=0, second=0, microsecond=0), row.sentiment] += 1
        models[row.model, row.revision] += 1
        text = row.text
        if text.strip():
            characters += len(text)
            squares += len(text) * len(text)
            links += "://" in text or "www." in text or "WWW." in text or "[url]" in text
            if not text.isascii():
                emoji += EMOJI.search(text) is not None
                other = sum(map(str.isalpha, BEYOND_LATIN.findall(text)))
                non_latin += other > 0 and 2 * other > sum(map(str.isalpha, text))
        else:
            empty += 1
        truncated += row.truncated
        if first is None or row.timestamp < first:
            first = row.timestamp
        if last is None or row.timestamp > last:
            last = row.timestamp
    properties = dict(characters=characters, emoji=emoji, links=links, non_latin=non_latin)
    counts = {label: one.count for label, one in sums.items()}
    print(json.dumps([counts, properties | dict(squared_characters=squares)]))
main()
"""
CHECKED = """
import sys
from pathlib import Path
from zlib import crc32
from sentimon.prediction_log.index.line_blocks import plain_blocks
from sentimon.prediction_log.index.bulk_rows import Columns
from sentimon.prediction_log.index.bulk_rows import decode_block
from sentimon.prediction_log.folder import opened
checksum = 0
with opened(Path(sys.argv[1])) as segment:
    for block in plain_blocks(segment, 0, segment.file.size):
        checksum = crc32(block, checksum)
        rows, _ = decode_block(block)
        if not Columns(rows).usual():
            raise ValueError("a row is not usual")
"""
"""What `metrics` does before it sums anything up."""
ROW_BY_ROW = STDLIB.replace("ROWS", "read(sys.argv[1])")
ALL_KEPT = STDLIB.replace("ROWS", "list(read(sys.argv[1]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process took, with those that it started."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    peak: float
    """Megabytes of memory, of the largest process."""
    output: bytes = b""

    def __add__(self, other: Cost) -> Cost:
        """Return the cost of one after the other."""
        return Cost(cpu=self.cpu + other.cpu, wall=self.wall + other.wall, peak=max(self.peak, other.peak))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the table; `most` and `least` are the bar, if there is one."""

    what: str
    against: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    def line(self) -> str:
        """Return the row in Markdown."""
        bar, met = "-", "-"
        if self.most is not None:
            bar, met = f"at most {self.most:g}{self.unit}", "yes" if self.value <= self.most else "no"
        elif self.least is not None:
            bar, met = f"at least {self.least:g}{self.unit}", "yes" if self.value >= self.least else "no"
        seen = f"{self.value:.1f}" if self.value >= 10 else f"{self.value:.2f}"
        return f"| {self.what} | {self.against} | {seen}{self.unit} | {bar} | {met} |"


OURS = {
    "metrics": "`metrics`, all rows, no index",
    "metrics + drift": "`metrics` and `drift`, all rows, the index made",
}
Work = Callable[[], Cost]
Costs = dict[str, list[Cost]]


def main() -> None:
    """Measure the parts that were asked for and print the table."""
    options = parsed_options()
    with tempfile.TemporaryDirectory(prefix="sentimon-reading-") as name:
        bench = Bench(options, Path(name))
        os.chdir(name)
        findings = list(bench.findings(options.only))
    print(
        f"\n{options.rows:,} and {options.many_rows:,} rows, {options.rounds} rounds, {os.cpu_count()} cores"
    )
    print("| what | against | ratio seen | bar | met |\n|---|---|---|---|---|")
    for finding in findings:
        print(finding.line())


def parsed_options() -> argparse.Namespace:
    """Return the options of the command line, its paths absolute."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data", nargs="?", type=Path, help="folder of .jsonl files with texts (default: the shipped sample)"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--many-rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=PARTS, help="some of " + ",".join(PARTS)
    )
    parser.add_argument("--keep", type=Path, help="where the logs made are kept, to be used again")
    options = parser.parse_args()
    if unknown := set(options.only) - set(PARTS):
        parser.error(f"--only: unknown parts: {', '.join(sorted(unknown))}")
    options.data = options.data and options.data.resolve()
    options.keep = options.keep and options.keep.resolve()
    return options


class Bench:
    """The comparisons, on logs that are made once and copied before anything is done to them."""

    def __init__(self, options: argparse.Namespace, place: Path) -> None:
        self._rows: int = options.rows
        self._many_rows: int = options.many_rows
        self._rounds: int = options.rounds
        self._data: Path | None = options.data
        self._made: Path = options.keep or place / "made"
        self._place = place
        self._empty = place / "empty"
        self._empty.mkdir()

    def findings(self, parts: Sequence[str]) -> Iterator[Finding]:
        """Yield what each of `parts` finds."""
        if "scan" in parts or "stdlib" in parts:
            yield from self.scan(bare="scan" in parts, stdlib="stdlib" in parts)
        if "segments" in parts:
            yield from self.segments()
        if "cores" in parts:
            yield from self.cores()
        if "many" in parts:
            yield from self.many()
        if "start" in parts:
            yield from self.start()
        if "report" in parts:
            yield from self.report()

    def scan(self, *, bare: bool, stdlib: bool) -> Iterator[Finding]:
        """Compare reading all rows with scripts that do less, and with one that does as much."""
        log = self._log(self._rows)
        file, baseline = str(log / "predictions.jsonl"), self._baseline(log)
        pair = [["metrics", "--json"], ["drift", "--all", "--json", "--baseline", str(baseline)]]
        nothing = self._empty / "nothing.jsonl"
        nothing.touch()
        sides: dict[str, Work] = {
            "metrics": partial(sentimon, log, *pair[0], settings=FULL_SCAN),
            "metrics + drift": partial(indexed_anew, log, pair),
            "metrics, no rows": partial(sentimon, self._empty, *pair[0], settings=FULL_SCAN),
            "metrics + drift, no rows": partial(indexed_anew, self._empty, pair),
        }
        if bare:
            sides["bare"] = partial(python, "-c", ALL_FIELDS, file)
            sides["bare, few fields"] = partial(python, "-c", FEW_FIELDS, file)
            sides["checked"] = partial(python, "-c", CHECKED, file)
            sides["bare, no rows"] = partial(python, "-c", ALL_FIELDS, str(nothing))
        if stdlib:
            sides["stdlib, row by row"] = partial(python, "-c", ROW_BY_ROW, file)
            sides["stdlib, a list of rows"] = partial(python, "-c", ALL_KEPT, file)
        costs = interleaved(f"{self._rows:,} rows read", sides, self._rounds)
        if bare:
            yield from against_bare(costs)
        if stdlib:
            yield from against_stdlib(costs)
        for name, text in OURS.items():
            yield peak_of(text, costs[name])

    def segments(self) -> Iterator[Finding]:
        """Compare a log whose rows are divided by three fields of ten values with one that is not."""
        plain, divided = self._log(self._rows), self._place / "divided"
        divided.mkdir(exist_ok=True)
        with (
            (plain / "predictions.jsonl").open("rb") as rows,
            (divided / "predictions.jsonl").open("wb") as file,
        ):
            for number, line in enumerate(rows):
                values = [
                    f'"{name}":"{name}-{number // 10**place % 10}"' for place, name in enumerate(FIELDS)
                ]
                file.write(line.rstrip()[:-1] + f",{','.join(values)}}}\n".encode())
        named = {"SENTIMON_SEGMENTS__FIELDS": json.dumps(FIELDS)}
        command = ("metrics", "--json")
        sides: dict[str, Work] = {
            "not divided": partial(sentimon, divided, *command, settings=FULL_SCAN),
            "three fields": partial(sentimon, divided, *command, settings=FULL_SCAN | named),
            "one slice": partial(sentimon, divided, *command, "--where", "a=a-1", settings=FULL_SCAN),
            "no rows": partial(sentimon, self._empty, *command, settings=FULL_SCAN),
        }
        costs = interleaved(f"{self._rows:,} rows with three fields of ten values", sides, self._rounds)
        nothing = cpu(costs["no rows"])
        base = cpu(costs["not divided"]) - nothing
        for name, most in (("three fields", 1.5), ("one slice", None)):
            yield Finding(
                what=f"`metrics`, all rows, {name}, no index",
                against="the same rows, not divided",
                value=(cpu(costs[name]) - nothing) / base,
                most=most,
            )

    def cores(self) -> Iterator[Finding]:
        """Compare one process with one per core, by the clock."""
        log = self._log(self._rows)
        sides = {
            name: partial(sentimon, log, "metrics", "--json", settings=settings)
            for name, settings in (("one process", FULL_SCAN), ("one per core", ALL_CORES))
        }
        costs = interleaved(f"{self._rows:,} rows read, on {os.cpu_count()} cores", sides, self._rounds)
        outputs = {answer(cost) for some in costs.values() for cost in some}
        if len(outputs) > 1:
            raise SystemExit("one process per core gives other bytes than one process")
        one, all_cores = (
            statistics.median(cost.wall for cost in costs[name]) for name in ("one process", "one per core")
        )
        against = "one process, by the clock; the same bytes out"
        yield Finding(
            what="`metrics`, all rows, one process per core", against=against, value=one / all_cores
        )
        yield peak_of("`metrics`, all rows, one process per core", costs["one per core"])

    def many(self) -> Iterator[Finding]:
        """Compare what is new in a long log with reading it all."""
        rows = self._many_rows
        segment = max(1, min(SEGMENT_MEGABYTES, SEGMENT_MEGABYTES * rows // SEGMENTED_ROWS))
        log, small = self._log(rows, segment), self._log(SMALL_ROWS)
        # The newest rows come through the writer, which watches over the file from then on.
        new, segments = self._appending(log, rows, segment), len(list(log.glob("predictions-*")))
        new(BATCH)
        names = f"{rows:,} rows in {segments} sealed files and a live one"
        building: dict[str, Work] = {
            name: partial(indexed_anew, log, [["metrics"]], settings=settings)
            for name, settings in (("one process", ONE_WORKER), ("one per core", {}))
        }
        built = interleaved(f"{names}: the index made", building, 1, warm_up=False)
        for name, some in built.items():
            yield peak_of(f"the index of {rows:,} rows made, {name}", some)
        sides = self._sides_of_many(log, small, partial(new, rows // 100))
        costs = interleaved(names, sides, self._rounds, seldom={"all rows": SCANS_OF_MANY})
        yield Finding(
            what=f"`metrics`, 1 % of {rows:,} rows new",
            against="`metrics` that reads all rows, without the index",
            value=cpu(costs["all rows"]) / cpu(costs["1 % new"]),
            least=40,
        )
        yield peak_of(f"`metrics`, all of {rows:,} rows", costs["all rows"])
        yield peak_of(f"`metrics`, 1 % of {rows:,} rows new", costs["1 % new"])
        yield from nothing_new(costs, rows)

    def _sides_of_many(self, log: Path, small: Path, new: Callable[[], None]) -> dict[str, Work]:
        sides: dict[str, Work] = {
            "1 % new": partial(after, new, partial(sentimon, log, "metrics", "--json")),
            "all rows": partial(sentimon, log, "metrics", "--json", settings=FULL_SCAN),
        }
        for name, folder in (("", log), (f", {SMALL_ROWS:,} rows", small)):
            check = ["retrain-check", "-q", "--baseline", str(self._baseline(folder))]
            sides[f"metrics{name}"] = partial(often, partial(sentimon, folder, "metrics", "--json"))
            look = partial(sentimon, folder, *check)
            # The first look after rows were appended is at these, and is not what is measured.
            sides[f"retrain-check -q{name}"] = partial(after, look, partial(often, look))
        return sides

    def start(self) -> Iterator[Finding]:
        """Compare short commands with the import that none of them can do without."""
        log, years = self._log(self._rows), self._log(ROWS_IN_YEARS, begin=YEARS_BEGIN, span=YEARS)
        check = ["retrain-check", "--baseline", str(self._baseline(log))]
        in_years = ["retrain-check", "--baseline", str(self._baseline(years, YEARS_BEGIN)), "-q"]
        for one in (log, years):
            sentimon(one, "metrics")
        sides: dict[str, Work] = {
            "import typer": partial(python, "-c", "import typer"),
            "sentimon --help": partial(python, *LOADED, "--help"),
            "sentimon retrain-check": partial(sentimon, log, *check),
            "sentimon retrain-check -q": partial(sentimon, log, *check, "-q"),
            "sentimon retrain-check -q, over 3 years": partial(sentimon, years, *in_years),
            "sentimon metrics": partial(sentimon, log, "metrics"),
        }
        often_each: dict[str, Work] = {name: partial(often, work) for name, work in sides.items()}
        costs = interleaved(f"short commands, {SHORT_RUNS} times each", often_each, self._rounds)
        bars = {"sentimon --help": 2} | dict.fromkeys((name for name in sides if "retrain-check" in name), 4)
        for name in list(sides)[1:]:
            rows = ROWS_IN_YEARS if "years" in name else self._rows
            command, _, history = name.partition(",")
            yield Finding(
                what=f"`{command}`"
                + ("" if "--help" in name else f", nothing new in {rows:,} rows{history}"),
                against='`python -c "import typer"`',
                value=cpu(costs[name]) / cpu(costs["import typer"]),
                most=bars.get(name),
            )

    def report(self) -> Iterator[Finding]:
        """Compare the report of a log that is watched with the comparison of its newest rows."""
        log = self._log(self._rows)
        known = ["--baseline", str(self._baseline(log))]
        sentimon(log, "retrain-check", "-q", *known)
        page = ["report", "--output", str(self._place / "report.html"), *known]
        sides: dict[str, Work] = {
            "drift": partial(sentimon, log, "drift", *known),
            "`report --every 1h`": partial(sentimon, log, *page, "--every", "1h"),
            "`report`": partial(sentimon, log, *page),
        }
        costs = interleaved(f"{self._rows:,} rows, watched", sides, self._rounds)
        hours = SPAN // timedelta(hours=1)
        for name, what in (("`report --every 1h`", f" ({hours:,} windows)"), ("`report`", "")):
            yield Finding(
                what=f"{name} of {self._rows:,} rows, watched{what}",
                against="`drift` on the same log",
                value=cpu(costs[name]) / cpu(costs["drift"]),
                most=2,
            )

    def _log(
        self, rows: int, segment_megabytes: int = 0, *, begin: datetime = FIRST, span: timedelta = SPAN
    ) -> Path:
        """Return a new copy of a log of so many rows; sealed at so many megabytes, or never (0)."""
        made = self._made / f"{rows}-rows-sealed-at-{segment_megabytes}-{span.days}-days"
        if not made.exists():
            started = time.perf_counter()
            begun = made.with_name(made.name + ".begun")
            shutil.rmtree(begun, ignore_errors=True)
            apart(make_log, begun, self._data, rows, segment_megabytes, begin, span)
            begun.rename(made)
            print(f"{rows:,} rows written in {time.perf_counter() - started:.0f} s")
        log = Path(tempfile.mkdtemp(prefix="log-", dir=self._place))
        shutil.copytree(made, log, dirs_exist_ok=True)
        return log

    def _baseline(self, log: Path, begin: datetime = FIRST) -> Path:
        """Return the baseline of the first days of a log, outside its folder; the log has an index then."""
        path = log.with_name(log.name + "-baseline.json")
        if not path.exists():
            until = (begin + timedelta(days=BASELINE_DAYS)).date().isoformat()
            sentimon(log, "baseline", "create", "--until", until, "--baseline", str(path))
        return path

    def _appending(self, log: Path, rows: int, segment_megabytes: int) -> Callable[[int], None]:
        """Return what appends so many rows to a log that began with `rows` of them."""
        known = rows

        def append(amount: int) -> None:
            nonlocal known
            apart(append_rows, log, self._data, known, amount, SPAN / rows, segment_megabytes)
            known += amount

        return append


def against_bare(costs: Costs) -> Iterator[Finding]:
    """Yield our cost in that of decoding alone, with the start-up of both and without."""
    bare, start = cpu(costs["bare"]), cpu(costs["bare, no rows"])
    for name, text in OURS.items():
        whole, loading = cpu(costs[name]), cpu(costs[f"{name}, no rows"])
        against = "a script that decodes each line with msgspec, strictly, and no more"
        yield Finding(what=text, against=against, value=whole / bare, most=1.25)
        yield Finding(
            what=f"{text}; CPU less that for no rows",
            against="that script, its CPU less that for no rows",
            value=(whole - loading) / (bare - start),
        )
    against = "that script, its CPU whole"
    yield Finding(
        what="the floor: every check of `metrics`, and no sum",
        against=against,
        value=cpu(costs["checked"]) / bare,
    )
    yield Finding(
        what=OURS["metrics"],
        against="such a script that decodes only timestamp, sentiment, confidence and scores",
        value=cpu(costs["metrics"]) / cpu(costs["bare, few fields"]),
    )


def against_stdlib(costs: Costs) -> Iterator[Finding]:
    """Yield how many times dearer it is to read all rows into objects and sum them up."""
    found = json.loads(costs["metrics"][0].output)
    ours = [found["sentiment_distribution"], found["properties"]]
    for side, how in (("stdlib, row by row", "one by one"), ("stdlib, a list of rows", "into a list")):
        if json.loads(costs[side][0].output) != ours:
            raise SystemExit("the two sides find different sums")
        for name, text in OURS.items():
            yield Finding(
                what=text,
                against=f"a script that reads the rows into objects with `json`, {how}, and sums them up",
                value=cpu(costs[side]) / cpu(costs[name]),
                least=8,
            )


def nothing_new(costs: Costs, rows: int) -> Iterator[Finding]:
    """Yield what a long history costs a command that finds nothing new."""
    for name in ("metrics", "retrain-check -q"):
        yield Finding(
            what=f"`{name}`, nothing new in {rows:,} rows",
            against=f"the same with {SMALL_ROWS:,} rows",
            value=cpu(costs[name]) / cpu(costs[f"{name}, {SMALL_ROWS:,} rows"]),
        )


def peak_of(what: str, costs: Sequence[Cost]) -> Finding:
    """Return the peak memory of a side as a row of the table."""
    peak = max(cost.peak for cost in costs)
    return Finding(what=f"{what}: peak memory", against="-", value=peak, unit=" MB", most=PEAK_MEGABYTES)


def cpu(costs: Sequence[Cost]) -> float:
    """Return the median of the CPU seconds."""
    return statistics.median(cost.cpu for cost in costs)


def answer(cost: Cost) -> bytes:
    """Return what a command printed as JSON, without the time at which it did."""
    return cost.output.split(b",", 1)[1]


def interleaved(
    title: str,
    sides: Mapping[str, Work],
    rounds: int,
    *,
    seldom: Mapping[str, int] | None = None,
    warm_up: bool = True,
) -> Costs:
    """Return the costs of the sides, taken in turn after one round that is not counted, and print them.

    Those that are `seldom` to be measured are left out of that round and of those after so many.
    """
    costs: Costs = {name: [] for name in sides}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, work in sides.items():
            most = (seldom or {}).get(name)
            if most is None or 0 < number <= most:
                cost = work()
                if number:
                    costs[name].append(cost)
    print(
        f"\n{title}; seconds: median [least..most], megabytes: the most\n"
        f"{'':<30}{'CPU':>29}{'clock':>9}{'peak':>7}"
    )
    for name, some in costs.items():
        times = [cost.cpu for cost in some]
        cell = f"{cpu(some):.3f} [{min(times):.3f}..{max(times):.3f}]"
        wall = statistics.median(cost.wall for cost in some)
        print(f"{name:<30}{cell:>29}{wall:>9.3f}{max(cost.peak for cost in some):>7.1f}", flush=True)
    return costs


def sentimon(log: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Cost:
    """Run a command of ours on a log."""
    return python(*LOADED, *arguments, "--logs", str(log), settings=settings)


def indexed_anew(
    log: Path, commands: Sequence[Sequence[str]], settings: Mapping[str, str] = ONE_WORKER
) -> Cost:
    """Run commands on a log that has no index before."""
    for path in (log / ".sentimon").glob("rollup.sqlite*"):
        path.unlink()
    first, *others = (sentimon(log, *command, settings=settings) for command in commands)
    return sum(others, first)


def often(work: Work) -> Cost:
    """Run a short command several times."""
    first, *others = (work() for _ in range(SHORT_RUNS))
    return sum(others, first)


def after(before: Callable[[], object], work: Work) -> Cost:
    """Return the cost of `work` alone, done after something else."""
    before()
    return work()


def python(*arguments: str, settings: Mapping[str, str] | None = None) -> Cost:
    """Run Python as a new process; what it says is kept, what it notes is not shown unless it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SENTIMON_")}
    # Without its compiled modules Python would compile them in each process.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    here = str(Path.cwd())
    environment |= {
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": here,
        "XDG_CACHE_HOME": here,
        **(settings or {}),
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, descriptor, name, flags, 0o600)
        for descriptor, name in ((1, "out"), (2, "notes"))
    ]
    started = time.perf_counter()
    child = os.posix_spawn(sys.executable, [sys.executable, *arguments], environment, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 3, 4):
        raise SystemExit(f"{arguments} failed:\n{Path('notes').read_text(encoding='utf-8')}")
    # Linux counts in KiB, others in bytes.
    peak = usage.ru_maxrss * (1024 if sys.platform == "linux" else 1) / MEGABYTE
    return Cost(cpu=usage.ru_utime + usage.ru_stime, wall=wall, peak=peak, output=Path("out").read_bytes())


def apart(work: Callable[..., object], *arguments: object) -> None:
    """Do `work` in another process: a process counts as at least as large as the one that starts it."""
    process = multiprocessing.Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} failed")


def make_log(
    folder: Path, data: Path | None, rows: int, segment_megabytes: int, start: datetime, span: timedelta
) -> None:
    """Write so many rows over a span from `start` on, as the writer writes and seals them."""
    from sentimon.config.settings import LogSettings
    from sentimon.jsonl import encode
    from sentimon.prediction_log.rotation import compress_sealed, seal_if_due

    moment = FIRST.isoformat().encode()
    records = [made(timestamp=FIRST.replace(tzinfo=UTC)).to_dict() for made in some_records(data)]
    begin, *_ = encode(records[0]).partition(moment)
    bodies = [encode(record).removeprefix(begin + moment) for record in records]
    settings = LogSettings(rotate_megabytes=segment_megabytes)
    folder.mkdir(parents=True)
    for first in range(0, rows, CHUNK):
        numbers = range(first, min(first + CHUNK, rows))
        moments = ((start + span / rows * number).isoformat().encode() for number in numbers)
        lines = [
            b"%b%b%b\n" % (begin, moment, bodies[number % POOL])
            for number, moment in zip(numbers, moments, strict=True)
        ]
        if seal_if_due(folder, settings, now=datetime.now(UTC)):
            compress_sealed(folder, settings.compression)
        with (folder / "predictions.jsonl").open("ab") as file:
            file.writelines(lines)


def append_rows(
    folder: Path, data: Path | None, known: int, amount: int, step: timedelta, segment_megabytes: int
) -> None:
    """Append so many rows through the writer, each a step later than the one before."""
    from sentimon.config.settings import LogSettings
    from sentimon.prediction_log.writer import LogWriter

    records, first = some_records(data), FIRST.replace(tzinfo=UTC)
    with LogWriter(folder, LogSettings(rotate_megabytes=segment_megabytes)) as writer:
        for begin in range(known, known + amount, BATCH):
            numbers = range(begin, min(begin + BATCH, known + amount))
            writer.append(
                [records[number % POOL](timestamp=first + step * number) for number in numbers],
                now=datetime.now(UTC),
            )


def some_records(data: Path | None) -> list[Callable[..., PredictionRecord]]:
    """Return what makes POOL predictions, once it is told when: real texts, and scores by chance."""
    from sentimon.labels import Sentiment
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.scoring.scores import ScoredText, Scores

    source, texts = Random(0), some_texts(data)
    source.shuffle(texts)
    records: list[Callable[..., PredictionRecord]] = []
    for number in range(POOL):
        confidence = source.uniform(0.5, 0.99)
        second = source.random() * (1 - confidence)
        vector = [second, 1 - confidence - second]
        vector.insert(source.randrange(len(Sentiment)), confidence)
        scored = ScoredText(scores=Scores.from_probabilities(vector), tokens=0, truncated=False)
        record = partial(
            PredictionRecord.of,
            texts[number % len(texts)],
            scored,
            model="sentimon-default",
            revision="791155de74c2",
            id=f"{number:06}",
        )
        records.append(record)
    return records


def some_texts(data: Path | None) -> list[str]:
    """Return the texts of all .jsonl files of a folder, or of the sample."""
    folder = Path(str(resources.files("sentimon.sample"))) if data is None else data
    lines = [
        line
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").split("\n")
    ]
    texts = [json.loads(line)["text"] for line in lines if line]
    if not texts:
        raise SystemExit(f"{folder}: no .jsonl files with texts")
    return texts


if __name__ == "__main__":
    main()
