import stat
from pathlib import Path

import pytest

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.monitoring.prediction_metrics import measure
from sentimon.prediction_log.privacy import Privacy
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.writer import LogWriter
from tests.rows import START, record, records

TEXT = "scrivi a anna@example.org"
MODES = ("full", "redact", "hash", "omit")


def settings(mode: str, folder: Path) -> LogSettings:
    return LogSettings(text=mode, hash_key_file=str(folder / "keys" / "hash.key"))


def privacy(mode: str, folder: Path) -> Privacy:
    return Privacy.of(settings(mode, folder))


def stored(mode: str, folder: Path, text: str = TEXT) -> PredictionRecord:
    LogWriter(folder / mode, settings(mode, folder)).append([record(0, text=text)], now=START)
    (row,) = read_log(folder / mode, zone=None)
    assert isinstance(row, PredictionRecord)
    return row


def test_each_mode_keeps_what_it_says_and_no_more(tmp_path: Path) -> None:
    assert stored("full", tmp_path).text == TEXT
    assert stored("redact", tmp_path).text == "scrivi a [email]"
    hashed = stored("hash", tmp_path)
    assert hashed.text is None
    assert len(hashed.text_hash or "") == 64
    omitted = stored("omit", tmp_path)
    assert (omitted.text, omitted.text_hash) == (None, None)
    for mode in MODES[1:]:
        assert "anna" not in (tmp_path / mode / "predictions.jsonl").read_text(encoding="utf-8")


def test_the_hash_is_the_same_for_a_text_and_needs_the_key(tmp_path: Path) -> None:
    first, again = privacy("hash", tmp_path), privacy("hash", tmp_path)
    other = privacy("hash", tmp_path / "elsewhere")
    assert first.hash(TEXT) == again.hash(TEXT) != first.hash(TEXT + "!")
    assert other.hash(TEXT) != first.hash(TEXT)
    key = tmp_path / "keys" / "hash.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text(encoding="ascii").strip()) == 64


@pytest.mark.parametrize("content", ["", "short\n"])
def test_a_key_that_hides_nothing_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "hash.key").write_text(content, encoding="ascii")
    with pytest.raises(StoreError, match="too short"):
        privacy("hash", tmp_path)


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys" / "hash.key").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"hash\.key: the key of the hash cannot be read"):
        privacy("hash", tmp_path)


def test_every_number_is_the_same_in_every_mode(tmp_path: Path) -> None:
    measured = []
    for mode in MODES:
        LogWriter(tmp_path / mode, settings(mode, tmp_path)).append(records(5, 3, 2), now=START)
        measured.append(measure(summarise(read_log(tmp_path / mode, zone=None)), confidence_level=0.95))
    assert measured == [measured[0]] * len(MODES)
