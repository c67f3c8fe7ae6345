"""Files read as the commands read them, with no more than a column and a format to say."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from sentimon.config.settings import InputSettings
from sentimon.ingest.input_columns import InputContext, Need
from sentimon.ingest.input_file import InputFile, open_input_file, open_input_stream
from sentimon.jsonl import LONGEST


def read_file(
    path: Path, *, column: str = "", file_format: str = "", need: Need = Need.TEXTS, longest: int = LONGEST
) -> InputFile:
    """The rows of a file."""
    return open_input_file(path, _context(column, file_format, need, longest))


def read_stream(
    stream: BinaryIO,
    *,
    column: str = "",
    file_format: str = "",
    need: Need = Need.TEXTS,
    longest: int = LONGEST,
) -> InputFile:
    """The rows of stdin."""
    return open_input_stream(stream, _context(column, file_format, need, longest))


def _context(column: str, file_format: str, need: Need, longest: int) -> InputContext:
    settings = InputSettings(text_column=column, format=file_format)
    return InputContext(settings=settings, need=need, longest=longest)
