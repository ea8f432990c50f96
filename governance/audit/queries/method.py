"""What is the task, by which method is it done, and where are its limits?"""

from __future__ import annotations

from collections import Counter

from governance.audit.query import Context, query
from governance.claims import REPRO, Answer, Gap, claim, data, figures, gap, labels, lines, said, sources
from governance.claims.words import figure, joined, named, number, upper
from governance.facts import Facts


@query
def task_and_method(_: Facts, context: Context) -> Answer:
    """Classes, sources, label model, end model, parameters."""
    thread = context.thread
    answer = Answer()
    if thread.votes is not None:
        answer += said(claim(f"The task: one of {joined(thread.votes.classes, 'or')} for every example.", thread.votes))
    else:
        answer += gap("the classes to tell apart")
    answer += sources.listed(thread) + labels.learned(thread)
    model = thread.model
    if model is None:
        return answer + gap("the end model and its parameters")
    parameters = joined(f"{key} {value}" for key, value in sorted(model.parameters.items())) or "none"
    return answer + said(
        claim(f"{upper(named('end model', model.title))}: {model.architecture}; parameters: {parameters}.", model)
    )


@query
def limits(_: Facts, context: Context) -> Answer:
    """Coverage, abstention, conflict, calibration, weak slices, falls."""
    thread = context.thread
    answer = labels.coverage(thread) + figures.calibration(thread) + figures.weakest(thread)
    return answer + figures.fall(thread) + figures.unmeasured(thread)


@query
def design_facts(_: Facts, context: Context) -> Answer:
    """Splits, leakage, contamination, class balance, seeds."""
    thread = context.thread
    leaks = data.told(
        thread, thread.about("leak", "duplicate"), otherwise="whether test examples also appear in training"
    )
    answer = data.splits(thread) + leaks + sources.contamination(thread) + data.balance(thread) + lines.pinned(thread)
    return answer + context.unheld("how well the examples stand for those met in use")


@query
def requirement_to_check(_: Facts, context: Context) -> Answer:
    """Contracts and the checks inside; requirements themselves are recorded nowhere yet."""
    return data.refused(context.thread) + context.unheld("requirements, each with the check that covers it")


@query
def controls_per_component(_: Facts, context: Context) -> Answer:
    """Contracts and findings for every component, with the last outcome."""
    thread = context.thread
    parts: list = [
        claim(f"Contract “{contract.title}” guards with {number(len(contract.checks), 'check')}.", contract)
        for contract in thread.contracts
    ]
    subjects = {record.name: record for record in thread.records}
    for name, record in subjects.items():
        found = [finding for finding in thread.findings if finding.subject == name]
        if found:
            ends = Counter(f"{finding.check} {finding.outcome}" for finding in found)
            told = joined(f"{end} ({times} times)" if times > 1 else end for end, times in ends.items())
            parts.append(claim(f"Checks of {named(lines.title(record.kind), record.label)}: {told}.", record, *found))
    if not parts:
        return gap("contracts and findings for each component")
    bare = [record for name, record in subjects.items() if name not in {finding.subject for finding in thread.findings}]
    # A finding can be about any record, so a stage could state one; that it does not is no fault of the records.
    edit = ("state a finding on each in the stage that makes it",)
    unchecked = joined(named(lines.title(record.kind), record.label) for record in bare)
    return said(*parts, Gap(f"a check of {unchecked}", REPRO, edit=edit) if bare else None)


@query
def threshold_policy(_: Facts, context: Context) -> Answer:
    """Which limits the findings hold figures against."""
    limited = [finding for finding in context.thread.findings if finding.limit is not None]
    if not limited:
        return gap("limits that figures are held against") + context.unheld("who set the limits")
    told = joined(sorted({f"{finding.check} {figure(finding.limit, 4)}" for finding in limited}))
    return said(claim(f"Limits in force: {told}.", *limited)) + context.unheld("who set or changed the limits, and why")


@query
def risk_tier_gates(_: Facts, context: Context) -> Answer:
    """Findings that hold a figure against a limit; a tier is recorded nowhere."""
    return data.outcomes(context.thread) + context.unheld("risk tier of the project and the gates that it requires")


@query
def alternatives(_: Facts, context: Context) -> Answer:
    """Majority vote and the supervised reference beside the model."""
    thread = context.thread
    return figures.versus_majority(thread) + figures.headline(thread)
