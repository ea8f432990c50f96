"""What does a value hold, down to what can be compared?"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import re
import types
import uuid
from collections import deque
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from governance.digest import canonical, file_digest, tree_digest

if TYPE_CHECKING:
    from governance.fingerprint.behaviour import Reader

_SCALARS = (bool, int, float, complex, str, bytes, bytearray, type(None), type(Ellipsis), type(NotImplemented))
_PRINTED = (
    range,
    slice,
    decimal.Decimal,
    fractions.Fraction,
    datetime.date,
    datetime.datetime,
    datetime.time,
    datetime.timedelta,
    uuid.UUID,
)
_CONTAINERS: tuple[Any, ...] = (dict, list, tuple, set, frozenset, deque, str, int, float, bytes)
_UNTOLD = frozenset(
    [
        "__module__",
        "__qualname__",
        "__name__",
        "__doc__",
        "__dict__",
        "__weakref__",
        "__annotations__",
        "__firstlineno__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__static_attributes__",
        "__abstractmethods__",
        "_abc_impl",
        "__dataclass_params__",
        "__dataclass_fields__",
        "__match_args__",
        "__orig_bases__",
        "__parameters__",
        "__slots__",
        "__labeltrail_source__",
        "_member_names_",
        "_member_map_",
        "_value2member_map_",
        "_unhashable_values_",
        "_hashable_values_",
        "_new_member_",
        "_use_args_",
        "_member_type_",
        "_value_repr_",
        "__new_member__",
    ]
)
_CACHED: Any = type(functools.cache(len))
_MARKS = frozenset(["__labeltrail_source__", "__labeltrail_mark__"])
_COPIED = frozenset([*functools.WRAPPER_ASSIGNMENTS, "__type_params__"])


def scalar(value: Any) -> list[str] | None:
    """A plain value as type and text; None for anything else. Texts are escaped, so that any text can be told."""
    if type(value) in _SCALARS:
        return [type(value).__name__, ascii(value)]
    # Only of these very types: a subclass may do anything else with the same text.
    if type(value) in _PRINTED:
        return [type(value).__name__, repr(value)]
    return None


def constant(reader: Reader, value: Any, path: str) -> Any:
    """A constant of compiled code."""
    if isinstance(value, types.CodeType):
        inner = [constant(reader, item, path) for item in value.co_consts]
        return ["code", value.co_code.hex(), inner, list(value.co_names)]
    return reader.value(value, path)


def describe(reader: Reader, value: Any, path: str) -> Any:
    """Containers, patterns, paths, classes and instances; what gives nothing away is opaque."""
    kind = type(value)
    if kind in (list, tuple):
        return [kind.__name__, [reader.value(item, f"{path}[{i}]") for i, item in enumerate(value)]]
    if kind in (set, frozenset):
        return [kind.__name__, sorted((reader.value(item, f"{path}{{}}") for item in value), key=canonical)]
    if kind is dict or kind is types.MappingProxyType:
        return [
            "dict",
            [[reader.value(key, f"{path}.keys"), reader.value(item, _at(path, key))] for key, item in value.items()],
        ]
    if value.__class__ is not kind:
        # A proxy answers for what it stands for; what it does to it cannot be seen.
        held = getattr(value, "__wrapped__", None)
        why = f"a {kind.__module__}.{kind.__qualname__} that stands in for another object"
        return ["proxy", reader.value(kind, path), reader.unseen(path, why), reader.value(held, path)]
    if isinstance(value, type):
        return _class(reader, value, path)
    if isinstance(value, enum.Enum):
        return ["member", reader.value(kind, path), value.name, reader.value(value.value, path)]
    known = _of_python(reader, value, path)
    if known is not None:
        return [*known, _beyond(reader, value, path)]
    return _array(reader, value, path) or _instance(reader, value, path)


def _of_python(reader: Reader, value: Any, path: str) -> list[Any] | None:
    """The parts of an object of one of Python's own types whose attributes do not say them; None for any other."""
    if isinstance(value, re.Pattern):
        return ["pattern", reader.value(value.pattern, path), value.flags]
    if isinstance(value, PurePath):
        return _file(reader, value)
    if isinstance(value, functools.partial):
        return ["partial", [reader.value(part, path) for part in (value.func, list(value.args), value.keywords)]]
    if isinstance(value, _CACHED):
        # What it has kept so far is no part of what it does.
        return ["cached", reader.value(value.__wrapped__, path), reader.value(value.cache_parameters(), path)]
    if isinstance(value, types.BuiltinFunctionType):
        return _builtin(reader, value, path)
    if isinstance(value, (staticmethod, classmethod)):
        return ["static" if isinstance(value, staticmethod) else "class", reader.value(value.__func__, path)]
    if isinstance(value, property):
        return ["property", [reader.value(part, path) for part in (value.fget, value.fset, value.fdel)]]
    return None


def _beyond(reader: Reader, value: Any, path: str) -> list[Any]:
    """What such an object has beyond its parts: the class that somebody derived, and attributes that somebody set."""
    kind = type(value)
    if reader.belongs(kind.__module__, path).kind == "python":
        state = _untold(reader, getattr(value, "__dict__", {}))
        told = []
    else:
        own = [base for base in kind.__mro__ if reader.belongs(base.__module__, path).kind != "python"]
        state = _untold(reader, {**_slots(value, own), **getattr(value, "__dict__", {})})
        told = [reader.value(kind, f"{path}.{kind.__name__}")]
    state.pop("__wrapped__", None)
    return [*told, reader.value(state, path)] if state else told


def _at(path: str, key: Any) -> str:
    return f"{path}.{key}" if isinstance(key, str) and key.isidentifier() else path


def _file(reader: Reader, value: PurePath) -> list[Any]:
    """A path is what lies there; where nothing lies there, it is its words. Absolute folders never enter."""
    place = Path(value)
    if place.is_file():
        reader.files += 1
        return ["file", place.name, file_digest(place)]
    if place.is_dir():
        return ["folder", place.name, tree_digest(place)]
    return ["path", place.name if place.is_absolute() else value.as_posix()]


def _builtin(reader: Reader, value: types.BuiltinFunctionType, path: str) -> Any:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        reader.belongs(value.__module__ or "builtins", path)
        return ["builtin", value.__module__ or "", value.__qualname__]
    return ["method", value.__name__, reader.value(owner, path)]


def _class(reader: Reader, value: type, path: str) -> Any:
    if reader.belongs(value.__module__, path).kind != "project":
        return ["class", value.__module__, value.__qualname__]
    generated = hasattr(value, "__dataclass_fields__") or hasattr(value, "_fields")
    told = []
    for name, item in sorted(vars(value).items()):
        function = getattr(item, "__func__", item)
        code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
        made_up = generated and getattr(code, "co_filename", "").startswith("<")
        slot = isinstance(item, (types.MemberDescriptorType, types.GetSetDescriptorType))
        # What dataclasses and named tuples generate follows from their fields, which are told below.
        if name not in _UNTOLD and not made_up and not slot:
            told.append([name, reader.value(item, f"{path}.{name}")])
    fields = [
        [f.name, reader.value(f.default, path), reader.value(f.default_factory, path), f.init, f.kw_only, f.compare]
        for f in getattr(value, "__dataclass_fields__", {}).values()
    ]
    bases = [reader.value(base, f"{path}.{base.__name__}") for base in value.__bases__]
    # A metaclass decides what calling the class does; members are met in their order when an enumeration is walked.
    meta = None if type(value) is type else reader.value(type(value), f"{path}.{type(value).__name__}")
    members = list(value.__members__) if isinstance(value, enum.EnumMeta) else []
    return ["class", bases, told, fields, meta, members, words_of(reader, value, path) if reader.words else []]


def words_of(reader: Reader, value: Any, path: str) -> Any:
    """Name, docstring and annotations of a function or class, for code that reads them."""
    try:
        annotations = dict(getattr(value, "__annotations__", None) or {})
    except Exception:
        return reader.unseen(path, "its annotations cannot be evaluated here")
    return [value.__name__, value.__qualname__, ascii(value.__doc__), reader.value(annotations, path)]


def _array(reader: Reader, value: Any, path: str) -> Any:
    """numpy arrays and numbers, by type, shape and bytes."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "torch" and hasattr(value, "untyped_storage"):
        return _tensor(reader, value, path)
    if kind.__module__.partition(".")[0] != "numpy":
        return None
    if kind.__name__ == "ndarray":
        if value.dtype.hasobject:
            return ["array", str(value.dtype), list(value.shape), reader.value(value.ravel().tolist(), path)]
        import hashlib

        return ["array", value.dtype.str, list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return ["number", value.dtype.str, repr(value.item())]
    return None


def _tensor(reader: Reader, value: Any, path: str) -> Any:
    """torch's tensors and parameters, by type, shape and bytes; pickled they would be as many as there are pickles."""
    import hashlib
    import sys

    reader.belongs(type(value).__module__, path)
    try:
        flat = value.detach().cpu().contiguous().flatten().view(sys.modules["torch"].uint8)
        data = hashlib.sha256(flat.numpy().tobytes()).hexdigest()
    except (RuntimeError, TypeError, ValueError, NotImplementedError):
        return reader.unseen(path, f"a tensor of type {value.dtype} cannot be read")
    return ["tensor", type(value).__qualname__, str(value.dtype), list(value.shape), data]


def _instance(reader: Reader, value: Any, path: str) -> Any:
    """An object is its class and its state; one that cannot be taken apart is opaque."""
    kind = type(value)
    owner = reader.belongs(kind.__module__, path)
    told: list[Any] = ["object", reader.value(kind, f"{path}.{kind.__name__}")]
    for container in _CONTAINERS:
        if isinstance(value, container):
            plain = list(value) if container is deque else container(value)
            told.append(reader.value(plain, path))
    state = _untold(reader, {**_slots(value, kind.__mro__), **getattr(value, "__dict__", {})})
    hidden = len(told) == 2 and (kind.__reduce__, kind.__reduce_ex__) != (object.__reduce__, object.__reduce_ex__)
    if hidden:
        # A type of C keeps its own state beside the attributes.
        return [*told, _reduced(reader, value, path), reader.value(state, path)]
    if state or len(told) > 2 or (owner.kind == "project" and hasattr(value, "__dict__")):
        factory = getattr(value, "default_factory", None)
        return [*told, reader.value(state, path), reader.value(factory, path)]
    return [*told, _reduced(reader, value, path)]


def _reduced(reader: Reader, value: Any, path: str) -> Any:
    """An object as what pickling would write of it."""
    kind = type(value)
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return reader.unseen(path, f"a {kind.__module__}.{kind.__qualname__} cannot be taken apart")
    if isinstance(reduced, str):
        return [reduced]
    callable_, arguments, *rest = reduced
    parts = [list(part) if hasattr(part, "__next__") else part for part in rest]
    return [reader.value(callable_, path), reader.value([*arguments, *parts], path)]


def _untold(reader: Reader, state: dict[str, Any]) -> dict[str, Any]:
    """Those attributes that nothing else tells, sorted by name. Words that wrappers copy count where words do."""
    skipped = _MARKS if reader.words else _MARKS | _COPIED
    return {name: item for name, item in sorted(state.items()) if name not in skipped}


def _slots(value: Any, kinds: Iterable[type]) -> dict[str, Any]:
    names = [name for kind in kinds for name in _listed(kind.__dict__.get("__slots__", ()))]
    return {
        name: getattr(value, name) for name in names if name not in ("__dict__", "__weakref__") and hasattr(value, name)
    }


def _listed(slots: Any) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)
