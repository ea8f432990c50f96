"""How are a search, a plan and an erasure told? In sentences that somebody who is no engineer can act on."""

from __future__ import annotations

from typing import Any

from governance.errors import ExitCode
from governance.facts import Facts, short
from governance.project.report import Report, Table, counted, table
from governance.project.subject.erase import Done
from governance.project.subject.plan import Plan, is_compiled
from governance.project.subject.search import Found, Hit
from governance.records import Erasure, Record

_RETRAIN = (
    "Take her out of what the first stages read as well, downloads included: they would bring her back. Then "
    "`labeltrail repro --force` trains and tells anew without her; `labeltrail diff` shows what that changed"
)
_SECRETS = (
    "The key of her rows in the trail is destroyed: overwritten where the store is a file, deleted where it is on a "
    "server, which keeps old bytes for a while (told below)."
)


def find_report(found: Found, facts: Facts, *, verb: str = "subject find") -> Report:
    """Where she stands: exit 0 nowhere, 1 somewhere, 4 where something could not be looked into and nothing was found."""
    by_digest = {getattr(record, "sha256", ""): record for record in facts}
    rows = [(hit.kind, hit.place.shown, hit.says, _record(by_digest.get(hit.sha256))) for hit in found.hits]
    rows += [("store", where, "her name, id or text", "") for where in found.store]
    rows += [("git", where, "her name, id or text", "") for where in found.git]
    blocks: list[str | Table] = [table(("kind", "where", "what", "record"), rows)] if rows else []
    blocks.append("" if rows else "nowhere in what was searched")
    blocks = [block for block in blocks if block]
    blocks.append("searched: " + ", ".join(f"{count:,} {_KINDS.get(k, k)}" for k, count in found.searched.items()))
    blocks += _unsearched(found)
    code = ExitCode.FINDINGS if found.anywhere else ExitCode.UNKNOWN if found.unsure else ExitCode.FINE
    return Report(verb, _found_data(found, by_digest), tuple(blocks), code)


_KINDS = {
    "project": "files of the project",
    "cache": "contents of DVC's cache",
    "run cache": "entries of DVC's run cache",
    "notes": "notes and downloads",
    "remote": "contents of remotes that are folders here",
}


def _found_data(found: Found, by_digest: dict[str, Record]) -> dict[str, Any]:
    return {
        "hits": [_hit(hit, by_digest.get(hit.sha256)) for hit in found.hits],
        "store": found.store,
        "git": found.git,
        "examples": len(found.person.ids),
        "searched": found.searched,
        "not_searched": [{"what": what, "why": why} for what, why in found.unsearched.items()],
    }


def _hit(hit: Hit, record: Record | None) -> dict[str, Any]:
    return {
        "kind": hit.kind,
        "where": hit.place.shown,
        "rows": len(hit.rows),
        "naming": len({row for rows in hit.naming.values() for row in rows}),
        "elsewhere": hit.elsewhere,
        "named": hit.named,
        "record": record.name if record else None,
    }


def _record(record: Record | None) -> str:
    return f"{record.kind} “{record.label}” {short(record.name)}" if record else ""


def _unsearched(found: Found) -> list[str]:
    return [f"not looked into: {what}: {why}" for what, why in found.unsearched.items()]


def plan_report(plan: Plan) -> Report:
    """The plan, as a lawyer may read it; nothing was changed. Exit 1 where something would be changed."""
    person = plan.found.person
    if plan.is_empty:
        blocks: list[str | Table] = ["Nothing would be changed: no table, no content and no key here is hers."]
    else:
        blocks = [
            f"The person has {counted(len(person.ids), 'example')} here. Nothing has been changed yet. An erasure would:",
            *_actions(plan),
            f"Enter one record in the log that says what was erased, when and by whom, and does not name her. {_SECRETS}",
            "Keep the salted hash of each erased row, so that every earlier proof about other people still verifies. "
            "Without the key such a hash is a random number: nobody can check a guess against it.",
            "Every label of everybody else stays as it is.",
        ]
    if plan.stays:
        blocks.append(table(("stays", "why, and what is left to do"), plan.stays))
    blocks += _unsearched(plan.found)
    data = {
        "rewritten": [_hit(hit, None) | {"recorded": plan.recorded.get(hit.sha256)} for hit in plan.rewritten],
        "removed": [_hit(hit, None) for hit in plan.removed],
        "stays": [{"what": what, "why": why} for what, why in plan.stays],
        "keys": len(plan.keys),
        "examples": len(person.ids),
        "not_searched": [{"what": what, "why": why} for what, why in plan.found.unsearched.items()],
    }
    return Report("subject plan", data, tuple(blocks), ExitCode.FINE if plan.is_empty else ExitCode.FINDINGS)


def _actions(plan: Plan) -> list[str | Table]:
    rows = [("rewrite without her rows", hit.place.shown, hit.says) for hit in plan.rewritten]
    rows += [("remove", hit.place.shown, _why_removed(hit)) for hit in plan.removed]
    rows += [("destroy", "the store", counted(len(plan.keys), "key"))] if plan.keys else []
    return [table(("what is done", "where", "what it holds"), rows)]


def _why_removed(hit: Hit) -> str:
    if hit.kind == "notes":
        return f"{hit.says}; a download can be fetched again, and would bring her back"
    if is_compiled(hit.place.path):
        return f"{hit.says}; Python makes it again from its module"
    return f"{hit.says}; an older content that nothing here names"


def erase_report(done: Done) -> Report:
    """What was done and what a search then found: exit 0 nothing, 1 she still stands somewhere, 4 not all was searched."""
    blocks: list[str | Table] = []
    if done.erasure is not None and done.plan is not None:
        rows = sum(file.rows for file in done.erasure.files)
        blocks += _actions(done.plan)
        blocks.append(
            f"Erased by entry {done.entry}: {counted(len(done.erasure.files), 'recorded file')} lost "
            f"{counted(rows, 'row')}, {counted(done.erasure.keys, 'key')} destroyed, "
            f"{counted(done.erasure.others, 'other content')} rewritten or removed."
        )
        blocks.append("Commit dvc.lock, and what of the above git carries: an older one names contents that are gone.")
        blocks.append(_RETRAIN)
    elif done.entry is not None:
        blocks.append(f"Erased by entry {done.entry}; nothing was left to do but what is told below.")
    blocks += [f"left as it is: {what}" for what in done.left]
    found = done.after
    if found is not None and found.anywhere:
        report = find_report(found, Facts())
        blocks += ["She still stands here:", *report.blocks]
    elif found is not None:
        blocks.append("A search of files, cache, store and git then found nothing of her.")
        blocks += _unsearched(found)
    if done.plan is not None and done.plan.stays:
        blocks.append(table(("stays", "why, and what is left to do"), done.plan.stays))
    return Report("subject erase", _done_data(done), tuple(blocks), _code(done))


def _done_data(done: Done) -> dict[str, Any]:
    after = _found_data(done.after, {}) if done.after is not None else None
    stays = done.plan.stays if done.plan is not None else []
    return {
        "entry": done.entry,
        "erasure": done.erasure.body() if done.erasure is not None else None,
        "left": done.left,
        "stays": [{"what": what, "why": why} for what, why in stays],
        "after": after,
    }


def _code(done: Done) -> ExitCode:
    if done.left or (done.after is not None and done.after.anywhere):
        return ExitCode.FINDINGS
    return ExitCode.UNKNOWN if done.after is not None and done.after.unsure else ExitCode.FINE


def receipt(done: Done, erasure: Erasure, *, log: str) -> dict[str, Any]:
    """What the person may be given: it does not name her, and names what proves it."""
    return {
        "schema_version": 1,
        "log": log,
        "entry": done.entry,
        "record": erasure.name,
        "at": erasure.at,
        "checkpoint": done.checkpoint,
        "recorded_files": len(erasure.files),
        "rows": sum(file.rows for file in erasure.files),
        "keys_destroyed": erasure.keys,
        "other_contents": erasure.others,
        "stays": [{"what": what, "why": why} for what, why in (done.plan.stays if done.plan else [])],
        "searched": done.after.searched if done.after else {},
        "still_found": bool(done.after and done.after.anywhere),
        "not_searched": sorted(done.after.unsearched) if done.after else [],
    }
