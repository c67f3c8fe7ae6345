import pytest
from hypothesis import given

from sentimon.csv_cells import guarded, is_ours, read_back, unguarded
from tests.support.csv_texts import TEXTS


@given(TEXTS)
def test_a_cell_gives_back_the_text_and_acts_on_nothing(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in cell if one not in "\t\r\n")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1", "'+1"),
        ("-1.5", "'-1.5"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("'twas so-so", "'twas so-so"),
        ("a=b", "a=b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\\x1b", "\\\\x1b"),
        ("\\\x1b", "\\\\\\x1b"),
        ("C:\\x41", "C:\\x41"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_a_cell_is_written_like_this(text: str, cell: str) -> None:
    assert guarded(text) == cell


def test_only_a_table_of_ours_and_only_its_columns_are_read_back() -> None:
    assert is_ours([" Draw", "text", "PROBABILITY", None])
    assert not is_ours(["text", "draw"])
    assert read_back({" Text": "'=1", "notes": "'=1", "row_id": "'-7"}) == {
        " Text": "=1", "notes": "'=1", "row_id": "-7",
    }  # fmt: skip
