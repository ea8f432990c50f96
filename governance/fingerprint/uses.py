"""Which names, modules and files does a function reach for?"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from governance.fingerprint.syntax import nested_code

_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
#: what reads a file wherever it is called
_READERS = frozenset(
    {
        *("open", "read_text", "read_bytes", "loadtxt", "genfromtxt", "fromfile", "get_data"),
        *("read_csv", "read_json", "read_parquet", "load_file", "from_pretrained", "open_text", "open_binary"),
    }
)
#: what also reads files
_OPENERS = _READERS | {"joinpath", "files", "load", "join", "Path"}
#: what is told in which package a file lies
_FINDERS = frozenset({"files", "get_data", "read_text", "read_binary", "open_text", "open_binary"})
#: attributes and functions through which code reads names, docstrings and annotations
WORDS = frozenset(
    {
        *("__name__", "__qualname__", "__doc__", "__annotations__", "__annotate__", "__text_signature__"),
        *("get_type_hints", "get_annotations"),
    }
)
#: attributes, functions and modules through which code sees what is not compared, or compared as something else
SEES_INSIDE = frozenset(
    {
        *(
            "__code__",
            "__dict__",
            "__globals__",
            "__closure__",
            "__builtins__",
            "__subclasses__",
            "__static_attributes__",
        ),
        *("__firstlineno__", "__type_params__", "__match_args__", "_getframe", "_current_frames"),
        *("co_consts", "co_code", "co_names", "co_varnames", "f_locals", "f_back", "tb_frame"),
        *("inspect", "pydoc", "linecache", "dis", "gc", "traceback", "tokenize"),
    }
)


@dataclass
class Uses:
    """What a function's syntax tree reaches for.

    `chains`: for each plain name the attributes that follow it, such as words → {("POSITIVE",)}; the empty chain means
    that the name is used as a value. `imports`: (module, level, attribute or "", local name).
    """

    chains: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    imports: list[tuple[str, int, str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    #: names of arguments in calls, and whether some call takes names that are made while it runs
    keywords: set[str] = field(default_factory=set)
    spreads: bool = False
    #: packages that are named as the place of files
    packages: set[str] = field(default_factory=set)
    opens: bool = False
    #: what is called to read files, such as ("PATH", "read_text"); ("", "read_text") on something without a name
    readers: set[tuple[str, ...]] = field(default_factory=set)
    imports_by_name: bool = False
    reads_words: bool = False
    sees_inside: set[str] = field(default_factory=set)


def loaded_globals(code: CodeType) -> list[str]:
    """The global names that `code` and the code inside it read, sorted."""
    return sorted(
        {
            str(step.argval)
            for inner in nested_code(code)
            for step in dis.get_instructions(inner)
            if step.opname in _GLOBAL
        }
    )


def uses_of(node: ast.AST) -> Uses:
    """What a syntax tree reaches for."""
    uses = Uses()
    _visit(node, uses)
    for inner in ast.walk(node):
        named = _named(inner)
        # An attribute whose name is made while running may be any.
        made = isinstance(inner, ast.Call) and _takes_any_attribute(inner)
        uses.reads_words = uses.reads_words or made or named in WORDS
        uses.sees_inside |= SEES_INSIDE & {named}
    return uses


def _named(node: ast.AST) -> str:
    """The attribute or text that a node names, in whichever way code can name an attribute."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.alias):
        return node.name
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _takes_any_attribute(call: ast.Call) -> bool:
    named = isinstance(call.func, ast.Name) and call.func.id in ("getattr", "attrgetter")
    return named and not all(isinstance(item, ast.Constant) for item in call.args[1:2])


def _visit(node: ast.AST, uses: Uses) -> None:
    chain = _chain(node)
    if chain is not None:
        uses.chains.setdefault(chain[0], set()).add(chain[1:])
        uses.opens = uses.opens or bool(_OPENERS & set(chain))
        uses.readers |= {chain} if _READERS & set(chain) else set()
        uses.imports_by_name = uses.imports_by_name or bool({"__import__", "import_module"} & set(chain))
        return
    if isinstance(node, ast.Import):
        for alias in node.names:
            uses.imports.append((alias.name, 0, "", alias.asname or alias.name.partition(".")[0]))
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            uses.imports.append((node.module or "", node.level, alias.name, alias.asname or alias.name))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        uses.texts.append(node.value)
    elif isinstance(node, ast.Attribute):
        uses.opens = uses.opens or node.attr in _OPENERS
        uses.readers |= {("", node.attr)} & {("", name) for name in _READERS}
    elif isinstance(node, ast.keyword):
        uses.keywords.update([node.arg] if node.arg else [])
        uses.spreads = uses.spreads or not node.arg
    elif isinstance(node, ast.MatchClass):
        uses.keywords.update(node.kwd_attrs)
    elif isinstance(node, (ast.BinOp, ast.Call)):
        _paths(node, uses)
    for inner in ast.iter_child_nodes(node):
        _visit(inner, uses)


def _chain(node: ast.AST) -> tuple[str, ...] | None:
    """`a.b.c` as ("a", "b", "c"); None for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else None


def _paths(node: ast.BinOp | ast.Call, uses: Uses) -> None:
    """Notes `folder / "data" / "words.txt"` and `join(folder, "data", "words.txt")` as data/words.txt."""
    if isinstance(node, ast.BinOp):
        parts: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):
            parts.insert(0, left.right)
            left = left.left
        parts.insert(0, left)
    else:
        parts = list(node.args)
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _FINDERS and parts and _said(parts[0]):
            uses.packages.add(_said(parts[0]))
        # What is joined to another such call or division goes on where that one ends.
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, (ast.BinOp, ast.Call)):
            parts = [*getattr(node.func.value, "args", []), *parts]
    said = [_said(part) for part in parts]
    for start in range(len(said)):
        joined = said[start:]
        if len(joined) > 1 and all(joined):
            uses.texts.append("/".join(joined))


def _said(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def files_named(texts: Iterable[str], *, beside: Iterable[Path]) -> list[tuple[str, Path]]:
    """Texts that name a file in one of some folders, the first of which counts, sorted; folders count where a path leads
    to one that is no folder of code."""
    found: dict[str, Path] = {}
    folders = list(dict.fromkeys(beside))
    for text in texts:
        if not text.strip("./") or len(text) > 255 or "\n" in text or "\x00" in text:
            continue
        places = [folder / text for folder in folders]
        place = next((place for place in places if place.is_file()), None)
        if place is None and "/" in text:
            place = next((place for place in places if place.is_dir() and not (place / "__init__.py").exists()), None)
        if place is not None:
            found[text] = place
    return sorted(found.items())
