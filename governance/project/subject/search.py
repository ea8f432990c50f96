"""In which places does a person stand, and which could not be looked into?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from governance.config import Config
from governance.digest import file_digest
from governance.dvc.remote import remotes
from governance.errors import GovernanceError
from governance.project import git
from governance.project.subject.look import Looker
from governance.project.subject.person import Person, encoded
from governance.project.subject.places import (
    INSTALLED,
    Kind,
    Place,
    git_files,
    git_objects,
    local_remotes,
    places,
    store_cells,
    store_files,
)
from governance.project.subject.tables import Table, open_table, said
from governance.store.commitments import SubjectKeys
from governance.store.trail import Trail


@dataclass(frozen=True)
class Hit:
    """A file that holds her: rows of a table that are hers, rows of others that name her, her bytes elsewhere, its path."""

    place: Place
    sha256: str
    rows: tuple[int, ...] = ()
    naming: dict[str, set[int]] = field(default_factory=dict, repr=False)
    #: whether she also stands where no row can be taken out: in a file that is no table, or in a text of somebody else
    elsewhere: bool = False
    #: whether the path itself names her
    named: bool = False

    @property
    def kind(self) -> Kind:
        return self.place.kind

    @property
    def is_table(self) -> bool:
        return bool(self.rows or self.naming)

    @property
    def says(self) -> str:
        told = [f"{len(self.rows):,} row{'s' if len(self.rows) > 1 else ''}"] if self.rows else []
        named = len({row for rows in self.naming.values() for row in rows})
        told += [f"{named:,} row{'s' if named > 1 else ''} of others that name one of hers"] if named else []
        told += ["her name, id or text"] if self.elsewhere else []
        told += ["a path that names her"] if self.named else []
        return ", ".join(told)


@dataclass
class Found:
    """What a search answers."""

    person: Person = field(repr=False)
    hits: list[Hit] = field(default_factory=list)
    #: tables of the store, and objects of git, that hold her
    store: list[str] = field(default_factory=list)
    git: list[str] = field(default_factory=list)
    #: what could not be looked into: place and reason
    unsearched: dict[str, str] = field(default_factory=dict)
    searched: dict[str, int] = field(default_factory=dict)

    @property
    def unsure(self) -> bool:
        """Whether something was not looked into where she may stand."""
        return any(why != INSTALLED for why in self.unsearched.values())

    @property
    def anywhere(self) -> bool:
        return bool(self.hits or self.store or self.git)


class Search:
    """1. the ids of her rows, from every table that has the subject column, and names of others in which hers stand
    2. the texts of these rows, but for those that stand in somebody else's row too  3. every file, the store and git, for
    all of these"""

    def __init__(self, config: Config, trail: Trail, *, say: Callable[[str], None] = lambda _: None) -> None:
        self.config, self.trail, self.say = config, trail, say

    def run(self, subject: str, *, texts: frozenset[str] = frozenset(), thorough: bool = False) -> Found:
        # 1.
        self.say("looks for tables")
        unread: dict[str, str] = {}
        listed = list(places(self.config, self.trail, unread))
        person = self._with_ids(Person(subject, texts=texts, thorough=thorough), listed, unread)
        person = self._with_longer(person, listed)
        # 2.
        person = self._with_texts(person, listed)
        # 3.
        return self.look(person, listed, unread)

    def look(self, person: Person, listed: list[Place] | None = None, unread: dict[str, str] | None = None) -> Found:
        """The third step alone, for somebody whose ids and texts are known."""
        unread = {} if unread is None else unread
        listed = list(places(self.config, self.trail, unread)) if listed is None else listed
        found = Found(person, unsearched=unread | dict(person.unsure))
        looker = Looker(person, self.config)
        self.say(f"looks into {len(listed):,} files")
        for place in listed:
            found.searched[place.kind] = found.searched.get(place.kind, 0) + 1
            hit = self._hit(place, person, looker)
            if hit is not None:
                found.hits.append(hit)
        self.say("looks into the store and into git")
        found.store = self._in_store(person, found)
        found.git = self._in_git(looker, found)
        found.unsearched |= looker.problems
        for name in remotes(self.config.root):
            if name not in local_remotes(self.config):
                found.unsearched[f"DVC's remote {name}"] = "it is not on this machine"
        if person.too_short:
            found.unsearched["bytes of files"] = (
                f"{person.too_short} of her names and texts are too short to be told from chance; "
                "they were compared with ids and subjects alone"
            )
        return found

    def _tables(self, listed: list[Place], unread: dict[str, str] | None = None) -> Iterator[Table]:
        for place in listed:
            try:
                table = open_table(place.path, self.config)
            except (GovernanceError, OSError) as error:
                if unread is not None:
                    unread[place.shown] = f"a table that cannot be read ({type(error).__name__})"
                continue
            if table is not None:
                yield table

    def _with_ids(self, person: Person, listed: list[Place], unread: dict[str, str]) -> Person:
        """The ids of her rows, but for those that somebody else has rows under, too."""
        hers: set[str] = set()
        others: set[str] = set()
        seen: set[str] = set()
        subjects, names = self.config.subject_column, self.config.id_column
        for table in self._tables(listed, unread):
            if names in table.columns:
                seen |= {said(example) for example in table.column(names)}
            if subjects and subjects in table.columns and names in table.columns:
                for whose, example in zip(table.column(subjects), table.column(names), strict=True):
                    if example is not None and whose not in (None, ""):
                        (hers if said(whose) == person.subject else others).add(said(example))
        # Of somebody who was erased the store still knows her ids where it meets them.
        hers |= SubjectKeys(self.trail).erased_with(person.subject, seen)
        # Where no column says who she is, the person is her own example.
        hers = hers or {person.subject}
        told = (
            f"{len(hers & others)} of her ids are those of others too: where only ids stand, rows were not told apart"
        )
        return replace(
            person,
            ids=frozenset(hers - others),
            unsure=(*person.unsure, ("rows under an id that is not hers alone", told))
            if hers & others
            else person.unsure,
        )

    def _with_longer(self, person: Person, listed: list[Place]) -> Person:
        """Names of others in which one of hers stands. A subject is somebody else for sure, an id may speak of her."""
        whose = self.config.subject_column or self.config.id_column
        named = replace(person, texts=frozenset(), thorough=False)
        found: dict[str, set[str]] = {whose: set(), self.config.id_column: set()}
        for table in self._tables(listed):
            for column in found.keys() & set(table.columns):
                cells = {cell for cell in table.column(column) if isinstance(cell, str)} - person.names
                found[column] |= {cell for cell in cells if named.is_in(encoded(cell))}
        # An id may begin with the name of its subject.
        named = replace(named, longer=frozenset(found[whose]))
        ids = {cell for cell in found[self.config.id_column] if named.is_in(encoded(cell))}
        told = f"{len(ids)} ids of others have one of her names in them, and were taken for theirs"
        return replace(
            person,
            longer=named.longer | ids,
            unsure=(*person.unsure, ("ids that are not hers alone", told)) if ids else person.unsure,
        )

    def _with_texts(self, person: Person, listed: list[Place]) -> Person:
        """The texts of her rows, but for those that stand in somebody else's row, too."""
        column = self.config.text_column
        hers: set[str] = set()
        others: set[str] = set()
        for table in self._tables(listed):
            if column not in table.columns or not table.says_whose(self.config):
                continue
            rows = table.rows_of(person, self.config)
            for number, text in enumerate(table.column(column)):
                if isinstance(text, str) and text.strip():
                    (hers if number in rows else others).add(text)
        told = (
            f"{len(hers & others)} of her texts stand in rows of others too, where they stay, and were not looked for"
        )
        return replace(
            person,
            texts=person.texts | (hers - others),
            unsure=(*person.unsure, ("texts that are not hers alone", told)) if hers & others else person.unsure,
        )

    def _hit(self, place: Place, person: Person, looker: Looker) -> Hit | None:
        try:
            table = open_table(place.path, self.config)
        except (GovernanceError, OSError):
            table = None  # told among what could not be looked into
        # Contents of DVC are called by their digests.
        named = place.kind in ("project", "notes") and person.is_in(os.fsencode(place.shown))
        rows = table.rows_of(person, self.config) if table is not None else set()
        naming = table.naming(person, self.config, hers=rows) if table is not None else {}
        if rows or naming:
            return Hit(place, file_digest(place.path), tuple(sorted(rows)), naming, named=named)
        there = looker.file(place.path, shown=place.shown)
        return Hit(place, file_digest(place.path), elsewhere=there, named=named) if there or named else None

    def _in_store(self, person: Person, found: Found) -> list[str]:
        told: dict[str, None] = {}
        for table, cell in store_cells(self.trail):
            found.searched["cells of the store"] = found.searched.get("cells of the store", 0) + 1
            if person.is_in(cell):
                told[f"table {table}"] = None
        for path in store_files(self.trail):
            if person.is_in(path.read_bytes()):
                told[f"file {path.name}"] = None
        return list(told)

    def _in_git(self, looker: Looker, found: Found) -> list[str]:
        told: list[str] = []
        for identifier, kind, data in git_objects(self.config.root, found.unsearched):
            found.searched["objects of git"] = found.searched.get("objects of git", 0) + 1
            if looker.data(data, shown=f"object {identifier[:12]} of git"):
                told.append(f"{kind} {identifier}")
        if told:
            listed = (git.run_git(self.config.root, "rev-list", "--objects", "--all") or "").splitlines()
            paths = dict(line.split(" ", 1) for line in listed if " " in line)
            told = [f"{one[: len(one) - 28]} {paths.get(one.split()[1], '')}".rstrip() for one in told]
        for path, shown in git_files(self.config.root, found.unsearched):
            found.searched["files of git"] = found.searched.get("files of git", 0) + 1
            if looker.person.is_in(os.fsencode(shown)) or looker.file(path, shown=shown):
                told.append(f"file {shown}")
        return sorted(told)
