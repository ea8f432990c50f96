"""What is a record, and what is it called?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from governance.digest import LARGEST_INTEGER, canonical, decimal, sha256
from governance.errors import InvalidRecord

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
#: the form of a record's name
NAME = r"^[a-z]+:[0-9a-f]{64}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]


def _shortest(value: str) -> str:
    if value != decimal(float(value)):
        raise ValueError(f"write {value!r} as the shortest decimal that reads back the same, {decimal(float(value))!r}")
    return value


Decimal = Annotated[str, StringConstraints(pattern=r"^-?[0-9.e+-]+$"), AfterValidator(_shortest)]

_kinds: dict[tuple[str, int], type[Record]] = {}


class Part(BaseModel):
    """A piece of a record that has no name of its own. Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Record(Part):
    """One fact. Frozen; unknown fields are refused; its name covers kind, version and every field.

    `kind` and `v` together fix the meaning of the fields for ever: a changed meaning is a new `v`.
    """

    kind: ClassVar[str]
    v: ClassVar[int] = 1
    #: an event happened once and is entered each time; any other fact is entered once, however often it is stated
    event: ClassVar[bool] = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "kind" in cls.__dict__:
            _kinds[cls.kind, cls.v] = cls

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """A validated record. Raises InvalidRecord, which names the field, what was given and what was wanted."""
        try:
            return cls.model_validate(_frozen(fields))
        except ValidationError as error:
            raise _invalid(cls.kind, error) from None

    def body(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return self.model_dump(mode="json")

    def canonical(self) -> bytes:
        """The bytes that the name covers: RFC 8785 of kind, v and body."""
        return self._canonical

    @cached_property
    def _canonical(self) -> bytes:
        return canonical({"body": self.body(), "kind": self.kind, "v": self.v})

    @cached_property
    def name(self) -> str:
        """`kind:` and the SHA-256 of the canonical bytes; the same fact has the same name everywhere."""
        return f"{self.kind}:{sha256(self.canonical())}"

    @property
    def label(self) -> str:
        """What people call it in a list; never an identifier."""
        fields = vars(self)
        return str(fields.get("title") or fields.get("stage") or self.kind)

    def edges(self) -> tuple[tuple[str, str, str], ...]:
        """(subject, W3C PROV relation, object) for everything this fact refers to."""
        return ()

    def _derived(self, *objects: str | None) -> tuple[tuple[str, str, str], ...]:
        return tuple((self.name, "wasDerivedFrom", name) for name in dict.fromkeys(objects) if name)


def read_record(value: object, *, where: str) -> Record:
    """The record in a parsed `{"kind", "v", "body"}`. Raises InvalidRecord for an unknown kind, version or a bad field."""
    if not isinstance(value, Mapping) or set(value) != {"kind", "v", "body"}:
        raise InvalidRecord("record", value, "an object with kind, v and body", where=where)
    kind, v = value["kind"], value["v"]
    cls = _kinds.get((kind, v)) if type(kind) is str and type(v) is int else None
    if cls is None:
        known = ", ".join(f"{known} v{version}" for known, version in sorted(_kinds))
        raise InvalidRecord("kind, v", [kind, v], f"one of {known}", where=where)
    if not isinstance(value["body"], Mapping):
        raise InvalidRecord("body", value["body"], "an object", where=where)
    try:
        return cls.model_validate(_frozen(dict(value["body"])))
    except ValidationError as error:
        raise _invalid(where, error) from None


def record_kinds() -> list[str]:
    """Every kind of record, sorted."""
    return sorted({kind for kind, _ in _kinds})


def _frozen(value: Any) -> Any:
    """Lists become tuples all the way down, so that a record can be hashed and never changed."""
    if isinstance(value, dict):
        return {key: item if type(item) in _PLAIN else _frozen(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple([item if type(item) in _PLAIN else _frozen(item) for item in value])
    return value


_PLAIN = {str, int, bool, type(None)}


def _invalid(where: str, error: ValidationError) -> InvalidRecord:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "record"
    return InvalidRecord(field, first.get("input"), str(first["msg"]).lower(), where=where)
