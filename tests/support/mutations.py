"""Mutants of a module: its source with one operator, number or statement changed; which of them are harmless.

No kept tool fits: mutmut leaves out properties and all that is outside functions, cosmic-ray and mutatest
write each mutant into the checkout and start a new Python for it, and none draws so many of each module.
"""

from __future__ import annotations

import ast
import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HARMLESS_LIST = ROOT / "tests/equivalent_mutants.toml"

_ARITHMETIC = {
    ast.Add: (r"\+", "-"),
    ast.Sub: (r"-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: (r"/", "*"),
    ast.FloorDiv: (r"//", "*"),
    ast.Mod: (r"%", "*"),
    ast.Pow: (r"\*\*", "*"),
    ast.BitAnd: (r"&", "|"),
    ast.BitOr: (r"\|", "&"),
}
"""The sign of each operator, and what it becomes."""
_COMPARISONS = {
    ast.Lt: (r"<", ("<=", ">")),
    ast.LtE: (r"<=", ("<", ">")),
    ast.Gt: (r">", (">=", "<")),
    ast.GtE: (r">=", (">", "<")),
    ast.Eq: (r"==", ("!=",)),
    ast.NotEq: (r"!=", ("==",)),
    ast.Is: (r"is", ("is not",)),
    ast.IsNot: (r"is\s+not", ("is",)),
    ast.In: (r"in", ("not in",)),
    ast.NotIn: (r"not\s+in", ("in",)),
}
_CALLS = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "ceil": "floor",
    "floor": "ceil",
    "abs": "+",
    "sqrt": "fabs",
}
"""Functions that are called by another name; `+(x)` is x."""
_WITHOUT_MEANING = {"strict", "frozen", "kw_only", "slots"}
"""Arguments that only guard against mistakes of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A change of one place of a module."""

    module: str
    """The path in the checkout."""
    number: int
    """Of the line, from 1."""
    line: str
    """The line, without its indentation."""
    mutated: str
    """The changed line, likewise."""
    function: int | None
    """The first line of the function that the place is in; None where it runs on import."""
    start: int
    end: int
    """The place, in bytes of the source."""
    text: str
    """What stands there instead."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the list of the harmless ones knows it by."""
        return self.module, self.line, self.mutated

    def source(self) -> str:
        """Return the source of the module, changed."""
        return self.changed((ROOT / self.module).read_bytes()).decode()

    def changed(self, source: bytes) -> bytes:
        """Return `source`, changed."""
        return source[: self.start] + self.text.encode() + source[self.end :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """A mutant that no test can kill, and why."""

    module: str
    line: str
    mutated: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it."""
        return self.module, self.line, self.mutated


def harmless_mutants(path: Path = HARMLESS_LIST) -> list[Harmless]:
    """Return the entries of the list."""
    return [Harmless(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]]


def stale_entries(entries: list[Harmless]) -> list[Harmless]:
    """Return the entries of which there is no such mutant any more."""
    modules = {entry.module for entry in entries}
    keys = {
        mutant.key
        for module in modules
        if (ROOT / module).exists()
        for place in mutants_of(module)
        for mutant in place
    }
    return [entry for entry in entries if entry.key not in keys]


def sample(module: str, count: int, seed: int) -> list[Mutant]:
    """Return a mutant each of `count` places of a module, drawn at random; of fewer, if it has fewer.

    A larger sample has those of a smaller one in it.
    """
    draw = random.Random(f"{seed} {module}")
    places = mutants_of(module)
    draw.shuffle(places)
    return sorted((draw.choice(place) for place in places[:count]), key=lambda mutant: mutant.start)


def mutants_of(module: str) -> list[list[Mutant]]:
    """Return the mutants of a module, by place; `module` is its path in the checkout."""
    source = (ROOT / module).read_bytes()
    places = _Places(source)
    places.visit(ast.parse(source))
    found = []
    for function, start, end, texts in places.found:
        one = [_mutant(module, source, function, start, end, text) for text in texts]
        found.append(one)
    return found


def _mutant(module: str, source: bytes, function: int | None, start: int, end: int, text: str) -> Mutant:
    at = source.rfind(b"\n", 0, start) + 1
    number = source.count(b"\n", 0, start) + 1
    changed = source[:start] + text.encode() + source[end:]
    return Mutant(
        module=module,
        number=number,
        line=_line(source, at),
        mutated=_line(changed, at),
        function=function,
        start=start,
        end=end,
        text=text,
    )


def _line(source: bytes, at: int) -> str:
    return source[at:].split(b"\n", 1)[0].decode().strip()


class _Places(ast.NodeVisitor):
    """Collects (function, start, end, other texts) of each place that can be changed."""

    def __init__(self, source: bytes) -> None:
        self.found: list[tuple[int | None, int, int, list[str]]] = []
        self._source = source
        self._function: int | None = None
        self._lines = [0]
        for line in source.split(b"\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def _add(self, start: int, end: int, *texts: str) -> None:
        self.found.append((self._function, start, end, list(texts)))

    def _between(self, start: int, end: int, sign: str, *texts: str) -> None:
        """Add the sign that stands between two operands."""
        between = self._source[start:end].decode()
        # A comment or a bracket may stand there, too.
        match = (
            re.search(rf"(?<![\w#]){sign}(?!\w)", between) if sign[0].isalpha() else re.search(sign, between)
        )
        assert match is not None, between
        at = start + len(between[: match.start()].encode())
        self._add(at, at + len(match.group().encode()), *texts)

    def _all(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)

    # Statements.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        outer = self._function
        self._function = first_line(node)
        self._all(node.body)
        self._function = outer

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all(node.body)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        sign, other = _ARITHMETIC[type(node.op)]
        self._between(self._end(node.target), self._start(node.value), sign, other)
        self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self._add(self._start(node), self._end(node), "pass")
        self.visit(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._add(self._start(node.value), self._end(node.value), "None")
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._add(self._start(node), self._end(node), "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self._add(self._start(node), self._end(node), "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._add(self._start(node), self._end(node), "break")

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._condition(node.test)
        self.generic_visit(node)

    # Expressions.

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    def _condition(self, node: ast.expr) -> None:
        """Turn a condition round that no operator turns round."""
        if not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
            start, end = self._start(node), self._end(node)
            self._add(start, end, f"(not {self._source[start:end].decode()})")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in _ARITHMETIC and not isinstance(node.left, ast.JoinedStr):
            sign, other = _ARITHMETIC[type(node.op)]
            self._between(self._end(node.left), self._start(node.right), sign, other)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, node.comparators, strict=False):
            sign, others = _COMPARISONS[type(operator)]
            self._between(self._end(left), self._start(right), sign, *others)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        sign, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(self._end(left), self._start(right), sign, other)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        start = self._start(node)
        if isinstance(node.op, ast.Not):
            self._add(start, start + len("not"), "")
        elif isinstance(node.op, ast.USub):
            self._add(start, start + 1, "+")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value, place = node.value, (self._start(node), self._end(node))
        if isinstance(value, bool):
            self._add(*place, str(not value))
        elif isinstance(value, int):
            self._add(*place, str(value + 1), *([str(value - 1)] if value else []))
        elif isinstance(value, float):
            self._add(*place, repr(value * 2 if value else 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        name, start, end = node.func, self._start(node.func), self._end(node.func)
        if isinstance(name, ast.Attribute) and name.attr in _CALLS and name.attr != "abs":
            self._add(end - len(name.attr), end, _CALLS[name.attr])
        elif isinstance(name, ast.Name) and name.id in _CALLS:
            self._add(start, end, _CALLS[name.id])
        self.visit(node.func)
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg not in _WITHOUT_MEANING:
                self.visit(keyword.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        # Before Python 3.12 places inside are not told.
        return


def first_line(node: ast.FunctionDef) -> int:
    """Return the first line of a function, that of its first decorator."""
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def modules_of(paths: list[str]) -> Iterator[str]:
    """Yield the modules of the rooms or files in `paths`, as paths in the checkout."""
    for path in paths:
        whole = ROOT / path
        files = sorted(whole.glob("*.py")) if whole.is_dir() else [whole]
        yield from (str(file.relative_to(ROOT)) for file in files if file.name != "__init__.py")
