"""What would the owner of a script want to know of it, in sentences?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from governance.checks import error_rate, near_copies, silence
from governance.records import Finding, LabelModel, Source
from governance.runs.stage import StageRun
from governance.votes import analysis, copies
from governance.votes.patterns import distinct
from governance.watching.aligned import Alignment
from governance.watching.session import Application, Fitted, Session


def state_alignment(run: StageRun, application: Application, alignment: Alignment, *, subject: str) -> None:
    """Whether votes stand beside their rows, and which sources cannot be asked."""
    rows = f"{alignment.revoted:,} sampled rows were voted again"
    late = f" ({alignment.late:,} votes ran into the time limit and are left out)" if alignment.late else ""
    if alignment.differing:
        how = f"{rows}: {alignment.differing:,} of them have other votes than stand beside them{late}"
        order = ", and the votes stand in the order of the frame's index" if alignment.index_order else ""
        says = f"Rows and votes of {application.applier} are out of step: {how}{order}."
        outcome = "fail"
    elif not alignment.revoted:
        why = (
            f"each of {alignment.late:,} sampled votes ran into the time limit" if alignment.late else "there are none"
        )
        says = f"No vote of {application.applier} could be compared with a second one: {why}."
        outcome = "unknown"
    else:
        says = f"{rows} and stand beside their own votes{late}."
        outcome = "pass"
    run.state(Finding.make(check="alignment", subject=subject, outcome=outcome, says=says))
    for name in alignment.unsteady:
        says = f"{name} answers differently when it is asked twice about one row, so that its votes cannot be repeated."
        run.state(Finding.make(check="repeatable", subject=subject, outcome="fail", says=says))
    for name in alignment.changed:
        says = f"{name} no longer votes as it did while the script ran: it depends on something that has changed since."
        run.state(Finding.make(check="repeatable", subject=subject, outcome="fail", says=says))


def state_errors(run: StageRun, sources: Sequence[Source], table: Any, errors: Mapping[str, Mapping[str, int]]) -> None:
    """How often each source failed."""
    for column, source in zip(table.columns, sources, strict=True):
        run.state(error_rate.check(errors[column], len(table), subject=source.name, title=source.title))


def state_likeness(run: StageRun, table: Any, *, subject: str) -> None:
    """Which sources vote alike, and which never do."""
    patterns = distinct(table.matrix, inverse=False)
    counted = analysis.analyse(patterns, n_classes=len(table.classes))
    alike = copies.alike(copies.meetings_of(patterns, n_classes=len(table.classes)), table.columns)
    run.state(near_copies.check(sources=len(table.columns), subject=subject, **alike.told()))
    said = {column: int(counted.votes[j].sum()) for j, column in enumerate(table.columns)}
    run.state(silence.check(said, subject=subject))


def state_naming(run: StageRun, application: Application, *, subject: str) -> None:
    """What rows are called by, columns that no table holds, and answers that are no whole numbers."""
    points = application.points
    if points.named_by == "position":
        says = f"Rows are called by their position: no column {run.config.id_column} names each of them once."
        run.state(Finding.make(check="row_names", subject=subject, outcome="unknown", says=says))
    for name in points.left_out:
        says = f"Column {name} holds objects that no table can hold, and is left out of the recorded rows."
        run.state(Finding.make(check="columns", subject=subject, outcome="unknown", says=says))
    for name, counts in sorted(application.odd.items()):
        told = ", ".join(f"{what} {count:,} times" for what, count in sorted(counts.items()))
        says = f"{name} {told}; snorkel cut that to a whole number, which is what is recorded."
        run.state(Finding.make(check="vote_types", subject=subject, outcome="fail", says=says))


def state_seed(run: StageRun, fitted: Fitted, record: LabelModel) -> None:
    """Whether somebody fixed the seed of a label model."""
    if fitted.seed is None:
        return
    if fitted.seed_given:
        outcome, says = "pass", f"The seed of the {fitted.method} was fixed at {fitted.seed}."
    else:
        outcome = "fail"
        says = (
            f"Nobody fixed the seed of the {fitted.method}: snorkel drew {fitted.seed} when it was imported. "
            f"fit(..., seed={fitted.seed}) gives these labels again."
        )
    run.state(Finding.make(check="seed", subject=record.name, outcome=outcome, says=says))


def state_unknown(run: StageRun, seen: Session, *, subject: str) -> None:
    """What was seen and could not be followed, and what could not be recorded."""
    for what, count in sorted(seen.unknown.items()):
        times = "once" if count == 1 else f"{count:,} times"
        says = f"Not followed ({times}): {what}."
        run.state(Finding.make(check="capture", subject=subject, outcome="unknown", says=says))
    for fault in seen.faults:
        run.state(Finding.make(check="capture", subject=subject, outcome="unknown", says=f"{fault}."))
