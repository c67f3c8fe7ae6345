"""Blocks of whole lines, wherever the lines end."""

from __future__ import annotations

import gzip
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.jsonl import LineError
from sentimon.prediction_log import log_file
from sentimon.prediction_log.compression import ZstdFile
from sentimon.prediction_log.index import line_blocks
from sentimon.prediction_log.index.line_blocks import (
    line_end_after,
    line_end_before,
    plain_blocks,
    streamed_blocks,
)
from sentimon.prediction_log.log_file import open_log_file

contents = st.lists(
    st.sampled_from([b"", b"\r", b"a", b"bc", b"def\r", b"\xe2\x80\xa8", b"x" * 17, b"y" * 70]), max_size=15
).map(b"\n".join)
sizes = st.integers(1, 40)


def zstd(content: bytes) -> bytes:
    with tempfile.TemporaryFile() as file:
        with ZstdFile(file, "w") as stream:
            stream.write(content)
        file.seek(0)
        return file.read()


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstd}


def line_begins(content: bytes) -> list[int]:
    return [0, *(place + 1 for place, byte in enumerate(content) if byte == ord("\n"))]


def content_lines(content: bytes) -> list[bytes]:
    begins = [*line_begins(content), len(content)]
    return [content[begin:end] for begin, end in pairwise(begins) if end > begin]


def check_whole_lines(found: Sequence[bytes], content: bytes) -> None:
    """Nothing is lost or doubled, and only the last line may lack its newline."""
    assert b"".join(found) == content
    assert all(found)
    assert all(block.endswith(b"\n") for block in found[:-1])


@given(content=contents, size=sizes, data=st.data())
@settings(deadline=None)
def test_blocks_of_a_plain_file_are_its_lines(content: bytes, size: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name, mock.patch.object(line_blocks, "BLOCK", size):
        path = Path(name) / "predictions.jsonl"
        path.write_bytes(content)
        with open_log_file(path) as segment:
            for _ in range(5):
                begin = data.draw(st.sampled_from(line_begins(content)))
                # Also where it cuts a line, or lies behind the end of a file that shrank.
                end = data.draw(st.integers(begin, len(content) + 20))
                found = [bytes(block) for block in plain_blocks(segment, begin, end)]
                check_whole_lines(found, content[begin:end])
                for block in found:
                    assert len(block) <= size or block.find(b"\n") in (-1, len(block) - 1)


def test_after_a_long_line_blocks_are_as_large_as_before(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(b"short\n" * 99_999 + b"x" * 3_000_000 + b"\n" + b"short\n" * 300_000)
    with open_log_file(path) as segment:
        found = [len(block) for block in plain_blocks(segment, 0, segment.file.size)]
    assert sum(found) == path.stat().st_size
    assert [size for size in found if size > line_blocks.BLOCK] == [3_000_001]


@pytest.mark.parametrize("ending", COMPRESSED)
@given(content=contents, size=sizes, data=st.data())
@settings(deadline=None)
def test_blocks_of_a_compressed_file_are_its_lines(
    ending: str, content: bytes, size: int, data: st.DataObject
) -> None:
    begins = line_begins(content)
    chunk = data.draw(sizes)
    longest = max(map(len, content.splitlines(keepends=True)), default=0)
    with (
        tempfile.TemporaryDirectory() as name,
        mock.patch.object(line_blocks, "BLOCK", size),
        mock.patch.object(log_file, "CHUNK", chunk),
    ):
        path = Path(name) / f"predictions-20260907T000000Z.jsonl.{ending}"
        path.write_bytes(COMPRESSED[ending](content))
        with open_log_file(path) as segment:
            found = [bytes(block) for block in streamed_blocks(segment, 0)]
            check_whole_lines(found, content)
            assert all(len(block) < size + chunk + longest for block in found)
        with open_log_file(path) as segment:
            assert [*segment.raw_lines()] == content_lines(content)
        begin = data.draw(st.sampled_from(begins))
        end = data.draw(st.sampled_from([*(one for one in begins if one > begin), len(content)]))
        if end > begin:
            with open_log_file(path) as segment:
                found = [bytes(block) for block in streamed_blocks(segment, begin, end - begin)]
                assert b"".join(found) == content[begin:end]


@pytest.mark.parametrize("ending", COMPRESSED)
def test_what_comes_before_the_damage_of_a_compressed_file_is_given(ending: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    content = b"".join(chance.randbytes(50).hex().encode() + b"\n" for _ in range(20_000))
    path = tmp_path / f"predictions-20260907T000000Z.jsonl.{ending}"
    path.write_bytes(COMPRESSED[ending](content))
    os.truncate(path, path.stat().st_size * 2 // 3)
    found: list[bytes] = []
    with (
        open_log_file(path) as segment,
        pytest.raises(LineError, match="the rest of the compressed file is damaged"),
    ):
        found.extend(map(bytes, streamed_blocks(segment, 0)))
    with open_log_file(path) as segment:
        lines: list[bytes] = []
        with pytest.raises(LineError):
            lines.extend(segment.raw_lines())
    assert b"".join(found) == b"".join(lines) == content[: sum(map(len, lines))]
    assert sum(map(len, lines)) > len(content) // 2


@given(content=contents, size=sizes, data=st.data())
@settings(deadline=None)
def test_the_ends_of_lines_are_found(content: bytes, size: int, data: st.DataObject) -> None:
    with (
        tempfile.NamedTemporaryFile(suffix=".jsonl") as file,
        open_log_file(Path(file.name)) as segment,
        mock.patch.object(line_blocks, "BLOCK", size),
    ):
        file.write(content)
        file.flush()
        for _ in range(5):
            begin = data.draw(st.integers(0, len(content)))
            end = data.draw(st.integers(begin, len(content)))
            last, first = content.rfind(b"\n", begin, end), content.find(b"\n", begin, end)
            assert line_end_before(segment, end, begin) == (begin if last < 0 else last + 1)
            assert line_end_after(segment, begin, end) == (end if first < 0 else first + 1)
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file, open_log_file(Path(file.name)) as empty:
        # A file that shrank meanwhile.
        assert line_end_after(empty, 0, 10) == 10
        assert line_end_before(empty, 10) == 0
