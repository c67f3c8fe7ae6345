import gzip
import io
from pathlib import Path

import pytest

from sentimon.errors import DataError, StoreError, UsageError
from sentimon.ingest.input_row import InputRow, texts_of
from sentimon.jsonl import BadLine
from tests.support.inputs import read_file, read_stream


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def texts(rows: object) -> list[str | None]:
    return [row.text if isinstance(row, InputRow) else f"BAD {row.line}" for row in rows]  # type: ignore[attr-defined]


CASES = {
    "lines": ("a.txt", "uno\n\n due \r\ntre\u2028ancora", ["uno", " due ", "tre\u2028ancora"]),
    "a byte order mark": ("a.txt", b"\xef\xbb\xbfuno\n", ["uno"]),
    "broken UTF-8 in JSON": ("a.jsonl", b'{"text": "ok"}\n"\xff\xfe"\n{"text": "ok"}', ["ok", "BAD 2", "ok"]),
    "rows of JSON": (
        "a.jsonl",
        '{"text": "uno"}\n{"x": 1}\n[1]\n{"text": 3}\n',
        ["uno", "BAD 3", "BAD 4"],
    ),
    "a table": ("a.csv", 'id,text\n1,"due, tre"\n2,"su\npiù righe"\n3,\n', ["due, tre", "su\npiù righe"]),
    "a table with semicolons": ("a.csv", "id;text\n1;uno, due\n", ["uno, due"]),
    "a table with a mark": ("a.csv", b"\xef\xbb\xbftext,id\nuno,1\n", ["uno"]),
    "a table with tabs": ("a.tsv", "id\ttext\n1\tuno, due\n", ["uno, due"]),
    "no known ending, text": ("a.log", "uno\n", ["uno"]),
    "no known ending, JSON": ("a.log", ' {"text": "uno"}\n', ["uno"]),
    "nothing": ("a.txt", "", []),
    "an empty table": ("a.csv", "", []),
}


@pytest.mark.parametrize(("name", "content", "expected"), CASES.values(), ids=CASES.keys())
def test_each_format_gives_its_texts_in_order(
    tmp_path: Path, name: str, content: str | bytes, expected: object
) -> None:
    assert texts(read_file(written(tmp_path, name, content))) == expected


def test_a_parquet_file_gives_its_column(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"body": ["uno", None, "tre"], "id": [1, 2, 3]}), path)
    rows = list(read_file(path, column="body"))
    assert texts(rows) == ["uno", "tre"]
    assert isinstance(rows[0], InputRow)
    assert rows[0].fields == {"id": 1}


def test_blank_lines_of_a_text_file_are_counted_like_empty_cells(tmp_path: Path) -> None:
    with read_file(written(tmp_path, "a.txt", "uno\n\n \t\r\ndue\n")) as rows:
        assert [row.line for row in rows] == [1, 4]
        assert rows.without_text == 2


def test_stdin_says_by_its_first_line_what_it_is() -> None:
    assert texts(read_stream(io.BytesIO(b'{"text": "uno"}\n'))) == ["uno"]
    assert texts(read_stream(io.BytesIO(b"uno\n"))) == ["uno"]
    assert texts(read_stream(io.BytesIO(b"text\nuno\n"), file_format="csv")) == ["uno"]


def test_another_column_can_be_named(tmp_path: Path) -> None:
    assert texts(read_file(written(tmp_path, "a.jsonl", '{"body": "uno", "text": "no"}'), column="body")) == [
        "uno"
    ]


def test_a_table_without_the_column_lists_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="usual name of a column of texts") as caught:
        list(read_file(written(tmp_path, "a.csv", "id,blob\n1,uno\n")))
    assert "id, blob" in str(caught.value.hint)


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"text\n\xff\n"), ("a.parquet", b"PAR1")])
def test_a_broken_table_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(DataError, match=name):
        list(read_file(written(tmp_path, name, content)))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        list(read_file(tmp_path / "none.txt"))
    with pytest.raises(StoreError, match="cannot be read"):
        list(read_file(tmp_path))
    with pytest.raises(UsageError, match="xml"):
        list(read_file(written(tmp_path, "a", ""), file_format="xml"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'text\n"never closed\nrow\nrow\n', "line 2"),
        (b"text\nok\nperch\xe9\n", "a.csv:3: not valid UTF-8"),
    ],
)
def test_a_table_that_breaks_says_where(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        list(read_file(written(tmp_path, "a.csv", content)))


def test_a_row_with_too_many_cells_is_bad_and_not_cut(tmp_path: Path) -> None:
    rows = list(read_file(written(tmp_path, "a.csv", "id,text\n1,bello, ma lento\n2,bene\n")))
    assert isinstance(rows[0], BadLine)
    assert "has 3 cells, the heading has 2" in rows[0].reason
    assert texts(rows[1:]) == ["bene"]


def test_a_table_without_the_column_is_taken_apart_for_the_hint(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        list(read_file(written(tmp_path, "a.csv", "data;x;ordine\n1;bello;3\n")))
    assert "data, x, ordine" in str(caught.value.hint)


def test_a_file_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    with read_file(written(tmp_path, "a.txt", b"uno\n" * 10)) as rows:
        assert next(rows) == InputRow(path=str(tmp_path / "a.txt"), line=1, text="uno", fields={})


def test_arguments_are_texts_and_broken_bytes_in_them_are_mended() -> None:
    assert texts(texts_of(["", "a\udcff"])) == ["", "a\ufffd"]


def test_a_bad_row_can_be_said() -> None:
    row = InputRow(path="x", line=3, text=None, fields={})
    assert str(row.bad("field", "has no text")) == "x:3: has no text"
    assert isinstance(row.bad("field", "r"), BadLine)


def test_a_file_says_how_much_of_it_was_read_and_a_pipe_does_not(tmp_path: Path) -> None:
    content = b"uno due tre\n" * 100_000
    for name, stored in (("a.txt", content), ("a.txt.gz", gzip.compress(content, 1))):
        with read_file(written(tmp_path, name, stored)) as rows:
            next(rows)
            begun, ended = rows.bytes_read(), (0, 0)
            for _ in rows:
                ended = rows.bytes_read() or ended
        assert begun is not None
        assert begun[1] == ended[1] == len(stored)
        assert 0 < begun[0] <= ended[0] == len(stored)
    assert read_stream(io.BytesIO(content)).bytes_read() is None


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("text,label\nGreat,positive\n", "--format csv"),
        ("id\ttext\r\n1\tGreat\r\n", "--format tsv"),
        ("data;stelle;recensione\n02/11/2026;5;Ottimo\n", "--format csv"),
        ("text\nGreat\nAwful\n", "--format csv"),
        ('{"text": "Great"}\n{"text": "Awful"}\n', "--format jsonl"),
    ],
)
def test_a_table_that_would_be_read_as_texts_is_refused_until_its_format_is_named(
    tmp_path: Path, content: str, hint: str
) -> None:
    path = written(tmp_path, "reviews.txt", content)
    with pytest.raises(DataError, match="would be read as one text a line") as error:
        read_file(path)
    assert hint in str(error.value.hint)
    named = hint.removeprefix("--format ")
    assert {"Great", "Ottimo"} & set(texts(read_file(path, file_format=named)))
    assert texts(read_file(path, file_format="txt")) == [line for line in content.splitlines() if line]
    if named != "jsonl":
        with pytest.raises(DataError, match="would be read as one text a line"):
            read_stream(io.BytesIO(content.encode()))


@pytest.mark.parametrize(
    "content", ["text\n", "Well, text me\nor not, please\n", "[not json]\nx\n", "message, body\nplain line\n"]
)
def test_texts_that_are_no_table_are_texts(content: str) -> None:
    assert texts(read_stream(io.BytesIO(content.encode()))) == content.splitlines()
