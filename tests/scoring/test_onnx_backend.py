"""The ONNX backend, on models of one lookup table that this file writes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from sentimon.errors import ModelError
from sentimon.scoring.onnx_backend import OnnxScorer
from tests.support.onnx_folders import word_tokenizer, write_folder


def load(folder: Path, **options: object) -> OnnxScorer:
    return OnnxScorer.load(folder, name="lookup", **options)  # type: ignore[arg-type]


def test_scores_are_the_softmax_of_the_logits(tmp_path: Path) -> None:
    (result,) = load(write_folder(tmp_path)).score(["good good"])
    assert result.scores.positive == pytest.approx(math.e**4 / (math.e**4 + 2), abs=1e-6)
    assert result.scores.negative == result.scores.neutral
    assert (result.tokens, result.truncated) == (4, False)


@pytest.mark.parametrize("inputs", [("input_ids",), ("input_ids", "attention_mask")])
def test_only_the_inputs_that_the_graph_asks_for_are_fed(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    (result,) = load(write_folder(tmp_path, inputs=inputs)).score(["bad"])
    assert result.scores.label.label == "negative"


def test_outputs_in_another_order_are_put_in_ours(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, id2label={"0": "positive", "1": "neutral", "2": "negative"})
    good, bad = load(folder).score(["good", "bad"])
    assert good.scores.label.label == "negative"
    assert bad.scores.label.label == "positive"


def test_star_ratings_are_summed(tmp_path: Path) -> None:
    stars = {str(i): f"{i + 1} star{'s' if i else ''}" for i in range(5)}
    (result,) = load(write_folder(tmp_path, id2label=stars)).score(["so"])
    assert result.scores.vector == pytest.approx((0.4, 0.2, 0.4))


def test_a_label_map_comes_before_the_models_labels(tmp_path: Path) -> None:
    moods = {"0": "anger", "1": "calm", "2": "joy"}
    folder = write_folder(tmp_path, id2label=moods)
    with pytest.raises(ModelError, match="anger"):
        load(folder)
    mapped = load(folder, label_map={"anger": "negative", "calm": "neutral", "joy": "positive"})
    assert mapped.score(["good"])[0].scores.label.label == "positive"


def test_a_long_text_loses_its_end_and_says_so(tmp_path: Path) -> None:
    scorer = load(write_folder(tmp_path))
    fits, cut = scorer.score(["so " * 5 + "end", "so " * 6 + "end"])
    assert (fits.tokens, fits.truncated, fits.scores.label.label) == (8, False, "neutral")
    assert (cut.tokens, cut.truncated) == (9, True)
    assert cut.scores == scorer.score(["so"])[0].scores


@pytest.mark.parametrize(("text", "unknown"), [("good good", 0), ("good zzzz", 0.5), ("so zzzzzz 😀", 0.75)])
def test_a_text_with_more_unknown_letters_than_the_limit_is_unreadable(
    tmp_path: Path, text: str, unknown: float
) -> None:
    folder = write_folder(tmp_path)
    for limit in (0.0, 0.5, 0.75, 1.0):
        (result,) = load(folder, max_unknown=limit).score([text])
        assert (result.unknown, result.unreadable) == (unknown, unknown > limit)


def test_a_unigram_tokenizer_names_its_unknown_piece_by_number(tmp_path: Path) -> None:
    pieces = [("<unk>", 0.0), ("\u2581", -1.0), ("\u2581good", -1.0), ("\u2581bad", -1.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    folder = write_folder(tmp_path)
    tokenizer.save(str(folder / "tokenizer.json"))
    known, half = load(folder).score(["good", "bad zzz"])
    assert (known.unknown, half.unknown) == (0, 0.5)


def test_a_tokenizer_without_an_unknown_piece_reads_everything(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.BPE({"g": 0, "o": 1}, []))
    folder = write_folder(tmp_path)
    tokenizer.save(str(folder / "tokenizer.json"))
    scorer = load(folder, max_unknown=0.0)
    assert scorer.unknown is None
    assert not any(one.unreadable for one in scorer.score(["go", "zzz go"]))


def test_the_closing_token_survives_the_cut(tmp_path: Path) -> None:
    from sentimon.scoring.onnx_backend import _cut

    encoding = word_tokenizer().encode("good bad so end good")
    ids, types = _cut(encoding, 4)
    assert ids == [0, 4, 5, 2]
    assert types == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("model_type", "positions", "limit"),
    [("bert", 512, 512), ("roberta", 514, 512), ("xlm-roberta", 514, 512)],
)
def test_the_limit_follows_how_the_family_counts_positions(
    tmp_path: Path, model_type: str, positions: int, limit: int
) -> None:
    folder = write_folder(tmp_path, model_type=model_type, max_position_embeddings=positions)
    assert load(folder).limit == limit


def test_a_tokenizer_that_reads_less_lowers_the_limit(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 5}', encoding="utf-8")
    assert load(folder).limit == 5


def test_padding_and_truncation_saved_with_a_tokenizer_are_turned_off(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    tokenizer = word_tokenizer()
    tokenizer.enable_padding(length=7)
    tokenizer.enable_truncation(max_length=3)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert load(folder).score(["so so so"])[0].tokens == 5


def test_no_text_and_an_empty_text_have_answers(tmp_path: Path) -> None:
    scorer = load(write_folder(tmp_path))
    assert scorer.score([]) == []
    assert scorer.score([""])[0].tokens == 2


def test_texts_are_normalised_first(tmp_path: Path) -> None:
    scorer = load(write_folder(tmp_path))
    short, long = scorer.score(["http", "https://example.org/good?bad=1"])
    assert short == long


def test_order_and_scores_do_not_depend_on_threads(tmp_path: Path) -> None:
    texts = ["good", "bad", "so", "good bad", "end"] * 20
    folder = write_folder(tmp_path)
    alone = [load(folder, threads=1).score([text])[0] for text in texts]
    assert load(folder, threads=4).score(texts) == alone


def test_the_revision_is_a_hash_of_what_is_run_whatever_the_configuration_says(tmp_path: Path) -> None:
    first = load(write_folder(tmp_path / "a", sentimon={"revision": "abc123"}))
    same = load(write_folder(tmp_path / "b"))
    assert len(first.revision) == 12
    assert first.revision == same.revision
    assert first.revision != load(write_folder(tmp_path / "c", inputs=("input_ids",))).revision


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
        ("model.onnx", b"not a model"),
        ("model.onnx", b""),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, content: bytes) -> None:
    folder = write_folder(tmp_path)
    (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match=file.replace(".", r"\.")):
        load(folder)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.onnx"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    folder = write_folder(tmp_path)
    (folder / file).unlink()
    with pytest.raises(ModelError, match=file.replace(".", r"\.")):
        load(folder)


def test_torch_is_never_imported() -> None:
    code = (
        "import sys, sentimon.scoring.onnx_backend\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_whose_files_do_not_fit_together_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "two")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["id2label"] = {"0": "negative", "1": "positive"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=r"gives 3 numbers a text, config\.json names 2 labels"):
        OnnxScorer.load(folder, name="x")


def test_a_text_of_millions_of_characters_is_cut_before_it_is_taken_apart(tmp_path: Path) -> None:
    scorer = OnnxScorer.load(write_folder(tmp_path / "model"), name="x")
    (long,), (short,) = scorer.score(["good " * 1_000_000]), scorer.score(["good " * 20_000])
    assert long.truncated
    assert long.tokens == short.tokens == 20_002
    assert long.scores == short.scores
    (blank,) = scorer.score(["good" + " " * 1_000_000])
    assert not blank.truncated
