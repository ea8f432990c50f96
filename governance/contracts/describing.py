"""What does a contract demand, as one digest and in words?

pandera's own `to_yaml` leaves custom checks out, so that two different contracts would read the same.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from governance.digest import canonical, sha256
from governance.errors import InvalidRecord
from governance.fingerprint import behaviour
from governance.records import Contract

if TYPE_CHECKING:
    import pandera.polars as pa


def contract_record(contract: type[pa.DataFrameModel]) -> Contract:
    """The contract as a fact: its digest covers every column, every check and what custom checks do."""
    schema: Any = contract.to_schema()
    columns = {str(name): _column(column) for name, column in sorted(schema.columns.items())}
    table = [_check(check) for check in schema.checks]
    told = {
        "columns": [[name, described] for name, described in columns.items()],
        "checks": table,
        "strict": str(schema.strict),
        "unique": [str(name) for name in schema.unique or ()],
        "ordered": bool(schema.ordered),
        "coerce": bool(schema.coerce),
        "values": _class_values(contract),
    }
    words = [f"{name}: {line}" for name, described in columns.items() for line in _words(described)]
    words += [_say(check) for check in table]
    return Contract.make(title=contract.__name__, digest=sha256(canonical(told)), checks=words)


def _column(column: Any) -> dict[str, Any]:
    return {
        "dtype": str(column.dtype),
        "nullable": bool(column.nullable),
        "unique": bool(column.unique),
        "required": bool(column.required),
        "pattern": bool(column.regex),
        "coerce": bool(column.coerce),
        "checks": [_check(check) for check in column.checks],
    }


def _check(check: Any) -> dict[str, Any]:
    custom = _custom(check)
    return {
        "name": str(check.name or getattr(custom, "__name__", "check")),
        "values": sorted(
            [str(key), _plain(value)] for key, value in (check.statistics or {}).items() if value is not None
        ),
        "does": behaviour(custom).digest if custom is not None else "",
        "ignores_missing": bool(check.ignore_na),
        "each_element": bool(check.element_wise),
        "warns_only": bool(check.raise_warning),
    }


def _custom(check: Any) -> Any:
    """The author's own function behind a check; None for a check that pandera brings."""
    function = check._check_fn
    for cell in getattr(function, "__closure__", None) or ():
        # A method of a contract class is held by pandera's adapter, together with the class.
        inner = getattr(cell.cell_contents, "check_fn", None)
        if inner is not None:
            return inspect.unwrap(getattr(inner, "__func__", inner))
    return function if inspect.isfunction(function) else None


def _plain(value: Any) -> str:
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_plain(item) for item in value)}]"
    if value is None or isinstance(value, (str, int, float, bool)):
        return repr(value)
    if hasattr(value, "pattern"):
        return repr(value.pattern)
    raise InvalidRecord("check", value, "limits that are text, numbers or lists of these")


def _class_values(contract: type) -> list[Any]:
    """Plain attributes that checks may read through the class, from every class of the project's contract."""
    found = []
    for owner in contract.__mro__:
        if owner.__module__.partition(".")[0] in ("pandera", "builtins", "typing", "pydantic"):
            continue
        for name, value in sorted(vars(owner).items()):
            if not name.startswith("__") and isinstance(value, (str, int, float, tuple, frozenset)):
                found.append([name, _plain(value)])
    return found


def _words(column: dict[str, Any]) -> list[str]:
    first = [column["dtype"], "may be missing" if column["nullable"] else "never missing"]
    if column["unique"]:
        first.append("each value once")
    return [", ".join(first), *(_say(check) for check in column["checks"])]


def _say(check: dict[str, Any]) -> str:
    values = ", ".join(f"{key} {value}" for key, value in check["values"])
    return f"{check['name']} ({values})" if values else str(check["name"])
