from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentimon.config.settings import InputSettings
from sentimon.errors import DataError
from sentimon.evaluation.datasets import LabelledText, load_labelled
from sentimon.labels import Sentiment
from sentimon.prediction_log.slice_fields import SliceField

NEGATIVE, NEUTRAL, POSITIVE = Sentiment
THREE = [("bad", NEGATIVE), ("a table", NEUTRAL), ("good", POSITIVE)]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def jsonl(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def loaded(
    source: str, *, text_column: str = "", label_column: str = "", **options: str
) -> list[LabelledText]:
    return load_labelled(source, InputSettings(text_column=text_column, label_column=label_column), **options)  # type: ignore[arg-type]


def pairs(source: str, **options: str) -> list[tuple[str, Sentiment]]:
    return [(row.text, row.label) for row in loaded(source, **options)]


def failure(source: str, **options: str) -> DataError:
    with pytest.raises(DataError) as error:
        loaded(source, **options)
    assert error.value.hint
    return error.value


def test_jsonl_csv_tsv_json_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label.label} for text, label in THREE]
    jsonl(tmp_path / "a.jsonl", *rows)
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    for name, separator in (("a.csv", ","), ("a.tsv", "\t")):
        lines = [separator.join(row.values()) for row in rows]
        (tmp_path / name).write_text("\n".join([separator.join(rows[0]), *lines]) + "\n", encoding="utf-8")
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for kind in ("jsonl", "json", "csv", "tsv", "parquet"):
        assert pairs(str(tmp_path / f"a.{kind}")) == THREE, kind


def test_rows_come_as_labelled_texts(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", {"text": "good", "label": "Positivo"})
    assert load_labelled(source) == [LabelledText(text="good", label=POSITIVE)]


@pytest.mark.parametrize("text", ["text", "sentence", "tweet", "content"])
@pytest.mark.parametrize("label", ["label", "labels", "sentiment", "feeling"])
def test_the_usual_columns_are_found(tmp_path: Path, text: str, label: str) -> None:
    source = jsonl(tmp_path / "a.jsonl", {"id": "x", text: "good", label: "POS", "more": [1]})
    assert pairs(source) == [("good", POSITIVE)]


def test_named_columns_come_before_the_usual_ones(tmp_path: Path) -> None:
    row = {"text": "no", "label": "negative", "body": "yes", "gold": "positive"}
    source = jsonl(tmp_path / "a.jsonl", row)
    assert pairs(source, text_column="body", label_column="gold") == [("yes", POSITIVE)]


def test_a_missing_column_is_an_error_that_lists_what_there_is(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", {"blob": "x", "label": "negative"})
    error = failure(source)
    assert "no column has a usual name of a column of texts" in error.message
    assert error.hint == "name it with --text-column: blob, label"
    assert "no column 'gold'" in failure(source, text_column="blob", label_column="gold").message


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([0, 1, 2], [NEGATIVE, NEUTRAL, POSITIVE]),
        (["2", "0", "1"], [POSITIVE, NEGATIVE, NEUTRAL]),
        ([-1, 0, 1], [NEGATIVE, NEUTRAL, POSITIVE]),
        (["-1", "1", "0"], [NEGATIVE, POSITIVE, NEUTRAL]),
        ([2.0, 0.0, 1.0], [POSITIVE, NEGATIVE, NEUTRAL]),
        (["POS", "Negativo", "neu"], [POSITIVE, NEGATIVE, NEUTRAL]),
        ([0, 2, 2], [NEGATIVE, POSITIVE, POSITIVE]),
        (["4 stars", "★☆☆☆☆", "3/5"], [POSITIVE, NEGATIVE, NEUTRAL]),
    ],
)
def test_labels_are_read_as_names_or_as_places(
    tmp_path: Path, written: list, expected: list[Sentiment]
) -> None:
    source = jsonl(tmp_path / "a.jsonl", *({"text": "x", "label": label} for label in written))
    assert [label for _, label in pairs(source)] == expected


def test_numbers_in_a_csv_are_places_too_and_not_the_names_that_a_word_0_would_be(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nx,0\nx,1\nx,2\n", encoding="utf-8")
    assert [label for _, label in pairs(str(tmp_path / "a.csv"))] == list(Sentiment)


@pytest.mark.parametrize(
    "labels", [[0, 1], [1, 2], [1, 2, 3], [1, 5], [2], [True, False], [0, 1, "positive"]]
)
def test_numbers_that_may_mean_several_things_are_an_error_of_the_file(
    tmp_path: Path, labels: list[object]
) -> None:
    source = jsonl(tmp_path / "a.jsonl", *({"text": "x", "label": label} for label in labels))
    assert failure(source).message.startswith(f"{source}: the label column has ")
    assert "--label-map" in str(failure(source).hint)


def test_the_class_names_of_a_data_set_say_what_its_numbers_mean(tmp_path: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["pos", "neg"])}
    )
    rows = {"text": ["good", "bad"], "label": [0, 1]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "a.parquet")
    assert pairs(str(tmp_path / "a.parquet")) == [("good", POSITIVE), ("bad", NEGATIVE)]
    other = datasets.Features({**features, "label": datasets.ClassLabel(names=["joy", "anger"])})
    datasets.Dataset.from_dict(rows, features=other).to_parquet(tmp_path / "b.parquet")
    assert (
        "values without a class (rows of each): 'anger' (1), 'joy' (1)"
        in failure(str(tmp_path / "b.parquet")).message
    )
    stars = datasets.Features({**features, "label": datasets.ClassLabel(names=["1", "2"])})
    datasets.Dataset.from_dict(rows, features=stars).to_parquet(tmp_path / "c.parquet")
    assert "has the numbers 1, 2, which do not say" in failure(str(tmp_path / "c.parquet")).message


def test_bad_rows_are_all_counted_and_the_first_three_named_with_the_reason(tmp_path: Path) -> None:
    labels = ["positive", "meh", None, "LABEL_0", "negative", "neu", ["x"], "joy"]
    source = jsonl(
        tmp_path / "a.jsonl",
        *({"text": "x", "label": label} for label in labels),
        {"text": 3, "label": "neu"},
    )
    error = failure(source)
    assert error.message == (
        f"{source}: 5 of 9 rows are bad: row 2: unknown label 'meh'; row 4: unknown label 'LABEL_0'; "
        "row 7: unknown label ['x']; and 2 more"
    )


def test_rows_without_a_text_or_a_label_are_left_out_and_counted(tmp_path: Path) -> None:
    texts: list[tuple[str | None, str | None]] = [
        ("x", "neutral"), ("", "neutral"), (None, "neutral"), (" \t", "neutral"), ("y", None), ("z", "N/A"),
    ]  # fmt: skip
    source = jsonl(tmp_path / "a.jsonl", *({"text": text, "label": label} for text, label in texts))
    said: list[str] = []
    assert [one.text for one in load_labelled(source, say=said.append)] == ["x"]
    assert said == [f"{source}: 5 of 6 rows left out, for they have no text or no label"]
    nothing = jsonl(tmp_path / "b.jsonl", {"text": "", "label": "neutral"})
    assert failure(nothing).message.endswith("no row has a text and a label")


def test_what_spreadsheets_take_for_missing_is_a_text_here(tmp_path: Path) -> None:
    texts = ["NA", "null", "None", "nan", "007", "1e5", "true"]
    lines = "".join(f'"{text}",neutral\n' for text in texts)
    (tmp_path / "a.csv").write_text("text,label\n" + lines, encoding="utf-8")
    assert [text for text, _ in pairs(str(tmp_path / "a.csv"))] == texts


def test_a_byte_order_mark_quotes_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    content = '\ufefftext,label\r\n"one, ""two""\nthree",positive\r\nè bello,negative\r\n'
    (tmp_path / "a.csv").write_bytes(content.encode())
    assert pairs(str(tmp_path / "a.csv")) == [('one, "two"\nthree', POSITIVE), ("è bello", NEGATIVE)]
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "x", "label": "neutral"}\r\n')
    assert pairs(str(tmp_path / "a.jsonl")) == [("x", NEUTRAL)]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5
    )
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_written(tmp_path: Path, texts: list[str]) -> None:
    # One word more in each: pyarrow takes a column of nothing but dates for dates.
    expected = [f"a {text}" for text in texts]
    source = jsonl(tmp_path / "a.jsonl", *({"text": text, "label": "neutral"} for text in expected))
    assert [text for text, _ in pairs(source)] == expected


def test_a_file_that_changed_is_read_again_and_nothing_is_left_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    source = jsonl(path, {"text": "one", "label": "neutral"})
    before = path.stat()
    assert pairs(source) == [("one", NEUTRAL)]
    jsonl(path, {"text": "two", "label": "neutral"})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert pairs(source) == [("two", NEUTRAL)]
    assert list(Path.cwd().iterdir()) == []
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").rglob("*.arrow"))


@pytest.mark.parametrize("name", ["odd [1] *name?.jsonl", "a::b.jsonl", "spa ce.JSONL"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert pairs(jsonl(tmp_path / name, {"text": "x", "label": "neutral"})) == [("x", NEUTRAL)]


def test_a_relative_name_and_the_home_folder_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    jsonl(Path("a.jsonl"), {"text": "x", "label": "neutral"})
    jsonl(tmp_path / "b.jsonl", {"text": "y", "label": "neutral"})
    assert pairs("a.jsonl") + pairs("~/b.jsonl") == [("x", NEUTRAL), ("y", NEUTRAL)]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", b'{"text": "x", "label": "neutral"}\n{"text": "torn', "a.jsonl:2: not valid JSON"),
        ("a.jsonl", b'{"text": "x", "label": "neutral"}\n{"text": "\xff"}\n', "a.jsonl:2: not valid UTF-8"),
        ("a.jsonl", b"\x89PNG\r\n\x1a\n\x00\x01", "a.jsonl: is no text, it looks like an image"),
        ("a.json", b"[1, 2", "a.json:3: not valid JSON: the list ends"),
        ("a.csv", b"text,label\nx,neutral\nx,neutral,z,y\n", "line 3: has 4 cells"),
        ("a.csv", b'text,label\nx,neutral\n"never closed,neutral\n', "from line 3 on"),
        ("a.csv", b"text,label\nna\xefve,neutral\n", "a.csv:2: not valid UTF-8"),
        ("a.csv", b"text,label,text\nx,neutral,y\n", "the column 'text' appears twice"),
        ("a.csv", b"text,label\n", "no rows"),
        ("a.csv", b"text,label\nx\n", "no row has a text and a label"),
        ("a.parquet", b"PAR1 not really", "a.parquet: not a valid Parquet file"),
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b"\n\n", "no rows"),
        ("a.txt", b"x\n", "no column has a usual name of a column of labels"),
        ("a.docx", b"PK", ".docx files are not known"),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = failure(str(path))
    assert says in error.message
    assert str(path) in error.message
    assert "\n" not in error.message


def test_a_missing_file_a_folder_and_a_split_of_a_file_are_errors(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", {"text": "x", "label": "neutral"})
    assert "no such file" in failure(str(tmp_path / "none.csv")).message
    assert "no such file" in failure("./no-such-thing").message
    assert "is a folder" in failure(str(tmp_path)).message
    assert "has no split 'test'" in failure(source, split="test").message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", {"text": "x", "label": "neutral"})
    Path(source).chmod(0)
    assert "Permission denied" in failure(source).message


def test_a_data_set_that_cannot_be_found_is_an_error_with_a_hint() -> None:
    assert "nobody/no-such-data-set" in failure("nobody/no-such-data-set").message
    assert "not a name!" in failure("not a name!").message


def hub(monkeypatch: pytest.MonkeyPatch, *splits: str) -> list[tuple[str, str | None]]:
    """Have the hub hold one data set with these splits; return the list of what is asked of it."""
    asked: list[tuple[str, str | None]] = []

    def load_dataset(name: str, configuration: str | None) -> datasets.DatasetDict:
        asked.append((name, configuration))
        rows = {split: {"text": [split], "label": ["neutral"]} for split in splits}
        return datasets.DatasetDict({split: datasets.Dataset.from_dict(row) for split, row in rows.items()})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_the_test_split_of_a_hub_data_set_is_the_default_and_the_only_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = hub(monkeypatch, "train", "test")
    assert pairs("owner/tweets:sentiment") == [("test", NEUTRAL)]
    assert pairs("owner/tweets", split="train") == [("train", NEUTRAL)]
    assert asked == [("owner/tweets", "sentiment"), ("owner/tweets", None)]
    hub(monkeypatch, "train")
    assert pairs("owner/tweets") == [("train", NEUTRAL)]


def test_segments_come_from_a_column_of_the_hub_too_also_where_it_holds_places_of_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features = datasets.Features(
        text=datasets.Value("string"),
        label=datasets.ClassLabel(names=["negative", "neutral", "positive"]),
        language=datasets.ClassLabel(names=["en", "it"]),
        part=datasets.Value("string"),
    )
    rows = {"text": ["a", "b"], "label": [0, 2], "language": [1, None], "part": ["x", None]}
    data = datasets.DatasetDict({"test": datasets.Dataset.from_dict(rows, features=features)})
    monkeypatch.setattr(datasets, "load_dataset", lambda *_: data)

    def values(name: str) -> list[str | None]:
        return [one.slices.get(name) for one in load_labelled("o/t", fields=(SliceField(name),))]

    assert values("language") == ["it", "(missing)"]
    assert values("part") == ["x", "(missing)"]
    assert values("nothing") == [None, None]
    assert values("label") == ["negative", "positive"]
    assert values("@length") == ["0-19", "0-19"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_each_text_knows_its_values_of_columns_and_of_what_is_told_from_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_text(
            "text,label,shop,model\ngood,positive,rome,m\n" + "x" * 20 + ",negative,,\n", encoding="utf-8"
        )
    else:
        rows = [
            {"text": "good", "label": "positive", "shop": "rome", "model": "m", "a": {"b": 3}},
            {"text": "x" * 20, "label": "negative", "shop": "", "a": [1]},
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    names = ("shop", "@length", "@model", "a.b", "nowhere")
    first, second = load_labelled(str(path), fields=tuple(map(SliceField, names)))
    common = {"shop": "rome", "@length": "0-19", "@model": "m"}
    assert first.slices == (common if name.endswith("csv") else common | {"a.b": "3"})
    assert (second.slices["@length"], second.slices["@model"]) == ("20-49", "(missing)")
    assert second.slices["shop"] in ("(empty)", "(missing)")


def test_a_split_that_does_not_exist_is_an_error_that_lists_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub(monkeypatch, "train", "dev")
    assert failure("owner/tweets").hint == "use --split with one of: train, dev"
    assert "has no split 'gold'" in failure("owner/tweets", split="gold").message


def test_the_hub_client_s_notes_stay_off_the_streams_and_its_level_is_put_back(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    client = logging.getLogger("huggingface_hub.utils._http")

    def load_dataset(name: str, configuration: str | None) -> datasets.DatasetDict:
        client.warning("Retrying in 8s")
        warnings.warn("a note of a library", stacklevel=1)
        raise ConnectionError(f"Couldn't reach {name}\nand so on")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    level = client.getEffectiveLevel()
    assert failure("owner/tweets").message == "owner/tweets cannot be loaded: Couldn't reach owner/tweets"
    assert capfd.readouterr() == ("", "")
    assert client.getEffectiveLevel() == level


def test_nothing_is_said_on_either_stream_and_torch_is_not_loaded(tmp_path: Path) -> None:
    good = jsonl(tmp_path / "a.jsonl", {"text": "x", "label": "neutral"})
    (tmp_path / "b.csv").write_bytes(b"text,label\nx,neutral\nx,neutral,z,y\n")
    program = (
        "import sys\n"
        "from sentimon.errors import DataError\n"
        "from sentimon.evaluation.datasets import load_labelled\n"
        "assert load_labelled(sys.argv[1])\n"
        "try: load_labelled(sys.argv[2])\n"
        "except DataError: pass\n"
        "else: raise SystemExit(9)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, good, str(tmp_path / "b.csv")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_table_with_semicolons_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text;label\nbello, bello;Positivo\n", encoding="utf-8")
    (row,) = load_labelled(str(path))
    assert (row.text, row.label) == ("bello, bello", Sentiment.POSITIVE)
