"""What will an erasure rewrite, remove and leave, and why?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from governance.config import Config
from governance.digest import file_md5
from governance.dvc.files import cache_folder, read_stages
from governance.dvc.remote import remotes
from governance.errors import ConfigurationError, GovernanceError
from governance.facts import Facts
from governance.project import git
from governance.project.subject.ours import SOMEBODY_ELSES, Ours, folder_lists, named_md5s
from governance.project.subject.search import Found, Hit, Search
from governance.records import Bundle, Challenge, Commitment, Dataset, Disclosure, Labels, Model, Recipe, Result
from governance.runs.runfile import read_run, run_path
from governance.store.blocks import BY_ROW
from governance.store.commitments import SubjectKeys
from governance.store.forgetting import erasures
from governance.store.tables import SubjectKeyRow
from governance.store.trail import Trail


@dataclass
class Plan:
    """The whole of it; nothing is changed by making one."""

    found: Found = field(repr=False)
    rewritten: list[Hit] = field(default_factory=list)
    removed: list[Hit] = field(default_factory=list)
    #: what stays, and why, or who has to do what
    stays: list[tuple[str, str]] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set, repr=False)
    #: the path under which a content is recorded, by its SHA-256
    recorded: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.rewritten or self.removed or self.keys)


def make_plan(config: Config, trail: Trail, subject: str, *, texts: frozenset[str], say: Callable[[str], None]) -> Plan:
    """1. where she stands  2. tables are rewritten, and so are their contents in DVC's cache that somebody names
    3. older contents, downloads, notes and compiled modules are removed  4. what is nobody's table, and contents of a
    cache outside of the project that nothing of this project ever named, are left and told"""
    # 1.
    found = Search(config, trail, say=say).run(subject, texts=texts)
    facts = trail.facts()
    refuse_blocks(facts, found)
    plan = Plan(found, recorded=recorded_contents(config, trail, facts))
    named = named_md5s(config)
    ours = Ours(config, named)
    for hit in found.hits:
        if hit.named and hit.kind == "project":
            plan.stays.append((hit.place.shown, "the path itself names her: rename it, and what speaks of it"))
            if not (hit.is_table or hit.elsewhere):
                continue
        # 2.
        if hit.kind == "remote":
            plan.stays.append((hit.place.shown, f"it holds {hit.says}; DVC's remotes are not changed from here"))
        elif hit.kind == "project" and _is_elsewhere(config, hit.place.path):
            says = f"it holds {hit.says}, and is a link to a file outside of the project: change that one"
            plan.stays.append((hit.place.shown, says))
        elif hit.is_table and (hit.kind == "project" or (hit.kind == "cache" and _is_named(hit, plan, named))):
            plan.rewritten.append(hit)
        elif hit.kind in ("cache", "run cache") and hit.sha256 not in plan.recorded and not ours.keeps(hit.place.path):
            plan.stays.append((hit.place.shown, f"it holds {hit.says}; {SOMEBODY_ELSES}"))
        # 3.
        elif (
            hit.kind in ("notes", "run cache")
            or (hit.kind == "cache" and md5_of(hit) not in named)
            or is_compiled(hit.place.path)
        ):
            plan.removed.append(hit)
        # 4.
        else:
            plan.stays.append((hit.place.shown, _by_hand(config, hit)))
    plan.stays += _lists_of_others(config, plan, ours)
    plan.keys = SubjectKeys(trail).known(found.person.names)
    plan.stays += _beyond(config, facts, found)
    plan.stays += on_a_server(trail) if plan.keys else []
    return plan


def _lists_of_others(config: Config, plan: Plan, ours: Ours) -> list[tuple[str, str]]:
    """Lists of folders, in a cache that others use too, that go on naming a content which is rewritten."""
    rewritten = {file_md5(hit.place.path) for hit in plan.rewritten}
    cache = cache_folder(config.root)
    says = f"it lists a content that is rewritten; {SOMEBODY_ELSES}"
    return [
        (f"DVC's cache: {path.relative_to(cache).as_posix()}", says)
        for path, _ in folder_lists(config, naming=rewritten)
        if not ours.keeps(path)
    ]


def _is_elsewhere(config: Config, path: Path) -> bool:
    """Whether a path leads to a file that is neither the project's nor in DVC's cache."""
    ours = (config.root.resolve(), cache_folder(config.root).resolve())
    return not any(path.resolve().is_relative_to(folder) for folder in ours)


def is_compiled(path: Path) -> bool:
    """Whether Python made a file from a module, and makes it again."""
    return path.parent.name == "__pycache__"


def refuse_blocks(facts: Facts, found: Found) -> None:
    """A block cannot forget one of its rows. Raises ConfigurationError for a table here that has no other commitment."""
    newest = {commitment.of: commitment for commitment in facts.of(Commitment)}
    blocks = {getattr(facts.get(of), "sha256", "") for of, one in newest.items() if one.scheme == "blocks/v1"}
    held = [hit.place.shown for hit in found.hits if hit.kind == "project" and hit.is_table and hit.sha256 in blocks]
    if held:
        says = f"{held[0]} is committed to in blocks, on the statement that it holds no personal data"
        raise ConfigurationError(f"{says}: no person can be taken out of a block", hint=BY_ROW)


def _is_named(hit: Hit, plan: Plan, named: set[str]) -> bool:
    return hit.sha256 in plan.recorded or md5_of(hit) in named


def recorded_contents(config: Config, trail: Trail, facts: Facts) -> dict[str, str]:
    """Every content that the log or a run file here names by SHA-256, with its path, and what erasures left of them."""
    results: list[Result] = facts.of(Result)
    recipes: list[Recipe] = facts.of(Recipe)
    for stage in _stages(config):
        try:
            run = read_run(config.root / run_path(config.artifacts, stage))
        except GovernanceError:
            continue
        results, recipes = [*results, run.result], [*recipes, run.recipe]
    refs = [ref for r in recipes for ref in r.inputs] + [ref for r in results for ref in r.outputs]
    told = {ref.sha256: ref.path for ref in refs}
    erased = erasures(trail)
    for sha256, path in list(told.items()):
        standing = erased.of(sha256)
        if standing and standing.sha256:
            told[standing.sha256] = path
    return told


def md5_of(hit: Hit) -> str:
    """The MD5 under which DVC's cache keeps a content."""
    return hit.place.path.parent.name + hit.place.path.name


def _stages(config: Config) -> Iterable[str]:
    try:
        return read_stages(config.root)
    except GovernanceError:
        return ()


def _by_hand(config: Config, hit: Hit) -> str:
    path = hit.place.shown
    try:
        maker = next((s.name for s in read_stages(config.root).values() if path in s.outs), "")
    except GovernanceError:
        maker = ""
    if maker:
        return (
            f"it is no table, and stage {maker} made it: `labeltrail repro --force {maker}` makes it again without her"
        )
    return "it is no table, so that no row can be taken out: edit it by hand (code, prompts and word lists may hold people)"


def _beyond(config: Config, facts: Facts, found: Found) -> list[tuple[str, str]]:
    """What no erasure reaches, in the order of how likely it is that somebody forgets it."""
    told: list[tuple[str, str]] = []
    if found.git:
        told.append(
            ("git", f"{len(found.git)} of its objects and files hold her; rewriting history is for the owner to decide")
        )
    trained = _trained_on(facts, found)
    if trained:
        says = "they keep what they learned of her rows until they are trained again: `labeltrail repro --force`"
        told.append((f"{len(trained)} trained model{'s' if len(trained) > 1 else ''}", says))
    bundles = facts.of(Bundle)
    if bundles:
        says = "they hold no rows by default, and what was handed out is no longer here to be changed"
        told.append((f"{len(bundles)} bundle{'s' if len(bundles) > 1 else ''} handed out", says))
    told += [
        (f"{one.rows:,} rows shown by {one.who}", f"hers may be among them ({one.reason or 'no reason was given'})")
        for one in (*facts.of(Disclosure), *facts.of(Challenge))
    ]
    told += [(f"DVC's remote {name}", "it may hold the contents under their MD5s") for name in remotes(config.root)]
    told.append(
        ("the log", "salted leaves of her rows stay; without the key that is destroyed they are random numbers")
    )
    if any(one.scheme == "blocks/v1" for one in facts.of(Commitment)):
        says = "roots over blocks of rows stay too; their salts come from the store's own secret, which is kept"
        told.append(("the log", says))
    told.append(("backups, clones and copies of this folder", "they are not known here"))
    return told


def on_a_server(trail: Trail) -> list[tuple[str, str]]:
    """What a server keeps of a key that was deleted, and the statements that end it; nothing for a store in a file."""
    if trail.database.path is not None:
        return []
    table = str(SubjectKeyRow.__tablename__)
    return [
        (
            "the server's data files",
            f"the deleted key stays in pages of {table} until its owner runs `VACUUM FULL {table}; CHECKPOINT`; a plain "
            "VACUUM promises no overwriting",
        ),
        (
            "the server's write-ahead log",
            "the key stays in segments of pg_wal until they are overwritten or removed (a recycled one keeps its old "
            "bytes; docs/stores.md has the statements that remove them now), and in replicas, archives and backups",
        ),
    ]


def _trained_on(facts: Facts, found: Found) -> list[Model]:
    """The models that were trained on a recorded table that holds her."""
    held = {hit.sha256 for hit in found.hits if hit.rows}
    tables = {r.name for r in (*facts.of(Labels), *facts.of(Dataset)) if r.sha256 in held}
    return [model for model in facts.of(Model) if {model.labels, model.dataset} & tables]


def is_tracked(config: Config, path: str) -> bool:
    """Whether git carries a file."""
    return bool(git.run_git(config.root, "ls-files", "--", f":(literal){path}"))
