"""What is there, who uses it, and what would its withdrawal touch?"""

from __future__ import annotations

from governance.audit.query import Context, query
from governance.claims import Answer, claim, data, gap, labels, lines, said, sources
from governance.claims.words import ended, figure, joined, number
from governance.facts import Facts
from governance.records import Dataset, LabelModel, Labels, Model, Source, Votes

_KINDS = (Dataset, Source, Votes, LabelModel, Labels, Model)


@query
def inventory(facts: Facts, context: Context) -> Answer:
    """Everything recorded, by kind, with orphans."""
    parts = []
    for kind in _KINDS:
        found = sorted(facts.of(kind), key=lambda record: (record.label, record.name))
        if found:
            titles = joined(sorted({record.label for record in found}))
            text = f"{lines.noun(kind.kind, len(found))} recorded: {titles}."
            parts.append(claim(text[:1].upper() + text[1:], *found))
    if not parts:
        return gap("sources, datasets, votes, labels and models")
    missing = [kind.kind for kind in _KINDS if not facts.of(kind)]
    answer = said(*parts) + lines.orphans(context.thread) + sources.owners(context.thread)
    for kind in missing:
        answer += gap(f"any {lines.noun(kind, 1).partition(' ')[2]}")
    return answer


@query
def retirement_trace(_: Facts, context: Context) -> Answer:
    """What stands on each source, and which descriptions have run out."""
    thread = context.thread
    over = [source for source in thread.sources if source.expiry and source.expiry < context.as_of]
    answer = lines.blast(thread)
    if over:
        told = joined(f"{source.title} ({source.expiry})" for source in over)
        answer += said(claim(f"Descriptions that ran out by {context.as_of} and still vote: {told}.", *over))
    return answer + context.unheld("retired sources and models, and what still refers to them")


@query
def blast_radius_and_drill(_: Facts, context: Context) -> Answer:
    """What depends on each source; rehearsals of doing without one are recorded nowhere yet."""
    return lines.blast(context.thread) + context.unheld("rehearsals of labelling and training without a source")


@query
def label_origin(_: Facts, context: Context) -> Answer:
    """Whose votes the labels come from, and where people judged."""
    thread = context.thread
    return (
        labels.kinds(thread) + data.gold(thread) + context.unheld("who adjudicates, and who approves what others made")
    )


@query
def third_party_monitor(_: Facts, context: Context) -> Answer:
    """Versions, licences and learned quality of every source that stands on a package of others."""
    thread = context.thread
    if not thread.sources:
        return gap("sources that stand on packages of others")
    learned = {item.source: item.accuracy for item in (thread.label_model.learned if thread.label_model else ())}
    parts = []
    for source in thread.external:
        column = labels.column_of(thread, source.name)
        cast = f"; it votes on {number(sum(column.votes), 'example')}" if column else ""
        quality = f"; accuracy learned without gold {figure(learned[source.name])}" if source.name in learned else ""
        packages = joined(f"{package.distribution} {package.version}" for package in source.packages)
        text = f"{source.title}: {packages}, licence found {source.licence_found}{cast}{quality}."
        parts.append(claim(text, source, thread.votes if column else None, thread.label_model if quality else None))
    if not parts:
        text = f"None of {number(len(thread.sources), 'source')} stands on a package of others."
        parts.append(claim(text, *thread.sources))
    found = tuple(finding for finding in thread.findings if finding.subject in {s.name for s in thread.external})
    answer = said(*parts, *(data.found(thread, finding) for finding in found))
    return answer + context.unheld("changes of terms and of quality over time, for each external source")


@query
def pretrained_monitor(_: Facts, context: Context) -> Answer:
    """Which sources are models that others trained."""
    thread = context.thread
    if not thread.sources:
        return gap("sources that are models trained by others")
    kinds = ("pretrained", "distilled", "llm")
    found = [source for source in thread.sources if source.source_kind in kinds]
    if not found:
        text = f"None of {number(len(thread.sources), 'source version')} is a pretrained, distilled or language model."
        return said(claim(text, *thread.sources))
    parts = [claim(f"{source.title} {source.version}: {ended(source.origin)}", source) for source in found]
    return said(*parts) + context.unheld("checks of these models over time")
