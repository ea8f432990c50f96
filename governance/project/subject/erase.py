"""How is a person taken out of everything that lies here, so that a kill at any moment leaves nothing half-told?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from governance.config import Config
from governance.dvc.locks import is_dvc_at_work
from governance.errors import Busy, ConfigurationError, MissingEvidence
from governance.project import git
from governance.project.kept import recover
from governance.project.repro import project_lock
from governance.project.subject.intent import complete, drop, read_intent
from governance.project.subject.plan import Plan, make_plan
from governance.project.subject.search import Found, Search
from governance.project.subject.staging import Staged, Staging
from governance.project.watched import clear_stale
from governance.records import Erasure
from governance.store.commitments import SubjectKeys
from governance.store.forgetting import keep_leaves
from governance.store.trail import Trail

REASON = "the person asked for it"


@dataclass
class Done:
    """What an erasure did, and what a search found afterwards."""

    plan: Plan | None
    erasure: Erasure | None
    entry: int | None
    checkpoint: str | None
    left: list[str]
    after: Found | None = field(default=None, repr=False)


def erase(
    config: Config,
    trail: Trail,
    subject: str,
    *,
    texts: frozenset[str] = frozenset(),
    reason: str = REASON,
    say: Callable[[str], None] = lambda _: None,
    step: Callable[[str], None] = lambda _: None,
) -> Done:
    """1. nobody else is at work, and an erasure that was cut off is completed  2. what will be done  3. every new content
    is made in full, and the list of what to do is written down  4. in one transaction the log names what is done, the keys
    are destroyed and the leaves kept  5. files, DVC's files and contents follow  6. everything is searched again

    Before 4. nothing has changed; from there on `complete` goes on where it was cut off. Raises Busy, MissingEvidence (she
    is nowhere), ConfigurationError.
    """
    # 1.
    with alone(config):
        _go_on(config, trail, step=step)
        # 2.
        plan = make_plan(config, trail, subject, texts=texts, say=say)
        if plan.is_empty:
            return _erased_before(config, trail, plan, say=say)
        who = git.who(config.root)
        _refuse_names(plan, reason=reason, who=who)
        # 3.
        say("makes the tables without her rows")
        step("stage")
        try:
            staged = Staging(config, trail, plan).make()
        except BaseException:
            drop(config)
            raise
        erasure = _erasure(plan, staged, reason=reason, who=who)
        staged.intent.record = erasure.name
        step("intent")
        staged.intent.write(config)
        # 4.
        step("enter")

        def forget(connection: Connection, positions: dict[str, int]) -> None:
            keep_leaves(trail, connection, staged.leaves)
            person = plan.found.person
            entered = positions[erasure.name]
            SubjectKeys(trail).destroy(connection, person.names, subject=person.subject, entry=entered)

        appended = trail.append([erasure], also=forget, forgets=True)
        entry = appended.positions[erasure.name]
        # 5.
        say(f"entry {entry} is in the log; puts the new contents in their places")
        left = complete(config, staged.intent, step=step)
        # 6.
        after = Search(config, trail, say=say).look(replace(plan.found.person, thorough=True))
    return Done(plan, erasure, entry, appended.checkpoint.to_note(), left, after)


def resume(config: Config, trail: Trail) -> Done:
    """Completes an erasure that was cut off. Raises Busy, ConfigurationError where there is none."""
    with alone(config):
        intent = read_intent(config)
        if intent is None:
            raise ConfigurationError("no erasure was cut off here", hint="`labeltrail subject erase PERSON` begins one")
        entry = trail.positions().get(intent.record)
        left = _go_on(config, trail)
    return Done(None, None, entry, None, left)


@contextmanager
def alone(config: Config) -> Iterator[None]:
    """Nobody else changes or runs anything here. Raises Busy."""
    with project_lock(config, wait_seconds=0.0):
        if is_dvc_at_work(config.root):
            raise Busy("a DVC is at work in this project", hint="erase when it is done")
        recover(config)
        if clear_stale(config):
            # What it has seen so far holds people too, and is written when its script ends.
            raise Busy("a `labeltrail run` is at work in this project", hint="erase when it is done")
        yield


def _go_on(config: Config, trail: Trail, *, step: Callable[[str], None] = lambda _: None) -> list[str]:
    """What an earlier erasure left to be done; one that never came into the log has changed nothing, and is forgotten."""
    intent = read_intent(config)
    if intent is None or intent.record not in trail.positions():
        drop(config)
        return []
    return complete(config, intent, step=step)


def _erasure(plan: Plan, staged: Staged, *, reason: str, who: str) -> Erasure:
    return Erasure.make(
        at=time.time_ns() // 1000,
        who=who,
        reason=reason,
        files=staged.files,
        rows=staged.rows,
        keys=len(plan.keys),
        others=staged.others,
    )


def _erased_before(config: Config, trail: Trail, plan: Plan, *, say: Callable[[str], None]) -> Done:
    """Whoever was erased already stays so. Raises MissingEvidence for somebody who is nobody's subject here."""
    entry = SubjectKeys(trail).erased(plan.found.person.subject)
    if entry is not None:
        after = Search(config, trail, say=say).look(replace(plan.found.person, thorough=True))
        return Done(plan, None, entry, None, [], after)
    if plan.found.anywhere:
        says = "no table here has rows of this person, so that nothing can be taken out"
        raise MissingEvidence(says, hint="`labeltrail subject find` names the places that hold her all the same")
    hint = "give a value of the subject column, or an example's id where labeltrail.toml names no such column"
    raise MissingEvidence("this person is nowhere here", hint=hint)


def _refuse_names(plan: Plan, *, reason: str, who: str) -> None:
    """The log cannot forget: what it says of an erasure must not name the person. Raises ConfigurationError."""
    for what, text in (("the reason", reason), ("the name of who erases, which git has as user.name,", who)):
        if plan.found.person.is_in(text.encode()) or text in plan.found.person.names:
            raise ConfigurationError(
                f"{what} names the person", hint="the log keeps it for ever: say it in other words"
            )
