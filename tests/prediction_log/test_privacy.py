from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.monitoring.prediction_metrics import measure
from sentimon.prediction_log.privacy import Privacy, redact
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


MASKED = [
    ("mail anna.rossi+shop@mail.example.org!", "mail [email]!"),
    ("guarda (https://example.org/a?b=1), bello", "guarda ([url]), bello"),
    ("WWW.example.org.", "[url]."),
    ("(@anna @bob_1", "([mention] [mention]"),
    (".@carla ha ragione", ".[mention] ha ragione"),
    ("IBAN IT60 X054 2811 1010 0000 0123 456 grazie", "IBAN [iban] grazie"),
    ("it60x0542811101000000123456", "[iban]"),
    ("GB82WEST12345698765432", "[iban]"),
    ("carta 4111 1111 1111 1111, scade", "carta [card], scade"),
    ("5500-0000-0000-0004", "[card]"),
    ("ip 192.168.1.254.", "ip [ip]."),
    ("da 2001:db8::ff00:42:8329 e ::1", "da [ip] e [ip]"),
    ("chiama +39 333 1234567 o 02/12345678", "chiama [phone] o [phone]"),
    ("(555) 123-4567", "[phone]"),
    ("0039.06.6982", "[phone]"),
    ("333 1234567 / 347 7654321", "[phone]"),
    ("+39 333 1234567 - 347 7654321 ciao", "[phone] ciao"),
    ("il 2026-10-12 347 7654321", "il 2026-10-12 [phone]"),
    ("12/10/26 (333 1234567)", "12/10/26 ([phone])"),
    ("ore 10:30 3331234567", "ore 10:30 [phone]"),
    ("333 1234567 9:00", "[phone] 9:00"),
    ("a 10.50 3331234567", "a 10.50 [phone]"),
    ("tel.3331234567, Tel.02/1234567", "tel.[phone], Tel.[phone]"),
    ("333\u00a0123\u202f4567", "[phone]"),
    ("333–123–4567", "[phone]"),
    ("３３３１２３４５６７", "[phone]"),
    ("3331234567anna e 333_1234567", "[phone]anna e [phone]"),
    ("(chiama 3331234567)", "(chiama [phone])"),
    ("(3331234567)", "([phone])"),
    ("(+39) 333 1234567", "[phone]"),
    ("4111-1111-1111-1112", "[phone]"),
]


KEPT = [
    "ordine 4471 del 2026-09-07, ore 10:30:45",
    "nato il 07/09/2026",
    "costa 1.234.567,89 euro",
    "versione 10.2.3",
    "IT61X0542811101000000123456",
    "12345678",
    "taglie 38 40 42 44 46",
    "aperto 9-13 15-19 20-22",
    "dal 12/10/26 - 14/10/26",
    "1 000 000 000 di dollari, 12.345.678.901 lire",
    "pi greco 3.14159265358",
    "il 3 5 7 9 11 13 15 17 19",
    "versione 1.2.3.4",
    "a@b e @ da solo",
    "3 stelle su 5, 100%",
    "perché no? 😀 :: ok",
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_what_identifies_a_person_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_what_does_not_stays(text: str) -> None:
    assert redact(text) == text


def test_a_wrong_card_number_is_no_card() -> None:
    assert "[card]" not in redact("4111 1111 1111 1112")


@pytest.mark.parametrize("text", ["@anna@example.org", "@a@b", "@0@0@0"])
def test_a_name_on_another_server_is_masked_as_a_whole(text: str) -> None:
    assert redact(f"ask {text}!") == "ask [mention]!"


@given(st.text(alphabet="ab1@.:/-+ ()[]\n0", max_size=60))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "unit", ["1", "1 ", "a@", "@a", "a.", "1.", "+1-", ":", "a", "(", "IT60", "www.", "1:"]
)
def test_long_runs_of_one_thing_do_not_take_quadratic_time(unit: str) -> None:
    # No clock here: with a pattern that takes quadratic time this test would not end for hours.
    assert redact(unit * 200_000)
