import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sentimon.errors import StoreError
from sentimon.finetuning.checkpoints import read_checkpoint, save_checkpoint
from sentimon.finetuning.training_batches import Row
from sentimon.finetuning.training_loop import Lessons, Pace, Pass, Run, State, judge
from tests.support.tiny_model import tiny_ours

GOOD, BAD = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)


def pace(**changes: object) -> Pace:
    usual = {"epochs": 4, "rate": 3e-3, "batch": 4, "patience": 4, "seed": 0, "bfloat16": False}
    return Pace(**(usual | changes))  # type: ignore[arg-type]


def lessons(*, flip: bool = False) -> Lessons:
    trainee = tiny_ours()
    texts = [f"{word} {a}{b}" for a in "abcdef" for b in "ab" for word in ("good", "bad")]
    ids = trainee.encode(texts, limit=32)
    rows = [
        Row(ids=one, target=GOOD if "good" in text else BAD) for one, text in zip(ids, texts, strict=True)
    ]
    wrong = [Row(ids=row.ids, target=BAD if row.target == GOOD else GOOD) for row in rows]
    return Lessons(fresh=rows[:16], replay=rows[16:20], replayed=2, judged=(wrong if flip else rows)[20:])


def trained(state: State | None = None, *, stop_after: int | None = None, **changes: object) -> State:
    run = Run(tiny_ours(), lessons(), pace(**changes), state)
    if stop_after is None:
        return run.go(save=lambda _: None, tell=lambda *_: None)

    class StoppedError(Exception):
        pass

    def tell(one: Pass, _: float) -> None:
        if one.number == stop_after:
            raise StoppedError

    with pytest.raises(StoppedError):
        run.go(save=lambda _: None, tell=tell)
    return run.snapshot()


def test_it_learns_what_the_rows_say() -> None:
    state = trained()
    assert state.passes[0].macro_recall < state.passes[-1].macro_recall == 1.0
    assert state.best_pass.held_out_loss < 0.5


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    one, same, other = trained(), trained(), trained(seed=1)
    assert all(torch.equal(one.best[name], same.best[name]) for name in one.best)
    assert not all(torch.equal(one.best[name], other.best[name]) for name in one.best)


def test_a_run_that_goes_on_from_a_checkpoint_ends_as_one_that_was_never_stopped(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, trained(stop_after=2), run="r")
    went_on = trained(read_checkpoint(tmp_path, run="r"))
    whole = trained()
    assert went_on.passes == whole.passes
    assert all(torch.equal(went_on.best[name], whole.best[name]) for name in whole.best)


def test_a_checkpoint_within_a_pass_is_as_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentimon.finetuning.training_loop.CHECKPOINT_SECONDS", 0.0)
    kept: list[int] = []

    def save(state: State) -> None:
        kept.append(state.step)
        if state.step == 7:
            save_checkpoint(tmp_path, state, run="r")

    Run(tiny_ours(), lessons(), pace()).go(save=save, tell=lambda *_: None)
    assert kept == list(range(1, 21))
    went_on, whole = trained(read_checkpoint(tmp_path, run="r")), trained()
    assert went_on.passes == whole.passes


def test_bfloat16_learns_it_too_and_keeps_exact_weights() -> None:
    state = trained(bfloat16=True)
    assert state.best_pass.macro_recall == 1.0
    assert {one.dtype for one in state.best.values()} == {torch.float32}


def test_it_stops_early_two_passes_after_the_best_one() -> None:
    state = Run(tiny_ours(), lessons(flip=True), pace(epochs=9, patience=2)).go(
        save=lambda _: None, tell=lambda *_: None
    )
    assert state.passes[-1].number == state.best_pass.number + 2 < 9


def test_timing_steps_changes_nothing() -> None:
    run = Run(tiny_ours(), lessons(), pace())
    before = {name: value.clone() for name, value in run.exact.items()}
    assert run.seconds_a_step() > 0
    assert all(torch.equal(before[name], run.exact[name]) for name in before)
    assert all(one.grad is None for one in run.live.values())


def test_each_pass_draws_other_old_rows_and_all_new_ones() -> None:
    given = lessons()
    seen = [{tuple(row.ids) for group in given.of_pass(n, pace()) for row in group} for n in (1, 2, 3)]
    new = {tuple(row.ids) for row in given.fresh}
    assert all(len(one) == 18 and new <= one for one in seen)
    assert len({frozenset(one - new) for one in seen}) > 1


def test_a_checkpoint_of_another_run_is_refused_and_a_broken_one_named(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path, run="r") is None
    save_checkpoint(tmp_path, trained(stop_after=1), run="r")
    with pytest.raises(StoreError, match="another run"):
        read_checkpoint(tmp_path, run="s")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"torn")
    with pytest.raises(StoreError, match="cannot be read back"):
        read_checkpoint(tmp_path, run="r")


def test_texts_are_judged_in_their_own_order() -> None:
    trainee = tiny_ours()
    ids = trainee.encode(["good good good", "a", "bad b"], limit=32)
    alone = [judge(trainee, [one])[0] for one in ids]
    assert np.allclose(torch.stack(alone).numpy(), judge(trainee, ids).numpy(), atol=1e-5)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond a kilobyte: to the program that is what a full disk is."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_named_and_leaves_the_checkpoint_before(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    state = trained(stop_after=1)
    save_checkpoint(tmp_path, state, run="r")
    content = (tmp_path / "checkpoint.safetensors").read_bytes()
    request.getfixturevalue("full_disk")
    with pytest.raises(StoreError, match=r"checkpoint.*cannot be written") as raised:
        save_checkpoint(tmp_path, state, run="r")
    assert "make room on that disk" in (raised.value.hint or "")
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == content
