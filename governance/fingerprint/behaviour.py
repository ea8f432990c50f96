"""What does an object do, as one digest?

A function is its normalised syntax tree and the values of everything that it reaches: globals, closure, defaults,
helper functions (also in other modules of the project), patterns, data files, and the versions of the distributions
that it calls. Names of arguments count where something may name them; names, docstrings and annotations where some code
that is reached reads such things. What cannot be seen through is named as opaque and never skipped; an author who knows
better gives the object a `__fingerprint__` (text, or a method without arguments that returns it).
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from governance.digest import canonical, file_digest, path_digest, sha256
from governance.errors import InvalidRecord
from governance.fingerprint import values
from governance.fingerprint.owners import Owner, folders_of, owner_of
from governance.fingerprint.syntax import describe, find, plain_text, uses_reflection
from governance.fingerprint.uses import SEES_INSIDE, WORDS, Uses, files_named, loaded_globals, uses_of

#: a decorator that only marks a function carries this attribute; it is no part of what the function does
MARK = "__labeltrail_mark__"
_SCHEME = "labeltrail behaviour 2"
_MISSING = object()


@dataclass(frozen=True)
class Behaviour:
    """`digest` changes when behaviour may have changed. `opaque` says what it could not see; `packages` are
    (distribution, version), sorted; `texts` are (path, text) of the project's functions that were read, for people."""

    digest: str
    opaque: tuple[str, ...]
    packages: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...] = field(default=(), compare=False)


def behaviour(thing: object) -> Behaviour:
    """The behaviour of a function, class or object. Two things made by one factory differ where their closures do."""
    reader = Reader()
    told = reader.value(thing, "self")
    # Only now is it known what matters, also of what was told before: words, and names of arguments.
    words, named = reader.reads_words, reader.named_arguments()
    if words or named is not None:
        reader = Reader(words=words, named=None if words else named)
        told = reader.value(thing, "self")
    reader.note_unseen_files()
    return Behaviour(
        digest=sha256(canonical([_SCHEME, told, sorted(reader.packages.items())])),
        opaque=tuple(sorted(reader.opaque)),
        packages=tuple(sorted(reader.packages.items())),
        texts=tuple(sorted(reader.sources.items())),
    )


class Reader:
    """Walks from an object to everything that it reaches; each function and object is told once."""

    def __init__(self, *, words: bool = False, named: frozenset[str] | None = None) -> None:
        #: whether names, docstrings and annotations are told, and whether code was met that reads them
        self.words = words
        self.reads_words = False
        #: the only arguments whose names matter; None where all may
        self.named = named
        self.texts: set[str] = set()
        self.spreads = False
        self.opaque: set[str] = set()
        self.packages: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.files = 0
        self._opening: set[str] = set()
        self._count = 0
        self._seen: dict[int, int] = {}
        self._alive: list[object] = []

    def value(self, value: Any, path: str) -> Any:
        """A description of `value` in lists and texts; `path` is what people call it."""
        plain = values.scalar(value)
        if plain is not None:
            if isinstance(value, str):
                self.reads_words |= value in WORDS
                self.texts.add(value)
            return plain
        if id(value) in self._seen:
            return ["again", self._seen[id(value)]]
        self._seen[id(value)] = self._count = self._count + 1
        self._alive.append(value)  # an id is only good while its object lives
        told = self._told(value, path)
        if isinstance(value, (list, tuple, set, frozenset, dict)):
            # Whether two equal lists are one object does not change what they hold.
            del self._seen[id(value)]
        return told

    def _told(self, value: Any, path: str) -> Any:
        said = self._said(value, path)
        if said is not None:
            return said
        # Of proxies, which say that they are what they stand for, only type() tells the truth.
        if type(value) is types.FunctionType:
            return self.function(value, path)
        if type(value) is types.MethodType:
            return ["method", self.value(value.__func__, path), self.value(value.__self__, f"{path}.__self__")]
        if isinstance(value, types.ModuleType):
            return self.module(value, path)
        return values.describe(self, value, path)

    def _said(self, value: Any, path: str) -> Any:
        """What the author says instead, through `__fingerprint__`."""
        given = getattr(value, "__fingerprint__", None)
        if (
            given is None
            or isinstance(value, types.ModuleType)
            or (isinstance(value, type) and not isinstance(given, str))
        ):
            return None
        said = given() if callable(given) else given
        if not isinstance(said, str):
            raise InvalidRecord(
                f"{path}.__fingerprint__", said, "text, or a method without arguments that returns text"
            )
        return ["said", said]

    def belongs(self, module: str, path: str) -> Owner:
        """Who owns a module; distributions are noted with their versions."""
        owner = owner_of(module)
        self.packages.update(owner.packages)
        if owner.kind == "missing":
            self.opaque.add(f"{path}: {module.partition('.')[0]} cannot be imported here")
        return owner

    def named_arguments(self) -> frozenset[str] | None:
        """The words that may name an argument: those of calls and of all texts. None where any word may.

        A distribution may call with names of its own, and `f(**made)` with names made while it runs.
        """
        return None if self.packages or self.spreads else frozenset(self.texts)

    def note_unseen_files(self) -> None:
        """Whoever opens a file and reaches none that lies here reads what nobody compares."""
        for path in self._opening if not self.files else ():
            self.unseen(path, "opens a file that cannot be seen from here")

    def unseen(self, path: str, why: str) -> list[str]:
        self.opaque.add(f"{path}: {why}")
        return ["opaque", why]

    def function(self, function: types.FunctionType, path: str) -> Any:
        """1. code known by its version  2. syntax  3. defaults, closure, attributes  4. globals  5. imports, files"""
        module = str(function.__globals__.get("__name__", ""))
        closure = [
            [name, self._cell(cell, f"{path}.{name}")]
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        ]
        # 1.
        if self.belongs(module, path).kind in ("python", "package"):
            self._looks(module, function.__name__, path)
            return ["function", module, function.__qualname__, closure, self._made_of(function, path)]
        # 2.
        node = find(function.__code__)
        if node is None:
            syntax, self.spreads = self._bytecode(function, path), True
        else:
            syntax = describe(node, skip=_is_mark(function), named=self.named)
            self.sources[f"{module}.{function.__qualname__}"] = plain_text(node)
        if node is not None and uses_reflection(node):
            self.unseen(path, "uses eval, exec, globals or locals")
        # 3.
        attributes = {k: v for k, v in vars(function).items() if k not in (MARK, "__labeltrail_source__")}
        told = [
            "function",
            syntax,
            ["defaults", self.value(list(function.__defaults__ or ()), f"{path}.defaults")],
            ["keywords", self.value(dict(function.__kwdefaults__ or {}), f"{path}.defaults")],
            ["closure", closure],
            ["attributes", self.value(attributes, path)],
        ]
        # 4.
        uses = Uses() if node is None else uses_of(node)
        self.reads_words |= uses.reads_words or node is None
        self.texts |= {*uses.texts, *uses.keywords}
        self.spreads |= uses.spreads or (node is not None and uses_reflection(node))
        for name in sorted(uses.sees_inside):
            self.unseen(path, f"looks at {name}, which shows more than is compared")
        if self.words:
            told.append(["words", values.words_of(self, function, path), ast.dump(node) if node else ""])
        names = set(loaded_globals(function.__code__)) | _decorator_names(node)
        names = {name for name in names if not getattr(function.__globals__.get(name), MARK, False)}
        told.append(["globals", [[name, self._global(function, name, uses, path)] for name in sorted(names)]])
        # 5.
        told.append(["imports", [self._import(function, item, uses, path) for item in sorted(uses.imports)]])
        told.append(["files", self._files(function, uses, path)])
        if uses.imports_by_name:
            self.unseen(path, "imports a module by a name made while it runs")
        return told

    def _made_of(self, function: types.FunctionType, path: str) -> Any:
        """What a known function that was made while running holds beside its closure."""
        if "<locals>" not in function.__qualname__:
            return []
        held = (
            list(function.__defaults__ or ()),
            dict(function.__kwdefaults__ or {}),
            vars(function).get("__wrapped__"),
        )
        return [self.value(item, path) for item in held]

    def _looks(self, module: str, name: str, path: str) -> None:
        """Notes functions of Python's own that show a caller what is not compared."""
        self.reads_words |= name in WORDS
        if module in SEES_INSIDE or name in SEES_INSIDE:
            self.unseen(path, f"looks at {module}.{name}, which shows more than is compared")

    def _cell(self, cell: types.CellType, path: str) -> Any:
        try:
            return self.value(cell.cell_contents, path)
        except ValueError:
            return ["empty"]

    def _bytecode(self, function: types.FunctionType, path: str) -> Any:
        self.unseen(path, "no source text gives the code that runs; compared by its bytecode")
        code = function.__code__
        return [
            "bytecode",
            code.co_code.hex(),
            [values.constant(self, item, path) for item in code.co_consts],
            list(code.co_names),
        ]

    def _global(self, function: types.FunctionType, name: str, uses: Uses, path: str) -> Any:
        value = function.__globals__.get(name, _MISSING)
        if value is _MISSING:
            builtins = function.__globals__.get("__builtins__", {})
            known = builtins if isinstance(builtins, dict) else vars(builtins)
            return ["builtin"] if name in known else ["unbound"]
        if isinstance(value, types.ModuleType):
            return self._through(value, uses.chains.get(name, {()}), f"{path}.{name}")
        below = _below(function, value)
        if below is not None:
            # The same code in another checkout is the same code: what lies there is told by its content.
            return ["beside the code", below]
        return self.value(value, name if path == "self" else f"{path}.{name}")

    def _through(self, module: types.ModuleType, chains: set[tuple[str, ...]], path: str) -> Any:
        """What a function uses of a module: only the attributes that it names, where the module is the project's."""
        if self.belongs(module.__name__, path).kind != "project":
            self._looks(module.__name__, "", path)
            return ["module", module.__name__]
        told = []
        for attribute in sorted({chain[0] if chain else "" for chain in chains}):
            rest = {chain[1:] for chain in chains if chain[:1] == (attribute,)}
            value = getattr(module, attribute, _MISSING) if attribute else module
            if not attribute:
                told.append([attribute, self.module(module, path)])
            elif value is _MISSING:
                told.append([attribute, ["unbound"]])
            elif isinstance(value, types.ModuleType):
                told.append([attribute, self._through(value, rest, f"{path}.{attribute}")])
            else:
                told.append([attribute, self.value(value, f"{path}.{attribute}")])
        return ["names of a module", told]

    def module(self, module: types.ModuleType, path: str) -> Any:
        """A module used as a value: its file, and a note that what it reaches was not followed."""
        if self.belongs(module.__name__, path).kind != "project":
            self._looks(module.__name__, "", path)
            return ["module", module.__name__]
        self.unseen(path, "a module used as a value; only its own file was read")
        origin = getattr(module, "__file__", None)
        return ["module file", file_digest(Path(origin)) if origin else ""]

    def _import(self, function: types.FunctionType, item: tuple[str, int, str, str], uses: Uses, path: str) -> Any:
        name, level, attribute, local = item
        full = name
        if level:
            package = str(function.__globals__.get("__package__") or "")
            full = importlib.util.resolve_name("." * level + name, package) if package else name
        if self.belongs(full, path).kind != "project":
            self._looks(full, attribute, path)
            return ["import", full, attribute]
        try:
            module = importlib.import_module(full)
            value = module if not attribute else getattr(module, attribute, _MISSING)
            if value is _MISSING:
                value = importlib.import_module(f"{full}.{attribute}")
        except ImportError:
            return self.unseen(path, f"{full} cannot be imported here")
        if isinstance(value, types.ModuleType):
            top = value if attribute or local != name.partition(".")[0] else importlib.import_module(local)
            return ["import", self._through(top, uses.chains.get(local, {()}), f"{path}.{local}")]
        return ["import", self.value(value, f"{path}.{local}")]

    def _files(self, function: types.FunctionType, uses: Uses, path: str) -> Any:
        if not uses.opens:
            return []
        named = [function.__globals__.get(name) for name in uses.chains if name != "__file__"]
        texts = [*uses.texts, *((_below(function, text) or text) for text in named if isinstance(text, str))]
        places = files_named(texts, beside=self._beside(function, uses))
        found = sorted([Path(name).name if Path(name).is_absolute() else name, path_digest(at)] for name, at in places)
        self.files += len(found)
        if any(not _is_own(function.__globals__.get(chain[0])) for chain in uses.readers):
            self._opening.add(path)
        return found

    def _beside(self, function: types.FunctionType, uses: Uses) -> list[Path]:
        """Where a file may lie that a function names: beside its code or above it, in a package it names, here."""
        here = Path(function.__code__.co_filename).parent
        packages = [*uses.packages, str(function.__globals__.get("__package__") or "")]
        return [here, here.parent, *(place for name in packages for place in folders_of(name)), Path.cwd()]


def _below(function: types.FunctionType, value: Any) -> str | None:
    """A text that is a path at or below the folder of the function's code, from there on; None for anything else."""
    folder = f"{Path(function.__code__.co_filename).parent}/"
    if not isinstance(value, str) or not folder.startswith("/") or not f"{value}/".startswith(folder):
        return None
    return value[len(folder) :]


def _is_own(value: Any) -> bool:
    """Whether it is a function or an object of the project's: what that reads is seen where it is followed."""
    return type(value) is types.FunctionType or owner_of(type(value).__module__).kind == "project"


def _is_mark(function: types.FunctionType) -> Any:
    def skip(decorator: ast.expr) -> bool:
        return any(
            getattr(function.__globals__.get(inner.id), MARK, False)
            or getattr(getattr(function.__globals__.get(inner.id), "source", None), MARK, False)
            for inner in ast.walk(decorator)
            if isinstance(inner, ast.Name)
        )

    return skip


def _decorator_names(node: ast.AST | None) -> set[str]:
    decorators = getattr(node, "decorator_list", [])
    return {inner.id for decorator in decorators for inner in ast.walk(decorator) if isinstance(inner, ast.Name)}
