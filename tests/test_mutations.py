"""The mutants that `make mutants` tries, and the list of those that change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.mutations import (
    Harmless,
    harmless_mutants,
    modules_of,
    mutants_of,
    sample,
    stale_entries,
)

SOURCE = '''"""Numbers: 1 + 1."""
LIMIT = 2.5
def share(a: int, b: int = 3, *, strict: bool = True) -> float:
    """Divide 1 by 2."""
    if a and not b:
        raise ValueError(f"{a + 1}")
    rows.append(zip(a, b, strict=True))
    return max(a, -1) / b if a <= b else 0
'''


@pytest.fixture
def module(tmp_path: Path) -> str:
    path = tmp_path / "module.py"
    path.write_text(SOURCE, encoding="utf-8")
    return str(path)


def test_each_operator_number_and_statement_is_changed_and_no_text_annotation_or_guard(module: str) -> None:
    changed = {(one.number, one.mutated) for place in mutants_of(module) for one in place}
    whole = "return max(a, -1) / b if a <= b else 0"
    assert changed == {
        (2, "LIMIT = 5.0"),
        (3, "def share(a: int, b: int = 4, *, strict: bool = True) -> float:"),
        (3, "def share(a: int, b: int = 2, *, strict: bool = True) -> float:"),
        (3, "def share(a: int, b: int = 3, *, strict: bool = False) -> float:"),
        (5, "if a or not b:"),
        (5, "if a and  b:"),
        (6, "pass"),
        (7, "pass"),
        (8, "return None"),
        (8, whole.replace("max", "min")),
        (8, whole.replace("-1", "+1")),
        (8, whole.replace("1", "2")),
        (8, whole.replace("1", "0")),
        (8, whole.replace("/", "*")),
        (8, whole.replace("<=", "<")),
        (8, whole.replace("<=", ">")),
        (8, whole.replace("else 0", "else 1")),
    }
    for place in mutants_of(module):
        for one in place:
            compile(one.source(), module, "exec")


def test_what_runs_on_import_belongs_to_no_function(module: str) -> None:
    of_line = {one.number: one.function for place in mutants_of(module) for one in place}
    assert of_line == {2: None, 3: None, 5: 3, 6: 3, 7: 3, 8: 3}


def test_the_same_seed_draws_the_same_mutants_of_other_places(module: str) -> None:
    drawn = sample(module, 5, 1)
    assert drawn == sample(module, 5, 1)
    # Of an expression and its first part both begin at one place.
    assert len({(one.start, one.end) for one in drawn}) == 5
    assert drawn != sample(module, 5, 2)
    assert set(drawn) < set(sample(module, 7, 1))
    assert len(sample(module, 1000, 1)) == len(mutants_of(module))


def test_a_room_is_all_its_modules_and_a_module_is_itself() -> None:
    found = list(modules_of(["sentimon/statistics", "sentimon/prediction_log/summary.py"]))
    assert found == [*sorted(found[:-1]), "sentimon/prediction_log/summary.py"]
    assert "sentimon/statistics/dispersion.py" in found
    assert not [one for one in found if "__init__" in one]


def test_an_entry_is_stale_once_its_line_has_changed(module: str) -> None:
    entry = Harmless(module=module, line="LIMIT = 2.5", mutated="LIMIT = 5.0", reason="nobody reads it")
    other = Harmless(module=module, line="LIMIT = 3.5", mutated="LIMIT = 7.0", reason="nobody reads it")
    assert stale_entries([entry, other]) == [other]


def test_the_list_of_harmless_mutants_holds_none_that_is_gone_and_none_without_a_reason() -> None:
    entries = harmless_mutants()
    assert stale_entries(entries) == []
    assert len({entry.key for entry in entries}) == len(entries)
    assert all(len(entry.reason) > 10 for entry in entries)
