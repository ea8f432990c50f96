"""What does a function's source say, once everything that does not change what it does is taken away?

Comments, layout, docstrings and annotations go; names of local variables become numbers, and so do those of parameters
that nobody names when calling. Where anybody may, parameters keep their names, which errs on the side of noticing.
"""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_NAMING = (ast.Name, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping, ast.Nonlocal, ast.Global)
_SILENT = frozenset({"ctx", "type_comment", "kind", "type_ignores", "type_params", "returns", "annotation"})
#: whoever calls these can see the names of local variables, or run text that nobody sees
REFLECTION = frozenset({"locals", "vars", "dir", "eval", "exec", "globals", "compile"})


def find(code: CodeType) -> Function | None:
    """The syntax tree of the function that `code` was compiled from; None where no source text gives this very code."""
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename))
    if not text:
        return None
    parsed = _parsed(text, code.co_filename)
    # A file edited after it was imported would show another function than the one that runs.
    if parsed is None or code not in parsed[1]:
        return None
    found = [node for node in parsed[0] if _first_line(node) == code.co_firstlineno and _name(node) == code.co_name]
    if len(found) > 1:
        found = [node for node in found if _holds(node, code)]
        found.sort(key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    return found[0] if found else None


@lru_cache(maxsize=256)
def _parsed(text: str, filename: str) -> tuple[list[Function], frozenset[CodeType]] | None:
    try:
        tree = ast.parse(text)
        compiled = compile(text, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))]
    return functions, frozenset(nested_code(compiled))


def nested_code(code: CodeType) -> Iterator[CodeType]:
    """`code` and all code inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested_code(constant)


def _first_line(node: Function) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _name(node: Function) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def _holds(node: Function, code: CodeType) -> bool:
    """Whether every instruction of `code` stands inside the body of this lambda (two may share a line)."""
    if not isinstance(node, ast.Lambda):
        return True
    body = node.body
    start, end = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
    for line, end_line, column, end_column in code.co_positions():
        if None in (line, end_line, column, end_column) or (column, end_column) == (0, 0):
            continue
        if (line, column) < start or (end_line, end_column) > end:
            return False
    return True


def describe(
    node: Function, *, skip: Callable[[ast.expr], bool] = lambda _: False, named: Collection[str] | None = None
) -> list[Any]:
    """The function as nested lists, without its name, without its defaults and without decorators that `skip` names.

    `named` are the only words by which parameters are named in calls; None where any word may be.
    """
    return _Scribe(uses_reflection(node), named).function(node, top=True, skip=skip)


def plain_text(node: Function) -> str:
    """The function for people: without comments, docstrings, annotations and layout of its own."""
    return ast.unparse(_Plain().visit(copy.deepcopy(node)))


class _Plain(ast.NodeTransformer):
    """Takes away what does not change what a function does; names stay."""

    def _bare(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body = [item for item in node.body if not _says_nothing(item)] or [ast.Pass()]
        node.returns = None
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _bare  # noqa: N815 - ast's names

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return node
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno), node)


def uses_reflection(node: ast.AST) -> bool:
    """Whether names of local variables can be seen from inside."""
    return any(isinstance(inner, ast.Name) and inner.id in REFLECTION for inner in ast.walk(node))


class _Scope(dict[str, str]):
    """What the names bound here are called in the description; a class's names are not seen by its methods."""

    def __init__(self, *, is_class: bool = False) -> None:
        super().__init__()
        self.is_class = is_class


class _Scribe:
    def __init__(self, keep_names: bool, named: Collection[str] | None) -> None:
        self.keep_names = keep_names
        self.named = None if keep_names else named
        self.scopes: list[_Scope] = []
        self.count = 0

    def function(
        self, node: Function, *, top: bool = False, skip: Callable[[ast.expr], bool] = lambda _: False
    ) -> list[Any]:
        told: list[Any] = [type(node).__name__]
        if not isinstance(node, ast.Lambda):
            told.append(["decorators", [self.any(item) for item in node.decorator_list if not (top and skip(item))]])
            if not top:
                told.append(["name", self.name(node.name)])
        arguments = node.args
        if not top:
            told.append(["defaults", [self.any(item) for item in (*arguments.defaults, *arguments.kw_defaults)]])
        scope = _Scope()
        parameters = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        keywords = {parameter.arg for parameter in arguments.kwonlyargs}
        for parameter in parameters:
            if parameter:
                free = self.named is not None and parameter.arg not in self.named and parameter.arg not in keywords
                scope[parameter.arg] = self._next() if free else parameter.arg
        told.append(["arguments", _signature(arguments, scope)])
        statements = [node.body] if isinstance(node, ast.Lambda) else _without_docstring(node.body)
        self._bind(scope, statements)
        self.scopes.append(scope)
        told.append(["body", [self.any(statement) for statement in statements if not _says_nothing(statement)]])
        self.scopes.pop()
        return told

    def _bind(self, scope: _Scope, statements: list[Any]) -> None:
        bound, fixed = _bound(statements)
        for name in fixed:
            scope[name] = name
        for name in bound:
            if name not in scope:
                scope[name] = name if self.keep_names else self._next()

    def _next(self) -> str:
        self.count += 1
        return f"%{self.count}"

    def name(self, name: str) -> str:
        for depth, scope in enumerate(reversed(self.scopes)):
            if name in scope and not (scope.is_class and depth):
                return scope[name]
        return name

    def any(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.any(item) for item in value if not (isinstance(item, ast.stmt) and _says_nothing(item))]
        if not isinstance(value, ast.AST):
            return [type(value).__name__, ascii(value)] if not isinstance(value, str) else self.name(value)
        if isinstance(value, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return self.function(value)
        if isinstance(value, ast.ClassDef):
            return self._class(value)
        if isinstance(value, _COMPREHENSIONS):
            return self._comprehension(value)
        if isinstance(value, ast.AnnAssign):
            return self._annotated(value)
        if isinstance(value, ast.Constant):
            return ["Constant", type(value.value).__name__, ascii(value.value)]
        return self._plain(value)

    def _plain(self, node: ast.AST) -> list[Any]:
        told: list[Any] = [type(node).__name__]
        for field in node._fields:
            inner = getattr(node, field, None)
            if field in _SILENT or inner is None or inner == []:
                continue
            # Names of attributes and keywords belong to others and stay; only names of variables may be renamed.
            own = isinstance(node, _NAMING)
            texts = isinstance(inner, str) or (isinstance(inner, list) and isinstance(inner[0], str))
            told.append([field, inner if texts and not own else self.any(inner)])
        return told

    def _class(self, node: ast.ClassDef) -> list[Any]:
        told = [
            "ClassDef",
            self.name(node.name),
            self.any(node.decorator_list),
            self.any(node.bases),
            self.any(node.keywords),
        ]
        scope = _Scope(is_class=True)
        bound, fixed = _bound(node.body)
        scope.update({name: name for name in (*bound, *fixed)})
        self.scopes.append(scope)
        told.append(
            [self.any(statement) for statement in _without_docstring(node.body) if not _says_nothing(statement)]
        )
        self.scopes.pop()
        return told

    def _comprehension(self, node: Any) -> list[Any]:
        first = self.any(node.generators[0].iter)  # evaluated outside
        scope = _Scope()
        for generator in node.generators:
            for inner in ast.walk(generator.target):
                if isinstance(inner, ast.Name) and inner.id not in scope:
                    scope[inner.id] = inner.id if self.keep_names else self._next()
        self.scopes.append(scope)
        clauses = [
            [self.any(g.target), None if i == 0 else self.any(g.iter), self.any(g.ifs), bool(g.is_async)]
            for i, g in enumerate(node.generators)
        ]
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        told = [type(node).__name__, first, clauses, [self.any(part) for part in parts]]
        self.scopes.pop()
        return told

    def _annotated(self, node: ast.AnnAssign) -> list[Any]:
        if self.scopes and self.scopes[-1].is_class:
            # A dataclass made inside a function reads its annotations.
            return ["AnnAssign", self.any(node.target), self.any(node.annotation), self.any(node.value)]
        if node.value is None:
            return ["Declare", self.any(node.target)]
        return self._plain(ast.Assign(targets=[node.target], value=node.value))


def _signature(arguments: ast.arguments, called: Mapping[str, str]) -> list[Any]:
    return [
        [called[parameter.arg] for parameter in arguments.posonlyargs],
        [called[parameter.arg] for parameter in arguments.args],
        called[arguments.vararg.arg] if arguments.vararg else None,
        [called[parameter.arg] for parameter in arguments.kwonlyargs],
        called[arguments.kwarg.arg] if arguments.kwarg else None,
        len(arguments.defaults),
        [default is not None for default in arguments.kw_defaults],
    ]


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    return [statement for statement in body if not _says_nothing(statement)]


def _says_nothing(node: ast.AST) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _bound(statements: list[Any]) -> tuple[list[str], list[str]]:
    """Variables that these statements bind in their own scope, in order, and names that must stay as they are."""
    bound: dict[str, None] = {}
    fixed: dict[str, None] = {}
    outside: set[str] = set()

    def visit(node: ast.AST, *, inside_comprehension: bool = False) -> None:
        if isinstance(node, (ast.Global, ast.Import, ast.ImportFrom)):
            fixed.update(dict.fromkeys(_names(node)))
        elif isinstance(node, ast.Nonlocal):
            outside.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)) and not inside_comprehension:
            bound[node.id] = None
        elif isinstance(node, ast.NamedExpr):
            bound[node.target.id] = None
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            bound[node.name] = None
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound[node.rest] = None
        if isinstance(node, _NESTED):
            # A function's or class's own name can be seen from outside (__name__), so it stays.
            if not isinstance(node, ast.Lambda):
                fixed[node.name] = None
            outer = [] if isinstance(node, ast.Lambda) else list(node.decorator_list)
            outer += [*node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else _default_nodes(node.args)
            for inner in outer:
                visit(inner)
            return
        comprehension = inside_comprehension or isinstance(node, _COMPREHENSIONS)
        for inner in ast.iter_child_nodes(node):
            visit(inner, inside_comprehension=comprehension)

    for statement in statements:
        visit(statement)
    # A name taken from an outer function is named there.
    return [name for name in bound if name not in fixed and name not in outside], list(fixed)


def _names(node: ast.Global | ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Global):
        return node.names
    return [alias.asname or alias.name.partition(".")[0] for alias in node.names]


def _default_nodes(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]
