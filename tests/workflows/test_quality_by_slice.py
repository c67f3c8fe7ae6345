"""Quality of a log by the slices of its rows: measured on labels, and estimated without."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from sentimon.errors import UsageError
from sentimon.gold_labels.gold_label import ID, GoldLabel
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.slice_fields import parse_conditions
from sentimon.prediction_log.slices import OTHER
from sentimon.scoring.scores import Scores
from sentimon.statistics.intervals import wilson
from sentimon.statistics.score_scaling import softmax
from sentimon.workflows.labelling import draw_to_label
from sentimon.workflows.opening import open_workspace
from sentimon.workflows.quality import estimate_quality, measure_quality
from sentimon.workflows.workspace import Workspace
from tests.support.in_process import said
from tests.support.rows import START, lines, record

pytestmark = pytest.mark.usefixtures("few_resamples")
NOW = START + timedelta(days=30)
DRAW = START + timedelta(days=10)


def labelled(row: PredictionRecord, *, wrong: bool = False, probability: float | None = None) -> GoldLabel:
    return GoldLabel(
        key=(ID, str(row.id)),
        label=Sentiment((row.sentiment + wrong) % 3),
        timestamp=DRAW + timedelta(days=1),
        probability=probability,
        draw=None if probability is None else DRAW,
    )


def log_of(folder: Path, rows: Iterable[PredictionRecord], labels: Iterable[GoldLabel]) -> Workspace:
    folder.mkdir(exist_ok=True)
    (folder / "predictions.jsonl").write_text(lines(row.to_dict() for row in rows), encoding="utf-8")
    (folder / "labels.jsonl").write_bytes(b"".join(one.to_line() + b"\n" for one in labels))
    return open_workspace(folder, now=NOW)


def rows_of(channel: str | None, count: int, *, first: int) -> list[PredictionRecord]:
    extra = {} if channel is None else {"channel": channel}
    return [record(number % 3, number, id=str(number), extra=extra) for number in range(first, first + count)]


@pytest.fixture(scope="module")
def few_resamples() -> Iterator[None]:
    """Intervals from a few resamples: rougher, and sooner there."""
    with mock.patch("sentimon.evaluation.estimate_bootstrap.RESAMPLES", 20):
        yield


@pytest.fixture
def log(tmp_path: Path) -> Workspace:
    """200 rows of app, 100 of them labelled and 10 wrong; 60 of mail, 20 and 10; 30 without, none."""
    app, mail = rows_of("app", 200, first=0), rows_of("mail", 60, first=200)
    labels = [labelled(row, wrong=number < 10) for number, row in enumerate(app[:100])]
    labels += [labelled(row, wrong=number < 10) for number, row in enumerate(mail[:20])]
    return log_of(tmp_path / "logs", [*app, *mail, *rows_of(None, 30, first=260)], labels)


def test_each_slice_has_its_accuracy_with_wilsons_interval_and_few_labels_are_marked(log: Workspace) -> None:
    by = measure_quality(log, by="channel").by
    assert by is not None
    found = [(one.value, one.quality.n, one.rows, one.quality.accuracy, one.few) for one in by.slices]
    none = wilson(0, 0)
    assert found == [
        ("app", 100, 200, wilson(90, 100), False),
        ("mail", 20, 60, wilson(10, 20), True),
        ("(missing)", 0, 30, none, True),
    ]
    assert (by.field, by.values) == ("channel", 3)


def test_a_slice_is_what_the_rows_are_that_where_leaves_also_with_drawn_labels(tmp_path: Path) -> None:
    rows = [row for first, name in enumerate(("app", "mail")) for row in rows_of(name, 90, first=90 * first)]
    labels = [
        labelled(row, wrong=place % 4 == 0, probability=(None, 0.2, 0.7)[place % 3])
        for place, row in enumerate(rows)
    ]
    log = log_of(tmp_path, rows, labels)
    by = measure_quality(log, by="channel").by
    assert by is not None
    for one in by.slices:
        alone = measure_quality(log.narrowed(parse_conditions([f"channel={one.value}"], origin="--where")))
        assert (one.quality, one.rows) == (alone.quality, alone.rows)
        assert one.quality.weighted


def test_values_with_the_fewest_rows_are_one_slice_and_nothing_is_lost(tmp_path: Path) -> None:
    sizes = {"a": 40, "b": 30, "c": 20, "d": 10}
    rows: list[PredictionRecord] = []
    for name, count in sizes.items():
        rows += rows_of(name, count, first=len(rows))
    log_of(tmp_path, rows, [labelled(row) for row in rows[::2]])
    by = measure_quality(open_workspace(tmp_path, now=NOW, segments__most_values=2), by="channel").by
    assert by is not None
    assert [(one.value, one.quality.n, one.rows) for one in by.slices] == [
        ("a", 20, 40),
        ("b", 15, 30),
        (OTHER, 15, 30),
    ]


def test_a_field_that_no_row_has_is_named_with_those_that_there_are(log: Workspace) -> None:
    for ask in (measure_quality, estimate_quality):
        with pytest.raises(UsageError, match="no row of that period has the field chanel") as caught:
            ask(log, by="chanel")
        assert "channel" in str(caught.value.hint)


def test_the_command_shows_and_writes_what_the_workflow_returns(log: Workspace) -> None:
    code, text = said("metrics", "--quality", "--by", "channel", "--logs", str(log.folder))
    assert (code, "By channel" in text, "* too few labels for a verdict" in text) == (4, True, True)
    assert "mail* 20/60 0.500" in " ".join(text.split())
    _, text = said("metrics", "--quality", "--by", "channel", "--logs", str(log.folder), "--json")
    (app, mail, missing) = json.loads(text)["by"]["slices"]
    assert (app["labels"], app["rows"], app["too_few_labels"]) == (100, 200, False)
    assert app["error_rate"] == pytest.approx(
        {"value": 0.1, "low": wilson(10, 100).low, "high": wilson(10, 100).high, "n": 100}
    )
    assert (mail["error_rate"]["value"], mail["too_few_labels"]) == (0.5, True)
    assert (missing["labels"], missing["accuracy"]["value"], missing["error_rate"]["value"]) == (
        0,
        None,
        None,
    )


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Four channels: app with labels, web without, mail whose scores are muddled, fax with few rows."""
    random = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("scored")
    rows, labels = [], []
    for channel, count, clear in (("app", 300, 2.5), ("web", 200, 2.5), ("mail", 150, 0.2), ("fax", 9, 2.5)):
        for gold in map(int, random.choice(3, count)):
            (vector,) = softmax((clear * np.eye(3)[gold] + random.normal(size=3))[None])
            scores = Scores.from_probabilities(vector.tolist())
            place, number = scores.label, len(rows)
            rows.append(
                record(
                    place,
                    number,
                    scores.confidence,
                    scores=scores,
                    id=str(number),
                    text=None,
                    extra={"channel": channel},
                )
            )
            if channel == "app":
                labels.append(GoldLabel(key=(ID, str(number)), label=Sentiment(gold), timestamp=DRAW))
    return log_of(folder, rows, labels)


def test_a_slice_is_estimated_from_its_own_labels_or_from_all_or_says_why_not(scored: Workspace) -> None:
    found = estimate_quality(scored, by="channel")
    assert found.by is not None
    app, web, mail, fax = found.by.slices
    assert [one.value for one in found.by.slices] == ["app", "web", "mail", "fax"]
    assert (app.own_labels, web.own_labels) == (True, False)
    for one in (app, web):
        assert one.estimates is not None
        assert one.estimates.learnt is not None
        accuracy = one.estimates.learnt.accuracy
        assert accuracy.n == one.rows
        assert accuracy.low is not None
        assert accuracy.low > 0.75
    assert mail.estimates is not None
    assert (mail.estimates.learnt, mail.estimates.trust.scores_fit) == (None, False)
    assert (fax.estimates, fax.few, fax.lacking) == (None, True, "too few rows for a verdict")
    # Dividing the rows changes nothing of the answer about all of them.
    assert found.estimates == estimate_quality(scored).estimates


def test_the_estimates_of_slices_are_shown_with_what_makes_one_impossible(scored: Workspace) -> None:
    arguments = ("metrics", "--estimate", "--by", "channel", "--logs", str(scored.folder))
    _, text = said(*arguments)
    words = " ".join(text.split())
    assert "By channel, estimated without labels" in words
    assert "mail: The scores fit no mixture of the labelled classes" in words
    assert "fax: too few rows for a verdict." in words
    assert "+ learnt from the labels of all rows" in words
    _, text = said(*arguments, "--json")
    app, web, mail, fax = json.loads(text)["by"]["slices"]
    assert [one["learnt_from"] for one in (app, web)] == ["own labels", "all labels"]
    assert mail["estimates"]["trustworthy"] is False
    assert (fax["estimates"], fax["lacking"]) == (None, "too few rows for a verdict")


def test_label_next_draws_from_each_slice_and_the_labels_come_back_with_their_weights(
    tmp_path: Path,
) -> None:
    """2,000 rows of app, of which a tenth is wrong; 40 of mail, of which half are: both estimated well."""
    rows = [*rows_of("app", 2000, first=0), *rows_of("mail", 40, first=2000)]
    log = log_of(tmp_path / "logs", rows, [])
    sheet = draw_to_label(log, tmp_path / "s.csv", n=200, strategy="random", by="channel")
    assert sheet.by is not None
    # Half of 200 evenly, half by rows: 50 + 98 and 50 + 2, of which mail has but 40.
    assert [(one.value, one.rows, one.drawn) for one in sheet.by] == [("app", 2000, 160), ("mail", 40, 40)]
    wrong = {str(row.id) for row in rows if int(row.id or 0) % (10 if int(row.id or 0) < 2000 else 2) == 0}
    labels = [
        GoldLabel(
            key=one.key,
            label=Sentiment((one.record.sentiment + (one.key[1] in wrong)) % 3),
            timestamp=NOW,
            probability=one.probability,
            draw=NOW,
        )
        for one in sheet.draw.rows
    ]
    found = measure_quality(log_of(tmp_path / "logs", rows, labels), by="channel")
    assert found.by is not None
    app, mail = (one.quality.accuracy.value for one in found.by.slices)
    assert mail == 0.5
    assert app == pytest.approx(0.9, abs=0.07)
    # The whole is that of all rows, not that of the labelled ones, of which a fifth are mail.
    assert found.quality.accuracy.value == pytest.approx((2000 * (app or 0) + 20) / 2040, abs=0.01)


def test_the_draw_by_slice_says_what_it_drew_and_refuses_fewer_rows_than_slices(log: Workspace) -> None:
    arguments = ("label", "next", "--by", "channel", "--logs", str(log.folder), "--output")
    code, text = said(*arguments, str(log.folder.parent / "a.csv"), "-n", "20", "--json")
    assert (code, json.loads(text)["by"]) == (
        0,
        {
            "field": "channel",
            "slices": [
                {"value": "app", "unlabelled": 100, "drawn": 9},
                {"value": "mail", "unlabelled": 40, "drawn": 6},
                {"value": "(missing)", "unlabelled": 30, "drawn": 5},
            ],
        },
    )
    with pytest.raises(UsageError, match="-n 2 is fewer than the 3 slices"):
        draw_to_label(log, log.folder.parent / "b.csv", n=2, by="channel")
