"""Parts of a file that follow one another, taken together before one program keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from sentimon.logbook.rollup.parts import PackedCell, Part, few_stretches, pack, unpack
from sentimon.logbook.summary import GrowingSummary


def gather(lists: Iterable[Iterable[Part]]) -> list[Part]:
    """Return the parts of all of them, in order, with the cells of all of them in the last part.

    What is kept of the result is what would be kept of them, in any grouping, and costs that
    program the work of one part.
    """
    parts = [part for parts in lists for part in parts]
    if len(parts) < 2:
        return parts
    total, cells = GrowingSummary(), dict[tuple[int, int], list[PackedCell]]()
    for part in parts:
        total.include(unpack(part.total))
        for cell in part.cells:
            cells.setdefault((cell.width, cell.hour), []).append(cell)
    nothing = pack(GrowingSummary())
    *others, last = parts
    return [
        *(replace(part, cells=[], total=nothing) for part in others),
        replace(last, cells=[_one(same) for _, same in sorted(cells.items())], total=pack(total)),
    ]


def _one(cells: list[PackedCell]) -> PackedCell:
    first = cells[0]
    if len(cells) == 1:
        return first
    sums = GrowingSummary()
    for cell in cells:
        sums.include(unpack(cell.sums))
    stretches = few_stretches([place for cell in cells for place in cell.stretches])
    return PackedCell(first.width, first.hour, pack(sums), stretches)
