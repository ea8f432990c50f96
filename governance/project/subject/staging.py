"""What takes the place of every content that holds a person? It is made in full before anything is touched."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field

from governance.config import Config
from governance.digest import canonical, file_digest, file_md5, sha256, write_atomically
from governance.dvc.files import cache_folder, cached_file
from governance.errors import GovernanceError, MissingEvidence
from governance.facts import Facts
from governance.project.subject.intent import Intent, folder
from governance.project.subject.ours import Ours, folder_lists, named_md5s
from governance.project.subject.plan import Plan, md5_of
from governance.project.subject.search import Hit
from governance.project.subject.tables import Table, open_table
from governance.records import Commitment, ErasedFile, ErasedRows
from governance.store.commitments import RowTable
from governance.store.forgetting import KeptLeaf, erasures
from governance.store.trail import Trail


@dataclass
class Staged:
    """What is ready: the list of what to do, what the log will say, and the leaves that the store will keep."""

    intent: Intent = field(default_factory=Intent)
    files: list[ErasedFile] = field(default_factory=list)
    rows: list[ErasedRows] = field(default_factory=list)
    leaves: dict[str, dict[int, KeptLeaf]] = field(default_factory=dict)
    others: int = 0


class Staging:
    """1. each table without her rows, once for each place  2. the leaves of her rows  3. folders of DVC that name one of
    these  4. what is to be removed. Raises MissingEvidence where a table changes meanwhile."""

    def __init__(self, config: Config, trail: Trail, plan: Plan) -> None:
        self.config, self.trail, self.plan = config, trail, plan
        self.staged = Staged()
        self._number = 0
        #: SHA-256, MD5 and size of what stands in a content's place
        self._after: dict[str, tuple[str, str, int]] = {}
        self._commitments = _committed(trail.facts(), trail)

    def make(self) -> Staged:
        shutil.rmtree(folder(self.config), ignore_errors=True)
        folder(self.config).mkdir(parents=True, mode=0o700)
        named: dict[str, Hit] = {}
        # 1.
        for hit in self.plan.rewritten:
            table = open_table(hit.place.path, self.config)
            if table is None or file_digest(hit.place.path) != hit.sha256:
                raise MissingEvidence(f"{hit.place.shown} changed meanwhile", hint="erase again")
            first = hit.sha256 not in self._after
            self._rewrite(hit, table)
            named[hit.sha256] = hit
            # 2.
            if first:
                self._keep(hit)
        # 3.
        self._folders()
        # 4.
        self._remove()
        self._tell(named)
        return self.staged

    def _rewrite(self, hit: Hit, table: Table) -> None:
        name = self._name()
        place = folder(self.config) / name
        table.write(place, without=hit.rows, emptied=hit.naming)
        with open(place, "rb") as stream:
            os.fsync(stream.fileno())
        shutil.copymode(hit.place.path, place)
        after, md5, size = file_digest(place), file_md5(place), place.stat().st_size
        self._after[hit.sha256] = (after, md5, size)
        before_md5 = file_md5(hit.place.path)
        self.staged.intent.swaps[before_md5] = (md5, size)
        if hit.kind == "cache":
            target = cached_file(self.config.root, md5)
            self.staged.intent.moves.append((name, str(target), "", after, True))
            self.staged.intent.removals.append((str(hit.place.path), hit.sha256))
        else:
            self.staged.intent.moves.append((name, hit.place.shown, hit.sha256, after, False))

    def _keep(self, hit: Hit) -> None:
        """The leaves of rows that go or are amended, of every commitment to this content."""
        amended = {number for rows in hit.naming.values() for number in rows}
        for commitment in self._commitments.get(hit.sha256, []):
            columns = {"id_column": commitment.id_column, "subject_column": commitment.subject_column}
            rows = RowTable(self.trail, hit.place.path, of=commitment.of, **columns)
            if rows.rows != commitment.rows:
                continue  # its leaves were kept when rows were taken out of it before
            try:
                leaves = {position: rows.leaf(position) for position in sorted({*hit.rows, *amended})}
            except GovernanceError as error:
                self.plan.stays.append((hit.place.shown, f"its committed root cannot be kept whole: {error.message}"))
                continue
            kept = {rows.numbers[p]: KeptLeaf(leaf, amended=p in amended) for p, leaf in leaves.items()}
            self.staged.leaves.setdefault(commitment.of, {}).update(kept)
            erased, changed = (sorted(n for n, k in kept.items() if k.amended is which) for which in (False, True))
            self.staged.rows.append(
                ErasedRows.model_validate(
                    {"commitment": commitment.name, "rows": tuple(erased), "amended": tuple(changed)}
                )
            )

    def _folders(self) -> None:
        """DVC keeps the list of a folder's files as a content of its own, named `.dir`."""
        swaps, ours = self.staged.intent.swaps, Ours(self.config, named_md5s(self.config))
        for path, listed in folder_lists(self.config, naming=set(swaps)):
            if not ours.keeps(path):
                continue  # told by the plan
            renamed = [{**file, "md5": swaps.get(file["md5"], (file["md5"],))[0]} for file in listed]
            name = self._name()
            place = folder(self.config) / name
            write_atomically(place, json.dumps(renamed, sort_keys=True).encode())
            md5 = f"{file_md5(place)}.dir"
            after = file_digest(place)
            size = sum(self._size(file["md5"]) for file in renamed)
            swaps[path.parent.name + path.name] = (md5, size)
            self.staged.intent.moves.append((name, str(cached_file(self.config.root, md5)), "", after, True))
            self.staged.intent.removals.append((str(path), file_digest(path)))

    def _size(self, md5: str) -> int:
        sizes = dict(self.staged.intent.swaps.values())
        place = cached_file(self.config.root, md5)
        return sizes[md5] if md5 in sizes else place.stat().st_size if place.is_file() else 0

    def _remove(self) -> None:
        removals = self.staged.intent.removals
        removals += [(str(hit.place.path), hit.sha256) for hit in self.plan.removed]
        gone = {*self.staged.intent.swaps, *(md5_of(hit) for hit in self.plan.removed if hit.kind == "cache")}
        # DVC would restore a stage from an entry of its run cache, and find that the contents are gone.
        for path in sorted(cache_folder(self.config.root).glob("runs/**/*")):
            if path.is_file() and any(md5 in path.read_text(encoding="utf-8", errors="replace") for md5 in gone):
                removals.append((str(path), file_digest(path)))

    def _tell(self, named: dict[str, Hit]) -> None:
        recorded, files = self.plan.recorded, self.staged.files
        for before, (after, _, size) in sorted(self._after.items()):
            if path := recorded.get(before):
                hit = named[before]
                amended = len({number for rows in hit.naming.values() for number in rows})
                files.append(_file(path, before, after, size, len(hit.rows), amended))
        for before in sorted({hit.sha256 for hit in self.plan.removed} - set(self._after)):
            if path := recorded.get(before):
                files.append(_file(path, before, None, 0, 0, 0))
        files += self._input_folders()
        touched = {hit.sha256 for hit in (*self.plan.rewritten, *self.plan.removed)}
        self.staged.others = len(touched - set(recorded))

    def _input_folders(self) -> list[ErasedFile]:
        """Recipes name a folder that they read by one digest over its files."""
        found = []
        for before, name in self.plan.recorded.items():
            place = self.config.root / name
            if not place.is_dir():
                continue
            files = sorted(p for p in place.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
            digests = {p.relative_to(place).as_posix(): file_digest(p) for p in files}
            now = [[inside, digest] for inside, digest in digests.items()]
            new = [[inside, self._after.get(digest, (digest,))[0]] for inside, digest in digests.items()]
            if now != new and sha256(canonical(now)) == before:
                found.append(_file(name, before, sha256(canonical(new)), 0, 0, 0))
        return found

    def _name(self) -> str:
        self._number += 1
        return str(self._number)


def _file(path: str, before: str, after: str | None, size: int, rows: int, amended: int) -> ErasedFile:
    return ErasedFile(path=path, before=before, after=after, bytes=size, rows=rows, amended=amended)


def _committed(facts: Facts, trail: Trail) -> dict[str, list[Commitment]]:
    """The commitments to each content, under the SHA-256 that it has now."""
    erased = erasures(trail)
    found: dict[str, list[Commitment]] = {}
    for commitment in facts.of(Commitment):
        if commitment.scheme != "rows/v1":
            continue  # a block does not come out without one of its rows
        recorded = getattr(facts.get(commitment.of), "sha256", "")
        standing = erased.of(recorded)
        now = standing.sha256 if standing else recorded
        if now:
            found.setdefault(now, []).append(commitment)
    return found
