"""Where does the project stand, and what comes next?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance.config import Config
from governance.erased import Erased, by_entries
from governance.errors import ExitCode, GovernanceError
from governance.facts import Facts, short
from governance.project.kept import left_by_a_kill
from governance.project.report import Report, Table, counted, table
from governance.project.take_in import NEVER, find_run
from governance.records import Document, Execution, Finding, Recipe, Record, Repro, Result
from governance.runs.freshness import changes_since
from governance.runs.outside import project_stages
from governance.runs.runfile import RunFile, read_run, run_path
from governance.runs.stage import read_params
from governance.store.forgetting import erasures
from governance.store.trail import Trail

_KILLED = (
    "an earlier repro was killed: `labeltrail verify` or the next `labeltrail repro` puts back what it left in between"
)
#: `audit` and the cards count without these: a document is told in the same words wherever it is told
_ON_RUNS = " ({} of them on how stages ran, which documents do not tell)"


@dataclass(frozen=True)
class StageState:
    """One stage: recorded, unrecorded, stale, absent (files are not here), changed (not what it made) or never run."""

    stage: str
    state: str
    result: str
    says: str


def current_runs(config: Config, known: Facts) -> list[RunFile]:
    """The recorded runs that stand for the project now, in the order of the pipeline.

    They are those whose run files lie in the project, whatever became of their outputs: a record is told as it was made,
    and whoever reads a file holds it against its record. A stage without a run file stands by what the last repro named.
    """
    repros = known.of(Repro)
    last = repros[-1].results if repros else {}
    found: list[RunFile] = []
    for stage in project_stages(config):
        try:
            name = read_run(config.root / run_path(config.artifacts, stage)).result.name
        except GovernanceError:
            name = last.get(stage, "")
        result = known.get(name if name in known else last.get(stage, ""))
        recipe = known.get(result.recipe) if isinstance(result, Result) else None
        if isinstance(result, Result) and isinstance(recipe, Recipe):
            found.append(RunFile(recipe, result))
    return found


def current_facts(known: Facts, runs: list[RunFile], *, without_documents: tuple[str, ...] = ()) -> Facts:
    """The records of these runs in the order in which they were stated, and what was found about their recipes.

    `without_documents` leaves out the runs that generated such documents, since a document does not tell of itself, and
    what was found about runs: a stage cannot know it, and a document is told in the same words wherever it is told.
    """
    records: list[Record] = []
    recipes: set[str] = set()
    for run in runs:
        stated = [known.get(name) for name in run.result.generated]
        made = {record.document_kind for record in stated if isinstance(record, Document)}
        if made & set(without_documents):
            continue
        recipes.add(run.recipe.name)
        records += [run.recipe, *(record for record in stated if record is not None), run.result]
    if not without_documents:
        records += [finding for finding in _standing(known, runs) if finding.subject in recipes]
    return Facts(records)


def _standing(known: Facts, runs: list[RunFile]) -> list[Finding]:
    """Every finding but those that earlier executions led to: a recipe's newest execution says what holds of it now."""
    executions = known.of(Execution)
    newest = {execution.result: execution.findings for execution in executions}
    now = {name for run in runs for name in newest.get(run.result.name, ())}
    before = {name for execution in executions for name in execution.findings} - now
    return [finding for finding in known.of(Finding) if finding.name not in before]


def stage_states(config: Config, known: Facts, erased: Erased | None = None) -> list[StageState]:
    """The state of every stage, without running anything."""
    states = []
    for stage in project_stages(config):
        found = find_run(config, stage, erased)
        name = found.run.result.name if found.run else ""
        earlier = any(result.stage == stage for result in known.of(Result))
        if found.run is None:
            state = "changed" if found.problem != NEVER else "absent" if earlier else "never run"
            states.append(StageState(stage, state, name, "" if found.problem == NEVER else found.problem))
            continue
        if found.problem:
            state = "absent" if found.absent else "changed"
            states.append(StageState(stage, state, name, found.problem))
            continue
        changes = changes_since(found.run.recipe, config, erased=erased)
        if name not in known:
            states.append(StageState(stage, "unrecorded", name, "`labeltrail sync` takes it in"))
        elif changes:
            more = f" (+{len(changes) - 1} more)" if len(changes) > 1 else ""
            states.append(StageState(stage, "stale", name, changes[0] + more))
        else:
            states.append(StageState(stage, "recorded", name, by_entries(found.erased) if found.erased else ""))
    return states


def status(config: Config, trail: Trail) -> Report:
    """`labeltrail status`: stages, findings, the log, and the next command."""
    known = trail.facts()
    read_params(config.root)  # a fault of params.yaml is told once, and not by every stage
    states = stage_states(config, known, erasures(trail))
    runs = current_runs(config, known)
    facts = current_facts(known, runs)
    findings = facts.of(Finding)
    outcomes = {outcome: sum(f.outcome == outcome for f in findings) for outcome in ("pass", "fail", "unknown")}
    generated = {name for run in runs for name in run.result.generated}
    on_runs = sum(finding.name not in generated for finding in findings)
    notes = trail.checkpoints()
    signed = bool(notes) and "\u2014" in notes[-1][1]
    then, killed = _next(states), left_by_a_kill(config)
    rows = [(s.stage, s.state, short(s.result) if s.result else "", s.says) for s in states]
    told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    blocks: list[str | Table] = [
        table(("stage", "state", "result", "note"), rows),
        f"findings: {told}{_ON_RUNS.format(on_runs) if on_runs else ''}",
        *(f"  {f.outcome}: {f.says}" for f in findings if f.outcome != "pass"),
        f"log {trail.log}: {counted(trail.size(), 'entry', 'entries')}, newest checkpoint {_signed(signed)}",
        *([_KILLED] if killed else []),
        f"next: {then}",
    ]
    data: dict[str, Any] = {
        "stages": [vars(state) for state in states],
        "findings": outcomes,
        "on_runs": on_runs,
        "open": [{"name": f.name, "outcome": f.outcome, "says": f.says} for f in findings if f.outcome != "pass"],
        "log": {"log": trail.log, "size": trail.size(), "signed": signed},
        "killed": killed,
        "next": then,
    }
    settled = all(state.state == "recorded" for state in states)
    return Report("status", data, tuple(blocks), ExitCode.FINE if settled else ExitCode.FINDINGS)


def _signed(signed: bool) -> str:
    return "signed" if signed else "unsigned"


def _next(states: list[StageState]) -> str:
    kinds = {state.state for state in states}
    if "changed" in kinds:
        return "`labeltrail verify` says what was changed"
    if kinds & {"stale", "never run", "absent"}:
        return "`labeltrail repro`"
    if "unrecorded" in kinds:
        return "`labeltrail sync`"
    return "`labeltrail why EXAMPLE` explains a label, `labeltrail audit` tells what is missing"
