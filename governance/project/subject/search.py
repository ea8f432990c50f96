"""In which places does a person stand, and which could not be looked into?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from governance.config import Config
from governance.digest import file_digest
from governance.dvc.remote import remotes
from governance.errors import GovernanceError
from governance.project import git
from governance.project.subject.look import Looker
from governance.project.subject.person import Person
from governance.project.subject.places import (
    Kind,
    Place,
    git_objects,
    local_remotes,
    places,
    store_cells,
    store_files,
)
from governance.project.subject.tables import Table, open_table
from governance.store.trail import Trail


@dataclass(frozen=True)
class Hit:
    """A file that holds her: rows of a table that are hers, rows of others that name her, or her bytes elsewhere."""

    place: Place
    sha256: str
    rows: tuple[int, ...] = ()
    naming: dict[str, set[int]] = field(default_factory=dict, repr=False)
    #: whether she also stands where no row can be taken out: in a file that is no table, or in a text of somebody else
    elsewhere: bool = False

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
    def anywhere(self) -> bool:
        return bool(self.hits or self.store or self.git)


class Search:
    """1. the ids of her rows, from every table that has the subject column  2. the texts of these rows, but for those that
    stand in somebody else's row too  3. every file, the store and git, for all of these"""

    def __init__(self, config: Config, trail: Trail, *, say: Callable[[str], None] = lambda _: None) -> None:
        self.config, self.trail, self.say = config, trail, say

    def run(self, subject: str, *, texts: frozenset[str] = frozenset(), thorough: bool = False) -> Found:
        # 1.
        self.say("looks for tables")
        listed = list(places(self.config, self.trail))
        unread: dict[str, str] = {}
        person = Person(subject, texts=texts, thorough=thorough)
        person = replace(person, ids=self._ids(listed, subject, unread))
        # 2.
        person = replace(person, texts=texts | self._texts(listed, person))
        # 3.
        return self.look(person, listed, unread)

    def look(self, person: Person, listed: list[Place] | None = None, unread: dict[str, str] | None = None) -> Found:
        """The third step alone, for somebody whose ids and texts are known."""
        listed = list(places(self.config, self.trail)) if listed is None else listed
        found = Found(person, unsearched=dict(unread or {}))
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
                f"{person.too_short} of her names and texts are too short to be told from chance; cells were compared"
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

    def _ids(self, listed: list[Place], subject: str, unread: dict[str, str]) -> frozenset[str]:
        ids = {subject}
        subjects, names = self.config.subject_column, self.config.id_column
        for table in self._tables(listed, unread):
            if subjects and subjects in table.columns and names in table.columns:
                pairs = zip(table.column(subjects), table.column(names), strict=True)
                ids |= {str(example) for whose, example in pairs if str(whose) == subject and example is not None}
        # A person's own name is no id of an example where there is a column that says who she is.
        return frozenset(ids - {subject} if subjects and len(ids) > 1 else ids)

    def _texts(self, listed: list[Place], person: Person) -> frozenset[str]:
        column = self.config.text_column
        hers: set[str] = set()
        others: set[str] = set()
        for table in self._tables(listed):
            if column not in table.columns:
                continue
            rows = table.rows_of(person, self.config)
            for number, text in enumerate(table.column(column)):
                if isinstance(text, str) and text.strip():
                    (hers if number in rows else others).add(text)
        return frozenset(hers - others)

    def _hit(self, place: Place, person: Person, looker: Looker) -> Hit | None:
        try:
            table = open_table(place.path, self.config)
        except (GovernanceError, OSError):
            table = None  # told among what could not be looked into
        if table is None:
            there = looker.file(place.path, shown=place.shown)
            return Hit(place, file_digest(place.path), elsewhere=True) if there else None
        rows = table.rows_of(person, self.config)
        naming = table.naming(person, self.config, hers=rows)
        if not rows and not naming:
            there = looker.file(place.path, shown=place.shown)
            return Hit(place, file_digest(place.path), elsewhere=True) if there else None
        return Hit(place, file_digest(place.path), tuple(sorted(rows)), naming)

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
        for identifier, kind, data in git_objects(self.config.root):
            found.searched["objects of git"] = found.searched.get("objects of git", 0) + 1
            if looker.data(data, shown=f"object {identifier[:12]} of git"):
                told.append(f"{kind} {identifier}")
        if told:
            listed = (git.run_git(self.config.root, "rev-list", "--objects", "--all") or "").splitlines()
            paths = dict(line.split(" ", 1) for line in listed if " " in line)
            told = [f"{one[: len(one) - 28]} {paths.get(one.split()[1], '')}".rstrip() for one in told]
        return sorted(told)
