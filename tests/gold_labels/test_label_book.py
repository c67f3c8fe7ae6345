from __future__ import annotations

import multiprocessing
import stat
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.errors import StoreError
from sentimon.gold_labels import LABELS_FILE
from sentimon.gold_labels.gold_label import GoldLabel, parse_label_line
from sentimon.gold_labels.label_book import (
    Added,
    ImportedLabel,
    add_labels,
    forget_labels,
    read_book,
)
from sentimon.gold_labels.label_join import keys_of
from sentimon.jsonl import LineError
from sentimon.labels import Sentiment
from tests.support.rows import START, record

keys = st.tuples(st.sampled_from(["id", "text_hash"]), st.text(max_size=3))
moments = st.integers(0, 10**9).map(lambda second: START + timedelta(microseconds=second))
labels = st.builds(
    GoldLabel,
    key=keys,
    label=st.sampled_from(list(Sentiment)),
    timestamp=moments,
    probability=st.none() | st.floats(0.001, 1),
    draw=st.none() | moments,
)


def label(name: str, place: int, **rest: object) -> GoldLabel:
    return GoldLabel(key=("id", name), label=Sentiment(place), timestamp=START, **rest)


def add(folder: Path, *given_labels: GoldLabel, replace: bool = False) -> Added:
    arrivals = [
        ImportedLabel(path="labels.csv", line=number, label=one) for number, one in enumerate(given_labels, 2)
    ]
    return add_labels(folder, arrivals, replace=replace, zone=UTC, sync=False)


def read(folder: Path) -> dict[tuple[str, str], GoldLabel]:
    return dict(read_book(folder, zone=UTC).labels)


@given(labels)
def test_a_label_reads_back_as_it_was_written(one: GoldLabel) -> None:
    assert parse_label_line(one.to_line(), zone=UTC) == one


@given(st.lists(labels, max_size=8))
@settings(max_examples=50, deadline=None)
def test_adding_twice_changes_nothing_and_the_first_label_wins(
    tmp_path_factory: pytest.TempPathFactory, given_labels: list[GoldLabel]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    first = add(folder, *given_labels)
    content = (folder / LABELS_FILE).read_bytes() if given_labels else b""
    again = add(folder, *given_labels)
    assert (again.new, again.replaced) == (0, 0)
    assert again.conflicts == first.conflicts
    assert first.new + first.unchanged + len(first.conflicts) == len(given_labels)
    if given_labels:
        assert (folder / LABELS_FILE).read_bytes() == content
    for key, found in read(folder).items():
        assert found == next(one for one in given_labels if one.key == key)


def test_a_second_opinion_is_a_conflict_that_names_file_line_and_both_labels(tmp_path: Path) -> None:
    add(tmp_path, label("7", 0))
    added = add(tmp_path, label("8", 1), label("7", 2))
    assert (added.new, added.replaced, added.total) == (1, 0, 2)
    (conflict,) = added.conflicts
    assert str(conflict).startswith("labels.csv:3: id '7' is labelled negative since 2026-09-07 08:00 UTC")
    assert "not positive; --replace" in str(conflict)
    assert read(tmp_path)["id", "7"].label is Sentiment.NEGATIVE


def test_with_replace_the_later_line_counts_and_the_earlier_one_stays_in_the_file(tmp_path: Path) -> None:
    add(tmp_path, label("7", 0), label("8", 1))
    added = add(tmp_path, label("7", 2), replace=True)
    assert (added.new, added.replaced, added.conflicts, added.total) == (0, 1, (), 2)
    assert [(key[1], one.label) for key, one in read(tmp_path).items()] == [("7", 2), ("8", 1)]
    assert (tmp_path / LABELS_FILE).read_bytes().count(b"\n") == 3


def test_the_file_is_private_and_a_torn_tail_is_ended_before_the_next_label(tmp_path: Path) -> None:
    add(tmp_path, label("7", 0))
    path = tmp_path / LABELS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("ab") as file:
        file.write(b'{"timestamp":"2026-09-07T08:00:00Z","id":"to')
    add(tmp_path, label("8", 1))
    book = read_book(tmp_path, zone=UTC)
    assert [key[1] for key in book.labels] == ["7", "8"]
    (bad,) = book.bad_lines
    assert (bad.line, bad.kind) == (2, "json")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"{", "json"),
        (b'{"timestamp":"2026-09-07T08:00:00Z","label":"negative"}', "key"),
        (b'{"timestamp":"2026-09-07T08:00:00Z","id":"1","label":"angry"}', "label"),
        (b'{"timestamp":"2026-09-07T08:00:00Z","id":"1","label":"negative","probability":0}', "probability"),
        (b'{"timestamp":"0001-01-01T00:00:00+14:00","id":"1","label":"negative"}', "timestamp"),
        (b'{"timestamp":"yesterday","id":"1","label":"negative"}', "field"),
    ],
)
def test_a_line_that_holds_no_label_says_why(line: bytes, kind: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_label_line(line, zone=UTC)
    assert caught.value.kind == kind


def test_forgotten_labels_are_gone_and_every_other_line_stays_as_it_is(tmp_path: Path) -> None:
    add(tmp_path, label("7", 0), label("8", 1))
    add(tmp_path, label("7", 2), replace=True)
    path = tmp_path / LABELS_FILE
    with path.open("ab") as file:
        file.write(b"{torn\n")
    lines = path.read_bytes().split(b"\n")
    assert forget_labels(tmp_path, {("id", "7"), ("id", "none")}, zone=UTC) == 2
    assert path.read_bytes().split(b"\n") == [lines[1], lines[3], b""]
    assert forget_labels(tmp_path, set(), zone=UTC) == 0
    assert forget_labels(tmp_path / "elsewhere", {("id", "7")}, zone=UTC) == 0


def test_several_programs_may_add_at_once_and_every_line_stays_whole(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=_add_many, args=(tmp_path, number)) for number in range(4)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    book = read_book(tmp_path, zone=UTC)
    assert book.bad_lines == ()
    assert len(book.labels) == 4 * 25 + 1
    assert (tmp_path / LABELS_FILE).read_bytes().count(b"\n") == 4 * 25 + 1


def _add_many(folder: Path, number: int) -> None:
    for place in range(25):
        add(folder, label(f"{number}-{place}", 1), label("shared", 2))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="logs"):
        add(tmp_path / "logs", label("7", 0))


def test_the_label_of_a_row_is_the_one_for_its_id_or_else_for_its_text(tmp_path: Path) -> None:
    for_text = GoldLabel(key=("text_hash", "h:hello"), label=Sentiment.NEUTRAL, timestamp=START)
    add(tmp_path, label("7", 0), for_text)
    finder = read_book(tmp_path, zone=UTC).finder(lambda text: f"h:{text}")
    assert finder.label_of(record(1, id="7", text="hello")) == label("7", 0)
    assert finder.label_of(record(1, id="9", text="hello")) == for_text
    assert finder.label_of(record(1, text=None, text_hash="h:hello")) == for_text
    assert finder.label_of(record(1, text=None)) is None
    assert finder.label_of(record(1, id="9", text="other")) is None


def test_texts_are_hashed_only_where_a_label_is_for_one(tmp_path: Path) -> None:
    def never(text: str) -> str:
        raise AssertionError(text)

    add(tmp_path, label("7", 0))
    assert read_book(tmp_path, zone=UTC).finder(never).label_of(record(1, text="hello")) is None


def test_the_keys_of_a_row_come_with_the_surest_first() -> None:
    assert keys_of(record(0, id="7", text="a"), str.upper) == [("id", "7"), ("text_hash", "A")]
    assert keys_of(record(0, text=None, text_hash="h"), str.upper) == [("text_hash", "h")]
    assert keys_of(record(0, text=None), str.upper) == []
