"""Which functions, classes and values does a changed module have otherwise?"""

from __future__ import annotations

import ast
import copy
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

PieceKind = Literal["function", "method", "class", "value", "module level"]
PieceHow = Literal["added", "removed", "changed", "docstring only"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Piece:
    """A part of a module by qualified name; `module level` has no name of its own."""

    name: str
    kind: PieceKind
    how: PieceHow

    @property
    def says(self) -> str:
        return f"{self.name or self.kind} {self.how}"


def compare_modules(was: bytes, now: bytes) -> list[Piece] | None:
    """The pieces that differ between two texts of a module, in the order of the newer text.

    Empty where only comments, blank lines or layout differ; None where either text is no Python that this interpreter
    reads. A class is its bases, decorators, attributes and docstring; its methods stand for themselves.
    """
    one, two = _parsed(was), _parsed(now)
    if one is None or two is None:
        return None
    before, after = _pieces(one), _pieces(two)
    found: list[Piece] = []
    for key in [*after, *(key for key in before if key not in after)]:
        name, kind = key
        if key not in before:
            found.append(Piece(name, kind, "added"))
        elif key not in after:
            found.append(Piece(name, kind, "removed"))
        elif _dumped(before[key]) != _dumped(after[key]):
            bare = _dumped(before[key], documented=False) == _dumped(after[key], documented=False)
            found.append(Piece(name, kind, "docstring only" if bare else "changed"))
    if _moved(one, two):
        # What a module does while it is imported may depend on what stands above.
        found.append(Piece("order of definitions", "module level", "changed"))
    return found


def _parsed(text: bytes) -> ast.Module | None:
    # A text that only warns is read all the same, and whose text it is cannot mend it here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _moved(was: ast.Module, now: ast.Module) -> bool:
    """Whether what stands in both, of modules and of classes, stands there in another order."""
    one, two = (list(_statements(module.body, prefix="")) for module in (was, now))
    names = [Counter(name for name, _ in statements) for statements in (one, two)]
    # What has its name for itself is known again though it changed; of several, each by what it says.
    known = [
        [name if names[0][name] == names[1][name] == 1 else (name, says) for name, says in statements]
        for statements in (one, two)
    ]
    counts = [Counter(statements) for statements in known]
    # What came, went or was repeated is told as a piece of its own.
    common = [[key for key in statements if counts[0][key] == counts[1][key]] for statements in known]
    return common[0] != common[1]


def _statements(body: Sequence[ast.stmt], *, prefix: str) -> Iterator[tuple[str, str]]:
    """Every statement of a module and of its classes, by the name that it defines and by what it says."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield prefix + statement.name, ""
            yield from _statements(statement.body, prefix=f"{prefix}{statement.name}.")
        elif isinstance(statement, _FUNCTIONS):
            yield prefix + statement.name, ast.dump(statement)
        else:
            yield prefix + ", ".join(_assigned(statement)), ast.dump(statement)


def _pieces(module: ast.Module) -> dict[tuple[str, PieceKind], list[ast.AST]]:
    """Every piece by name and kind; what stands under one name several times, as overloads do, is one piece."""
    pieces: dict[tuple[str, PieceKind], list[ast.AST]] = {("", "module level"): []}
    for name, kind, node in _walk(module.body, prefix="", inside_class=False):
        pieces.setdefault((name, kind), []).append(node)
    return pieces


def _walk(body: Sequence[ast.stmt], *, prefix: str, inside_class: bool) -> Iterator[tuple[str, PieceKind, ast.AST]]:
    for statement in body:
        if isinstance(statement, _FUNCTIONS):
            yield prefix + statement.name, "method" if inside_class else "function", statement
        elif isinstance(statement, ast.ClassDef):
            own = copy.copy(statement)
            own.body = [inner for inner in statement.body if not isinstance(inner, (*_FUNCTIONS, ast.ClassDef))]
            yield prefix + statement.name, "class", own
            inner = [s for s in statement.body if isinstance(s, (*_FUNCTIONS, ast.ClassDef))]
            yield from _walk(inner, prefix=f"{prefix}{statement.name}.", inside_class=True)
        else:
            names = _assigned(statement)
            if names:
                yield prefix + ", ".join(names), "value", statement
            else:
                yield "", "module level", statement


def _assigned(statement: ast.stmt) -> list[str]:
    """The names that an assignment of the module gives a value."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    else:
        return []
    names = []
    for target in targets:
        inside = [node for node in ast.walk(target) if isinstance(node, ast.Name)]
        bound = [node.id for node in inside if isinstance(node.ctx, ast.Store)]
        # `table[key] = value` changes the table.
        names += bound or [node.id for node in inside[:1]]
    return names


def _dumped(nodes: list[ast.AST], *, documented: bool = True) -> list[str]:
    if documented:
        return [ast.dump(node) for node in nodes]
    return [ast.dump(_Bare().visit(copy.deepcopy(node))) for node in nodes if not _is_text(node)]


class _Bare(ast.NodeTransformer):
    """Takes docstrings away."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            node.body = [statement for statement in node.body if not _is_text(statement)]
        return node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
