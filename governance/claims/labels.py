"""What is recorded of votes, label model and labels?"""

from __future__ import annotations

from decimal import Decimal as Exact

from governance.claims.model import REPRO, Answer, Gap, Row, Table, claim, gap, said
from governance.claims.thread import Thread
from governance.claims.words import agree, counted, ended, figure, joined, named, number, share, upper
from governance.records import LongVotes, SourceVotes

#: a parameter that is a sentence: what was looked at when the prior was chosen
_PRIOR = "prior_chosen_on"


def coverage(thread: Thread) -> Answer:
    """How many examples got a vote, and on how many the sources contradict each other."""
    votes = thread.votes
    if votes is None:
        return gap("how many examples the sources cover, and where they conflict")
    none = votes.rows - votes.covered
    covered, silent = share(votes.covered, votes.rows), share(none, votes.rows)
    conflict = share(votes.conflicts, votes.rows)
    return said(
        claim(f"Sources vote on {number(votes.covered)} of {number(votes.rows, 'example')} ({covered}).", votes),
        claim(f"On {number(none, 'example')} ({silent}) every source abstains, and there is no label.", votes),
        claim(f"Votes conflict on {number(votes.conflicts, 'example')} ({conflict}).", votes),
        claim(f"The votes form {number(votes.patterns, 'distinct pattern')}.", votes),
    )


def failures(thread: Thread) -> Answer:
    """How often sources crashed or were skipped."""
    votes = thread.votes
    if votes is None:
        return gap("how often a source failed")
    errors = sum(column.errors for column in votes.sources)
    skipped = sum(column.skipped for column in votes.sources)
    cells = votes.answers if isinstance(votes, LongVotes) else votes.rows * len(votes.sources)
    passed = f"{number(skipped)} {agree(skipped, 'was', 'were')} skipped"
    text = f"{number(errors)} of {number(cells, 'vote')} ended in an error and {passed}; none of them is an abstention."
    return said(claim(text, votes))


def alignment(thread: Thread) -> Answer:
    """Whether votes belong to the rows that they stand beside."""
    votes = thread.votes
    if votes is None:
        return gap("whether the votes stand beside the right rows")
    if not votes.revoted:
        return gap("rows voted a second time, which would prove that votes stand beside the right rows")
    again = f"{number(votes.revoted, 'row')} {agree(votes.revoted, 'was', 'were')} voted a second time"
    text = f"{again}; {number(votes.revoted_differently)} of them differed."
    return said(claim(text, votes))


def learned(thread: Thread) -> Answer:
    """What the label model is, and whether its fit came to an end."""
    model = thread.label_model
    if model is None:
        return gap("what the label model learned of each source")
    balance = joined(f"{name} {figure(value)}" for name, value in zip(model.classes, model.balance, strict=False))
    end = "converged" if model.converged else "did not converge"
    steps = number(model.iterations, "iteration")
    name = upper(named("label model", model.title))
    prior = model.parameters.get(_PRIOR, "")
    rest = {key: value for key, value in model.parameters.items() if key != _PRIOR}
    parameters = joined(f"{key} {value}" for key, value in sorted(rest.items())) or "none"
    return said(
        claim(f"{name}, method {model.method}, {end} after {steps}.", model),
        claim(f"Class balance ({model.balance_origin}): {balance}.", model),
        claim(f"Parameters of the label model: {parameters}.", model),
        claim(f"How the prior was chosen: {ended(prior)}", model) if prior else None,
    )


def labelled(thread: Thread) -> Answer:
    """How many labels there are, and where they differ from majority vote."""
    labels = thread.labels
    if labels is None:
        return gap("which labels were made")
    of_covered = share(labels.differs_from_majority, labels.covered)
    differs = f"{number(labels.differs_from_majority, 'covered example')} ({of_covered})"
    got = f"{number(labels.covered)} of {number(labels.rows, 'example')}"
    return said(
        claim(f"{got} got a label: {counted(labels.classes)}.", labels),
        claim(f"On {differs} the label model and majority vote differ.", labels),
    )


def table(thread: Thread) -> Table | None:
    """Each source: how often it votes, and what the label model learned of it."""
    votes, model = thread.votes, thread.label_model
    if votes is None:
        return None
    accuracy = {item.source: item.accuracy for item in model.learned} if model else {}
    rows = []
    for column in votes.sources:
        cast = votes.voted_by(column)
        told = ", ".join(f"{name} {number(count)}" for name, count in zip(votes.classes, column.votes, strict=False))
        evidence = (votes.name, column.source, *((model.name,) if model and column.source in accuracy else ()))
        known = tuple(name for name in evidence if name in thread.facts)
        shown = figure(accuracy[column.source]) if column.source in accuracy else "not recorded"
        rows.append(Row((column.column, share(cast, votes.rows), told, number(column.errors), shown), known))
    columns = ("Source", "Votes on", "Votes", "Errors", "Accuracy learned without gold")
    return Table("What each source said, and what the label model made of it", columns, tuple(rows)) if rows else None


def kinds(thread: Thread) -> Answer:
    """Whose votes the labels come from: people, heuristics or models."""
    votes = thread.votes
    if votes is None or not thread.sources:
        return gap("which share of the labels comes from people, heuristics and models")
    kind = {source.name: source.source_kind for source in thread.sources}
    cast: dict[str, int] = {}
    for column in votes.sources:
        name = kind.get(column.source, "a source without description")
        cast[name] = cast.get(name, 0) + sum(column.votes)
    total = sum(cast.values())
    told = joined(f"{name} {share(count, total)}" for name, count in sorted(cast.items()))
    parts = [claim(f"Votes by kind of source: {told}.", votes, *thread.sources)]
    if not {"crowd", "gold"} & set(kind.values()):
        parts.append(
            claim("No label comes from a person; people appear only in the gold labels.", votes, *thread.sources)
        )
    return said(*parts)


def honesty(thread: Thread) -> Answer:
    """How the accuracy that was learned without gold compares with gold, where both are recorded."""
    model, evaluation = thread.label_model, thread.evaluation
    if model is None or evaluation is None:
        return gap("how the accuracies learned without gold compare with gold")
    parts = []
    for item in model.learned:
        on_gold = _of_source(thread, item.source, item.column)
        if on_gold is None or on_gold[1] is None:
            continue
        slice_name, value = on_gold
        text = (
            f"Source {item.column}: accuracy learned without gold {figure(item.accuracy)}, on gold "
            f"{figure(value)} ({slice_name}); difference {figure(str(Exact(item.accuracy) - Exact(value or '0')))}."
        )
        parts.append(claim(text, model, evaluation))
    if not parts:
        return said(Gap("accuracy of each source on gold, beside what was learned without gold", REPRO))
    return said(*parts)


def _of_source(thread: Thread, source: str, column: str) -> tuple[str, str | None] | None:
    """(slice, accuracy on gold) of one source, on the widest slice that was measured."""
    names = {source, column, f"source {column}", f"source:{column}", f"source={column}"}
    found = [
        metric
        for metric in (thread.evaluation.metrics if thread.evaluation else ())
        if metric.metric == "accuracy" and metric.of in names and metric.value is not None
    ]
    if not found:
        return None
    widest = max(found, key=lambda metric: (metric.examples, metric.slice))
    return widest.slice, widest.value


def column_of(thread: Thread, source: str) -> SourceVotes | None:
    """What one source version said, in counts."""
    return next((column for column in (thread.votes.sources if thread.votes else ()) if column.source == source), None)
