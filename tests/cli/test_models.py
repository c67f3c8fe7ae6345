"""Other models through the command line: the shapes that repositories of the hub have, offline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Ran
from tests.support import tiny_models

Run = Callable[..., Ran]
TEXTS = ["I love this", "non mi piace", "ok " * 600]


def test_a_repository_shaped_like_cardiffnlp_s_is_scored_logged_and_kept_apart(
    run_with_torch: Run, tmp_path: Path
) -> None:
    (tmp_path / "roberta").mkdir()
    tiny_models.cardiffnlp_roberta(tmp_path / "roberta")
    done = run_with_torch("predict", "--model", "roberta", *TEXTS, "--json")
    assert done.code == 0, done.err
    assert [one["text"] for one in done.lines] == TEXTS
    assert {one["model"] for one in done.lines} == {"roberta"}
    assert [one["truncated"] for one in done.lines] == [False, False, True]
    assert done.err == "1 of 3 texts longer than the model reads: the end was not seen\n"
    logged = run_with_torch("log", "--model", "roberta", *TEXTS, "--json")
    assert logged.json["logged"] == 3
    (model,) = run_with_torch("metrics", "--json").json["models"]
    assert (model["model"], model["count"]) == ("roberta", 3)
    assert model["revision"]


def test_an_unknown_label_set_shows_how_to_map_it_and_then_can_be(
    run_with_torch: Run, tmp_path: Path
) -> None:
    (tmp_path / "odd").mkdir()
    tiny_models.safetensors_roberta(tmp_path / "odd", id2label=tiny_models.UNKNOWN)
    refused = run_with_torch("predict", "--model", "odd", "x")
    assert refused.code == 1
    assert "[model.label_map]" in refused.err
    assert '"sarcasm" = "..."' in refused.err
    (tmp_path / "sentimon.toml").write_text(
        '[model]\nname = "odd"\n[model.label_map]\n'
        'sarcasm = "negative"\nsincere = "positive"\n"cannot say" = "neutral"\n',
        encoding="utf-8",
    )
    assert run_with_torch("predict", "x", "--json").lines[0]["model"] == "odd"
