"""Which names, modules and files does a function reach for?"""

from __future__ import annotations

import ast
import dis
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from governance.fingerprint.syntax import nested_code

_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_OPENERS = frozenset(
    {"open", "read_text", "read_bytes", "joinpath", "files", "load", "loadtxt", "read_csv", "read_json", "read_parquet"}
)
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
    opens: bool = False
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
    for inner in ast.iter_child_nodes(node):
        _visit(inner, uses)


def _chain(node: ast.AST) -> tuple[str, ...] | None:
    """`a.b.c` as ("a", "b", "c"); None for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else None


def files_named(texts: list[str], *, beside: str) -> list[tuple[str, Path]]:
    """Texts that name a file in the folder of the code, or in the folder where the process runs; sorted."""
    found: dict[str, Path] = {}
    for text in texts:
        if not text or len(text) > 255 or "\n" in text or "\x00" in text:
            continue
        for folder in (Path(beside).parent, Path.cwd()):
            if (folder / text).is_file():
                found[text] = folder / text
                break
    return sorted(found.items())
