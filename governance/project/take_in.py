"""How do the runs that lie in the project get into the trail?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from governance.config import Config
from governance.digest import file_digest, file_md5
from governance.dvc.files import LockedStage, Stage, read_lock
from governance.erased import Erased, by_entries
from governance.errors import ConfigurationError, GovernanceError
from governance.facts import Facts, is_row_table, read_facts
from governance.project import git
from governance.records import Commitment, Execution, Finding, NoPersonalData, Record, Result
from governance.runs.runfile import RunFile, facts_path, read_run, run_path
from governance.store.blocks import commit_blocks
from governance.store.commitments import SubjectKeys, commit_rows
from governance.store.forgetting import ReturnedSubject, erased_subjects, erasures
from governance.store.trail import Appended, Trail

#: the problem of a stage without a run file
NEVER = "it has not run here"


@dataclass(frozen=True)
class Found:
    """The run that lies in the project for one stage, with its facts, or why it cannot be taken in."""

    stage: str
    run: RunFile | None = None
    facts: Facts | None = None
    problem: str = ""
    #: what is not there, where that is all that keeps it out; anything else contradicts the run
    absent: tuple[str, ...] = ()
    #: the entries that took rows out of its outputs, and whether such rows are here again
    erased: tuple[int, ...] = ()
    returned: bool = False


def find_run(config: Config, stage: str, erased: Erased | None = None) -> Found:
    """Reads a stage's run file and facts and holds every output against them; a run that does not fit is not taken in.

    An output fits too where only the rows of an erased person are gone, and does not where they are here again.
    """
    erased = erased or Erased()
    path = config.root / run_path(config.artifacts, stage)
    if not path.is_file():
        return Found(stage, problem=NEVER)
    try:
        run = read_run(path)
    except GovernanceError as error:
        return Found(stage, problem=error.message)
    if run.result.stage != stage:
        return Found(stage, problem=f"its run file is of stage {run.result.stage}")
    # What contradicts the run is told before what is only absent.
    absent = tuple(output.path for output in run.result.outputs if not (config.root / output.path).is_file())
    entries: dict[int, None] = {}
    back = ""
    for output in run.result.outputs:
        if output.path in absent:
            continue
        actual, standing = file_digest(config.root / output.path), erased.of(output.sha256)
        if standing and actual == output.sha256:
            back = back or f"{output.path} holds rows of a person who was {standing.says}"
        elif standing and actual == standing.sha256:
            entries |= dict.fromkeys(standing.entries)
        elif actual != output.sha256:
            return Found(stage, run, problem=f"{output.path} is not what the run recorded")
    if back:
        return Found(stage, run, problem=back, returned=True)
    if absent:
        return Found(stage, run, problem=_are_not_there(absent), absent=absent)
    try:
        facts = read_facts(config.root / facts_path(config.artifacts, stage))
    except GovernanceError as error:
        return Found(stage, run, problem=error.message)
    if problem := _misstated(facts, run):
        return Found(stage, run, facts, problem)
    return Found(stage, run, facts, erased=tuple(entries))


def _misstated(facts: Facts, run: RunFile) -> str:
    if tuple(record.name for record in facts) != run.result.generated:
        return "its facts are not those that the result lists"
    # An erasure excuses changed files, and an adoption vouches for entries: neither is for a file that travels to say.
    events = sorted({record.kind for record in facts if record.event})
    return f"its facts hold what no run can state: {', '.join(events)}" if events else ""


def _are_not_there(paths: Sequence[str]) -> str:
    return f"{', '.join(paths)} {'is' if len(paths) == 1 else 'are'} not there"


def take_in(trail: Trail, config: Config, stages: Iterable[Stage], *, events: Sequence[Record] = ()) -> TakenIn:
    """Enters what the stages' runs say, in one transaction: recipes, facts, results, commitments, then `events`.

    A second result of a recipe that the trail knows is taken in only where an execution among `events` made it just now:
    from a file alone it may as well be a forgery. Raises ConfigurationError, and enters nothing, where tables are to be
    committed to in blocks and somebody was erased from this log.
    """
    known = trail.facts()
    statement = _statement(trail, config, known)
    executed = {event.result for event in events if isinstance(event, Execution)}
    locks: Mapping[str, LockedStage] = {}
    # A lock that cannot be read is DVC's to complain of, and no reason to forget what was seen.
    with contextlib.suppress(GovernanceError):
        locks = read_lock(config.root)
    erased = erasures(trail)
    found = [
        _judged(config, find_run(config, stage.name, erased), known, executed, locks.get(stage.name))
        for stage in stages
    ]
    records: list[Record] = []
    for place, one in enumerate(found):
        if one.run is None or one.facts is None or one.problem:
            continue
        try:
            commitments = _commitments(trail, config, known, one, statement)
        except ReturnedSubject as error:
            found[place] = replace(one, problem=error.message, returned=True)
            continue
        records += [one.run.recipe, *one.facts, one.run.result]
        records += _disagreements(known, one.run)
        records += commitments
    new = [record for record in records if record.name not in known]
    taken = {
        name for one in found if one.run and not one.problem for name in (one.run.result.name, one.run.recipe.name)
    }
    kept = [event for event in events if _enters(event, taken)]
    appended = trail.append([*new, *kept]) if new or kept else None
    return TakenIn(found, appended, frozenset(record.name for record in new))


def _judged(config: Config, found: Found, known: Facts, executed: set[str], locked: LockedStage | None) -> Found:
    """A run that nobody here saw is taken in only where nothing speaks against it: not the lock, and no other result."""
    run = found.run
    path = run_path(config.artifacts, found.stage)
    locked_md5s = {file.path: file.md5 for file in locked.outs} if locked else {}
    if run is None:
        if found.problem == NEVER and path in locked_md5s:
            return Found(found.stage, problem=_are_not_there([path]), absent=(path,))
        return found
    if run.result.name in known or (run.result.name in executed and not found.erased):
        return found
    # Whoever can write into a remote or a cache can put a whole other history there; git carries the lock, which names
    # the run file, which names everything else by SHA-256.
    if locked_md5s.get(path) not in (None, file_md5(config.root / path)):
        return Found(found.stage, run, problem=f"{path} is not what dvc.lock names")
    if found.problem:
        return found
    if found.erased:
        says = f"it lost rows before it was recorded ({by_entries(found.erased)}): `labeltrail repro --force` makes it anew"
        return replace(found, problem=says, erased=())
    others = [result.name for result in known.of(Result) if result.recipe == run.recipe.name]
    if not others:
        return found
    problem = f"it is another result than {others[-1]} of the same recipe, and nobody saw it made here"
    return Found(found.stage, run, found.facts, problem)


@dataclass(frozen=True)
class TakenIn:
    """What lay there, and what of it was new to the trail."""

    found: list[Found]
    appended: Appended | None
    new_names: frozenset[str] = frozenset()

    @property
    def new(self) -> int:
        return len(self.appended.positions) if self.appended else 0


def _enters(event: Record, taken: set[str]) -> bool:
    """Executions, and what was found as they ran, enter with their runs; anything else in any case."""
    if isinstance(event, Execution):
        return event.result in taken
    return not isinstance(event, Finding) or event.subject in taken


def _disagreements(known: Facts, run: RunFile) -> list[Finding]:
    """One recipe with two different results is a finding that shows both."""
    others = [r.name for r in known.of(Result) if r.recipe == run.recipe.name and r.name != run.result.name]
    if not others:
        return []
    says = (
        f"Stage {run.recipe.stage} gave {run.result.name} where the same recipe had given {others[-1]}: "
        "something outside the recipe decides its outputs."
    )
    return [Finding.make(check="reproduction", subject=run.recipe.name, outcome="fail", says=says)]


def _statement(trail: Trail, config: Config, known: Facts) -> NoPersonalData | None:
    """On what commitments to blocks stand: what labeltrail.toml says, as it was recorded first; None for rows."""
    if config.commit == "rows":
        return None
    if erased := erased_subjects(trail):
        raise ConfigurationError(
            f'`commit = "blocks"` is for nobody\'s data, and a person was {by_entries(sorted(set(erased.values())))}',
            hint='set `commit = "rows"` in labeltrail.toml, then `labeltrail sync`',
        )
    says = config.no_personal_data.strip()
    stated = [one for one in known.of(NoPersonalData) if one.says == says]
    fresh = {"says": says, "who": git.who(config.root), "revision": git.revision(config.root)}
    return stated[0] if stated else NoPersonalData.make(**fresh)


def _commitments(
    trail: Trail, config: Config, known: Facts, found: Found, statement: NoPersonalData | None
) -> list[Record]:
    """Those that are missing, after the statement that they stand on. Rows are committed to also where blocks are."""
    if found.run is None or found.facts is None:
        return []
    committed = {one.of for one in known.of(Commitment) if statement is not None or one.scheme == "rows/v1"}
    by_digest = {output.sha256: output.path for output in found.run.result.outputs}
    made: list[Record] = []
    # Whoever takes runs in holds the project's lock.
    keys = SubjectKeys(trail, keeping=True)
    for record in found.facts:
        path = by_digest.get(getattr(record, "sha256", ""))
        if not path or not is_row_table(record) or record.name in committed:
            continue
        table, of, id_column = config.root / path, record.name, config.id_column
        if statement is not None:
            made += [statement, commit_blocks(trail, table, of=of, id_column=id_column, statement=statement.name)]
        else:
            subject_column = config.subject_column
            rows = commit_rows(trail, table, of=of, id_column=id_column, subject_column=subject_column, keys=keys)
            made.append(rows.commitment)
    return made
