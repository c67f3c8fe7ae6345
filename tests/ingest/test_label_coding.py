from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError, UsageError
from sentimon.ingest.class_names import class_of_rating, named_class, rated_class
from sentimon.ingest.label_coding import LabelCoding, LabelCodingFinder, label_key, parse_label_map
from sentimon.labels import TWO, Sentiment

NEGATIVE, NEUTRAL, POSITIVE = Sentiment


def finder(
    values: list[object], labels: str = "", label_map: str = "", names: list[str] | None = None
) -> LabelCodingFinder:
    started = LabelCodingFinder(labels, parse_label_map(label_map) if label_map else {}, names)
    for value in values:
        started.add(value)
    return started


def found(values: list[object], **options: object) -> LabelCoding:
    return finder(values, **options).found()  # type: ignore[arg-type]


def read(values: list[object], **options: object) -> list[Sentiment]:
    coding = found(values, **options)
    return [coding.read(value) for value in values]


def refusal(values: list[object], **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        found(values, **options)
    assert "--label" in str(caught.value.hint)
    return caught.value


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ("negative NEG Negativo negativa négatif Négative negativ NEGATIVE,very_negative,molto negativo", 0),
        ("neutral NEU neutro Neutra neutrale neutre Neutral", 1),
        ("positive POS Positivo positiva positif Positive positiv,Extremely Positive,sehr positiv", 2),
    ],
)
def test_the_names_of_the_classes_are_known_in_six_languages(names: str, place: int) -> None:
    simple, *strong = names.split(",")
    assert {named_class(f" {name} ") for name in [*simple.split(), *strong]} == {Sentiment(place)}


@pytest.mark.parametrize(
    "name",
    ["mixed", "LABEL_0", "label_2", "very neutral", "somewhat", "", "good", "0", "n" * 10**6, "positive!"],
)
def test_a_name_that_is_not_certain_means_no_class(name: str) -> None:
    assert named_class(name) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 star", NEGATIVE), ("2 Stars", NEGATIVE), ("3 stelle", NEUTRAL), ("5 étoiles", POSITIVE),
        ("4,5 estrellas", POSITIVE), ("4 Sterne", POSITIVE), ("1 stella", NEGATIVE), ("5-star", POSITIVE),
        ("★★★★", POSITIVE), ("★★☆☆☆", NEGATIVE), ("⭐️⭐️⭐️", NEUTRAL), ("4/5", POSITIVE),
        ("4.0 out of 5 stars", POSITIVE),
        ("6/10", NEUTRAL), ("7 / 10", POSITIVE), ("2 su 5", NEGATIVE), ("3.5/5", NEUTRAL),
        ("6 stars", None), ("0 stars", None), ("11/10", None), ("4/6", None), ("★★☆", None), ("4", None),
        ("٤ stars", None), ("3.7/5", None), ("4/10/2026", None), ("★" * 60, None),
    ],
)  # fmt: skip
def test_a_rating_that_names_its_scale_is_read(text: str, expected: Sentiment | None) -> None:
    assert rated_class(text) is expected


def test_each_rating_has_the_class_that_the_documentation_says() -> None:
    five = [class_of_rating(Decimal(one) / 2, 5) for one in range(1, 11)]
    assert five == [NEGATIVE] * 4 + [NEUTRAL] * 3 + [POSITIVE] * 3
    ten = [class_of_rating(Decimal(one), 10) for one in range(1, 11)]
    assert ten == [NEGATIVE] * 4 + [NEUTRAL] * 2 + [POSITIVE] * 4
    outside = [Decimal(one) for one in ("0", "5.5", "6", "-1", "3.7")]
    assert {class_of_rating(one, 5) for one in outside} == {None}


@pytest.mark.parametrize(
    ("values", "name", "classes"),
    [
        (["positive", "neg", "Neutro"], "names", [2, 0, 1]),
        (["negative", "positive"], "names", [0, 2]),
        ([0, 1, 2], "numbers 0, 1, 2", [0, 1, 2]),
        ([0, 2], "numbers 0, 1, 2", [0, 2]),
        (["2", " 0 ", "1.0"], "numbers 0, 1, 2", [2, 0, 1]),
        ([2.0, 0.0, Decimal(1)], "numbers 0, 1, 2", [2, 0, 1]),
        ([-1, 0, 1], "numbers -1, 0, 1", [0, 1, 2]),
        (["-1", "1"], "numbers -1, 0, 1", [0, 2]),
        (["4 stars", "1/5", "★★★"], "names", [2, 0, 1]),
    ],
)
def test_what_is_certain_is_read(values: list[object], name: str, classes: list[int]) -> None:
    assert found(values).name == name
    assert read(values) == classes


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3, 4, 5], [1, 2, 3], [0, 1], [1, 2], [0, 4], list(range(11)), ["1", "2"], [0], [1], [2], [-1],
        [-1, 0], [0, 1, 2, 3], [-1, 0, 1, 2], [0.5], [0, 1, 1.5, 2], ["1.0", "3.0"], [4.5], [-2, 2],
    ],
    ids=str,
)  # fmt: skip
def test_any_other_numbers_are_refused_with_the_options_that_decide(values: list[object]) -> None:
    error = refusal(values)
    numbers = ", ".join(label_key(value) for value in sorted(values, key=lambda one: float(str(one)))[:10])
    assert error.message.startswith(f"the label column has the numbers {numbers}")
    assert "--labels stars (1 to 5)" in str(error.hint)
    assert "--label-map " in str(error.hint)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0, 1, 2, "positive"], "has the numbers 0, 1, 2 beside names such as 'positive'"),
        (["5 stars", 3], "has the numbers 3 beside names such as '5 stars'"),
        ([True, False], "has True, which names no class"),
        (["TRUE", "false"], "has 'TRUE', which names no class"),
        (["joy", "anger", "joy"], "without a class (rows of each): 'joy' (2), 'anger' (1)"),
        (["LABEL_0", "LABEL_1"], "'LABEL_0' (1), 'LABEL_1' (1)"),
        ([["positive"]], "['positive'] (1)"),
        (["\x1b[31mred"], r"'\x1b[31mred' (1)"),
        (["x" * 10**6], "'xxx"),
        ([f"name {at}" for at in range(5000)], "and 990 more"),
        ([10**5000], "a value of type int that is too long to print (1)"),
        (["٢", "٠"], "'٠' (1), '٢' (1)"),
        ([math.inf], "inf (1)"),
    ],
    ids=count(),
)  # fmt: skip
def test_what_says_no_class_is_refused_as_a_whole(values: list[object], says: str) -> None:
    error = refusal(values)
    assert says in error.message
    assert len(error.message) < 900
    assert error.message.isprintable()


def test_a_name_without_a_class_among_others_is_one_bad_value() -> None:
    coding = found(["positive", "mixed"])
    assert coding.read("positive") is POSITIVE
    with pytest.raises(DataError, match="unknown label 'mixed'") as caught:
        coding.read("mixed")
    assert "--label-map" in str(caught.value.hint)
    with pytest.raises(DataError, match="label 7 is none of 0, 1, 2"):
        found([0, 2]).read(7)


@pytest.mark.parametrize("nothing", [None, "", " ", math.nan, "nan", "NULL", "NA", "n/a"])
def test_a_missing_label_is_counted_and_says_nothing(nothing: object) -> None:
    evidence = finder([0, nothing, 2.0])
    assert (evidence.unlabelled, evidence.found().name) == (1, "numbers 0, 1, 2")
    assert evidence.found().is_unlabelled(nothing)
    assert not evidence.found().is_unlabelled(0)
    with pytest.raises(DataError, match="no label"):
        evidence.found().read(nothing)
    assert found([nothing]).name == "names"


def test_counts_are_of_rows_by_label_however_it_is_written() -> None:
    assert finder([1, "1", 1.0, "Good", " GOOD", None, 2]).counts == {"1": 3, "good": 2, "2": 1}


def test_stars_are_read_where_that_is_said() -> None:
    assert read([1, 2.0, "3", 4, "4.5", 5], labels="stars") == [0, 0, 1, 2, 2, 2]
    assert read([1, 4, 5, 6, "7", 10], labels=" Stars10 ") == [0, 0, 1, 1, 2, 2]
    coding = found([1, 5], labels="stars")
    assert (coding.name, coding.legend) == ("stars 1 to 5", "1-2 negative, 3 neutral, 4-5 positive")
    assert read([1, "5 stars", "negative"], labels="stars") == [0, 2, 0]
    assert "(rows of each): 0 (1), 8 (2)" in refusal([0, 8, 8, 3], labels="stars").message.replace(
        "8 (2), 0 (1)", "0 (1), 8 (2)"
    )
    with pytest.raises(DataError, match="label 6 is no rating from 1 to 5"):
        coding.read(6)


@pytest.mark.parametrize(
    ("labels", "values", "classes"),
    [
        ("negative,neutral,positive", [1, 2, 3], [0, 1, 2]),
        ("negative,neutral,positive", [0, 1], [0, 1]),
        ("positive,neutral,negative", ["0", "2"], [2, 0]),
        ("neg, pos", [0, 1], [0, 2]),
        ("neg, pos", [1, 2], [0, 2]),
        ("negative,negative,neutral,positive,positive", [1, 5], [0, 2]),
        ("negative,neutral,positive", [1, 3, "positive"], [0, 2, 2]),
    ],
)
def test_a_list_names_the_classes_of_codes_that_count_from_0_or_1(
    labels: str, values: list[object], classes: list[int]
) -> None:
    assert read(values, labels=labels) == classes


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1, 2], "has the numbers 1, 2: both 0 to 2 and 1 to 3 may be meant"),
        ([0, 3], "has the numbers 0, 3: neither 0 to 2 nor 1 to 3 may be meant"),
        ([-1, 0, 1], "neither"),
        ([1, 2.5], "neither"),
    ],
)
def test_a_list_that_may_begin_at_0_or_at_1_is_refused(values: list[object], says: str) -> None:
    assert says in refusal(values, labels="negative,neutral,positive").message


@pytest.mark.parametrize(
    "labels", ["star", "negative", "good,bad", "1=negative,2=positive", "negative,", "\x1b"]
)
def test_labels_that_are_neither_a_scale_nor_a_list_are_a_usage_error(labels: str) -> None:
    with pytest.raises(UsageError, match="neither a scale nor a list") as caught:
        LabelCodingFinder(labels)
    assert "stars10" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("label_map", "values", "classes"),
    [
        ("1=negative,2=neutral,3=positive", [1, "2", 3.0, "1.0"], [0, 1, 2, 0]),
        ("Good=positive,BAD=Negativo,a=b=neu", ["good", " bad ", "GOOD", "a=b"], [2, 0, 2, 1]),
        ("mixed=neutral", ["mixed", "positive"], [1, 2]),
        ("positive=negative,negative=positive", ["positive", "negative"], [0, 2]),
        ("true=positive,false=negative", [True, "False"], [2, 0]),
        ("0=negative,1=positive", [0, 1, "neutral"], [0, 2, 1]),
        ("LABEL_0=negative,LABEL_1=pos", ["label_0", "LABEL_1"], [0, 2]),
        ("1=LABEL_0,2=négatif", [1, 2], [0, 0]),
    ],
)
def test_a_label_map_comes_first(label_map: str, values: list[object], classes: list[int]) -> None:
    assert read(values, label_map=label_map) == classes
    assert found(values, label_map=label_map).name.startswith("map")


def test_a_map_and_a_scale_share_the_work() -> None:
    coding = found([0, 1, 5], labels="stars", label_map="0=neutral")
    assert [coding.read(value) for value in (0, 1, 5)] == [NEUTRAL, NEGATIVE, POSITIVE]
    assert coding.name == "map and stars 1 to 5"
    assert coding.legend == "0 neutral; 1-2 negative, 3 neutral, 4-5 positive"


@pytest.mark.parametrize(
    ("label_map", "values", "says"),
    [
        ("1=negative", [1, 2, 2, 3], "(rows of each): 2 (2), 3 (1)"),
        ("joy=positive", ["joy", "anger"], "'anger' (1)"),
        ("joy=positive", ["joy", 0, 1, 2], "0 (1), 1 (1), 2 (1)"),
    ],
)
def test_a_map_that_leaves_a_value_out_is_refused_with_the_rows_of_each(
    label_map: str, values: list[object], says: str
) -> None:
    assert says in refusal(values, label_map=label_map).message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is not VALUE=CLASS"),
        ("1", "'1' is not VALUE=CLASS"),
        ("=negative", "is not VALUE=CLASS"),
        ("1=negative,", "'' is not VALUE=CLASS"),
        ("1=great", "'1' is 'great', which is no class"),
        ("1=", "'1' is '', which is no class"),
        ("1=negative,1.0=positive", "gives '1.0' two classes: negative and positive"),
        ("a=neg,A=pos", "gives 'A' two classes"),
        ("\x1b=x", r"'\x1b' is 'x'"),
    ],
)
def test_a_label_map_that_cannot_be_read_is_a_usage_error(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_label_map(text)
    assert says in caught.value.message
    assert caught.value.hint


def test_a_map_of_the_configuration_is_checked_too_and_may_repeat_itself() -> None:
    assert parse_label_map("1=neg, 1.0 = negative") == {"1": "neg", "1.0": "negative"}
    given: Mapping[str, str] = {"1": "negative", " 1.0 ": "positive"}
    with pytest.raises(UsageError, match="two classes"):
        LabelCodingFinder(label_map=given)


def test_the_class_names_of_a_file_say_what_its_numbers_mean() -> None:
    assert read([0, 1, 1.0], names=["pos", "neg"]) == [POSITIVE, NEGATIVE, NEGATIVE]
    assert found([0], names=["pos", "neg"]).name == "class names of the file"
    evidence = finder([0, -1, None], names=["pos", "neg"])
    assert evidence.unlabelled == 2
    assert evidence.found().is_unlabelled(-1)
    assert evidence.counts == {"pos": 1}
    with pytest.raises(DataError, match="place 7 of 2 classes"):
        evidence.found().read(7)


def test_class_names_that_are_numbers_are_as_ambiguous_as_numbers() -> None:
    assert "the numbers 1, 2, which" in refusal([0, 1], names=["1", "2"]).message
    assert read([0, 1], names=["0", "1", "2"]) == [NEGATIVE, NEUTRAL]
    assert read([0, 4], names=list("12345"), labels="stars") == [NEGATIVE, POSITIVE]
    assert read([0, 1], names=["1", "2"], label_map="1=negative,2=positive") == [NEGATIVE, POSITIVE]


def test_names_of_classes_that_no_row_has_do_not_matter() -> None:
    assert read([0], names=["negative", "unknown"]) == [NEGATIVE]


words = st.sampled_from(
    ["positive", "Neg", "neutro", "mixed", "5 stars", "3/5", "nan", "", "LABEL_0", "true", "yes"]
)
numbers = st.integers(-2, 6) | st.floats() | st.integers(-1, 2).map(str) | st.integers(-1, 2).map(float)
values = st.lists(words | numbers | st.none() | st.booleans() | st.text(max_size=5), max_size=6)
options = st.sampled_from(["", "stars", "stars10", "negative,neutral,positive"])
maps = st.sampled_from(["", "mixed=neutral,true=positive,false=negative", "1=negative,2=neutral,3=positive"])


@given(values, options, maps, st.randoms())
def test_the_order_of_labels_makes_no_difference_and_each_is_read_or_named(
    column: list[object], labels: str, label_map: str, random: object
) -> None:
    def outcome(order: list[object]) -> tuple[object, ...]:
        evidence = finder(order, labels, label_map)
        counts = evidence.counts, evidence.unlabelled
        assert sum(counts[0].values()) + counts[1] == len(order)
        try:
            coding = evidence.found()
        except DataError as error:
            assert_plain(error)
            return ("refused", *counts)
        return (coding, *counts, *sorted(Counter(outcome_of(coding, one) for one in order).items()))

    shuffled = list(column)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(shuffled) == outcome(column)


def outcome_of(coding: LabelCoding, value: object) -> str:
    try:
        return coding.read(value).label
    except DataError as error:
        assert_plain(error)
        return "unlabelled" if coding.is_unlabelled(value) else "bad"


def assert_plain(error: DataError) -> None:
    assert error.message.isprintable()
    assert len(error.message) < 500
    assert error.hint


def of_two(values: list[object], labels: str = "") -> LabelCoding:
    started = LabelCodingFinder(labels, present=TWO)
    for value in values:
        started.add(value)
    return started.found()


@pytest.mark.parametrize("codes", [(0, 1), (-1, 1), ("0", "1.0"), (0.0, 1)])
def test_of_two_classes_two_codes_are_certain(codes: tuple[object, object]) -> None:
    coding = of_two(list(codes))
    assert [coding.read(code) for code in codes] == [NEGATIVE, POSITIVE]


@pytest.mark.parametrize("numbers", [[0], [1], [0, 1, 2], [-1, 0, 1], [1, 2]])
def test_of_two_classes_other_numbers_are_asked_about(numbers: list[object]) -> None:
    with pytest.raises(DataError, match="do not say which class each one is") as error:
        of_two(numbers)
    assert "--labels negative,positive" in str(error.value.hint)


@pytest.mark.parametrize("label", ["neutral", "Neutro", "3 stars"])
def test_a_name_of_the_third_class_is_no_label_of_two(label: str) -> None:
    coding = of_two(["positive", label])
    assert coding.read("positive") is POSITIVE
    with pytest.raises(DataError, match="is neutral, a class that is not there"):
        coding.read(label)


def test_the_middle_of_a_scale_has_no_class_of_two() -> None:
    assert of_two([1, 2, 4, 5], "stars").read(5) is POSITIVE
    with pytest.raises(DataError, match=r"without a class \(rows of each\): 3 \(1\)"):
        of_two([1, 3, 5], "stars")
    with pytest.raises(UsageError, match="said to mean neutral"):
        of_two([0, 1], "negative,neutral,positive")
