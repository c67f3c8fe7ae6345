"""Stretches of a file of the log, read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import tzinfo

from sentimon.logbook.rollup.blocks import plain_blocks, streamed_blocks
from sentimon.logbook.rollup.cells import Slot, Stretch
from sentimon.logbook.rollup.files import SeenFile, opened_again
from sentimon.logbook.rollup.refresh import BULK_BYTES
from sentimon.logbook.rollup.scan import Scan
from sentimon.logbook.segments import Segment


class FileReader:
    """A file of the log that is opened once it is needed, and closed at the end of the context."""

    def __init__(self, seen: SeenFile, zone: tzinfo | None) -> None:
        self._seen = seen
        self._zone = zone
        self._stack = ExitStack()
        self._segment: Segment | None = None

    def scan(self, stretches: Sequence[Stretch], slot: Slot) -> Iterator[Scan]:
        """Yield what each stretch holds; those of a compressed file are best asked for in their order.

        Raises:
            MovedError: the file is not there any more.
            StoreError: it cannot be read.
        """
        for begin, end in stretches:
            scan = Scan(begin, slot=slot, zone=self._zone, bulk=end - begin >= BULK_BYTES)
            for block in self._blocks(begin, end):
                scan.take(block)
            scan.finish()
            yield scan

    def _blocks(self, begin: int, end: int) -> Iterator[bytes | memoryview]:
        if self._segment is None:
            self._segment = self._stack.enter_context(opened_again(self._seen.path, self._seen.state))
        if not self._seen.compressed:
            return plain_blocks(self._segment, begin, end)
        self._segment.stream.seek(begin)
        return streamed_blocks(self._segment, end - begin)

    def __enter__(self) -> FileReader:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stack.close()
