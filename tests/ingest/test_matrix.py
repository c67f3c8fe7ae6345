"""Formats, encodings, compressions, files, pipes: each gives the same rows, or is refused by its option."""

from __future__ import annotations

import csv
import tracemalloc
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.errors import DataError, UsageError
from sentimon.ingest.tables import Table
from sentimon.jsonl import BadLine
from tests.support.workbooks import workbook
from tests.support.written_tables import COMPRESSIONS, FORMATS, Rows, lines, opened, separated, zstd

ROWS: Rows = [
    {"id": "1", "text": "perché no, però"},
    {"id": "2", "text": "l'età; è così"},
    {"id": "3", "text": 'detto "già"'},
]
CERTAIN = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
"""Encodings that a file tells by its bytes; those with an order have no mark."""
NAMED = ("cp1252", "iso8859-15", "mac-roman", "cp850", "utf-7")


def rows_of(table: Table) -> Rows:
    found = list(table.numbered)
    assert not [str(one) for one in found if isinstance(one, BadLine)]
    return [one[1] for one in found if not isinstance(one, BadLine)]


@pytest.mark.parametrize("how", FORMATS)
def test_each_format_in_each_encoding_and_compression_reads_to_the_same_rows(how: str) -> None:
    file_format, write = FORMATS[how]
    text = write(ROWS)
    for encoding, compression, pipe in product(CERTAIN + NAMED, COMPRESSIONS, (False, True)):
        suffix, pack = COMPRESSIONS[compression]
        said = encoding if encoding in NAMED else ""
        content = pack(text.encode(encoding))
        table = opened(content, f"a.{file_format}{suffix}", file_format, encoding=said, pipe=pipe)
        assert rows_of(table) == ROWS, (encoding, compression, pipe)
        assert (table.compression, table.guessed) == (compression, False)
        assert table.encoding == encoding.removesuffix("-sig") or encoding in ("utf-16", "utf-32")


@pytest.mark.parametrize("how", FORMATS)
def test_an_encoding_that_nobody_named_is_refused_in_a_file_and_costs_its_rows_in_a_pipe(how: str) -> None:
    file_format, write = FORMATS[how]
    for (suffix, pack), pipe in product(COMPRESSIONS.values(), (False, True)):
        content = pack(write(ROWS).encode("cp1252"))
        if file_format == "jsonl" or pipe:
            found = list(opened(content, f"a{suffix}", file_format, pipe=pipe).numbered)
            bad = [one for one in found if isinstance(one, BadLine)]
            assert bad
            assert all("not valid UTF-8: 0xE" in one.reason for one in bad)
            continue
        with pytest.raises(DataError, match=r"a[.a-z0-9]*:\d: not valid UTF-8: 0xE9 at byte") as caught:
            opened(content, f"a{suffix}", file_format)
        assert "--encoding cp1252" in str(caught.value.hint)
        assert "--encoding auto" in str(caught.value.hint)


@pytest.mark.parametrize("how", FORMATS)
def test_auto_takes_the_likely_encoding_and_says_so(how: str) -> None:
    file_format, write = FORMATS[how]
    for encoding, pipe in product(("utf-8", "utf-16", "cp1252", "cp850", "mac-roman"), (False, True)):
        table = opened(write(ROWS).encode(encoding), "a", file_format, encoding="auto", pipe=pipe)
        assert rows_of(table) == ROWS
        assert table.guessed == (not encoding.startswith("utf"))
        assert table.encoding.startswith(encoding)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Отличный товар, очень доволен"),
        ("koi8-r", "Отличный товар, очень доволен"),
        ("cp1250", "Świetny produkt, polecam każdemu"),
        ("cp1253", "Πολύ καλό προϊόν, ευχαριστημένος"),
        ("cp1254", "Çok güzel bir ürün, şiddetle tavsiye"),
        ("cp932", "とても良い商品です。満足しています。"),
        ("gb18030", "质量非常好，我很满意。"),
        ("big5", "質量非常好，我很滿意。"),
        ("cp949", "품질이 아주 좋고 만족합니다."),
        ("cp1252", "Größe"),
    ],
)
def test_one_text_of_a_language_is_enough_to_guess_from(encoding: str, text: str) -> None:
    table = opened(f"id\ttext\n1\t{text}\n".encode(encoding), "a.tsv", "tsv", encoding="auto")
    assert rows_of(table) == [{"id": "1", "text": text}]


def test_plain_text_is_read_in_each_encoding_and_compression() -> None:
    texts = [row["text"] for row in ROWS]
    for encoding, compression, pipe, end in product(
        CERTAIN, COMPRESSIONS, (False, True), ("\n", "\r\n", "\r")
    ):
        suffix, pack = COMPRESSIONS[compression]
        content = pack("".join(text + end for text in texts).encode(encoding))
        for file_format in ("txt", None):
            table = opened(content, f"a{suffix}", file_format, pipe=pipe)
            assert [row["text"] for row in rows_of(table)] == texts
            assert table.file_format == "txt"


def test_json_without_a_name_is_told_in_each_encoding_and_compression() -> None:
    for how in ("JSON lines", "a JSON array", "pretty records"):
        for encoding, compression in product(CERTAIN, COMPRESSIONS):
            content = COMPRESSIONS[compression][1](FORMATS[how][1](ROWS).encode(encoding))
            assert rows_of(opened(content, "a", None, pipe=True)) == ROWS


def test_a_compressed_table_of_another_encoding_is_read_in_constant_memory() -> None:
    text = "id,text\n" + f"1,{'perché no ' * 100}\n" * 6000
    content = zstd(text.encode("utf-16-le"))
    tracemalloc.start()
    table = opened(content, "a.csv.zst", "csv")
    assert sum(1 for _ in table.numbered) == 6000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20


def test_a_damaged_or_misnamed_stream_is_said() -> None:
    content = lines(ROWS).encode()
    for name, (suffix, pack) in COMPRESSIONS.items():
        if not name:
            continue
        for pipe in (False, True):
            with pytest.raises(DataError, match=f"damaged {name} file"):
                list(opened(pack(content * 50)[:-5], f"a{suffix}", "jsonl", pipe=pipe).numbered)
        with pytest.raises(DataError, match=f"is not compressed with {name}"):
            opened(content, f"a.jsonl{suffix}", "jsonl")
        assert rows_of(opened(pack(content), "a.jsonl", "jsonl")) == ROWS


def test_an_encoding_that_does_not_exist_names_close_ones_and_a_mark_is_not_overruled() -> None:
    with pytest.raises(UsageError, match="unknown encoding 'utf_9'") as caught:
        opened(b"a", "a.txt", "txt", encoding="utf_9")
    assert "utf_8" in str(caught.value.hint)
    for name in ("rot13", "base64", "idna", "\0"):
        with pytest.raises(UsageError, match="unknown encoding"):
            opened(b"a", "a.txt", "txt", encoding=name)
        assert name not in str(caught.value.hint) or name == "\0"
    with pytest.raises(DataError, match="begins with the byte order mark of utf-8"):
        opened(b"\xef\xbb\xbfa", "a.txt", "txt", encoding="cp1252")


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("name", ["utf-16", "utf-32"])
def test_a_wide_encoding_that_is_named_needs_a_mark_or_text_that_tells_its_byte_order(
    name: str, pipe: bool
) -> None:
    with pytest.raises(DataError, match="no byte order mark") as caught:
        opened(b"text\nGreat\n", "a.csv", "csv", encoding=name, pipe=pipe)
    assert f"--encoding {name}-le" in str(caught.value.hint)
    told = (name, "utf-16-le", "utf-16-be") if name == "utf-16" else (name,)
    for codec in told:
        assert rows_of(opened("text\nGreat\n".encode(codec), "a.csv", "csv", encoding=name, pipe=pipe)) == [
            {"text": "Great"}
        ]


def test_a_name_that_does_not_fit_is_refused_with_the_one_that_does() -> None:
    with pytest.raises(DataError, match="not valid ascii: 0xC3") as caught:
        opened(b"text,label\nperch\xc3\xa9,x\n", "a.csv", "csv", encoding="ascii")
    assert "leave out --encoding" in str(caught.value.hint)


@pytest.mark.parametrize("pipe", [False, True])
def test_half_a_surrogate_of_utf16_costs_its_line_in_a_pipe_and_is_named_in_a_file(pipe: bool) -> None:
    content = "uno\ndue \ud800 due\ntre\n".encode("utf-16-le", "surrogatepass")
    if not pipe:
        with pytest.raises(DataError, match=r"a\.txt:2: not valid UTF-16-LE: 0x00 0xD8 at character 5"):
            opened(content, "a.txt", "txt")
        return
    found = list(opened(content, "", "txt", pipe=True).numbered)
    assert [isinstance(one, BadLine) for one in found] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\x00 a.csv", "a zip archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "an image"),
        (b"SQLite format 3\x00", "a SQLite database"),
        (b"a\x00" * 3 + b"\x00" * 40, "full of NUL characters"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_what_it_looks_like(content: bytes, what: str) -> None:
    for file_format in ("csv", "txt", "jsonl", None):
        with pytest.raises(DataError, match=what):
            opened(content, "a.csv", file_format)


def test_a_nul_in_a_line_costs_that_line() -> None:
    for file_format in ("csv", "txt"):
        content = b"text\nfine\nspo\x00ilt\nfine, too long to be mistaken\n".replace(b",", b"")
        found = list(opened(content, "a", file_format).numbered)
        bad = [one for one in found if isinstance(one, BadLine)]
        assert [(one.line, "NUL" in one.reason, "spo\\x00ilt" in one.reason) for one in bad] == [
            (3, True, True)
        ]


@pytest.mark.parametrize(
    ("content", "heading", "rows"),
    [
        ("id;text, long;label\n1;a, b;x\n", ("id", "text, long", "label"), [["1", "a, b", "x"]]),
        ('" text " , id\na,1\n', ("text", "id"), [["a", "1"]]),
        ("text,,\na,b,\n", ("text", "column 2", "column 3"), [["a", "b", ""]]),
        ("a,b\n1,2\r3,4\r\n5,6", ("a", "b"), [["1", "2"], ["3", "4"], ["5", "6"]]),
        ("a,b\r\n1,2\rx", ("a", "b"), [["1", "2"], ["x"]]),
        ("SEP=|\na|b\n1,|2\n", ("a", "b"), [["1,", "2"]]),
        ("a,b\n1,2,\n", ("a", "b"), [["1", "2"]]),
        ("id,a|b\n1,x\n2,y\n", ("id", "a|b"), [["1", "x"], ["2", "y"]]),
    ],
)
def test_the_separator_is_told_by_heading_and_rows(
    content: str, heading: tuple[str, ...], rows: list[list[str]]
) -> None:
    for pipe in (False, True):
        table = opened(content.encode(), "a.csv", "csv", pipe=pipe)
        assert table.heading == heading
        assert [list(row.values()) for row in rows_of(table)] == rows


def test_a_table_that_two_separators_fit_is_refused_and_so_is_a_column_named_twice() -> None:
    with pytest.raises(DataError, match="separated by a comma or a semicolon") as caught:
        opened(b"id,text;note\n1,x;y\n", "a.csv", "csv")
    assert "sep=;" in str(caught.value.hint)
    with pytest.raises(DataError, match="the columns 'a', 'b' appear twice"):
        opened(b"a,b,a, b\n1,2,3,4\n", "a.csv", "csv")


SCORES = [{"label": "neg", "score": 0.25}, {"label": "pos", "score": 0.75}]


@pytest.mark.parametrize("pipe", [False, True])
def test_the_classes_of_a_text_that_a_pipeline_gives_are_one_row(pipe: bool) -> None:
    import json

    nested = json.dumps([SCORES, SCORES])
    by_line = f"{json.dumps(SCORES)}\n{json.dumps(SCORES)}\n"
    for text, file_format in product((nested, by_line), ("jsonl", None)):
        assert rows_of(opened(text.encode(), "a", file_format, pipe=pipe)) == [{"scores": SCORES}] * 2
    best = [{"label": "pos", "score": 0.9}, {"label": "pos", "score": 0.8}]
    assert rows_of(opened(json.dumps(best).encode(), "a", None, pipe=pipe)) == best


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"text":{"0":"a","1":"b"},"label":{"0":1,"1":2}}', "the orientation 'columns'"),
        ('{"0":{"text":"a"},"1":{"text":"b"}}', "the orientation 'index'"),
        ('{"columns":["text"],"index":[0],"data":[["a"]]}', "the orientation 'split'"),
        ('{"users":[{"name":"x"}],"data":[{"text":"a"}]}', "2 lists of objects"),
    ],
)
def test_a_document_without_one_list_of_rows_is_refused_with_the_way_out(content: str, says: str) -> None:
    for pipe in (False, True):
        with pytest.raises(DataError, match=says):
            list(opened(content.encode(), "a", "jsonl", pipe=pipe).numbered)


def test_what_looks_like_records_and_is_a_row_stays_one() -> None:
    for row in (
        '{"text": "a", "data": [{"x": 1}]}',
        '{"results": [{"label": "pos", "score": 0.9}], "text": "a"}',
        '{"scores": {"0": 0.5, "1": 0.5}, "text": "a"}',
    ):
        assert len(rows_of(opened(f"{row}\n{row}\n".encode(), "a", "jsonl"))) == 2


def in_one_byte(codec: str) -> str:
    """All characters of a codec that has a byte for each, but for NUL."""
    return "".join(sorted({*bytes(range(1, 256)).decode(codec, "ignore")}))


# To have hypothesis find out what a codec can write takes it seconds for each.
unicode_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
cells = dict.fromkeys(("utf-8", "utf-16", "utf-32", "gb18030"), unicode_cells)
cells |= {codec: st.text(in_one_byte(codec), max_size=20) for codec in ("cp1252", "koi8-r")}
printable = st.text(st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"]), min_size=1, max_size=20)


def tables(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    return st.lists(st.fixed_dictionaries({"id": texts, "text": texts}), min_size=1, max_size=5)


@settings(max_examples=120)
@given(
    st.data(),
    st.sampled_from(list(cells)),
    st.sampled_from(list(FORMATS)),
    st.sampled_from(list(COMPRESSIONS)),
)
def test_a_table_written_in_any_way_reads_back_to_the_same_rows(
    data: st.DataObject, codec: str, how: str, compression: str
) -> None:
    rows = data.draw(tables(cells[codec]))
    file_format, write = FORMATS[how]
    # A line of blanks is no row of a table.
    if file_format != "jsonl":
        rows = [{**row, "id": f"x{row['id']}"} for row in rows]
    text = write(rows)
    content = COMPRESSIONS[compression][1](text.encode(codec))
    said = "" if codec.startswith("utf") else codec
    assert rows_of(opened(content, "a", file_format, encoding=said)) == rows


@settings(max_examples=60)
@given(tables(cells["utf-8"]), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_table_reads_back_whatever_ends_its_lines_and_quotes_its_cells(
    given_rows: Rows, mark: str, end: str, quoted: bool
) -> None:
    rows = [{**row, "id": f"x{row['id']}"} for row in given_rows]
    text = separated(rows, mark, end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    assert rows_of(opened(text.encode(), "a.csv", "csv")) == rows


@settings(max_examples=30)
@given(tables(printable))
def test_a_workbook_reads_back_to_the_same_rows(rows: Rows) -> None:
    content = workbook({"S": [["id", "text"], *([row["id"], row["text"]] for row in rows)]})
    assert rows_of(opened(content, "a.xlsx", "xlsx")) == rows


@pytest.mark.parametrize("mark", [",", ";"])
def test_the_line_of_a_type_that_powershell_writes_is_no_heading(mark: str) -> None:
    content = f'#TYPE System.Object\r\n"text"{mark}"label"\r\n"Great, or not"{mark}"positive"\r\n'
    table = opened(content.encode(), "a.csv", "csv")
    assert list(table.numbered) == [(3, {"text": "Great, or not", "label": "positive"})]
