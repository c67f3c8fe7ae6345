"""The law of the two readers: blocks of usual rows count as their lines do, one by one, in every digit."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.labels import LABELS
from sentimon.prediction_log.index.bulk_rows import BulkReader
from sentimon.prediction_log.index.cells import CellTable, hour_slots
from tests.support.log_histories import FIELDS
from tests.support.rows import row
from tests.support.scanning import by_hour, scanned, slices_by_hour, whole

Fields = list[tuple[str, str]]
"""The keys of an object, and what stands behind each in JSON or in what is none."""

USUAL = (
    b'{"timestamp":"2026-09-07T08:00:00Z","sentiment":"positive","confidence":0.8,'
    b'"scores":{"negative":0.1,"neutral":0.1,"positive":0.8},"text":"a"}'
)


def split(lines: Sequence[bytes], cuts: Iterable[int]) -> list[bytes]:
    """The lines in blocks, cut before the lines of these numbers."""
    places = [0, *sorted({cut for cut in cuts if 0 < cut < len(lines)}), len(lines)]
    return [b"".join(line + b"\n" for line in lines[first:end]) for first, end in pairwise(places)]


def check_law(lines: Sequence[bytes], cuts: Iterable[int] = ()) -> None:
    """The lines one by one, and in blocks: each alone, all in one, and cut somewhere."""
    content = b"".join(line + b"\n" for line in lines)
    lines = content.split(b"\n")[:-1]
    expected = scanned([content], bulk=False, fields=FIELDS)
    hours, slices = by_hour(expected), slices_by_hour(expected)
    read = (len(lines), len(content), crc32(content))
    forms: list[list[bytes]] = []
    for blocks in (split(lines, range(len(lines))), [content], split(lines, cuts)):
        if blocks in forms:
            continue
        forms.append(blocks)
        found = scanned(blocks, bulk=True, fields=FIELDS)
        assert by_hour(found) == hours
        assert slices_by_hour(found) == slices
        assert by_hour(scanned(blocks, bulk=True)) == hours
        assert found.bad == expected.bad
        part = found.partial_sum()
        assert (part.lines, part.end, part.checksum) == read


def goes_in_bulk(*lines: bytes) -> bool:
    return bool(BulkReader(CellTable(), hour_slots).add_block(b"".join(line + b"\n" for line in lines), 0))


# Numbers

LIMITS = (0.0, 2e-3, -2e-3, 2e-3 - 1e-5, 1e-5 - 2e-3)
HAIRS = (0.0, 1e-17, 1e-12, 1e-9, 1e-7, 4.9e-7, 5e-7, 5.1e-7, 1e-6, 2e-6, 9e-6, 1e-5, 1.1e-5)
TIES = (0.4999995, 0.5000005, 0.6543215, 0.7123465, 0.9999985, 0.9999995)
ODD = [
    "0", "1", "-0", "-0.0", "0.0", "1.0", "1E0", "10e-1", "0.1e1", "1e-320", "5e-324", "1e-400", "-1e-320",
    "-1e-9", "-5e-7", "1.0000000001", "1.0000004", "1.0000006", "0.99999949999", "1e308", "-1e308", "1e999",
    "2", "1" * 400, "0." + "9" * 400, "0.1234565" + "0" * 50 + "1", "1.00000000000000000000001", "1e-7",
    "0.005", "0.345", "null", "true", '"0.8"', "NaN", "01", "1.", ".5", "+1", "[]",
]  # fmt: skip
OWN = ("positive", "negative", "neutral")
MORE_SCORES = [
    '"joy":0',
    '"neg":0.1',
    '"Positivo":0',
    '"":0',
    '"negative":0.1',
    '"neutral":null',
    '"ne\\u0067":0',
]


def near_a_limit(chance: random.Random) -> float:
    return chance.choice(LIMITS) + chance.choice([1, -1]) * chance.choice(HAIRS)


def number(chance: random.Random, value: float) -> str:
    """One of the forms in which programs write a number."""
    if value == int(value) and chance.randrange(2):
        return str(int(value))
    form = chance.choice(["", "", ".17g", ".25f", ".6f", ".7f", ".16e", ".3f"])
    return format(value, form) if form else repr(value)


def judgement(chance: random.Random) -> Fields:
    """A label, a confidence and three scores that agree, or just agree, or just do not."""
    own = chance.choice(
        [0.5, 0.8, 1.0, 1 / 3, chance.choice(TIES), chance.uniform(0.34, 1), chance.uniform(0.5, 1)]
    )
    one = (1 - own) * chance.choice([0, 0.5, 0.5, 1, chance.random()])
    # Another score near that which is too high, the sum near a limit, a confidence near one too far off.
    if chance.randrange(8) == 0:
        one = own + near_a_limit(chance)
    another = 1 - own - one
    if chance.randrange(6) == 0:
        another += near_a_limit(chance)
    confidence = own + (near_a_limit(chance) if chance.randrange(6) == 0 else 0)
    texts = [number(chance, value) for value in (confidence, own, one, another)]
    if chance.randrange(12) == 0:
        texts[chance.randrange(4)] = chance.choice(ODD)
    if chance.randrange(20) == 0:
        # All of one class.
        sure = chance.choice(["1", "1.0", "1e0", "1.0000000001", "0.9985"])
        texts = [sure, sure, chance.choice(ODD[:14]), chance.choice(ODD[:14])]
    names = chance.sample(LABELS, 3)
    scores = dict(zip(names, texts[1:], strict=True))
    order = chance.sample(LABELS, 3) if chance.randrange(3) == 0 else LABELS
    inside = [f'"{name}":{scores[name]}' for name in order]
    if chance.randrange(15) == 0:
        # A name that is none, a second one, or the first one again.
        inside.insert(chance.randrange(4), chance.choice(MORE_SCORES))
    if chance.randrange(30) == 0:
        inside = [one.replace("neutral", "Neutro").replace("negative", "neg") for one in inside]
    fields = [("sentiment", f'"{names[0]}"'), ("confidence", texts[0]), ("scores", f"{{{','.join(inside)}}}")]
    return fields if chance.randrange(4) else lacking(chance, fields)


def lacking(chance: random.Random, fields: Fields) -> Fields:
    """The same without scores, the same without a confidence, too, or with a confidence near the least."""
    label, sure, scores = fields
    if chance.randrange(4) == 0:
        sure = ("confidence", number(chance, 1 / 3 + near_a_limit(chance)))
    if chance.randrange(3) == 0:
        sure = ("confidence", "null")
    fields = [label, sure, scores if chance.randrange(8) == 0 else ("scores", "null")]
    return [one for one in fields if one[1] != "null" or chance.randrange(2)]


# Times

START = datetime(2026, 9, 7, 8)
DAYS = (
    "2026-09-07", "2026-09-08", "2026-02-28", "2024-02-29", "1970-01-01", "1969-12-31", "1900-01-01",
    "1899-12-31", "2199-12-31", "2200-01-01", "0001-01-01", "0001-01-02", "9999-12-31", "1582-10-15",
)  # fmt: skip
CLOCKS = ("00:00:00", "00:30:00", "08:00:00", "08:59:59", "09:00:00", "23:00:00", "23:59:59")
FRACTIONS = (
    "", ".0", ".5", ".000001", ".999999", ".9999994", ".9999995", ".9999999", ".999999999", ".0000005",
    ".0000004999", ".123456789", ".1234565", ".00000000000000000001",
)  # fmt: skip
ZONES = (
    "Z", "Z", "Z", "z", "+00:00", "-00:00", "+02:00", "-03:30", "+05:45", "+14:00", "-12:00", "+23:59",
    "-23:59", "+0200", "",
)  # fmt: skip


def either(chance: random.Random, good: Sequence[str], bad: Sequence[str]) -> str:
    return chance.choice(bad if chance.randrange(15) == 0 else good)


def timestamp(chance: random.Random) -> str:
    if chance.randrange(4):
        # In order, equal, or not, so that a block holds runs of them.
        moment = START + timedelta(seconds=chance.randrange(9) * 1200)
        return f'"{moment.isoformat()}{chance.choice(["Z", "Z", "+00:00", "-01:00", ".5Z", ".000001Z"])}"'
    day = either(chance, DAYS, ("2026-02-29", "0000-01-01", "10000-01-01", "2026-13-01", "26-01-01"))
    clock = either(chance, CLOCKS, ("23:59:60", "24:00:00", "25:00:00", "08:00", "8:00:00"))
    fraction = either(chance, FRACTIONS, (".", ",5"))
    zone = either(chance, ZONES, ("+24:00", " ", "UTC", "+2"))
    return f'"{day}{either(chance, "TTt ", "_-")}{clock}{fraction}{zone}"'


# What else is on a line

SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
NO_SPACES = "\u200b\u2060\ufeff\u180e\x00"
TEXTS = [
    "", " ", *SPACES, SPACES, *NO_SPACES, SPACES + NO_SPACES, "a", " a ", "perché", "😀", "👩‍👩‍👧", "e\u0301",
    "}\n{", "{}", "}{", '"', "\\", "\\\\", '\\"}', "\n", '{"timestamp": 1}', "\x7f", "\uffff", "\U0010ffff",
]  # fmt: skip
JSON_TEXTS = ["null", r'"\ud83d\ude00"', r'"\/\b\f"', *(json.dumps(text) for text in TEXTS)]
JSON_TEXTS += [json.dumps(text, ensure_ascii=False) for text in TEXTS]
NAMES = ["null", '"a"', '"b"', '""', '"a"', '"\\u0061"', '"a"']
IDS = [
    "null", '"a"', '""', "0", "-1", "7", "-0", str(2**63), str(2**64), "-" + "1" * 30, "1" * 4300,
    "-" + "1" * 4300,
]  # fmt: skip
EXTRA = [
    "1", "1e999", "-0", "null", "[]", "{}", "[{},{}]", '{"timestamp":1,"a":{"scores":[]}}', '"}{"', r'"}\n{"',
    '"\\""', '"\u2028"', "[" * 300 + "]" * 300, "9" * 5000,
]  # fmt: skip
NO_JSON = ["[1,]", "{]", "01", '"\t"', r'"\ud800"', r'"\q"', "[" * 1500 + "]" * 1500, "nul", ""]
# (Good values, bad values) of each field.
OPTIONS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "text": (JSON_TEXTS, ["7", "[]", r'"\ud800"', r'"\udc00\ud800"', r'"\q"']),
    "id": (IDS, ["7.0", "true", "[]", "1" * 4301]),
    "model": (NAMES, ["1"]),
    "revision": (NAMES, ["false"]),
    "truncated": (["null", "true", "false"], ["0", '"true"']),
    "unreadable": (["null", "true", "false"], ["0", '"true"']),
    r"unread\u0061ble": (["null", "true", "false"], ["0", '"true"']),
    "text_hash": (NAMES, ["{}"]),
    "note": (EXTRA, NO_JSON),
    "": (EXTRA, NO_JSON),
    r"mod\u0065l": (NAMES, ["1"]),
    "Timestamp": (EXTRA, NO_JSON),
    "score": (IDS, NO_JSON),
}
GAPS = ["", "", " ", "  ", "\t", "\r", " \r\t"]


def hostile_line(chance: random.Random) -> bytes:
    """A row in some form: fields in any order, some twice, perhaps one missing."""
    fields = [("timestamp", timestamp(chance)), *judgement(chance)]
    if chance.randrange(4) == 0:
        chance.shuffle(fields)
        more = [("timestamp", timestamp(chance)), *judgement(chance)]
        fields = [*chance.sample(more, chance.randrange(3)), *fields]
    for name in chance.sample([*OPTIONS], chance.randrange(4)):
        fields.insert(chance.randrange(len(fields) + 1), (name, either(chance, *OPTIONS[name])))
    if chance.randrange(30) == 0:
        fields.pop(chance.randrange(len(fields)))
    colon, comma = chance.choice(GAPS), chance.choice(GAPS)
    inside = f",{comma}".join(f'"{name}"{colon}:{comma}{value}' for name, value in fields)
    before, behind = (chance.choice(GAPS), chance.choice(GAPS)) if chance.randrange(12) == 0 else ("", "")
    return f"{before}{{{colon}{inside}{comma}}}{behind}".encode()


def hostile_lines(seeds: Iterable[int]) -> list[bytes]:
    return [hostile_line(random.Random(seed)) for seed in seeds]


@given(
    rows=st.lists(st.integers(0, 2**40), min_size=1, max_size=12).map(hostile_lines),
    cuts=st.lists(st.integers(1, 11), max_size=3),
)
@settings(deadline=None, max_examples=600)
def test_rows_count_in_blocks_as_they_do_one_by_one(rows: list[bytes], cuts: list[int]) -> None:
    check_law(rows, cuts)


def plain_line(**change: str) -> bytes:
    """A usual row with other values, in JSON or not; scores are those of the names in OWN."""
    given = dict(zip(OWN, ("0.8", "0.1", "0.1"), strict=True))
    scores = ",".join(f'"{name}":{change.pop(name, value)}' for name, value in given.items())
    fields = {"timestamp": '"2026-09-07T08:00:00Z"', "sentiment": f'"{OWN[0]}"', "confidence": "0.8"}
    fields |= {"scores": f"{{{scores}}}"} | change
    inside = ",".join(f'"{name}":{value}' for name, value in fields.items())
    return f"{{{inside}}}".encode()


def test_each_odd_value_alone_in_a_usual_row() -> None:
    check_law([plain_line()])
    assert goes_in_bulk(plain_line())
    changes = [
        {name: value} for name in (*OWN, "confidence", "scores", "timestamp", "sentiment") for value in ODD
    ]
    changes += [{name: value} for name, (good, bad) in OPTIONS.items() for value in (*good, *bad)]
    changes += [{"timestamp": f'"{day}T{clock}{ZONES[0]}"'} for day in DAYS for clock in CLOCKS]
    changes += [{"timestamp": f'"{day}T00:00:00{zone}"'} for day in DAYS for zone in ZONES]
    changes += [{"timestamp": f'"{day}T23:59:59{fraction}Z"'} for day in DAYS for fraction in FRACTIONS]
    changes += [{"neutral": f"0.1,{more}"} for more in MORE_SCORES]
    for change in changes:
        check_law([plain_line(**change)])


def test_usual_rows_of_all_forms_do_go_in_bulk_together() -> None:
    """Or else the law would hold for want of anything to compare."""
    rows = hostile_lines(range(3000))
    usual = [line for line in rows if goes_in_bulk(line)]
    good = [line for line in rows if not scanned([line + b"\n"], bulk=False).bad.kinds]
    assert 800 < len(usual) < len(good) - 200 < len(rows) - 600
    for first in range(0, len(usual), 50):
        some = usual[first : first + 50]
        assert goes_in_bulk(*some)
        check_law(some)


def test_numbers_halfway_between_two_millionths_are_rounded_alike() -> None:
    chance = random.Random(11)
    rows = []
    for _ in range(2000):
        half = (2 * chance.randrange(500_000, 1_000_000) + 1) / 2_000_000
        rest = {"negative": 1 - half, "neutral": chance.choice([0, 5e-7, 1.5e-6, 2.5e-6])}
        made = {"timestamp": "2026-09-07T08:00:00Z", "sentiment": "positive", "confidence": half}
        rows.append(json.dumps(made | {"scores": {"positive": half} | rest}).encode())
    assert goes_in_bulk(*rows)
    check_law(rows)


# Lines that look like an object each, and are not

PIECES = [
    USUAL, USUAL, USUAL[:-1] + b',"x":', USUAL[1:-1], b'"x":', b'"', b'"', b"\\", b'\\"', b",", b":", b"[",
    b"]", b"{", b"}", b"{}", b"}{", b"{\n}", b"}\n{", b"}\n{", b",\n", b"\n", b"\r", b" ", b"\xff",
    b"\xe2\x80\xa8", b"\x00", b"1", b"//", b"/*",
]  # fmt: skip
BODIES = [
    b"", USUAL[1:-1], USUAL[1:-1] + b"}" + USUAL[:-1], USUAL[1:-1] + b'},{"a":1', USUAL[1:-1] + b',"x":"',
    USUAL[1:-1] + b',"x":[{', USUAL[1:-1] + b',"x":{"y":{', b'"' + USUAL[:-1], b'}],"x":1', b'}},"x":1',
    b'}],"y":[{}', b'"}' + USUAL[:-1], USUAL[1:-1] + b',"x":"\\', b'\\"', b'"x":{}', USUAL[1:-1] + b',"x":"}',
    b'{"', USUAL[1:-1] + b"}}", USUAL[1:-1] + b',"x":[{}', b'"x":{}]',
    USUAL[1:-1] + b"}" + USUAL[:-1] + b"}" + USUAL[:-1],
]  # fmt: skip


BYTES = list(b'{}[]",:\\\n\n\n 0e-+.ntu\xff\x00')
NESTED = USUAL[:-1] + b',"x":[{"y":{}},{"z":"}{"}]}'


@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
@settings(deadline=None, max_examples=300)
def test_pieces_of_rows_and_newlines_in_any_order(content: bytes) -> None:
    check_law(content.split(b"\n"))


@given(st.lists(st.sampled_from(BODIES), min_size=1, max_size=6))
@settings(deadline=None, max_examples=300)
def test_lines_that_begin_and_end_with_braces(bodies: list[bytes]) -> None:
    check_law([b"{" + body + b"}" for body in bodies])


@given(
    rows=st.lists(st.sampled_from([USUAL, NESTED]), min_size=2, max_size=5),
    changes=st.lists(
        st.tuples(st.integers(0, 2000), st.sampled_from(BYTES), st.integers(0, 2)),
        min_size=1,
        max_size=4,
    ),
)
@settings(deadline=None, max_examples=300)
def test_rows_with_a_few_bytes_changed(rows: list[bytes], changes: list[tuple[int, int, int]]) -> None:
    content = bytearray(b"\n".join(rows))
    for place, byte, removed in changes:
        place %= len(content)
        content[place : place + removed] = bytes([byte])
    check_law(bytes(content).split(b"\n"))


def test_a_newline_anywhere_in_two_rows() -> None:
    """Instead of a byte and between two, with as many objects as lines."""
    for place in range(len(NESTED)):
        for rest in (NESTED[place:], NESTED[place + 1 :]):
            check_law([NESTED[:place], rest, USUAL + USUAL])


def test_a_byte_of_any_value_anywhere_in_a_row() -> None:
    row_bytes = USUAL.replace(b'"a"', b'"\xc3\xa8"')
    chance = random.Random(5)
    for place in range(len(row_bytes)):
        for byte in {*b'{}"\\,:[] \n0', *chance.sample(range(256), 4)}:
            changed = bytearray(row_bytes)
            changed[place] = byte
            check_law([USUAL, bytes(changed), USUAL])


TRICKS: dict[str, Sequence[bytes]] = {
    "a text over two lines": [USUAL[:-1] + b',"x":"}', b'{"}', USUAL + USUAL],
    "a text over two lines, the newline escaped": [USUAL[:-1] + b',"x":"\\}', b'{"}', USUAL + USUAL],
    "a backslash before the newline": [USUAL[:-2] + b'\\}', b'{"}', USUAL + USUAL],
    "an array over two lines": [USUAL[:-1] + b',"x":[{}', b"{}]}", USUAL + USUAL],
    "an array with commas over two lines": [USUAL[:-1] + b',"x":[{},', b"{}]}", USUAL + USUAL],
    "objects in objects over three lines": [USUAL[:-1] + b',"x":{"y":{}', b'{"z":{}', b"{}}}}", USUAL * 3],
    "a brace of its own": [USUAL[:-1], b"{}", b"}", USUAL],
    "an object over lines of one brace": [b"{", USUAL[1:-1], b"}", USUAL * 3],
    "two on one line, none on another": [USUAL + USUAL, b"{}"],
    "two on one line, a blank one": [USUAL + USUAL, b""],
    "two on one line with a comma": [USUAL + b"," + USUAL, USUAL],
    "one and a half": [USUAL + USUAL[:60], USUAL[60:]],
    "carriage returns for newlines": [USUAL + b"\r" + USUAL, b"", USUAL],
    "other ends of lines": [USUAL + b"\x0b" + USUAL + b"\x85" + USUAL, USUAL + b"\xe2\x80\xa8" + USUAL],
    "an object in an array": [b"[" + USUAL + b"]"],
    "an array over all lines": [b"[" + USUAL, USUAL + b"]"],
    "zeros behind": [USUAL + b"\x00", USUAL],
    "a mark before": [b"\xef\xbb\xbf" + USUAL, b"\xef\xbb\xbf" + USUAL, USUAL],
    "spaces before and behind": [b" " + USUAL, USUAL + b" ", b"\t" + USUAL + b"\t"],
    "a character cut by the newline": [USUAL[:-1] + b',"x":"\xc3', b'\xa8"}'],
    "no UTF-8 where nobody looks": [USUAL, USUAL[:-1] + b',"x":"\xff"}', USUAL],
    "no UTF-8 in a key": [USUAL, USUAL[:-1] + b',"\xed\xa0\x80":1}', USUAL],
    "half a surrogate pair, the other half on the next line": [
        USUAL[:-1] + rb',"x":"\ud83d"}', USUAL[:-1] + rb',"x":"\ude00"}',
    ],
    "nested too deeply": [USUAL, USUAL[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}", USUAL],
    "nothing": [b""],
    "blank lines": [b"", USUAL, b"", b"", USUAL, b" ", b"\r"],
}  # fmt: skip


@pytest.mark.parametrize("tricks", TRICKS.values(), ids=TRICKS.keys())
def test_lines_made_to_deceive_the_reader_of_blocks(tricks: Sequence[bytes]) -> None:
    for rows in (tricks, [*tricks] * 2, [USUAL, *tricks, USUAL], [*tricks, USUAL * 2], [b"{}", *tricks]):
        check_law(rows)


@pytest.mark.parametrize("rows", [[], [USUAL], [USUAL, USUAL + USUAL], [USUAL, b"{}"]])
@pytest.mark.parametrize(
    "last", [b" ", b"\t\r", USUAL, USUAL + USUAL, USUAL[:-1], b"{", b"}", b"{}", b"\xff", b"\x00"]
)
def test_a_last_line_without_its_newline(rows: Sequence[bytes], last: bytes) -> None:
    content = b"".join(one + b"\n" for one in rows) + last
    expected, found = scanned([content], bulk=False), scanned([content], bulk=True)
    assert by_hour(found) == by_hour(expected)
    assert found.partial_sum().bad == expected.partial_sum().bad
    assert found.partial_sum().lines == expected.partial_sum().lines == len(rows) + 1


def test_usual_rows_do_go_in_bulk_and_others_do_not() -> None:
    """Or else the law would hold for want of anything to compare."""
    ours = json.dumps(row(0) | {"sentiment": "negative", "confidence": 0.8, "model": "m", "id": 7}).encode()
    assert goes_in_bulk(USUAL)
    assert goes_in_bulk(
        ours, USUAL, ours.replace(b"08:00", b"09:00"), ours.replace(b"text", b"perch\xc3\xa9")
    )
    assert goes_in_bulk(USUAL[:-1] + b',"note":{"a":[1,"}{"]}}')
    best = b'{"timestamp":"2026-09-07T08:00:00Z","sentiment":"positive","confidence":0.8}'
    alone = b'{"timestamp":"2026-09-07T08:00:00Z","sentiment":"neutral","confidence":null,"scores":null}'
    for rows in ([best], [alone], [best, alone], [USUAL, best], [USUAL, alone, best]):
        assert goes_in_bulk(*rows)
    assert not goes_in_bulk(USUAL, best.replace(b"0.8", b"0.33"))
    assert not goes_in_bulk(USUAL, USUAL.replace(b'"confidence":0.8', b'"confidence":null'))
    assert not goes_in_bulk(USUAL, USUAL + b" ")
    assert not goes_in_bulk(USUAL, USUAL.replace(b"2026", b"1899"))
    assert not goes_in_bulk(USUAL, USUAL.replace(b"00Z", b"00"))


# Sums at size

Judgement = tuple[int, float, float]
"""The class, the confidence, and the lowest score of a row."""


def summed(rows: Sequence[Judgement]) -> list[tuple[int, int, int, int]]:
    """The count, confidence, squares and polarity of each class, in whole millionths."""
    sums = [[0, 0, 0, 0] for _ in LABELS]
    for place, confidence, lowest in rows:
        own, low = round(confidence * 1_000_000), round(lowest * 1_000_000)
        scores = {place: own, (place + 1) % 3: 1_000_000 - own - low, (place + 2) % 3: low}
        more = (1, own, own * own, scores[2] - scores[0])
        sums[place] = [a + b for a, b in zip(sums[place], more, strict=True)]
    return [(one[0], one[1], one[2], one[3]) for one in sums]


def line_of(judgement: Judgement, second: int) -> bytes:
    place, confidence, lowest = judgement
    scores = [0.0, 0.0, 0.0]
    scores[place], scores[(place + 1) % 3], scores[(place + 2) % 3] = (
        confidence,
        1 - confidence - lowest,
        lowest,
    )
    made = {
        "timestamp": (START + timedelta(seconds=second)).isoformat() + "Z",
        "sentiment": LABELS[place],
        "confidence": confidence,
        "scores": dict(zip(LABELS, [round(one, 6) for one in scores], strict=True)),
    }
    return json.dumps(made, separators=(",", ":")).encode() + b"\n"


CHOICES: dict[str, Callable[[random.Random], Judgement]] = {
    "all of one class, nearly sure": lambda chance: (2, 0.999999, 0.0),
    "all of one class, sure": lambda chance: (0, 1.0, 0.0),
    "sure or nearly": lambda chance: (chance.randrange(3), chance.choice([1.0, 0.999999, 0.999997]), 0.0),
    "mixed": lambda chance: (chance.randrange(3), round(chance.uniform(0.7, 0.99), 6), 0.000001),
}


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES.keys())
@pytest.mark.parametrize("rows_a_block", [1000, 1 << 20])
def test_sums_of_many_rows_are_exact(choose: Callable[[random.Random], Judgement], rows_a_block: int) -> None:
    """Squares of millionths add up to 2**53, where floats end, after some 9,000 rows."""
    chance = random.Random(3)
    rows = [choose(chance) for _ in range(20_000)]
    made = [line_of(one, number % 7) for number, one in enumerate(rows)]
    blocks = [b"".join(made[first : first + rows_a_block]) for first in range(0, len(made), rows_a_block)]
    found = whole(scanned(blocks, bulk=True))
    assert found.bad == {}
    sums = [(one.count, one.confidence, one.confidence_squares, one.polarity) for one in found.classes]
    assert sums == summed(rows)
    for tally in found.classes:
        assert sum(tally.confidence_histogram) == sum(tally.polarity_histogram) == tally.count


@pytest.mark.parametrize("hours", [1, 7, 3000])
def test_rows_of_many_hours_in_any_order_are_added_to_their_own(hours: int) -> None:
    chance = random.Random(hours)
    rows = [
        line_of((chance.randrange(3), chance.choice([0.9, 1.0, 0.5]), 0.0), 3600 * chance.randrange(hours))
        for _ in range(9000)
    ]
    expected = scanned(rows, bulk=False)
    for blocks in (
        [b"".join(rows)],
        [b"".join(rows[first : first + 100]) for first in range(0, len(rows), 100)],
    ):
        found = scanned(blocks, bulk=True)
        assert len(found.cells) > hours * 0.9
        assert by_hour(found) == by_hour(expected)
