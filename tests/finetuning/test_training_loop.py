import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from sentimon.errors import StoreError
from sentimon.finetuning.checkpoints import FACTS, read_checkpoint, save_checkpoint
from sentimon.finetuning.trainable import predict_logits
from sentimon.finetuning.training_batches import TrainingRow, TrainingRows
from sentimon.finetuning.training_loop import EpochMetrics, Hyperparameters, TrainingLoop, TrainingState
from tests.support.tiny_model import tiny_model

GOOD, BAD = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)


def hyper(**changes: object) -> Hyperparameters:
    usual = {"epochs": 4, "rate": 3e-3, "batch": 4, "patience": 4, "seed": 0, "bfloat16": False}
    return Hyperparameters(**(usual | changes))  # type: ignore[arg-type]


def training_rows(*, flip: bool = False) -> TrainingRows:
    model = tiny_model()
    texts = [f"{word} {a}{b}" for a in "abcdef" for b in "ab" for word in ("good", "bad")]
    ids = model.encode(texts, limit=32)
    rows = [
        TrainingRow(ids=one, target=GOOD if "good" in text else BAD)
        for one, text in zip(ids, texts, strict=True)
    ]
    wrong = [TrainingRow(ids=row.ids, target=BAD if row.target == GOOD else GOOD) for row in rows]
    held_out = (wrong if flip else rows)[20:]
    return TrainingRows(new=rows[:16], replay=rows[16:20], replay_per_epoch=2, held_out=held_out)


def trained(
    state: TrainingState | None = None, *, stop_after: int | None = None, **changes: object
) -> TrainingState:
    loop = TrainingLoop(tiny_model(), training_rows(), hyper(**changes), state)
    if stop_after is None:
        return loop.run(save=lambda _: None, report=lambda *_: None)

    class StoppedError(Exception):
        pass

    def report(one: EpochMetrics, _: float) -> None:
        if one.number == stop_after:
            raise StoppedError

    with pytest.raises(StoppedError):
        loop.run(save=lambda _: None, report=report)
    return loop.snapshot()


def test_it_learns_what_the_rows_say() -> None:
    state = trained()
    assert state.epochs[0].macro_recall < state.epochs[-1].macro_recall == 1.0
    assert state.best_epoch.held_out_loss < 0.5


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    one, same, other = trained(), trained(), trained(seed=1)
    assert all(torch.equal(one.best[name], same.best[name]) for name in one.best)
    assert not all(torch.equal(one.best[name], other.best[name]) for name in one.best)


def test_a_run_that_goes_on_from_a_checkpoint_ends_as_one_that_was_never_stopped(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, trained(stop_after=2), run="r")
    went_on = trained(read_checkpoint(tmp_path, run="r"))
    whole = trained()
    assert went_on.epochs == whole.epochs
    assert all(torch.equal(went_on.best[name], whole.best[name]) for name in whole.best)


def test_a_checkpoint_within_an_epoch_is_as_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentimon.finetuning.training_loop.CHECKPOINT_SECONDS", 0.0)
    kept: list[int] = []

    def save(state: TrainingState) -> None:
        kept.append(state.step)
        if state.step == 7:
            save_checkpoint(tmp_path, state, run="r")

    TrainingLoop(tiny_model(), training_rows(), hyper()).run(save=save, report=lambda *_: None)
    assert kept == list(range(1, 21))
    went_on, whole = trained(read_checkpoint(tmp_path, run="r")), trained()
    assert went_on.epochs == whole.epochs


def test_bfloat16_learns_it_too_and_keeps_exact_weights() -> None:
    state = trained(bfloat16=True)
    assert state.best_epoch.macro_recall == 1.0
    assert {one.dtype for one in state.best.values()} == {torch.float32}


def test_it_stops_early_two_epochs_after_the_best_one() -> None:
    state = TrainingLoop(tiny_model(), training_rows(flip=True), hyper(epochs=9, patience=2)).run(
        save=lambda _: None, report=lambda *_: None
    )
    assert state.epochs[-1].number == state.best_epoch.number + 2 < 9


def test_timing_steps_changes_nothing() -> None:
    loop = TrainingLoop(tiny_model(), training_rows(), hyper())
    before = {name: value.clone() for name, value in loop.exact.items()}
    assert loop.seconds_per_step() > 0
    assert all(torch.equal(before[name], loop.exact[name]) for name in before)
    assert all(one.grad is None for one in loop.live.values())


def test_each_epoch_draws_other_old_rows_and_all_new_ones() -> None:
    given = training_rows()
    seen = [
        {tuple(row.ids) for group in given.batches(n, size=4, seed=0) for row in group} for n in (1, 2, 3)
    ]
    new = {tuple(row.ids) for row in given.new}
    assert all(len(one) == 18 and new <= one for one in seen)
    assert len({frozenset(one - new) for one in seen}) > 1


def test_a_checkpoint_of_another_run_is_refused_and_a_broken_one_named(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path, run="r") is None
    save_checkpoint(tmp_path, trained(stop_after=1), run="r")
    with pytest.raises(StoreError, match="another run"):
        read_checkpoint(tmp_path, run="s")
    for facts in ("{}", "[]", '{"run": "r", "step": -1, "losses": [], "passes": []}', "[" * 100_000):
        content = save({}, metadata={FACTS: facts})
        (tmp_path / "checkpoint.safetensors").write_bytes(content)
        with pytest.raises(StoreError, match=r"checkpoint\.safetensors: cannot be read back"):
            read_checkpoint(tmp_path, run="r")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"torn")
    with pytest.raises(StoreError, match="cannot be read back"):
        read_checkpoint(tmp_path, run="r")


def test_texts_are_judged_in_their_own_order() -> None:
    model = tiny_model()
    ids = model.encode(["good good good", "a", "bad b"], limit=32)
    alone = [predict_logits(model, [one])[0] for one in ids]
    assert np.allclose(torch.stack(alone).numpy(), predict_logits(model, ids).numpy(), atol=1e-5)


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


def test_the_rate_rises_then_falls_to_nothing() -> None:
    factors = [hyper(warmup=0.1).rate_factor(step, 100) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == 1.0
    assert factors[100] == 0.0


def test_averaged_weights_lag_behind_and_are_what_is_evaluated_and_resumed(tmp_path: Path) -> None:
    whole = TrainingLoop(tiny_model(), training_rows(), hyper(average_decay=0.9))
    whole.run(save=lambda _: None, report=lambda *_: None)
    name = "head.weight"
    assert not torch.equal(whole.weights[name], whole.exact[name])
    assert whole.state.best_epoch.number == 4
    assert all(torch.equal(whole.state.best[name], whole.average[name]) for name in whole.average)
    save_checkpoint(tmp_path, trained(stop_after=2, average_decay=0.9), run="r")
    resumed = trained(read_checkpoint(tmp_path, run="r"), average_decay=0.9)
    assert resumed.epochs == whole.state.epochs
    assert all(torch.equal(resumed.best[name], whole.average[name]) for name in whole.average)


def test_a_layer_that_has_no_rate_is_left_where_it_was() -> None:
    loop = TrainingLoop(
        tiny_model(),
        training_rows(),
        hyper(weight_decay=0.0),
        layer_rate=lambda name: 0.0 if name.startswith("words") else 1.0,
    )
    loop.run(save=lambda _: None, report=lambda *_: None)
    before = dict(tiny_model().network.named_parameters())
    assert torch.equal(loop.exact["words.weight"], before["words.weight"])
    assert not torch.equal(loop.exact["head.weight"], before["head.weight"])


def test_a_checkpoint_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "checkpoint.part").symlink_to("kept")
    with pytest.raises(StoreError, match="is a link") as raised:
        save_checkpoint(tmp_path, TrainingState(), run="r")
    assert "remove it" in (raised.value.hint or "")
    assert (tmp_path / "kept").read_bytes() == b"kept"
