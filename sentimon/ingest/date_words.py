"""Names of months and weekdays in English, Italian, Spanish, French, German and Portuguese."""

from __future__ import annotations

from functools import cache

from sentimon.ingest.cells import plain_letters

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""For messages, January first."""

_MONTHS = (
    " ".join(MONTHS),
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "Jänner Feber Maerz April Mai Juno Julei August setiembre Oktober November Dezember",
)
_WEEKDAYS = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "lunes martes miércoles jueves viernes sábado domingo",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag Sonnabend",
    "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira",
)
_SHORTEST = 3


def month_named(word: str) -> int | None:
    """Return the month, from 1, that a name or its first three letters or more mean; None for no month.

    >>> month_named("nov"), month_named("Août"), month_named("dez.")
    (11, 8, 12)
    """
    return _months().get(plain_letters(word).rstrip("."))


def is_weekday(word: str) -> bool:
    """Return whether `word` is a weekday or its beginning; German has two letters for it.

    >>> is_weekday("Tue"), is_weekday("Di."), is_weekday("terça-feira"), is_weekday("bello")
    (True, True, True, False)
    """
    return plain_letters(word).rstrip(".") in _weekdays()


@cache
def _months() -> dict[str, int]:
    found: dict[str, set[int]] = {}
    for names in _MONTHS:
        for month, name in enumerate(plain_letters(names).split(), start=1):
            for end in range(_SHORTEST, len(name) + 1):
                found.setdefault(name[:end], set()).add(month)
    # `jui` begins two months of French.
    return {name: months.pop() for name, months in found.items() if len(months) == 1}


@cache
def _weekdays() -> frozenset[str]:
    names = [name for line in _WEEKDAYS for name in plain_letters(line).split()]
    return frozenset(name[:end] for name in names for end in range(2, len(name) + 1))
