"""Which sources does a project have, and which version of each?

A source is a function marked with `@source("NAME")`, and NAME.yaml beside its code. Code and description together make
the source version.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from governance import shelf
from governance.errors import ConfigurationError, InvalidRecord, UnknownName
from governance.fingerprint.behaviour import MARK
from governance.records import Source, SourceText
from governance.sources.description import Description, read_description
from governance.sources.fingerprint import Behaviour, fingerprint

Vote = TypeVar("Vote", bound=Callable[..., Any])

_ATTRIBUTE = "__labeltrail_source__"
#: how many characters of code are kept for people beside a source version
_MOST_TEXT = 200_000


@dataclass(frozen=True)
class Marked:
    """What the decorator wrote down: the source's name, and whether it takes a list of texts at once."""

    name: str
    many: bool


@dataclass(frozen=True)
class RegisteredSource:
    """A source with its version: `vote` takes a text (a list of texts where `many`) and answers class or ABSTAIN."""

    vote: Callable[..., Any]
    many: bool
    record: Source
    #: the release that the description was checked against, where the source stands on a distribution
    checked_version: str = ""
    #: what its code says, for people; None where none of it is the project's own
    text: SourceText | None = None

    @property
    def title(self) -> str:
        return self.record.title


def source(name: str, *, many: bool = False) -> Callable[[Vote], Vote]:
    """Marks what votes as the source `name`; the function itself stays as it is.

    With `many` it takes a list of texts and answers a list of as many votes.
    """
    if not name.isidentifier() or not name.isascii():
        raise InvalidRecord("source", name, "a name of letters, digits and _")

    def mark(vote: Vote) -> Vote:
        setattr(vote, _ATTRIBUTE, Marked(name, many))
        return vote

    return mark


setattr(source, MARK, True)


def make_source(vote: Callable[..., Any], description: Description, *, many: bool = False) -> RegisteredSource:
    """The source version that `vote` and its description make together."""
    behaves = fingerprint(vote)
    version = description.version
    if description.distribution:
        version = installed(description.distribution, needed_by=description.name)
    record = Source.make(
        title=description.name,
        version=version,
        fingerprint=behaves.digest,
        opaque=behaves.opaque,
        packages=[{"distribution": name, "version": number} for name, number in behaves.packages],
        **description.facts,
    )
    return RegisteredSource(
        vote=vote,
        many=many,
        record=record,
        checked_version=description.checked_version,
        text=source_text(record, behaves),
    )


def source_text(record: Source, behaves: Behaviour) -> SourceText | None:
    """The code of a source version for people, as long as it is not endless; None where there is none to show."""
    parts, left_out, length = [], [], 0
    for path, text in behaves.texts:
        length += len(text)
        if length <= _MOST_TEXT:
            parts.append({"path": path, "text": text})
        else:
            left_out.append(path)
    if not parts and not left_out:
        return None
    return SourceText.make(title=record.title, source=record.name, parts=parts, left_out=left_out)


def registered(package: str) -> list[RegisteredSource]:
    """Every source in a package of the project, by name: all its modules are imported, nothing else lists them.

    Raises ConfigurationError for a source without description or a description without source, InvalidRecord for a name
    that two functions claim.
    """
    marked = _marked(package)
    folders = [Path(place) for place in importlib.import_module(package).__path__]
    described = {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    for name, path in described.items():
        if name not in marked:
            raise UnknownName(
                "source", name, marked, hint=f"{path} describes it; mark its function with @source({name!r})"
            )
    if not marked:
        raise ConfigurationError(
            f"{package} holds no source", hint='mark a function with @source("NAME") and describe it in NAME.yaml'
        )
    found = []
    for name, vote in sorted(marked.items()):
        path = described.get(name) or folders[0] / f"{name}.yaml"
        found.append(make_source(vote, read_description(path), many=getattr(vote, _ATTRIBUTE).many))
    return found


def _marked(package: str) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for _, module in shelf.walk(package):
        for value in vars(module).values():
            mark = getattr(value, _ATTRIBUTE, None)
            if not isinstance(mark, Marked) or found.get(mark.name) is value:
                continue
            if mark.name in found:
                raise InvalidRecord("source", mark.name, "a name that one function only claims", where=module.__name__)
            found[mark.name] = value
    return found


def installed(distribution: str, *, needed_by: str) -> str:
    """The version of an installed distribution. Raises ConfigurationError that says how to install it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        raise ConfigurationError(
            f"source {needed_by!r} stands on the distribution {distribution}, which is not installed here",
            hint=f'pip install "labeltrail[reference]" (the reference project), or pip install {distribution}',
        ) from None
