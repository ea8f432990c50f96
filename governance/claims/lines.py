"""What stands on what, and which runs made it?"""

from __future__ import annotations

from governance.claims.model import REPRO, Answer, Gap, claim, gap, said
from governance.claims.thread import Thread
from governance.claims.words import agree, joined, number
from governance.facts import Facts, short
from governance.records import Record, Result, Source

_NOUNS = {
    "dataset": "dataset version",
    "votes": "vote set",
    "labelmodel": "label model",
    "labels": "label set",
    "model": "model",
    "predictions": "prediction batch",
    "evaluation": "evaluation",
    "document": "card",
}
_PLURALS = {"predictions": "prediction batches"}


def noun(kind: str, count: int) -> str:
    """`2 vote sets`; kinds that nobody hands on are spelled as they are."""
    return number(count, _NOUNS.get(kind, kind), _PLURALS.get(kind, ""))


def title(kind: str) -> str:
    """What people call one record of a kind: `label model`."""
    return _NOUNS.get(kind, kind)


def standing_on(facts: Facts) -> dict[str, list[str]]:
    """For every name the names of the records derived from it, directly, sorted."""
    above: dict[str, set[str]] = {}
    for subject, relation, origin in facts.edges:
        if relation == "wasDerivedFrom" and subject in facts:
            above.setdefault(origin, set()).add(subject)
    return {origin: sorted(subjects) for origin, subjects in above.items()}


def touched(facts: Facts, start: str) -> list[Record]:
    """Every record that stands on `start`, however far above, by kind and name; reports are left out."""
    above, seen, todo = standing_on(facts), {start}, [start]
    while todo:
        for name in above.get(todo.pop(), ()):
            if name not in seen:
                seen.add(name)
                todo.append(name)
    found = [facts.get(name) for name in seen - {start}]
    kept = [record for record in found if record is not None and getattr(record, "document_kind", "") != "audit_report"]
    return sorted(kept, key=lambda record: (record.kind, record.name))


def blast(thread: Thread) -> Answer:
    """What would be touched if a source were withdrawn; sources that would touch equally much in one sentence."""
    if not thread.sources:
        return gap("what stands on each source")
    groups: dict[str, list[tuple[Source, list[str]]]] = {}
    for source in thread.sources:
        names = [record.name for record in touched(thread.facts, source.name)]
        kinds = [name.partition(":")[0] for name in names]
        told = joined(noun(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds) if kind in _NOUNS)
        told = told or (number(len(names), "record") if names else "")
        shown = [name for name in names if name.partition(":")[0] in _NOUNS] or names
        groups.setdefault(told, []).append((source, shown))
    parts = []
    for told, held in groups.items():
        titles = [source.title for source, _ in held]
        evidence = [*(source for source, _ in held), *(name for _, shown in held for name in shown)]
        if told:
            one = "" if len(held) == 1 else "any one of "
            parts.append(claim(f"Withdrawing {one}{joined(titles, 'or')} touches {told}.", *evidence))
        else:
            parts.append(claim(f"Nothing stands on {joined(titles)}.", *evidence))
    return said(*parts)


def dangling(thread: Thread) -> Answer:
    """Whether every record that others refer to is recorded itself."""
    facts = thread.facts
    # What a document cites is no lineage: a report must not change because there is an older one.
    edges = [edge for edge in facts.edges if not edge[0].startswith("document:")]
    referred = sorted({origin for _, relation, origin in edges if relation == "wasDerivedFrom"})
    missing = [name for name in referred if name not in facts]
    if not referred:
        return gap("edges from data to labels and model")
    parts: list = []
    if not missing and thread.records:
        every = "The one record" if len(referred) == 1 else f"All {number(len(referred), 'record')}"
        own = agree(len(referred), "is recorded itself", "are recorded themselves")
        text = f"{every} that others are derived from {own}."
        parts.append(claim(text, *thread.records))
    parts += [Gap(f"the record {short(name)}, from which others are derived", REPRO) for name in missing]
    return said(*parts)


def orphans(thread: Thread) -> Answer:
    """Which source versions nobody uses."""
    facts, above = thread.facts, standing_on(thread.facts)
    sources = sorted(facts.of(Source), key=lambda source: (source.title, source.version, source.name))
    if not sources:
        return Answer()
    unused = [s for s in sources if all(name.startswith("document:") for name in above.get(s.name, ()))]
    if unused:
        titles = joined(sorted(f"{source.title} {source.version}" for source in unused))
        return said(claim(f"Orphans, on which nothing stands: {titles}.", *unused))
    return said(claim(f"No orphans: something stands on each of {number(len(sources), 'source version')}.", *sources))


def pinned(thread: Thread) -> Answer:
    """Which versions, seeds and threads the runs fixed."""
    if not thread.runs:
        return gap("the runs that made this, with versions and seeds")
    parts: list = []
    for recipe, result in thread.runs:
        if recipe is None:
            parts.append(Gap(f"recipe of stage {result.stage}", REPRO))
            continue
        text = (
            f"Stage {recipe.stage}: {number(len(recipe.inputs), 'input')} and {number(len(recipe.code), 'code file')} "
            f"by digest, {number(len(recipe.distributions), 'distribution')} by version, Python {recipe.python}, "
            f"seed {recipe.seed}, {number(recipe.threads, 'thread')}, hash seed {recipe.hash_seed}."
        )
        parts.append(claim(text, recipe, result))
    return said(*parts)


def outputs(thread: Thread) -> Answer:
    """Whether every file that a run made is named by its digest."""
    if not thread.runs:
        return gap("digests of the files that the runs made")
    files = sum(len(result.outputs) for _, result in thread.runs)
    results = [result for _, result in thread.runs]
    stages = joined(result.stage for result in results)
    text = (
        f"{number(files, 'output file')} of {number(len(results), 'stage')} ({stages}) "
        f"{agree(files, 'is', 'are')} named by SHA-256 digest."
    )
    return said(claim(text, *results))


def cost(thread: Thread) -> Answer:
    """Where time and cost are noted: with the executions of these runs, never in a document that a stage builds."""
    if not thread.runs:
        return gap("the runs whose executions would note time and cost")
    results = [result for _, result in thread.runs]
    text = (
        f"Time, processor time and memory are noted with the executions of {number(len(results), 'run')} "
        f"({joined(result.stage for result in results)}), and not repeated here."
    )
    return said(claim(text, *results))


def reproduced(thread: Thread) -> Answer:
    """Whether one recipe gave two different results."""
    if not thread.runs:
        return gap("results to compare with a second run of the same recipe")
    given: dict[str, list[Result]] = {}
    for result in thread.facts.of(Result):
        given.setdefault(result.recipe, []).append(result)
    parts: list = []
    for recipe, result in thread.runs:
        several = sorted(given.get(result.recipe, []), key=lambda item: item.name)
        if len(several) > 1:
            text = f"Stage {result.stage} gave {number(len(several), 'different result')} for one recipe."
            parts.append(claim(text, recipe, *several))
    if not parts:
        text = f"None of {number(len(thread.runs), 'recipe')} is recorded with two different results."
        parts.append(claim(text, *(result for _, result in thread.runs)))
    return said(*parts)
