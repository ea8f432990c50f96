"""What does a framework ask, and is its file whole?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import StringConstraints, ValidationError, model_validator

from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.records import Part

_SHELF = Path(__file__).parent

#: who can answer: the records alone, records and a person, a person alone, nobody in this store
Evidence = Literal["auto", "mixed", "attest", "out"]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Query = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Function(Part):
    """A top part of a framework."""

    id: Text
    topic: Text


class Category(Part):
    """A group of controls within a function."""

    id: Text
    function: Text
    topic: Text


class Control(Part):
    """One thing that a framework asks: the outcome in our words, who can answer, and by which query."""

    id: Text
    function: Text
    category: Text
    outcome: Text
    evidence: Evidence
    query: Query | None
    question: Text | None
    human: Text | None
    #: why our class differs from a first reading of the standard
    because: Text | None = None

    @model_validator(mode="after")
    def _class_fits(self) -> Self:
        asks_records = self.evidence in ("auto", "mixed")
        if asks_records != (self.query is not None) or asks_records != (self.question is not None):
            raise ValueError(
                f"{self.id}: a query and its question belong to the classes auto and mixed, and only to these"
            )
        if (self.evidence == "auto") != (self.human is None):
            raise ValueError(f"{self.id}: every class but auto names what only a person can state")
        return self


class Framework(Part):
    """A framework as data; every reference inside it holds."""

    schema_version: Literal[1]
    title: Text
    short_title: Text
    unit: Text
    units: Text
    functions: tuple[Function, ...]
    categories: tuple[Category, ...]
    subcategories: tuple[Control, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _unique("function", (function.id for function in self.functions))
        _unique("category", (category.id for category in self.categories))
        _unique("subcategory", (control.id for control in self.subcategories))
        functions = {function.id for function in self.functions}
        places = {category.id: category.function for category in self.categories}
        for category in self.categories:
            if category.function not in functions:
                raise ValueError(f"category {category.id}: no function is named {category.function}")
        for control in self.subcategories:
            if places.get(control.category) != control.function:
                raise ValueError(f"{control.id}: {control.function} has no category {control.category}")
        empty = sorted(set(places) - {control.category for control in self.subcategories})
        if empty:
            raise ValueError(f"category {empty[0]} has no subcategory")
        return self

    @cached_property
    def by_id(self) -> dict[str, Control]:
        """Every control by its id."""
        return {control.id: control for control in self.subcategories}

    def control(self, given: str) -> Control:
        """The control with this id, in any case. Raises UnknownName."""
        found = self.by_id.get(" ".join(given.upper().split())) or self.by_id.get(given)
        if found is None:
            raise UnknownName("control", given, self.by_id)
        return found


def frameworks() -> list[str]:
    """The names of the frameworks on the shelf, sorted."""
    return sorted(path.stem for path in _SHELF.glob("*.yaml"))


@cache
def load_framework(name: str) -> Framework:
    """The framework `name` from the shelf. Raises UnknownName."""
    known = frameworks()
    if name not in known:
        raise UnknownName("framework", name, known)
    return read_framework(_SHELF / f"{name}.yaml")


def read_framework(path: Path) -> Framework:
    """The framework in a YAML file. Raises ConfigurationError (no YAML), InvalidRecord (which field)."""
    where = path.name
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{where}: {' '.join(str(error).split())}", hint="a framework is YAML, in UTF-8"
        ) from None
    if not isinstance(document, dict):
        raise InvalidRecord("framework", type(document).__name__, "a mapping", where=where)
    try:
        return Framework.model_validate(_tuples(document))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "framework"
        given = "the file" if first["type"] == "value_error" else first.get("input")
        raise InvalidRecord(field, given, str(first["msg"]), where=where) from None


def _unique(what: str, ids: Iterable[str]) -> None:
    twice = [name for name, times in Counter(ids).items() if times > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]} stands there twice")


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, because records are strict and frozen."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
