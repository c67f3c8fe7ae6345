"""The file of gold labels beside the log: read whole, appended to under the log's lock, never rewritten."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from sentimon.errors import StoreError
from sentimon.gold_labels import LABELS_FILE
from sentimon.gold_labels.gold_label import TEXT_HASH, GoldLabel, Hash, Key, parse_label_line
from sentimon.gold_labels.label_join import LabelLookup
from sentimon.jsonl import BadLine, LineError, file_lines
from sentimon.prediction_log.durable_files import errors_named, replace_file, write_at_end
from sentimon.prediction_log.locks import exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBook:
    """The gold labels of a log, by key, in the order in which the keys were first labelled."""

    labels: Mapping[Key, GoldLabel]
    bad_lines: tuple[BadLine, ...]

    def finder(self, hash_text: Hash) -> LabelLookup:
        """Return the lookup of a row's label; texts are hashed only where some label is keyed by text."""
        by_text = any(kind == TEXT_HASH for kind, _ in self.labels)
        return LabelLookup(labels=self.labels, hash_text=hash_text if by_text else None)


def read_book(folder: Path, *, zone: tzinfo | None) -> LabelBook:
    """Return the labels beside the log in `folder`; empty where none were imported yet.

    Of two lines for one key the later one counts. Bad lines are collected and do not stop the reading.

    Raises:
        StoreError: the file cannot be read.
    """
    path = folder / LABELS_FILE
    labels: dict[Key, GoldLabel] = {}
    bad: list[BadLine] = []
    for number, line in file_lines(path):
        try:
            found = parse_label_line(line, zone=zone)
        except LineError as error:
            bad.append(error.at(str(path), number))
        else:
            labels[found.key] = found
    return LabelBook(labels=labels, bad_lines=tuple(bad))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLabel:
    """A label that is for rows of the log, with the file and line that it was read from."""

    path: str
    line: int
    label: GoldLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How many labels were added, and which were not."""

    new: int
    replaced: int
    unchanged: int
    conflicts: tuple[BadLine, ...]
    """Labels that were left out because their key already has a different one."""
    total: int
    """Number of labelled keys after the import."""


def add_labels(
    folder: Path, arrivals: Sequence[ImportedLabel], *, replace: bool, zone: tzinfo | None, sync: bool
) -> Added:
    """Append those of `arrivals` that are new to the labels of the log in `folder`, all in one write.

    A key that already has the same label is left alone, so that adding twice changes nothing. One that has
    a different label keeps it, unless `replace` is true. `sync` waits until the disk has the data.

    Raises:
        StoreError: the file cannot be read or written; then nothing was added.
    """
    path = folder / LABELS_FILE
    with errors_named(path), exclusive(folder):
        known = dict(read_book(folder, zone=zone).labels)
        lines: list[bytes] = []
        conflicts: list[BadLine] = []
        new = replaced = 0
        for arrival in arrivals:
            before = known.get(arrival.label.key)
            if before is not None and before.label is arrival.label.label:
                continue
            if before is not None and not replace:
                conflicts.append(_conflict(arrival, before))
                continue
            new += before is None
            replaced += before is not None
            known[arrival.label.key] = arrival.label
            lines.append(arrival.label.to_line())
        if lines:
            write_at_end(path, lines, sync=sync)
    unchanged = len(arrivals) - len(lines) - len(conflicts)
    return Added(
        new=new, replaced=replaced, unchanged=unchanged, conflicts=tuple(conflicts), total=len(known)
    )


def forget_labels(folder: Path, keys: Collection[Key], *, zone: tzinfo | None) -> int:
    """Remove the labels with any of `keys` from the file, in one step, and return the number of lines.

    Raises:
        StoreError: the file cannot be read or written; then it is as it was.
    """
    path = folder / LABELS_FILE
    with errors_named(path), exclusive(folder):
        lines = _whole_lines(path)
        kept = [line for line in lines if _key_on(line, zone) not in keys]
        if len(kept) < len(lines):
            replace_file(path, b"".join(line + b"\n" for line in kept))
    return len(lines) - len(kept)


def _whole_lines(path: Path) -> list[bytes]:
    lines = []
    for number, line in file_lines(path):
        if isinstance(line, LineError):
            hint = "no label of ours is so long: take the line out of the file"
            raise StoreError(f"{path}:{number}: {line.message}", hint=hint) from line
        lines.append(line)
    return lines


def _key_on(line: bytes, zone: tzinfo | None) -> Key | None:
    try:
        return parse_label_line(line, zone=zone).key
    except LineError:
        return None


def _conflict(arrival: ImportedLabel, before: GoldLabel) -> BadLine:
    kind, value = before.key
    reason = (
        f"{kind} {value!r:.70} is labelled {before.label.label} since {before.timestamp:%Y-%m-%d %H:%M} UTC, "
        f"not {arrival.label.label.label}; --replace takes the later one"
    )
    return BadLine(path=arrival.path, line=arrival.line, kind="conflict", reason=reason)
