"""Who decided what about a source version, and how is such a decision entered? None is ever deleted."""

from __future__ import annotations

import datetime as dt
import shlex
import time
from dataclasses import dataclass

from governance.checks.approval import judge_one
from governance.config import Config
from governance.errors import ExitCode, InvalidRecord
from governance.facts import Facts, short
from governance.project import git
from governance.project.report import Report
from governance.records import Approval, Expiry, Source
from governance.store import keys
from governance.store.decisions import genuine, signed
from governance.store.trail import Trail


@dataclass(frozen=True)
class Standing:
    """The decisions about one source version, oldest first, and since when it may not be used (a day, or nothing)."""

    approvals: tuple[Approval, ...]
    genuine: frozenset[str]
    since: str
    #: whether another version of the source was approved
    older: bool

    def approver(self, source: Source) -> str:
        """Who approved the version and is not its author, last; empty where nobody is."""
        for one in reversed(self.approvals):
            how = {"author": source.author, "author_key": source.author_key, "genuine": self.genuine}
            if judge_one(one, **how)[0] != "fail":
                return f"{one.who} ({one.role}{'' if one.public_key else ', self-stated'})"
        return ""


def standing(source: Source, facts: Facts) -> Standing:
    """What is decided about a source version; an approval by somebody else after an expiry takes the source back in use."""
    decisions = [one for one in facts if isinstance(one, (Approval, Expiry))]
    fit = genuine(decisions)
    approvals: list[Approval] = []
    since = ""
    for one in decisions:
        if one.subject != source.name:
            continue
        if isinstance(one, Expiry):
            # One that somebody forged is no decision.
            if one.public_key is None or one.name in fit:
                since = min(since or one.since, one.since)
            continue
        approvals.append(one)
        if judge_one(one, author=source.author, author_key=source.author_key, genuine=fit)[0] != "fail":
            since = ""
    older = any(
        isinstance(one, Approval) and one.subject != source.name and one.title == source.title for one in decisions
    )
    return Standing(tuple(approvals), fit, since, older)


def approve(
    config: Config, trail: Trail, source: Source, *, role: str, reason: str, who: str | None, at: int | None = None
) -> Report:
    """Enters that somebody says that a source version may be used; refused (exit 1) where that is its own author.

    Raises InvalidRecord for an empty text, Busy, BrokenEvidence.
    """
    said = _said(config, source, role=role, reason=reason, who=who, at=at)
    record = signed(Approval.make(**said), keys.load_key())
    by = {"author": source.author, "author_key": source.author_key, "genuine": genuine([record])}
    outcome, told = judge_one(record, **by)
    data = _data(record, source)
    if outcome == "fail":
        says = f"not approved: {source.title} would be approved {told}"
        hint = "nothing was recorded; let somebody else approve it, with their own key or --by"
        return Report("source approve", {**data, "recorded": False}, (says, hint), exit_code=ExitCode.FINDINGS)
    return _entered(trail, record, data, says=f"{source.title} {short(source.name)} is approved {told}")


def expire(
    config: Config,
    trail: Trail,
    source: Source,
    *,
    since: str,
    role: str,
    reason: str,
    who: str | None,
    at: int | None = None,
) -> Report:
    """Enters that a source version may not be used from a day on. Raises InvalidRecord, Busy, BrokenEvidence."""
    said = _said(config, source, role=role, reason=reason, who=who, at=at)
    record = signed(Expiry.make(**said, since=day("since", since)), keys.load_key())
    how = "" if record.public_key else ", self-stated"
    says = f"{source.title} {short(source.name)} may not be used from {since} on, by {record.who} ({role}{how})"
    return _entered(trail, record, _data(record, source), says=says)


def day(field: str, text: str) -> str:
    """A date as it is given. Raises InvalidRecord."""
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise InvalidRecord(field, text, "a date as YYYY-MM-DD")


def _said(
    config: Config, source: Source, *, role: str, reason: str, who: str | None, at: int | None
) -> dict[str, object]:
    who = git.who(config.root) if who is None else who
    for field, value in (("by", who), ("role", role), ("reason", reason)):
        if not value.strip():
            raise InvalidRecord(field, value, "a text")
    at = time.time_ns() // 1000 if at is None else at
    return {"subject": source.name, "title": source.title, "who": who, "role": role, "reason": reason, "at": at}


def _data(record: Approval | Expiry, source: Source) -> dict[str, object]:
    return {"source": source.name, "record": record.name, **record.body()}


def _entered(trail: Trail, record: Approval | Expiry, data: dict[str, object], *, says: str) -> Report:
    appended = trail.append([record])
    check = f"`labeltrail source check {shlex.quote(record.title)}`"
    told = f"entry {appended.positions[record.name]} of the log; next: {check}"
    data = {**data, "recorded": True, "entry": appended.positions[record.name]}
    return Report(f"source {'approve' if isinstance(record, Approval) else 'expire'}", data, (says, told))
