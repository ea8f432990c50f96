"""How are log, records and lineage told?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from governance.errors import ExitCode
from governance.facts import Facts, short
from governance.lineage.graph import Direction, Graph, Step
from governance.lineage.stored import StoredGraph
from governance.project.report import Report, Table, counted, table
from governance.project.take_in import NEVER, Found, TakenIn
from governance.proof.check import Verification
from governance.records import Finding, Record
from governance.store.entry import Entry
from governance.store.trail import Trail

#: the order in which people think of a pipeline
_KINDS = (
    "source",
    "sourcetext",
    "dataset",
    "contract",
    "votes",
    "labelmodel",
    "labels",
    "model",
    "predictions",
    "evaluation",
    "document",
    "finding",
    "attestation",
    "approval",
    "expiry",
    "impersonal",
    "commitment",
    "recipe",
    "result",
    "execution",
    "environment",
    "repro",
    "reproduction",
    "adoption",
    "key",
    "log",
)
#: what belongs to one store and not to the data; it stands apart, so that two stores' answers can be compared
_OF_THE_STORE = frozenset(
    {"impersonal", "commitment", "execution", "environment", "repro", "reproduction", "adoption", "key", "log"}
)


def when(at: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC."""
    return dt.datetime.fromtimestamp(at / 1e6, tz=dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def log_report(trail: Trail, entries: list[tuple[int, Entry]], *, size: int) -> Report:
    """`labeltrail log`: newest entries, oldest of them first."""
    start, newest = trail.start(), trail.keychain().newest
    listed = [
        {"seq": seq, "at": when(e.at), "kind": e.record.kind, "name": e.record.name, "label": e.record.label}
        for seq, e in entries
    ]
    rows = [(item["seq"], item["at"], item["kind"], item["label"], short(str(item["name"]))) for item in listed]
    notes = trail.checkpoints()
    signed = "signed" if notes and "\u2014" in notes[-1][1] else "unsigned"
    says = (
        f"{counted(size, 'entry', 'entries')} in log {trail.log} of {start.project}; the newest checkpoint is {signed}"
    )
    data: dict[str, Any] = {
        "log": trail.log,
        "size": size,
        "public_key": newest.public_key,
        "checkpoint": notes[-1][1] if notes else None,
        "entries": listed,
    }
    return Report("log", data, (table(("entry", "at", "kind", "what", "name"), rows), says))


def show_report(record: Record, *, facts: Facts, current: Facts, seq: int | None, at: int | None) -> Report:
    """`labeltrail show`: one record, and where it hangs; among the current runs, and beyond them.

    People see the fields that hold something, programs every field.
    """
    body = record.body()
    graph = Graph(facts.edges)
    near: list[dict[str, str]] = []
    for direction in ("up", "down"):
        # Sorted, because two stores that agree on the edges need not have met them in the same order.
        for relation, name in sorted(graph.neighbours(record.name, direction)):
            other = facts.get(name)
            near.append(
                {"direction": direction, "relation": relation, "name": name, "label": other.label if other else ""}
            )
    rows = [(field, shown) for field, value in body.items() if (shown := _shown(value))]
    edges = [("←" if n["direction"] == "up" else "→", n["relation"], n["label"], short(n["name"])) for n in near]
    blocks: list[str | Table] = [f"{record.kind} “{record.label}”", record.name]
    if seq is not None and at is not None:
        blocks.append(f"entry {seq}, {when(at)}")
    blocks.append(table(("field", "value"), rows))
    if empty := len(body) - len(rows):
        blocks.append(f"{counted(empty, 'field')} without a value: `--json` lists every field")
    if edges:
        blocks.append(table(("", "relation", "record", "name"), edges, title="comes from (←), led to (→)"))
    data = {
        "name": record.name,
        "kind": record.kind,
        "v": record.v,
        "body": body,
        "edges": [edge for edge in near if not _of_the_store(edge["name"], current)],
        "store": {
            "entry": seq,
            "at": when(at) if at is not None else None,
            "edges": [edge for edge in near if _of_the_store(edge["name"], current)],
        },
    }
    return Report("show", data, tuple(blocks))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        parts = [_shown(item) for item in value[:12]]
        return "; ".join(parts) + (f" (+{len(value) - 12} more)" if len(value) > 12 else "")
    return "" if value is None else str(value)


def trace_report(
    record: Record, trail: Trail, facts: Facts, *, current: Facts, directions: tuple[Direction, ...], limit: int | None
) -> Report:
    """`labeltrail trace`: everything it comes from and everything that came of it, or the `limit` nearest of each.

    What the current runs hold travels with the data and is the same in every store; earlier runs, executions and the like
    are told apart, below `store`.
    """
    graph, travelling = StoredGraph(trail), Graph(current.edges)
    data: dict[str, Any] = {"name": record.name, "kind": record.kind, "label": record.label}
    store: dict[str, Any] = {"cut": []}
    blocks: list[str | Table] = [f"{record.kind} “{record.label}” {record.name}"]
    for way, title in (("up", "comes from"), ("down", "came of it, or of a run that used it")):
        if way not in directions:
            continue
        reached = graph.reach(record.name, way, limit=limit)
        shared = [step for step in travelling.reach(record.name, way) if not _of_the_store(step.name, current)]
        names = {step.name for step in shared}
        data[way] = [_step(step, facts) for step in shared[:limit]]
        store[way] = [_step(step, facts) for step in reached.steps if step.name not in names]
        told = counted(len(reached.steps), "record")
        blocks.append(
            _by_kind(reached.steps, facts, title=f"{title} ({f'the {told} nearest' if reached.cut else told})")
        )
        if reached.cut:
            store["cut"].append(way)
            blocks.append(f"There are more than these {told}: a larger --limit, or none, tells them.")
    data["store"] = store
    return Report("trace", data, tuple(blocks))


def _of_the_store(name: str, current: Facts) -> bool:
    """What only this store saw: earlier runs, its own events, and what was found about runs as they ran here."""
    record = current.get(name)
    seen_here = isinstance(record, Finding) and record.subject.startswith("recipe:")
    return record is None or seen_here or name.partition(":")[0] in _OF_THE_STORE


def _step(step: Step, facts: Facts) -> dict[str, Any]:
    record = facts.get(step.name)
    return {
        "name": step.name,
        "kind": step.name.partition(":")[0],
        "label": record.label if record else "",
        "distance": step.distance,
        "relation": step.relation,
        "via": step.via,
    }


def _by_kind(steps: list[Step], facts: Facts, *, title: str) -> Table:
    def rank(step: Step) -> tuple[int, int, str]:
        kind = step.name.partition(":")[0]
        return (_KINDS.index(kind) if kind in _KINDS else len(_KINDS), step.distance, step.name)

    rows = []
    for step in sorted(steps, key=rank):
        record = facts.get(step.name)
        kind = step.name.partition(":")[0]
        rows.append((kind, record.label if record else "", step.distance, step.relation, short(step.name)))
    return table(("kind", "what", "steps", "over", "name"), rows, title=title)


def verify_report(verification: Verification, *, rolled_back: Sequence[str] = ()) -> Report:
    """`labeltrail verify`: what does not fit, then what was counted, then what was not looked at."""
    wrong = verification.of("broken", "missing", "unknown", "stale", "returned")
    counts = verification.counts
    blocks: list[str | Table] = []
    if rolled_back:
        blocks.append(f"An earlier repro was killed: the former outputs of {', '.join(rolled_back)} are back.")
    if wrong:
        rows = [(check.state, check.what, check.culprit, check.says) for check in wrong]
        blocks.append(table(("state", "where", "culprit", "what was seen"), rows))
        blocks += list(dict.fromkeys(check.hint for check in wrong if check.hint))
    if erased := verification.of("erased"):
        rows = [(check.culprit, check.says) for check in erased]
        blocks.append(table(("where rows were erased", "by which entry"), rows))
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    blocks.append(f"{_verdict(verification)}: hashed {told}")
    blocks += [f"not checked: {what}" for what in verification.not_checked]
    data = {
        "checks": [vars(check) for check in verification.checks],
        "counts": counts,
        "not_checked": list(verification.not_checked),
        "rolled_back": list(rolled_back),
    }
    return Report("verify", data, tuple(blocks), verification.exit_code)


def _verdict(verification: Verification) -> str:
    """What is not here, or was edited since, was not tampered with: only bytes that contradict a record are not whole."""
    if verification.of("broken"):
        return "NOT whole"
    parts = []
    if verification.of("missing", "unknown"):
        parts.append("unknown whether whole, since not everything is here or can be shown")
    if verification.of("returned"):
        parts.append("rows of an erased person are here again")
    if verification.of("stale"):
        parts.append("not up to date" if parts else "what was made is as recorded, but not up to date")
    return ", and ".join(parts) or "whole and unchanged"


def sync_report(taken: TakenIn) -> Report:
    """`labeltrail sync`: what lay there and what of it was new; exit 3 where something contradicts its run, 4 where
    something is absent."""

    def state(found: Found) -> str:
        if found.problem:
            return found.problem
        return "taken in" if found.run and found.run.result.name in taken.new_names else "known already"

    rows = [(found.stage, state(found), short(found.run.result.name) if found.run else "") for found in taken.found]
    absent = sorted({path for found in taken.found for path in found.absent})
    returned = [found.stage for found in taken.found if found.returned]
    refused = [
        found.stage
        for found in taken.found
        if found.problem and found.problem != NEVER and not found.absent and not found.returned
    ]
    blocks: list[str | Table] = [
        table(("stage", "state", "result"), rows),
        counted(taken.new, "new entry", "new entries"),
    ]
    if refused:
        blocks.append(f"Refused, and nothing of it recorded: {', '.join(refused)}. `labeltrail verify` says more.")
    if returned:
        says = "take the person out of what the stage reads, or out of what lies here with `labeltrail subject erase`"
        blocks.append(f"Not recorded, for rows of an erased person: {', '.join(returned)}. {says}")
    if absent:
        says = "`labeltrail sync --pull` brings what DVC's remote holds, `labeltrail repro` makes it here"
        blocks.append(f"Not here: {', '.join(absent)}. {says}")
    data = {
        "stages": {found.stage: state(found) for found in taken.found},
        "new_entries": taken.new,
        "refused": refused,
        "returned": returned,
        "absent": absent,
    }
    code = ExitCode.BROKEN if refused else ExitCode.UNKNOWN if absent else ExitCode.FINE
    if returned and code == ExitCode.FINE:
        code = ExitCode.FINDINGS
    return Report("sync", data, tuple(blocks), code)
