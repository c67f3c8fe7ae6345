"""The baseline after a switch of models, as files; the commands are in tests/cli/test_collecting.py."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from sentimon.errors import StoreError
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.baseline_collection import PendingBaseline, encode_pending_baseline
from sentimon.workflows import next_baseline
from sentimon.workflows.next_baseline import (
    NewModel,
    before_path,
    follow_new_model,
    given_up,
    make_wanted,
    place_baseline,
    say_given_up,
    wanted_at,
)
from sentimon.workflows.state_files import next_path, read_baseline, save_baseline
from tests.support.rows import START, summary

ONE, TWO, THREE = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
NAMES = {ONE: "v1", TWO: "v2", THREE: "v3"}


def baseline(revision: str) -> Baseline:
    total = summary(20, 20, 20, model="models/current", revision=revision)
    return Baseline(name=NAMES[revision], created=START, source="logs", summary=total)


def switch(folder: Path, revision: str, asked: int = 0) -> PendingBaseline | None:
    heir = NewModel(name=NAMES[revision], revision=revision, since=START, asked=asked)
    return follow_new_model(folder, folder / "baseline.json", heir, fewest=50)


def make(wanted: PendingBaseline) -> Baseline:
    """Make what is wanted as if its rows were there."""
    return replace(baseline(wanted.revision), resumed=START if wanted.again else None)


def names(folder: Path) -> tuple[str | None, str | None, str | None]:
    """The baseline in force, the one set aside, and the one that is being collected."""
    path = folder / "baseline.json"
    wanted = wanted_at(path)
    there, before = (read_baseline(one).name if one.exists() else None for one in (path, before_path(path)))
    return (there if wanted is None else None), before, None if wanted is None else wanted.name


def test_a_switch_sets_the_baseline_aside_and_the_way_back_takes_it_up(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    save_baseline(path, baseline(ONE))
    assert switch(tmp_path, TWO, 2000) is not None
    assert names(tmp_path) == (None, "v1", "v2")
    assert make_wanted(tmp_path, path, make) is not None
    assert names(tmp_path) == ("v2", "v1", None)
    back = switch(tmp_path, ONE)
    assert back is not None
    assert (back.rows, back.again is not None, names(tmp_path)) == (50, True, (None, "v2", "v1"))
    # And forth again, before it was taken up: nothing is lost.
    forth = switch(tmp_path, TWO)
    assert forth is not None
    assert (forth.again is not None, names(tmp_path)) == (True, (None, "v1", "v2"))
    make_wanted(tmp_path, path, make)
    assert (read_baseline(path).resumed, names(tmp_path)) == (START, ("v2", "v1", None))


def test_a_model_without_a_baseline_gets_as_many_rows_as_were_asked_for_last(tmp_path: Path) -> None:
    save_baseline(tmp_path / "baseline.json", baseline(ONE))
    switch(tmp_path, TWO, 2000)
    switch(tmp_path, ONE)
    third = switch(tmp_path, THREE)
    assert third is not None
    assert (third.rows, third.again, names(tmp_path)) == (2000, None, (None, "v1", "v3"))


def test_where_nobody_asked_the_baseline_stays_that_of_the_model_before(tmp_path: Path) -> None:
    save_baseline(tmp_path / "baseline.json", baseline(ONE))
    assert switch(tmp_path, TWO) is None
    assert names(tmp_path) == ("v1", None, None)
    # Its own model serves again, and then does not: it does not wait for rows that do not come.
    assert switch(tmp_path, ONE) is not None
    assert names(tmp_path) == (None, None, "v1")
    assert switch(tmp_path, TWO) is None
    assert names(tmp_path) == ("v1", None, None)


def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    next_path(path).write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(
        StoreError, match=r"baseline\.next\.json: is no record of a baseline to come"
    ) as raised:
        wanted_at(path)
    assert "sentimon baseline create" in (raised.value.hint or "")


class KilledError(BaseException):
    """The program ends here."""


@contextmanager
def killed_before_step(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the program die before the change to the disk of that number."""
    left = [number]

    def dying(change: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: object) -> None:
            if left[0] == 0:
                raise KilledError
            left[0] -= 1
            change(*arguments)

        return run

    with monkeypatch.context() as patched:
        for name in ("replace_file", "remove_file"):
            patched.setattr(next_baseline, name, dying(getattr(next_baseline, name)))
        yield


@pytest.mark.parametrize("step", range(6))
def test_a_switch_that_dies_before_any_step_has_happened_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    save_baseline(tmp_path / "baseline.json", baseline(ONE))
    with killed_before_step(step, monkeypatch), suppress(KilledError):
        switch(tmp_path, TWO, 60)
    there, _, coming = names(tmp_path)
    assert (there, coming) in (("v1", None), (None, "v2"))
    # Whatever it was, the next switch or baseline goes on from there.
    make_wanted(tmp_path, tmp_path / "baseline.json", make)
    assert names(tmp_path) == (("v1", None, None) if coming is None else ("v2", "v1", None))


@pytest.mark.parametrize("step", range(3))
def test_a_baseline_whose_making_dies_before_any_step_is_there_or_still_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    path = tmp_path / "baseline.json"
    save_baseline(path, baseline(ONE))
    switch(tmp_path, TWO, 60)
    with killed_before_step(step, monkeypatch), suppress(KilledError):
        make_wanted(tmp_path, path, make)
    assert names(tmp_path) in ((None, "v1", "v2"), ("v2", "v1", None))
    make_wanted(tmp_path, path, make)
    assert names(tmp_path) == ("v2", "v1", None)
    assert not next_path(path).exists()


def test_what_somebody_places_there_by_hand_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    save_baseline(path, baseline(ONE))
    switch(tmp_path, TWO, 60)
    save_baseline(path, baseline(THREE))
    assert names(tmp_path) == ("v3", "v1", None)
    assert given_up(path) is not None
    assert make_wanted(tmp_path, path, make) is None
    assert not next_path(path).exists()
    assert given_up(path) is None
    switch(tmp_path, TWO, 60)
    assert place_baseline(tmp_path, path, baseline(THREE), force=True)
    assert names(tmp_path) == ("v3", "v3", None)


def test_a_baseline_to_come_that_was_edited_is_given_up_and_that_is_said(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    path = tmp_path / "baseline.json"
    save_baseline(path, baseline(ONE))
    wanted = switch(tmp_path, TWO, 60)
    assert wanted is not None
    # What it was to replace lies there again, as after a kill: nothing has changed.
    save_baseline(path, baseline(ONE))
    say_given_up(path, said.append)
    assert not said
    edited = msgspec.structs.replace(wanted, replaces="0" * 64)
    next_path(path).write_bytes(encode_pending_baseline(edited))
    say_given_up(path, said.append)
    assert f"{next_path(path)}: the baseline of v2 is given up" in said.pop()
    # Made by a program that was killed before it could take its record away.
    save_baseline(path, baseline(TWO))
    assert given_up(path) is None
    next_path(path).write_bytes(encode_pending_baseline(edited).replace(b"0000", b"X", 1))
    with pytest.raises(StoreError, match="replaces"):
        say_given_up(path, said.append)
