"""A scan of some blocks, and what it says in the words of `summarise`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from pathlib import Path

from sentimon.jsonl import BadLine
from sentimon.prediction_log.index.cells import hour_slots
from sentimon.prediction_log.index.line_blocks import plain_blocks
from sentimon.prediction_log.index.scan import Scan
from sentimon.prediction_log.log_file import open_log_file
from sentimon.prediction_log.slices import Slices
from sentimon.prediction_log.summary import GrowingSummary, Summary


def scanned(
    blocks: Iterable[bytes | memoryview], *, bulk: bool, begin: int = 0, fields: Sequence[str] = ()
) -> Scan:
    """The scan of all of them."""
    scan = Scan(begin, slot=hour_slots, zone=UTC, bulk=bulk, fields=fields)
    for block in blocks:
        scan.add_block(block)
    scan.finish()
    return scan


def file_blocks(path: Path) -> Iterator[memoryview]:
    """The blocks of a plain file, each good until the next."""
    with open_log_file(path) as segment:
        yield from plain_blocks(segment, 0, segment.file.size)


def by_hour(scan: Scan) -> dict[int, Summary]:
    """The sum of each cell."""
    return {key: cell.sums.summary() for key, cell in scan.cells.items()}


def slices_by_hour(scan: Scan) -> dict[int, dict[str, Slices]]:
    """The sums over the slices of each cell."""
    return {
        key: {name: sums.slices() for name, sums in cell.slices.items()} for key, cell in scan.cells.items()
    }


def whole(scan: Scan, path: str = "") -> Summary:
    """The sum of all cells, with the bad lines."""
    sums = GrowingSummary()
    for cell in scan.cells.values():
        sums.include(cell.sums)
    bad = [BadLine(path=path, line=line, kind=kind, reason=reason) for line, kind, reason in scan.bad.first]
    sums.add_bad(scan.bad.kinds, bad)
    return sums.summary()
