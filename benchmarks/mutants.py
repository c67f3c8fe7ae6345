"""Which mutants of the formulas do their tests not notice? A seeded sample, or all of them.

    python benchmarks/mutants.py [--seed 1] [--each 12] [--all | --listed] [--jobs 2] [MODULE ...]

MODULE is a path such as sentimon/statistics or sentimon/monitoring/incident.py; by default all of ROOMS. Each
mutant is a copy of a module with one operator, number or statement changed, in a process of its own that is
forked from one with the libraries loaded; nothing is written into the checkout. It is killed when a test of
the module's own room fails, or needs far more processor time than without it. The tests that call the
changed function run, the quickest first.

The survivors are printed as path:line, the line and the changed line. The exit code is 1 where less than 95 %
of a sample are killed, without those that tests/equivalent_mutants.toml lists with the reason why they change
nothing, and where an entry of that list is stale. With --listed those in the list are tried instead, and none
may be killed.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import contextlib
import gc
import json
import os
import pkgutil
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import _pytest
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.mutations import (  # noqa: E402
    Mutant,
    first_line,
    harmless_mutants,
    modules_of,
    mutants_of,
    sample,
    stale_entries,
)

ROOMS = {
    "sentimon/monitoring": "tests/monitoring",
    "sentimon/statistics": "tests/statistics",
    "sentimon/prediction_log/summary.py": "tests/prediction_log/test_summary*.py",
}
"""The tests of each room."""
ENOUGH = 0.95
SEED = 1
EACH = 12
"""Places of each module, of which one mutant each is tried."""

_PRELOADED = (
    *("numpy", "scipy.stats", "scipy.optimize", "sklearn.metrics", "msgspec", "rich.console", "typer"),
    *("hypothesis", "_hypothesis_pytestplugin"),
)
_WITHOUT_DOCTESTS = ("-o", "addopts=--strict-markers -m 'not slow'")
_MEMORY = 8 << 30
_STARTING_SECONDS = 60.0
"""Processor time that loading the tests may take."""
_ALLOWANCE = 10, 5.0
"""Processor time of a test, as a multiple of what it takes without a mutant, and seconds more."""
_MOST_SECONDS = 900
"""Nothing takes as long, unless it sleeps for ever."""


@dataclass(frozen=True)
class Room:
    """Tests that pass, and what each of them calls."""

    seconds: dict[str, float]
    """Processor time of each test."""
    calls: dict[str, dict[int, list[str]]]
    """Per module what calls each function, by its first line: tests, and files of tests on import."""


def main() -> None:
    """Try mutants and print those that survive."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=list(ROOMS))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--each", type=int, default=EACH, help="places of each module")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every mutant of every place")
    which.add_argument("--listed", action="store_true", help="those that are listed as harmless")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        sys.exit(_run(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(arguments: argparse.Namespace, folder: Path) -> int:
    entries = harmless_mutants()
    stale = stale_entries(entries)
    for entry in stale:
        print(f"{entry.module}: no such mutant any more: {entry.line} -> {entry.mutated}")
    listed = {entry.key for entry in entries}
    chosen = [mutant for module in modules_of(arguments.modules) for mutant in _drawn(module, arguments)]
    tried = [mutant for mutant in chosen if (mutant.key in listed) == arguments.listed]
    _prepare(folder)
    rooms = {tests: _learn(tests, folder) for tests in sorted({_tests_of(one.module) for one in tried})}
    started = time.monotonic()
    killed: list[Mutant] = []
    for mutant, is_killed in _outcomes(tried, rooms, folder, arguments.jobs):
        if is_killed:
            killed.append(mutant)
        if is_killed == arguments.listed:
            print(f"{mutant.module}:{mutant.number}\n  - {mutant.line}\n  + {mutant.mutated}", flush=True)
    share = len(killed) / len(tried) if tried else 1.0
    for module, count in Counter(mutant.module for mutant in tried).items():
        print(f"{sum(one.module == module for one in killed):5} of {count:<5} {module}")
    print(
        f"{len(killed)} of {len(tried)} killed, {share:.1%}; "
        f"{len(chosen) - len(tried)} not tried; {time.monotonic() - started:.0f} s"
    )
    return int(bool(killed) if arguments.listed else share < ENOUGH) or int(bool(stale))


def _drawn(module: str, arguments: argparse.Namespace) -> list[Mutant]:
    if arguments.all or arguments.listed:
        return [one for place in mutants_of(module) for one in place]
    return sample(module, arguments.each, arguments.seed)


def _prepare(folder: Path) -> None:
    """Load the libraries, and send what Python and the libraries write into `folder`."""
    os.chdir(ROOT)
    sys.pycache_prefix = str(folder / "bytecode")
    os.environ |= {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name in (*_PRELOADED, *(f"_pytest.{one.name}" for one in pkgutil.iter_modules(_pytest.__path__))):
        import_module(name)
    # What is there now is looked at by no later collection of garbage, of which each process does several.
    gc.freeze()


def _tests_of(module: str) -> str:
    return next(tests for room, tests in ROOMS.items() if module.startswith(room))


# What the tests do without a mutant.


class _Watch:
    """A plugin of pytest that notes the processor time of each test and the functions of ours that it calls.

    Each function tells that it is called: to trace all calls takes several times as long.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self.seconds: dict[str, float] = {}
        self.called: dict[tuple[str, int], set[str]] = {}
        self._test = ""
        self._modules = {_name(module): module for module in modules}

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        sys.meta_path.insert(0, self)
        vars(builtins)["_called"] = lambda *place: self.called.setdefault(place, set()).add(self._test)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        outer, self._test = self._test, collector.nodeid.split("::")[0]
        result = yield
        self._test = outer
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        started, self._test = time.process_time(), item.nodeid
        result = yield
        self.seconds[item.nodeid], self._test = time.process_time() - started, ""
        return result

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return a module that tells which of its functions are called."""
        module = self._modules.get(name)
        return None if module is None else _spec(name, module, _telling(module))


def _telling(module: str) -> ast.Module:
    tree = ast.parse((ROOT / module).read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            told = ast.parse(f"_called({module!r}, {first_line(node)})").body
            place = 0 if ast.get_docstring(node) is None else 1
            node.body[place:place] = [ast.copy_location(one, node.body[0]) for one in told]
            for one in told:
                ast.fix_missing_locations(one)
    return tree


def _learn(tests: str, folder: Path) -> Room:
    """Return what the tests of a room call; they have to pass."""
    modules = [module for module in modules_of(list(ROOMS)) if _tests_of(module) == tests]
    files = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(tests))]
    answer = folder / "learnt.json"

    def learn() -> int:
        watch = _Watch(modules)
        code = _run_tests([*files, *modules], [watch], folder / "learning")
        calls: dict[str, dict[int, list[str]]] = {}
        for (module, line), names in watch.called.items():
            calls.setdefault(module, {})[line] = sorted(names)
        answer.write_text(json.dumps({"seconds": watch.seconds, "calls": calls}), encoding="utf-8")
        return code

    _, status = os.waitpid(_forked(learn, folder / "learning.txt"), 0)
    if status:
        sys.exit((folder / "learning.txt").read_text(encoding="utf-8") + f"\n{tests} has to pass first")
    known = json.loads(answer.read_text(encoding="utf-8"))
    calls = {
        module: {int(line): names for line, names in found.items()}
        for module, found in known["calls"].items()
    }
    return Room(seconds=known["seconds"], calls=calls)


# What they do with one.


def _outcomes(
    mutants: Sequence[Mutant], rooms: dict[str, Room], folder: Path, jobs: int
) -> Iterator[tuple[Mutant, bool]]:
    """Yield each mutant and whether it is killed, `jobs` of them at a time."""
    waiting = list(enumerate(mutants))[::-1]
    running: dict[int, tuple[Mutant, Path]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            number, mutant = waiting.pop()
            room, own = rooms[_tests_of(mutant.module)], folder / f"{number}"
            if tests := _tests_that_call(mutant, room):
                running[_start(mutant, tests, room, own)] = mutant, own
            else:
                yield mutant, False
        if not running:
            continue
        process, status = os.wait()
        mutant, own = running.pop(process)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) in (3, 5):
            sys.exit(Path(f"{own}.txt").read_text(encoding="utf-8") + f"\nthe tests cannot run: {mutant}")
        shutil.rmtree(own, ignore_errors=True)
        yield mutant, status != 0


def _tests_that_call(mutant: Mutant, room: Room) -> list[str]:
    """Return the tests that may notice a mutant, the quickest first."""
    known = room.calls.get(mutant.module, {})
    if mutant.function is None or _is_cached(mutant):
        # What a module makes on import shows in the tests of all modules that import it.
        line = f"from {_name(mutant.module)} import"
        importing = [one for one in room.calls if line in (ROOT / one).read_text(encoding="utf-8")]
        callers = [names for one in (mutant.module, *importing) for names in room.calls.get(one, {}).values()]
    else:
        callers = [known.get(mutant.function, [])]
    found = {name for names in callers for name in names}
    return sorted(
        (name for name in room.seconds if name in found or name.split("::")[0] in found),
        key=lambda name: room.seconds[name],
    )


def _start(mutant: Mutant, tests: Sequence[str], room: Room, own: Path) -> int:
    """Start the tests of a mutant and return the process."""

    def test() -> int:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        signal.alarm(_MOST_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, _STARTING_SECONDS)
        files = sorted({name.split("::")[0] for name in tests})
        plain = () if any(name.startswith("sentimon/") for name in files) else _WITHOUT_DOCTESTS
        plugins = [_Chosen(tests, room.seconds), _Instead(mutant)]
        return _run_tests(["-x", "--assert=plain", *plain, *files], plugins, own)

    return _forked(test, Path(f"{own}.txt"))


def _is_cached(mutant: Mutant) -> bool:
    assert mutant.function is not None
    lines = (ROOT / mutant.module).read_text(encoding="utf-8").split("\n")
    return "cache" in lines[mutant.function - 1]


class _Instead:
    """A plugin of pytest that loads the changed module in the place of the real one."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        # Before the finder of pytest, to which `fisher_test` looks like a file of tests.
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the changed module, if it is the one that is asked for."""
        module = self._mutant.module
        return _spec(name, module, self._mutant.source()) if name == _name(module) else None


def _name(module: str) -> str:
    return module.removesuffix(".py").replace("/", ".")


def _spec(name: str, module: str, source: str | ast.Module) -> ModuleSpec | None:
    file = str(ROOT / module)
    return spec_from_file_location(name, file, loader=_Changed(name, file, source))


class _Changed(SourceFileLoader):
    """Loads another source than the one in the file."""

    def __init__(self, name: str, path: str, source: str | ast.Module) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Chosen:
    """A plugin of pytest that runs some tests, in that order, each as long as it may."""

    def __init__(self, names: Sequence[str], seconds: dict[str, float]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._seconds = seconds

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places),
            key=lambda item: self._places[item.nodeid],
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        times, more = _ALLOWANCE
        signal.setitimer(signal.ITIMER_PROF, self._seconds[nodeid] * times + more)


def _run_tests(arguments: Sequence[str], plugins: Sequence[Any], folder: Path) -> int:
    return int(
        pytest.main(
            [
                *("-q", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", "--hypothesis-seed=0"),
                *("-W", "ignore::pytest.PytestAssertRewriteWarning", f"--basetemp={folder}", *arguments),
            ],
            plugins=[*plugins],
        )
    )


def _forked(work: Callable[[], int], output: Path) -> int:
    """Do some work in a process of its own, with its output in a file, and return the process."""
    sys.stdout.flush()
    if process := os.fork():
        return process
    code = 3
    try:
        with output.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            with contextlib.suppress(KeyboardInterrupt):
                code = work()
            sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
