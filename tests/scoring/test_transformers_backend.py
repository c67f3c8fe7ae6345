from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
import transformers

from sentimon.config.settings import ModelSettings
from sentimon.errors import ModelError
from sentimon.labels import Sentiment
from sentimon.scoring import tokenisation as tokens
from sentimon.scoring import transformers_backend as huggingface
from sentimon.scoring.scorer import load_scorer
from sentimon.scoring.transformers_backend import HuggingFaceScorer
from tests.support import tiny_models
from tests.support.spoilt_files import refusal

COMMIT = "3216a57f2a0d9c45a2e6c90157c20c49fb4bf9c7"
TEXTS = [
    "I love this",
    "hate it " * 40,
    "",
    "😀😀",
    "the good thing",
    "👩‍👩‍👧 \ud800 lone",
    "こんにちは، مرحبا",
    "a " * 700,
    "<pad> </s> [SEP]",
]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def cardiffnlp(models: Path) -> Path:
    return tiny_models.cardiffnlp_roberta(models / "cardiffnlp")


@pytest.fixture(scope="module")
def scorer(cardiffnlp: Path) -> HuggingFaceScorer:
    return load(cardiffnlp)


def test_unknown_letters_make_a_text_unreadable_where_the_tokenizer_has_a_piece_for_them(
    models: Path, cardiffnlp: Path
) -> None:
    texts = ["good", "good жжжж", "so жжжжж", "ж" * 200]
    found = load(tiny_models.bert(models / "bert_of_letters")).score(texts)
    assert [one.unknown for one in found] == pytest.approx([0, 0.5, 5 / 7, 1])
    assert [one.unreadable for one in found] == [False, False, True, True]
    # One of bytes knows every letter.
    assert not any(one.unknown for one in load(cardiffnlp).score(texts))


def load(folder: Path, **settings: object) -> HuggingFaceScorer:
    return HuggingFaceScorer.load(ModelSettings(name=str(folder), **settings))


def vectors(scorer: HuggingFaceScorer, texts: list[str]) -> list[tuple[float, float, float]]:
    return [one.scores.vector for one in scorer.score(texts)]


def largest_difference(left: list[tuple[float, ...]], right: list[tuple[float, ...]]) -> float:
    return max(
        abs(a - b) for one, other in zip(left, right, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_the_shape_of_the_cardiffnlp_repository_is_what_its_readers_find(cardiffnlp: Path) -> None:
    names = sorted(path.name for path in cardiffnlp.iterdir())
    config = json.loads((cardiffnlp / "config.json").read_text())
    assert " ".join(names) == "config.json merges.txt pytorch_model.bin special_tokens_map.json vocab.json"
    assert config["id2label"] == {"0": "negative", "1": "neutral", "2": "positive"}
    assert config["max_position_embeddings"] == 514
    assert config["architectures"] == ["RobertaForSequenceClassification"]


def test_a_model_in_the_shape_of_cardiffnlp_scores_as_its_network_says(
    scorer: HuggingFaceScorer, cardiffnlp: Path
) -> None:
    network = transformers.RobertaForSequenceClassification.from_pretrained(cardiffnlp).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(cardiffnlp)
    texts = ["I love this", "the good thing, @user"]
    with torch.no_grad():
        logits = [network(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
    expected = [tuple(one.softmax(dim=-1).tolist()) for one in logits]
    assert largest_difference(vectors(scorer, ["I love this", "the good thing, @bob"]), expected) < 1e-5
    assert largest_difference(expected[:1], expected[1:]) > 0.01


def test_byte_level_tokens_begin_and_end_with_the_boundary_tokens_of_roberta(
    scorer: HuggingFaceScorer,
) -> None:
    first, last = scorer.tokenizer("I love")["input_ids"][:: len("I love") + 1]
    assert (first, last) == (0, 2)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_the_same_text_has_the_same_scores_alone_and_in_any_batch(cardiffnlp: Path, batch_size: int) -> None:
    scorer = load(cardiffnlp, batch_size=batch_size)
    alone = [vectors(scorer, [text])[0] for text in TEXTS]
    assert largest_difference(vectors(scorer, TEXTS), alone) < 1e-5
    assert largest_difference(vectors(scorer, TEXTS[::-1])[::-1], alone) < 1e-5


def test_no_texts_have_no_scores(scorer: HuggingFaceScorer) -> None:
    assert scorer.score([]) == []


def test_roberta_reads_512_tokens_and_not_its_514_positions(scorer: HuggingFaceScorer) -> None:
    # A letter is a token here, and <s> and </s> come to it.
    fits, too_long = scorer.score(["x" * 510, "x" * 511])
    assert scorer.max_length == 512
    assert (fits.tokens, fits.truncated) == (512, False)
    assert (too_long.tokens, too_long.truncated) == (513, True)
    assert too_long.scores == fits.scores


def test_a_limit_of_the_tokenizer_holds_where_it_is_the_lower_one(tmp_path: Path) -> None:
    tiny_models.safetensors_roberta(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 128}')
    assert load(tmp_path).max_length == 128


def test_bert_reads_as_many_tokens_as_it_has_positions(tmp_path: Path) -> None:
    scorer = load(tiny_models.bert(tmp_path))
    fits, too_long = scorer.score(["a " * 62, "a " * 63])
    assert scorer.max_length == 64
    assert (fits.truncated, too_long.truncated, too_long.tokens) == (False, True, 65)
    assert largest_difference(vectors(scorer, TEXTS), [vectors(scorer, [text])[0] for text in TEXTS]) < 1e-5


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "😀👍🏽", "x" * 50_000, "ab " * 16_667, "\u2028\x85", "@a" * 25_000]
)
def test_any_text_gets_an_answer(scorer: HuggingFaceScorer, text: str) -> None:
    (found,) = scorer.score([text])
    assert sum(found.scores.vector) == pytest.approx(1, abs=2e-6)
    assert found.tokens >= 2


def test_a_long_text_is_tokenised_once(scorer: HuggingFaceScorer, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    tokenizer = scorer.tokenizer

    class Counting:
        def __call__(self, texts: list[str], **options: object) -> object:
            calls.append(len(texts))
            return tokenizer(texts, **options)

        def __getattr__(self, name: str) -> object:
            return getattr(tokenizer, name)

    (found,) = tokens.tokenise(["x" * 50_000], Counting(), limit=512)
    assert (calls, found.whole, len(found.ids)) == ([1], 50_002, 512)


def test_numbered_labels_and_safetensors_are_read(tmp_path: Path) -> None:
    scorer = load(tiny_models.safetensors_roberta(tmp_path))
    assert scorer.classes == (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)


def test_outputs_follow_their_names_and_not_their_places(tmp_path: Path) -> None:
    straight = load(tiny_models.cardiffnlp_roberta(tmp_path / "straight"))
    turned_names = {0: "Positive", 1: "NEG", 2: "neutral"}
    turned = load(tiny_models.cardiffnlp_roberta(tmp_path / "turned", id2label=turned_names))
    ((first, second, third),) = vectors(straight, ["I love this"])
    assert vectors(turned, ["I love this"]) == [(second, third, first)]


def test_five_stars_are_summed_into_three_classes(tmp_path: Path) -> None:
    scorer = load(tiny_models.safetensors_roberta(tmp_path, id2label=tiny_models.STARS))
    ids = torch.tensor([scorer.tokenizer("I love this")["input_ids"]])
    with torch.no_grad():
        stars = scorer.network(ids).logits[0].double().softmax(dim=-1).tolist()
    expected = (stars[0] + stars[1], stars[2], stars[3] + stars[4])
    assert largest_difference(vectors(scorer, ["I love this"]), [expected]) < 1e-5


def test_an_unknown_label_set_is_an_error_that_shows_how_to_map_it(tmp_path: Path) -> None:
    folder = tiny_models.safetensors_roberta(tmp_path, id2label=tiny_models.UNKNOWN)
    with pytest.raises(ModelError, match="sarcasm") as error:
        load(folder)
    assert '[model.label_map] with "sarcasm"' in (error.value.hint or "")
    mapped = load(folder, label_map={"sarcasm": "negative", "sincere": "positive", "Cannot say": "neutral"})
    assert mapped.classes == (Sentiment.NEGATIVE, Sentiment.POSITIVE, Sentiment.NEUTRAL)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"problem_type": "multi_label_classification"}, "multi-label"),
        ({"problem_type": "regression"}, "regression"),
        ({"id2label": {"0": "score"}}, "regression"),
        ({"architectures": ["RobertaForMaskedLM"]}, "RobertaForMaskedLM"),
        ({"model_type": "mystery"}, "cannot be loaded"),
        ({"auto_map": {"AutoConfig": "code.Config"}, "model_type": "mystery"}, "program code of its own"),
        ({"hidden_size": 64}, "cannot be loaded"),
    ],
)
def test_a_model_that_cannot_score_sentiment_says_why(tmp_path: Path, changes: dict, reason: str) -> None:
    folder = tiny_models.edit_config(tiny_models.cardiffnlp_roberta(tmp_path), **changes)
    (folder / "code.py").write_text("raise SystemExit('remote code ran')")
    with pytest.raises(ModelError, match=reason) as error:
        load(folder)
    assert str(folder) in error.value.message
    assert error.value.hint


def test_a_missing_head_is_an_error_and_not_random_numbers(tmp_path: Path) -> None:
    folder = tiny_models.cardiffnlp_roberta(tmp_path)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    torch.save(kept, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"lacks trained weights: classifier\.dense\.bias"):
        load(folder)


class Payload:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"echo run > {self.victim}",))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_pickle_is_refused_and_never_run(tmp_path: Path, zipped: bool) -> None:
    victim = tmp_path / "victim"
    folder = tiny_models.cardiffnlp_roberta(tmp_path / "model")
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    if zipped:
        torch.save({**weights, "payload": Payload(victim)}, folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(victim)))
    with pytest.raises(ModelError, match="is refused, and nothing in it was run: it is a pickle"):
        load(folder)
    assert not victim.exists()
    # The payload is a real one: a free pickle would have run it.
    pickle.loads(pickle.dumps(Payload(victim)))
    assert victim.exists()


def test_safetensors_are_preferred_to_a_pickle(tmp_path: Path) -> None:
    folder = tiny_models.safetensors_roberta(tmp_path)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(tmp_path / "victim")))
    assert load(folder).score(["fine"])
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x02{ not what it was", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7"],
)
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin", "config.json", "vocab.json"])
def test_a_damaged_file_is_an_error_that_names_the_model(tmp_path: Path, file: str, content: bytes) -> None:
    pickled = file == "pytorch_model.bin"
    folder = (tiny_models.cardiffnlp_roberta if pickled else tiny_models.safetensors_roberta)(tmp_path)
    (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be loaded|is refused") as error:
        load(folder)
    assert str(folder) in error.value.message
    assert "\n" not in error.value.message


def test_a_folder_without_a_vocabulary_or_without_weights_says_what_it_lacks(tmp_path: Path) -> None:
    folder = tiny_models.safetensors_roberta(tmp_path)
    (folder / "vocab.json").unlink()
    (folder / "merges.txt").unlink()
    with pytest.raises(ModelError, match=r"holds no vocabulary|cannot be loaded"):
        load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        load(folder)


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = tiny_models.safetensors_roberta(tmp_path)
    vocabulary = json.loads((folder / "vocab.json").read_text())
    (folder / "vocab.json").write_text(json.dumps({**vocabulary, "more": len(vocabulary)}))
    with pytest.raises(ModelError, match="the tokenizer has 270 tokens, the model only 269 embeddings"):
        load(folder)


def test_half_precision_weights_are_scored_in_float32(tmp_path: Path) -> None:
    model = tiny_models.roberta(tiny_models.NAMED).half()
    model.save_pretrained(tmp_path)
    tiny_models.write_byte_level_bpe(tmp_path)
    scorer = load(tmp_path)
    assert {weight.dtype for weight in scorer.network.parameters()} == {torch.float32}
    assert not scorer.network.training


def test_weights_that_are_not_numbers_are_an_error(tmp_path: Path) -> None:
    scorer = load(tiny_models.safetensors_roberta(tmp_path))
    torch.nn.init.constant_(scorer.network.classifier.out_proj.bias, float("nan"))
    with pytest.raises(ModelError, match="not a number"):
        scorer.score(["fine"])


def test_a_tokenizer_without_padding_scores_each_text_alone(tmp_path: Path) -> None:
    scorer = load(tiny_models.gpt2_without_padding(tmp_path))
    assert (scorer.batch_size, scorer.max_length) == (1, 32)
    assert [one.tokens for one in scorer.score(["", "abc", "x" * 40])] == [0, 3, 40]


def test_a_tokenizer_written_in_python_counts_and_truncates_alike(tmp_path: Path) -> None:
    folder = tiny_models.bertweet(tmp_path)
    scorer = load(folder)
    assert not scorer.tokenizer.is_fast
    fits, too_long, empty = scorer.score(["a " * 510, "a " * 511, ""])
    assert (fits.tokens, fits.truncated) == (512, False)
    assert (too_long.tokens, too_long.truncated, empty.tokens) == (513, True, 2)
    assert too_long.scores == fits.scores


def test_a_model_in_the_local_cache_is_found_by_its_id_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = tiny_models.hub_cache(tmp_path, "someone/tiny", COMMIT)
    tiny_models.cardiffnlp_roberta(snapshot)
    scorer = load_scorer(ModelSettings(name="someone/tiny"))
    pinned = load_scorer(ModelSettings(name="someone/tiny", revision=COMMIT))
    assert (scorer.model, scorer.revision) == ("someone/tiny", COMMIT)
    assert pinned.score(["fine"]) == scorer.score(["fine"])
    with pytest.raises(ModelError, match="someone/tiny at revision v9"):
        load_scorer(ModelSettings(name="someone/tiny", revision="v9"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nobody/no-such-model", "nobody/no-such-model is not a folder, not in the local HuggingFace cache"),
        ("./no-such-folder", "no such folder"),
        ("a/b/c", "no such folder"),
        ("not an id!", "neither a folder nor a HuggingFace id"),
    ],
)
def test_a_model_that_cannot_be_found_is_named_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=says) as error:
        HuggingFaceScorer.load(ModelSettings(name=name))
    assert error.value.hint


def test_a_folder_has_a_revision_that_can_be_pinned(tmp_path: Path) -> None:
    folder = tiny_models.safetensors_roberta(tmp_path)
    revision = load(folder).revision
    assert len(revision) == 12
    assert load(folder, revision=revision).revision == revision
    (folder / "README.md").write_text("not read by the model")
    assert load(folder).revision == revision
    tiny_models.edit_config(folder, id2label={0: "positive", 1: "neutral", 2: "negative"})
    with pytest.raises(ModelError, match=f"not at {revision}"):
        load(folder, revision=revision)


def test_a_lack_of_memory_halves_the_batch_and_changes_no_score(
    scorer: HuggingFaceScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = vectors(scorer, TEXTS)
    sizes: list[int] = []
    honest = HuggingFaceScorer._probabilities

    def cramped(self: HuggingFaceScorer, batch: list) -> list[list[float]]:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return honest(self, batch)

    monkeypatch.setattr(HuggingFaceScorer, "_probabilities", cramped)
    monkeypatch.setitem(huggingface.MAX_TOKENS, "cpu", 10_000)
    assert largest_difference(vectors(scorer, TEXTS), expected) < 1e-5
    assert max(sizes) > 2


def test_one_text_that_exceeds_the_memory_is_an_error(
    scorer: HuggingFaceScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: HuggingFaceScorer, batch: list) -> list[list[float]]:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")

    monkeypatch.setattr(HuggingFaceScorer, "_probabilities", full)
    with pytest.raises(ModelError, match="not enough memory for one text of 12 tokens"):
        scorer.score(["I love this"])


def test_a_failure_that_is_no_lack_of_memory_is_not_hidden(
    scorer: HuggingFaceScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: HuggingFaceScorer, batch: list) -> list[list[float]]:
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(HuggingFaceScorer, "_probabilities", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        scorer.score(["I love this"])


def test_threads_are_set_where_the_settings_name_a_number(cardiffnlp: Path) -> None:
    before = torch.get_num_threads()
    try:
        load(cardiffnlp, threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_nothing_is_said_on_either_stream(cardiffnlp: Path) -> None:
    program = (
        "import sys\n"
        "from sentimon.config.settings import ModelSettings\n"
        "from sentimon.scoring.scorer import load_scorer\n"
        "load_scorer(ModelSettings(name=sys.argv[1])).score(['x' * 3000, 'y', ''])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(cardiffnlp)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path.cwd(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "change",
    [
        {"is_decoder": "x"},
        {"num_attention_heads": None},
        {"intermediate_size": -5},
        {"hidden_size": 1e300},
        {"pad_token_id": None},
        {"vocab_size": []},
        {"num_hidden_layers": 0},
        {"id2label": {"0": "negative", "1": ["neutral"], "2": "positive"}},
        {"id2label": {}},
    ],
    ids=str,
)
def test_a_configuration_that_cannot_be_scores_or_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    folder = tiny_models.edit_config(tiny_models.safetensors_roberta(tmp_path), **change)
    told = refusal(lambda path: load(path).score(["so good", "", "bad " * 40]), folder)
    assert told is None or (isinstance(told, ModelError) and str(folder) in told.message and told.hint)
