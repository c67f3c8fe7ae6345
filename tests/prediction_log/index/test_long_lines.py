"""A line that is too long is one bad line, wherever the log is read, and nobody holds it in memory."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.jsonl import encode
from sentimon.prediction_log import log_file
from sentimon.prediction_log.index import line_blocks
from sentimon.prediction_log.index.line_blocks import Block, plain_blocks, streamed_blocks
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.log_file import LineFragment, open_log_file
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Period
from tests.prediction_log.index.test_line_blocks import content_lines, zstd
from tests.rows import START, records

LIVE = "predictions.jsonl"
pieces = st.sampled_from([b"", b"\r", b"a", b"bc", b"x" * 19, b"y" * 20, b"z" * 21, b"w" * 22, b"v" * 150])
contents = st.lists(pieces, max_size=12).map(b"\n".join)
FORMS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd}
LONGEST = 20


def as_lines(found: list[Block]) -> list[tuple[bytes, bool]]:
    """Each line with whether it came in fragments, of what was yielded."""
    lines: list[tuple[bytes, bool]] = []
    begun = b""
    for one in found:
        if isinstance(one, LineFragment):
            begun += bytes(one.content)
            if one.last:
                lines.append((begun, True))
                begun = b""
        else:
            assert not begun
            lines += [(line, False) for line in content_lines(bytes(one))]
    assert not begun
    return lines


def expected(content: bytes) -> list[tuple[bytes, bool]]:
    return [(line, len(line.removesuffix(b"\n")) > LONGEST) for line in content_lines(content)]


@pytest.mark.parametrize("ending", FORMS)
@given(content=contents, size=st.integers(1, 60), chunk=st.integers(1, 60))
@settings(deadline=None)
def test_only_lines_that_are_too_long_come_in_fragments(
    ending: str, content: bytes, size: int, chunk: int
) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        mock.patch.object(line_blocks, "BLOCK", size),
        mock.patch.object(log_file, "CHUNK", chunk),
    ):
        path = Path(name) / f"predictions-20260907T000000Z.jsonl{ending}"
        path.write_bytes(FORMS[ending](content))
        with open_log_file(path, longest=LONGEST) as segment:
            assert as_lines([*segment.raw_lines()]) == expected(content)
        with open_log_file(path, longest=LONGEST) as segment:
            found = streamed_blocks(segment, 0) if ending else plain_blocks(segment, 0, len(content))
            # Blocks are overwritten, so each is copied as it comes.
            kept = [
                LineFragment(bytes(one.content), one.last, one.longest)
                if isinstance(one, LineFragment)
                else bytes(one)
                for one in found
            ]
        assert as_lines([*kept]) == expected(content)
        most = max((len(one) for one in kept), default=0)
        assert most <= size + 2 * chunk + LONGEST + 2


@pytest.mark.parametrize("ending", FORMS)
def test_a_stretch_between_long_lines_is_read_as_what_it_is(ending: str, tmp_path: Path) -> None:
    content = b"a\n" + b"x" * 500 + b"\nb\n" + b"y" * 21 + b"\nc"
    path = tmp_path / f"predictions-20260907T000000Z.jsonl{ending}"
    path.write_bytes(FORMS[ending](content))
    begins = [0, 2, 503, 505, 527, len(content)]
    for begin in begins:
        for end in begins:
            if begin < end:
                with open_log_file(path, longest=LONGEST) as segment:
                    found = (
                        streamed_blocks(segment, begin, end - begin)
                        if ending
                        else plain_blocks(segment, begin, end)
                    )
                    whole = b"".join(
                        bytes(one.content if isinstance(one, LineFragment) else one) for one in found
                    )
                assert whole == content[begin:end]


def rows(negative: int, neutral: int, positive: int) -> bytes:
    return b"".join(encode(one.to_dict()) + b"\n" for one in records(negative, neutral, positive))


def summary(folder: Path, longest: int, place: Path) -> Summary:
    index = LogIndex(folder=folder, zone=UTC, now=START, run=map, paths=[place], longest=longest)
    return index.ask(lambda sums: sums.summary(Period()))


def test_another_limit_makes_the_index_read_again(tmp_path: Path) -> None:
    content = rows(3, 0, 0)
    (tmp_path / LIVE).write_bytes(content + b"x" * 5000 + b"\n" + rows(0, 0, 2))
    place = tmp_path / ".sentimon" / "rollup.sqlite"
    for longest, kind in ((4096, "too_long"), (6000, "json"), (4999, "too_long"), (5000, "json")):
        found = summary(tmp_path, longest, place)
        assert found == summarise(read_log(tmp_path, zone=UTC, longest=longest))
        assert (found.count, found.bad) == (5, {kind: 1})
    (line,) = summary(tmp_path, 4096, place).bad_lines
    assert str(line) == f"{tmp_path / LIVE}:4: longer than 4096 bytes (logs.max_line_bytes)"


def test_a_long_line_without_an_end_is_counted_once_and_is_no_news_when_it_ends(tmp_path: Path) -> None:
    place = tmp_path / ".sentimon" / "rollup.sqlite"
    with (tmp_path / LIVE).open("wb") as file:
        file.write(rows(3, 0, 0) + b"x" * 5000)
    assert summary(tmp_path, 4096, place).bad == {"too_long": 1}
    with (tmp_path / LIVE).open("ab") as file:
        file.write(b"x" * 5000 + b"\n" + rows(0, 0, 2))
    found = summary(tmp_path, 4096, place)
    assert (found.count, found.bad) == (5, {"too_long": 1})
