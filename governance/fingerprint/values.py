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


def scalar(value: Any) -> list[str] | None:
    """A plain value as type and text; None for anything else. Texts are escaped, so that any text can be told."""
    if type(value) in _SCALARS:
        return [type(value).__name__, ascii(value)]
    if isinstance(value, _PRINTED):
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
    if isinstance(value, re.Pattern):
        return ["pattern", reader.value(value.pattern, path), value.flags]
    if isinstance(value, PurePath):
        return _file(reader, value)
    if isinstance(value, functools.partial):
        parts = (value.func, list(value.args), value.keywords)
        return ["partial", [reader.value(part, path) for part in parts]]
    if isinstance(value, type):
        return _class(reader, value, path)
    if isinstance(value, enum.Enum):
        return ["member", reader.value(kind, path), value.name, reader.value(value.value, path)]
    if hasattr(value, "__wrapped__") and callable(value):
        told = ["wrapper", kind.__qualname__, reader.value(value.__wrapped__, path)]  # type: ignore[attr-defined]
        parameters = getattr(value, "cache_parameters", None)
        return [*told, reader.value(parameters() if parameters else None, path)]
    if isinstance(value, types.BuiltinFunctionType):
        return _builtin(reader, value, path)
    if isinstance(value, (staticmethod, classmethod)):
        return [kind.__name__, reader.value(value.__func__, path)]
    if isinstance(value, property):
        return ["property", [reader.value(part, path) for part in (value.fget, value.fset, value.fdel)]]
    return _array(reader, value, path) or _instance(reader, value, path)


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
    return ["class", bases, told, fields]


def _array(reader: Reader, value: Any, path: str) -> Any:
    """numpy arrays and numbers, by type, shape and bytes."""
    kind = type(value)
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


def _instance(reader: Reader, value: Any, path: str) -> Any:
    """An object is its class and its state; one that cannot be taken apart is opaque."""
    kind = type(value)
    owner = reader.belongs(kind.__module__, path)
    told: list[Any] = ["object", reader.value(kind, f"{path}.{kind.__name__}")]
    for container in _CONTAINERS:
        if isinstance(value, container):
            plain = list(value) if container is deque else container(value)
            told.append(reader.value(plain, path))
    state = {**_slots(value), **getattr(value, "__dict__", {})}
    if state or len(told) > 2 or (owner.kind == "project" and hasattr(value, "__dict__")):
        factory = getattr(value, "default_factory", None)
        return [*told, reader.value(dict(sorted(state.items())), path), reader.value(factory, path)]
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:
        return reader.unseen(path, f"a {kind.__module__}.{kind.__qualname__} cannot be taken apart")
    if isinstance(reduced, str):
        return [*told, reduced]
    callable_, arguments, *rest = reduced
    parts = [list(part) if hasattr(part, "__next__") else part for part in rest]
    return [*told, reader.value(callable_, path), reader.value([*arguments, *parts], path)]


def _slots(value: Any) -> dict[str, Any]:
    names = [name for kind in type(value).__mro__ for name in _listed(kind.__dict__.get("__slots__", ()))]
    return {
        name: getattr(value, name) for name in names if name not in ("__dict__", "__weakref__") and hasattr(value, name)
    }


def _listed(slots: Any) -> list[str]:
    return [slots] if isinstance(slots, str) else list(slots)
